//! Why a source gave no credential.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ocisign_core::{
    ExchangeError, KeyError, ProfileError, RefusedGeneration, RegionError, SignError, UnixTime,
    VariableError,
};

use crate::file::FileError;
use crate::source::Kind;

/// Why a source gave no credential.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SourceError {
    /// What was found is not a credential, or its parts do not belong together.
    Credential(SignError),
    /// An exchange gave none.
    Exchange {
        /// Which call, and what was wrong with it.
        error: ExchangeError,
        /// For how long the server asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// A file could not be read.
    File(FileError),
    /// What was found is not taken in place of the one before it.
    Generation(RefusedGeneration),
    /// There is nothing from which to be anybody: what was looked for.
    NotFound(Vec<PassedOver>),
    /// The program's own source failed, in its own words.
    Other(String),
    /// The profile lacks what it needs.
    Profile(ProfileError),
    /// A region is set to what cannot be one.
    Region {
        /// The variable, or the key of the profile.
        setting: &'static str,
        /// What is wrong with it.
        error: RegionError,
    },
    /// The fetch did not come to an end.
    Stopped,
    /// The token in a file has expired, and whoever writes it wrote no other.
    TokenFileExpired {
        /// The file.
        path: PathBuf,
        /// When it was written, where that is known.
        modified: Option<UnixTime>,
        /// When its token expired.
        expired: UnixTime,
    },
    /// `authentication_type` or `OCI_CLI_AUTH` asks for this kind of identity, which there is not.
    UnsupportedAuthentication(String),
    /// A variable of the environment is missing or wrong.
    Variable(VariableError),
}

/// A kind of identity that a chain went past, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PassedOver {
    /// The kind.
    pub kind: Kind,
    /// Why there is none of it, as a clause: `OCI_RESOURCE_PRINCIPAL_VERSION is not set`.
    pub reason: String,
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
            Self::Exchange { error, .. } => error.code(),
            Self::File(error) => error.code(),
            Self::Generation(error) => error.code(),
            Self::NotFound(_) => "NO_CREDENTIAL",
            Self::Other(_) => "SOURCE_FAILED",
            Self::Profile(error) => error.code(),
            Self::Region { error, .. } => error.code(),
            Self::Stopped => "REFRESH_STOPPED",
            Self::TokenFileExpired { .. } => "EXPIRED",
            Self::UnsupportedAuthentication(_) => "UNSUPPORTED_AUTHENTICATION",
            Self::Variable(error) => error.code(),
        }
    }

    /// For how long a server asked to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Exchange { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(error) => error.fmt(f),
            Self::Exchange { error, .. } => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Generation(error) => error.fmt(f),
            Self::NotFound(passed_over) => {
                f.write_str("there is no identity here")?;
                for (index, PassedOver { kind, reason }) in passed_over.iter().enumerate() {
                    let mark = if index == 0 { ": " } else { "; " };
                    write!(f, "{mark}{}: {reason}", kind.name())?;
                }
                Ok(())
            }
            Self::Other(message) => f.write_str(message),
            Self::Profile(error) => error.fmt(f),
            Self::Region { setting, error } => write!(f, "{setting}: {error}"),
            Self::Stopped => f.write_str("the refresh ended without a result"),
            Self::TokenFileExpired { path, modified, expired } => {
                write!(
                    f,
                    "{:?}: the token expired at {expired} (seconds since 1970)",
                    path.to_string_lossy()
                )?;
                match modified {
                    Some(modified) => write!(f, ", and the file was last written at {modified}"),
                    None => Ok(()),
                }
            }
            Self::UnsupportedAuthentication(kind) => {
                write!(
                    f,
                    "OCI_CLI_AUTH or authentication_type asks for {kind:?}, which is none that is \
                     known here"
                )
            }
            Self::Variable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SourceError {}

macro_rules! from {
    ($($variant:ident: $error:ty),*) => {$(
        impl From<$error> for SourceError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from!(
    Credential: SignError,
    File: FileError,
    Generation: RefusedGeneration,
    Profile: ProfileError,
    Variable: VariableError
);

impl From<KeyError> for SourceError {
    fn from(error: KeyError) -> Self {
        Self::Credential(error.into())
    }
}

/// A value that is safe to print, whatever was written in its place.
pub(crate) fn word(value: &str) -> String {
    value.chars().take_while(|&c| c.is_ascii_alphanumeric() || c == '_').take(40).collect()
}
