//! Where credentials come from: one file per source.

use std::fmt;

use ocisign_core::{KeyError, ProfileError, SignError};

use crate::file::FileError;

mod profile;

pub use profile::ProfileSource;

/// Why a source gave no credential.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SourceError {
    /// What was found is not a credential, or its parts do not belong together.
    Credential(SignError),
    /// A file could not be read.
    File(FileError),
    /// The profile lacks what it needs.
    Profile(ProfileError),
    /// The profile asks for this kind of identity, which is not read from a profile.
    UnsupportedAuthentication(String),
}

impl SourceError {
    /// The stable code, equal in all languages.
    ///
    /// ```
    /// use ocisign::{Profile, ProfileSource};
    ///
    /// let profile = Profile::parse("[DEFAULT]\nuser=ocid1.user.oc1..a\n", "DEFAULT")?;
    /// let error = ProfileSource::new(&profile).credential().unwrap_err();
    /// assert_eq!(error.code(), "INVALID_PROFILE");
    /// # Ok::<(), ocisign::ProfileError>(())
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Credential(error) => error.code(),
            Self::File(error) => error.code(),
            Self::Profile(error) => error.code(),
            Self::UnsupportedAuthentication(_) => "UNSUPPORTED_AUTHENTICATION",
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Profile(error) => error.fmt(f),
            Self::UnsupportedAuthentication(kind) => write!(
                f,
                "`authentication_type` {kind:?} is not supported; \
                 `api_key` and `security_token` are"
            ),
        }
    }
}

impl std::error::Error for SourceError {}

impl From<FileError> for SourceError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<KeyError> for SourceError {
    fn from(error: KeyError) -> Self {
        Self::Credential(error.into())
    }
}

impl From<ProfileError> for SourceError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(error)
    }
}

impl From<SignError> for SourceError {
    fn from(error: SignError) -> Self {
        Self::Credential(error)
    }
}
