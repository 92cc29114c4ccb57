//! Signs requests to Oracle Cloud Infrastructure (OCI).
//!
//! This crate decides what to send, and never sends it. It is `no_std`: no file,
//! socket, clock, environment or random source can be named in it. Time and
//! entropy are arguments.
//!
//! - To sign in one step, give [`sign`] a [`Request`], a [`Credential`] and the time.
//! - With the key elsewhere, [`prepare`] gives what has to be signed, and
//!   [`Prepared::finish`] takes the signature.
//! - [`verify`] is the other direction.
//! - An [`Exchange`] says how an instance, a function or a pod gets a credential, and a
//!   [`Rotation`] when the next one is due.
//!
//! Every error has a stable `code()`, equal in all languages that ocisign
//! speaks, and none holds a key, a token or a header's value.
//!
//! # Features
//!
//! `rsa` adds `RsaKey` and `RsaVerifyingKey`, a backend in pure Rust for
//! WebAssembly. Native programs take the crate `ocisign`, which is five times
//! as fast.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod authorization;
mod backoff;
mod certificate;
mod credential;
mod encryption;
mod error;
mod federation;
mod generation;
mod key_id;
mod key_options;
mod pem;
mod private_key;
mod profile;
mod public_key;
mod region;
mod request;
#[cfg(feature = "rsa")]
mod rsa_key;
mod security_token;
mod sign;
mod signing_key;
mod signing_string;
mod time;
mod url;
mod verify;

// The public interface is:
pub use credential::Credential;
pub use error::{
    AuthorizationFault, HeaderFault, KeyError, ProfileError, ProfileFault, RegionError, SignError,
    TokenFault, UrlError, UrlFault, VerifyError,
};
pub use federation::{
    DomainClient, Endpoint, Exchange, ExchangeError, ExchangeFault, HttpAnswer, HttpRequest,
    InstancePrincipal, KeyBackend, ResourcePrincipal, SessionRefresh, Step, TokenExchange,
    TransportFault, UserSession, VariableError, VariableFault, WorkloadIdentity,
};
pub use generation::{
    Claim, Decision, Generation, Moment, Quiet, RefusedGeneration, Rejection, Rotation, Verdict,
};
pub use key_id::KeyId;
pub use key_options::KeyOptions;
pub use private_key::PrivateKeyDer;
pub use profile::Profile;
pub use public_key::PublicKey;
pub use region::{Region, RegionSources, Service};
pub use request::{Body, DateHeader, Request};
#[cfg(feature = "rsa")]
pub use rsa_key::{RsaKey, RsaVerifyingKey};
pub use security_token::SecurityToken;
pub use sign::{Prepared, SignedHeaders, prepare, sign};
pub use signing_key::{SigningFailed, SigningKey, VerifyingKey};
pub use time::{UnixTime, http_date, parse_clock_skew, parse_http_date};
pub use verify::{Examined, VerifyOptions, examine, verify};
