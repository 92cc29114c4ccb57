//! ocisign-core behind wit: one crate, two worlds.
//!
//! Built by `cargo xtask component`: with the feature `signing` it is
//! `ocisign.wasm`, whose whole import list is `credentials`; without it is
//! `ocisign-core.wasm`, which imports nothing and has no RSA in it.
//!
//! This is a list of names; conversions are in `convert`, and what to do is
//! decided in ocisign-core.

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

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod bindings {
    #[cfg(feature = "signing")]
    wit_bindgen::generate!({ world: "signing", path: "../wit" });
    #[cfg(not(feature = "signing"))]
    wit_bindgen::generate!({ world: "core", path: "../wit" });

    export!(Component);
    use super::Component;
}
