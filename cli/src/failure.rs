//! What can go wrong once the arguments are understood.

use ocisign::{
    FileError, ProfileError, SignError, SignerError, SourceError, TransportFault, VerifyError,
};

/// Why it did not go well. The exit code is 1, but for an answer 3.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The answer was passed on, and its status is not of 2xx.
    Answered { code: &'static str, message: String },
    /// The stable code, with a message.
    Refused { code: &'static str, message: String },
    /// There is no whole answer.
    Unsent { about: String, fault: TransportFault },
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
            other => other,
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

refused!(FileError, ProfileError, SignError, SignerError, SourceError, VerifyError);
