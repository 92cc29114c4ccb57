//! ocisign-core behind wit: one crate, two worlds.
//!
//! Built by `cargo xtask component`: with the feature `signing` it is
//! `ocisign.wasm`, whose whole import list is `credentials`; without it is
//! `ocisign-core.wasm`, which imports nothing and has no RSA in it.
//!
//! This is a list of names; conversions are in `convert`, and what to do is
//! decided in ocisign-core.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod convert;
mod halves;
#[cfg(not(feature = "signing"))]
mod reading;
#[cfg(feature = "signing")]
mod signer;
#[cfg(not(feature = "signing"))]
mod verification;

/// What both worlds export.
struct Component;

/// std's allocator for wasm, without the rest of std, and with all that is freed
/// wiped: the crate `rsa` leaves primes behind, and so does the boundary.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<dlmalloc::GlobalDlmalloc> =
    zeroizing_alloc::ZeroAlloc(dlmalloc::GlobalDlmalloc);

/// No input leads here (the fuzz corpora and all invalid vectors run through
/// the component); a trap without a message is a tenth smaller.
#[cfg(target_family = "wasm")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod bindings {
    #[cfg(feature = "signing")]
    wit_bindgen::generate!({ world: "signing", path: "../wit" });
    #[cfg(not(feature = "signing"))]
    wit_bindgen::generate!({ world: "core", path: "../wit" });

    #[cfg(not(feature = "signing"))]
    pub use exports::ocisign::signing::types;
    #[cfg(feature = "signing")]
    pub use ocisign::signing::types;

    export!(Component);
    use super::Component;
}
