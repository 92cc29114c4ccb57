//! Why an exchange gave no credential.

use alloc::string::String;
use core::fmt;

use crate::error::{RegionError, SignError};
use crate::federation::http::TransportFault;
use crate::time::UnixTime;

/// Why an exchange gave no credential: which call, and what was wrong with it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExchangeError {
    /// Method and URL, without its query; of what is no URL the method alone. Before the first
    /// call the variables that are at fault, or nothing.
    pub call: String,
    /// What was wrong.
    pub fault: ExchangeFault,
}

/// What was wrong with a call of an exchange.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExchangeFault {
    /// A certificate of the instance is not what it has to be.
    Certificate(&'static str),
    /// What came, or what was to be signed with, is no credential.
    Credential(SignError),
    /// The answer is not what this call answers: what was expected.
    InvalidAnswer(&'static str),
    /// The token belongs to another tenancy than the one that asked.
    OtherTenancy,
    /// The chain of parents comes back to where it was, or has more than ten.
    Parents,
    /// The region of the instance is not known.
    Region(RegionError),
    /// The server said no.
    Refused {
        /// Its status.
        status: u16,
        /// Its code, such as `NotAuthenticated`, where it gave one.
        code: Option<String>,
    },
    /// The pod's service account token has expired, or was refused.
    ServiceAccount {
        /// Whom it is for, as it says.
        audience: String,
        /// When it expires.
        expires: Option<UnixTime>,
        /// The status, where it was refused.
        refused: Option<u16>,
    },
    /// No answer came, as often as it is worth asking.
    Unreachable(TransportFault),
}

impl ExchangeError {
    /// The stable code, equal in all languages.
    ///
    /// [`Exchange`](crate::Exchange) shows one.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match &self.fault {
            ExchangeFault::Certificate(_) => "INVALID_CERTIFICATE",
            ExchangeFault::Credential(error) => error.code(),
            ExchangeFault::InvalidAnswer(_) => "INVALID_ANSWER",
            ExchangeFault::OtherTenancy => "TENANCY_CHANGED",
            ExchangeFault::Parents => "PARENT_LOOP",
            ExchangeFault::Region(error) => error.code(),
            ExchangeFault::Refused { .. }
            | ExchangeFault::ServiceAccount { refused: Some(_), .. } => "EXCHANGE_REFUSED",
            ExchangeFault::ServiceAccount { refused: None, .. } => "EXPIRED",
            ExchangeFault::Unreachable(_) => "EXCHANGE_UNREACHABLE",
        }
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.call.is_empty() {
            write!(f, "{}: ", self.call)?;
        }
        match &self.fault {
            ExchangeFault::Certificate(what) => f.write_str(what),
            ExchangeFault::Credential(error) => error.fmt(f),
            ExchangeFault::InvalidAnswer(expected) => write!(f, "the answer is not {expected}"),
            ExchangeFault::OtherTenancy => f.write_str("the token belongs to another tenancy"),
            ExchangeFault::Parents => {
                f.write_str("the parents of the resource form a loop, or are more than ten")
            }
            ExchangeFault::Region(error) => error.fmt(f),
            ExchangeFault::Refused { status, code } => {
                write!(f, "answered {status}")?;
                if let Some(code) = code {
                    write!(f, " {code}")?;
                }
                if self.call.contains("/resourcePrincipalSessionTokens") && *status == 403 {
                    f.write_str("; workload identity needs an enhanced cluster")?;
                }
                Ok(())
            }
            ExchangeFault::ServiceAccount { audience, expires, refused } => {
                let verb = match refused {
                    Some(status) => {
                        write!(f, "answered {status}: ")?;
                        "expires"
                    }
                    None => "expired",
                };
                write!(f, "the service account token is for {audience:?}")?;
                match expires {
                    Some(at) => write!(f, ", and {verb} at {at} (seconds since 1970)"),
                    None => Ok(()),
                }
            }
            ExchangeFault::Unreachable(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for ExchangeError {}
