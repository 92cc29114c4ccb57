//! What can go wrong once the arguments are understood.

use ocisign::{FileError, ProfileError, SignError, SourceError, VerifyError};

/// Why there is nothing to print. The exit code is 1.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The stable code, with a message.
    Refused { code: &'static str, message: String },
    /// Whoever read standard output has gone; there is nobody to tell.
    ReaderGone,
}

impl Failure {
    /// The same, with what it is about in front.
    pub(crate) fn about(self, subject: impl std::fmt::Display) -> Self {
        match self {
            Self::Refused { code, message } => {
                Self::Refused { code, message: format!("{subject}: {message}") }
            }
            Self::ReaderGone => Self::ReaderGone,
        }
    }
}

macro_rules! refused {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Refused { code: error.code(), message: error.to_string() }
            }
        }
    )*};
}

refused!(FileError, ProfileError, SignError, SourceError, VerifyError);
