//! Why there is no answer to a request that was to be signed and sent.

use std::error::Error;
use std::fmt;

use crate::signer::SignerError;

/// Why there is no answer to a request that was to be signed and sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The body broke off while it was read for its digest.
    Body(BoxError),
    /// The body to be signed is longer than [`SignLayer::body_limit`](crate::SignLayer::body_limit)
    /// allows. Say its digest, leave it out of the signature where OCI accepts that, or raise the
    /// limit.
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is a stream, of which nothing is known. Say its digest, or leave it out of the
    /// signature where OCI accepts that.
    BodyUnknown,
    /// The client or the inner service failed. This is its own error.
    Client(BoxError),
    /// The request was not signed.
    Signer(SignerError),
}

type BoxError = Box<dyn Error + Send + Sync>;

impl SendError {
    /// The stable code, equal in all languages: one of the four below, or the signer's.
    ///
    /// ```
    /// assert_eq!(ocisign::SendError::BodyUnknown.code(), "BODY_UNKNOWN");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Body(_) => "BODY_UNREADABLE",
            Self::BodyTooLarge { .. } => "BODY_TOO_LARGE",
            Self::BodyUnknown => "BODY_UNKNOWN",
            Self::Client(_) => "CLIENT_FAILED",
            Self::Signer(error) => error.code(),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => write!(f, "the body could not be read: {error}"),
            Self::BodyTooLarge { limit } => {
                write!(f, "the body is longer than the {limit} bytes that are read for its digest")
            }
            Self::BodyUnknown => f.write_str("the body is a stream without a digest"),
            Self::Client(error) => error.fmt(f),
            Self::Signer(error) => error.fmt(f),
        }
    }
}

/// The messages of those within are part of its own, so theirs is the next cause.
impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Body(error) | Self::Client(error) => error.source(),
            Self::Signer(error) => error.source(),
            Self::BodyTooLarge { .. } | Self::BodyUnknown => None,
        }
    }
}

impl From<SignerError> for SendError {
    fn from(error: SignerError) -> Self {
        Self::Signer(error)
    }
}
