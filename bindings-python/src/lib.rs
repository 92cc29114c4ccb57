//! What Python sees of ocisign: a list of names. What they do is in the crate `ocisign`.
// Python gives arguments by name, and owned.
#![expect(clippy::needless_pass_by_value, clippy::too_many_arguments)]

mod command;
mod config;
mod credential;
mod error;
mod exchange;
mod request;
mod sign;
mod signer;
mod verify;

/// The part of the package that is in Rust. Import `ocisign` instead.
#[pyo3::pymodule]
mod _ocisign {
    #[pymodule_export]
    use super::command::command;
    #[pymodule_export]
    use super::config::{Region, read_profile};
    #[pymodule_export]
    use super::credential::Credential;
    #[pymodule_export]
    use super::exchange::{Exchange, Ready, Send, Wait};
    #[pymodule_export]
    use super::request::Digest;
    #[pymodule_export]
    use super::sign::{Prepared, prepare, sign};
    #[pymodule_export]
    use super::signer::{Identity, Signed, Signer, Status};
    #[pymodule_export]
    use super::verify::{Examined, PublicKey, examine, verify};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "it is Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
