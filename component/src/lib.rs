//! ocisign-core behind wit: one crate, three worlds.
//!
//! Built by `cargo xtask component`: with the feature `signing` it is
//! `ocisign.wasm`, whose whole import list is `credentials`; with `federation` it
//! is `ocisign-federation.wasm`, which imports nothing; without either it is
//! `ocisign-core.wasm`, which imports nothing and has no RSA in it.
//!
//! This is a list of names; conversions are in `convert`, and what to do is
//! decided in ocisign-core.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod convert;
#[cfg(feature = "federation")]
mod exchanges;
#[cfg(not(feature = "federation"))]
mod halves;
#[cfg(any(feature = "signing", feature = "federation"))]
mod material;
#[cfg(any(feature = "federation", not(feature = "signing")))]
mod reading;
#[cfg(feature = "federation")]
mod session_keys;
#[cfg(all(feature = "signing", not(feature = "federation")))]
mod signer;
#[cfg(not(any(feature = "signing", feature = "federation")))]
mod verification;

/// What all worlds export.
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
    #[cfg(feature = "federation")]
    wit_bindgen::generate!({ world: "federation", path: "../wit" });
    #[cfg(all(feature = "signing", not(feature = "federation")))]
    wit_bindgen::generate!({ world: "signing", path: "../wit" });
    #[cfg(not(any(feature = "signing", feature = "federation")))]
    wit_bindgen::generate!({ world: "core", path: "../wit" });

    #[cfg(any(feature = "federation", not(feature = "signing")))]
    pub use exports::ocisign::signing::types;
    #[cfg(all(feature = "signing", not(feature = "federation")))]
    pub use ocisign::signing::types;

    export!(Component);
    use super::Component;
}
