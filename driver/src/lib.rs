//! Signs requests to Oracle Cloud Infrastructure (OCI), with the identity that the platform gives.
//!
//! [`ocisign_core`] decides what to send; this crate is the one that opens
//! anything. All of the core is here too, so one dependency is enough.
//!
//! - [`Signer`] signs with an identity that stays fresh: an instance's, a function's, a pod's,
//!   a user's, or whichever of them [`Chain`] finds.
//! - [`Source`] is where it comes from; a program may have its own.
//! - [`NativeKey`] signs and [`NativeVerifyingKey`] verifies, as fast as OpenSSL.
//! - [`ProfileSource`] makes a [`Credential`] of a profile of `~/.oci/config`.
//! - [`read_text`] reads a small secret file, and wipes it.
//!
//! ```
//! use ocisign::{Credential, KeyId, KeyOptions, NativeKey, PrivateKeyDer, Request, sign};
//!
//! let pem = include_str!("../../vectors/keys/test-key.pem");
//! let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
//! let credential = Credential::new(KeyId::new("tenancy/user/fingerprint")?, key);
//! let request = Request::new("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances");
//! let signed = sign(&request, &credential, 1_388_957_500)?;
//! assert!(signed.authorization().starts_with("Signature version=\"1\""));
//! # Ok::<(), ocisign::SignError>(())
//! ```
//!
//! # Features
//!
//! None is on by default. Each adds, and changes nothing else.
//!
//! - `http`: [`Signer::sign_http`] and [`sign_http`] sign a request of the crate `http` in place.
//! - `tower`: [`SignLayer`] signs what any HTTP service of `tower` sends, also hyper's client:
//!   it streams, and refreshes and repeats once after a 401.
//! - `reqwest`: [`Signer::execute`] does that with a `reqwest::Client`.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod builder;
mod clock;
mod context;
mod environment;
mod file;
#[cfg(feature = "http")]
mod http;
mod keeper;
mod key;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(any(feature = "reqwest", feature = "tower"))]
mod send_error;
mod signer;
mod source;
#[cfg(feature = "tower")]
mod tower;
mod transport;
mod weak_key;

// The public interface is:
pub use builder::SignerBuilder;
pub use clock::{Clock, SystemClock};
pub use context::{Context, NativeKeys, entropy};
pub use environment::Environment;
pub use file::{FileError, FileFault, expand_home, read_text};
#[cfg(feature = "http")]
pub use http::{HttpHead, sign_http};
pub use key::{NativeKey, NativeVerifyingKey};
pub use ocisign_core::*;
#[cfg(any(feature = "reqwest", feature = "tower"))]
pub use send_error::SendError;
pub use signer::{Refreshed, Refusal, Signed, Signer, SignerError, Status};
pub use source::{
    Chain, ConfigSource, EnvironmentSource, Fetched, FnSource, InstanceSource, Kind, PassedOver,
    ProfileSource, ResourceSource, Source, SourceError, ValueSource, WorkloadSource,
};
#[cfg(feature = "tower")]
pub use tower::{SignBody, SignLayer, SignService};
pub use transport::{HttpTransport, Response, Transport};

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So are those of the page about Rust.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust.md")]
struct Guide;
