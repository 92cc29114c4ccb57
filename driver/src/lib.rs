//! Signs requests to Oracle Cloud Infrastructure (OCI), with native keys and files.
#![forbid(unsafe_code)]

// The public interface is:
pub use ocisign_core::*;
