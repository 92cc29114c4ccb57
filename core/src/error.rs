//! What can go wrong, with a stable code for each.
//!
//! A code is the same in every language and never changes its meaning; a
//! message is for people and may. Neither holds a key, a token, a passphrase
//! or a header's value.

use alloc::string::String;
use core::fmt;

use crate::time::UnixTime;

/// Why a request could not be signed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignError {
    /// The credential expired at this time. Fetch a new one.
    Expired(UnixTime),
    /// A header cannot be sent as given, or contradicts the request.
    InvalidHeader {
        /// The header's name in lower case, up to its first illegal byte.
        name: String,
        /// What is wrong with it.
        fault: HeaderFault,
    },
    /// The time cannot be written as a date: it lies after the year 9999.
    InvalidDate(UnixTime),
    /// The private key could not be read.
    InvalidKey(KeyError),
    /// The key id is empty, too long, or holds a byte that cannot be quoted; or a
    /// part of an API key's is empty or holds a `/`.
    InvalidKeyId,
    /// The method is not a token (RFC 9110, section 9.1).
    InvalidMethod,
    /// The security token could not be read.
    InvalidToken(TokenFault),
    /// The URL is not absolute, or holds a byte that cannot go on a request line.
    InvalidUrl(UrlError),
    /// The private key is not the one that the token or the fingerprint names.
    KeyMismatch,
    /// The key refused to sign. Its holder knows why.
    SigningFailed,
}

impl SignError {
    /// The stable code, equal in all languages.
    ///
    /// ```
    /// use ocisign_core::{Request, KeyId, prepare};
    ///
    /// let key_id = KeyId::new("tenancy/user/fingerprint")?;
    /// let error = prepare(&Request::new("GET", "ftp://h/"), &key_id, 0).unwrap_err();
    /// assert_eq!(error.code(), "INVALID_URL");
    /// # Ok::<(), ocisign_core::SignError>(())
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired(_) => "EXPIRED",
            Self::InvalidHeader { .. } => "INVALID_HEADER",
            Self::InvalidKey(_) => "INVALID_KEY",
            Self::InvalidKeyId => "INVALID_KEY_ID",
            Self::InvalidMethod => "INVALID_METHOD",
            Self::InvalidDate(_) => "INVALID_DATE",
            Self::InvalidToken(_) => "INVALID_TOKEN",
            Self::InvalidUrl(_) => "INVALID_URL",
            Self::KeyMismatch => "KEY_MISMATCH",
            Self::SigningFailed => "SIGNING_FAILED",
        }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(at) => write!(f, "the credential expired at {at} (seconds since 1970)"),
            Self::InvalidHeader { name, fault } => write!(f, "header `{name}` {fault}"),
            Self::InvalidKey(error) => error.fmt(f),
            Self::InvalidKeyId => f.write_str(
                "the key id must be 1 to 65,536 printable ASCII characters without `\"` and `\\`, and \
                 the parts of an API key's without `/`",
            ),
            Self::InvalidMethod => f.write_str("the method is not a token of RFC 9110"),
            Self::InvalidDate(now) => {
                write!(f, "{now} seconds since 1970 lies after the year 9999")
            }
            Self::InvalidToken(fault) => write!(f, "the security token {fault}"),
            Self::InvalidUrl(error) => error.fmt(f),
            Self::KeyMismatch => f.write_str(
                "the private key is not the one that the security token or fingerprint names",
            ),
            Self::SigningFailed => f.write_str("the private key did not sign"),
        }
    }
}

impl core::error::Error for SignError {}

impl From<KeyError> for SignError {
    fn from(error: KeyError) -> Self {
        Self::InvalidKey(error)
    }
}

impl From<UrlError> for SignError {
    fn from(error: UrlError) -> Self {
        Self::InvalidUrl(error)
    }
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HeaderFault {
    /// The value contradicts the body, which has this many bytes or another digest.
    Contradicts,
    /// It is signed or set here, and given twice.
    Duplicate,
    /// The name holds a byte that a token may not.
    IllegalName,
    /// The value holds a control byte or a byte outside ASCII.
    IllegalValue,
    /// It comes from the credential only.
    Reserved,
    /// Name and value together pass 65,536 bytes.
    TooLong,
    /// There are more than 1,000 headers; this is the first one too many.
    TooMany,
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contradicts => "contradicts the body",
            Self::Duplicate => "can be given only once, and is given twice",
            Self::IllegalName => "is not a header name",
            Self::IllegalValue => "holds a control or non-ASCII character",
            Self::Reserved => "comes from the credential only, not from the request",
            Self::TooLong => "is longer than 65,536 bytes",
            Self::TooMany => "is one more than the 1,000 headers allowed",
        })
    }
}

/// Why a URL cannot be signed: what was found, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UrlError {
    /// What is wrong.
    pub fault: UrlFault,
    /// The character at fault, where it is a single one.
    pub character: Option<char>,
    /// Where it stands, in bytes from the start of the URL.
    pub offset: usize,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the URL {}", self.fault)?;
        match self.character {
            Some(character) => {
                write!(f, ": '{}' at offset {}", character.escape_default(), self.offset)
            }
            None => write!(f, ", at offset {}", self.offset),
        }
    }
}

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UrlFault {
    /// A space, a control or a non-ASCII character; escape it as `%XX`.
    Character,
    /// A character that no host name has.
    Host,
    /// There is no host.
    NoHost,
    /// The port is not a number from 0 to 65535.
    Port,
    /// The scheme is not `http` or `https`.
    Scheme,
    /// It is longer than 65,536 bytes.
    TooLong,
    /// It carries a user name or password, which must not be sent.
    UserInfo,
}

impl fmt::Display for UrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "holds a character that cannot be sent as given",
            Self::Host => "has a host that is not one",
            Self::NoHost => "has no host",
            Self::Port => "has a port that is not a number from 0 to 65535",
            Self::Scheme => "does not start with `http://` or `https://`",
            Self::TooLong => "is longer than 65,536 bytes",
            Self::UserInfo => "carries a user name or password",
        })
    }
}

/// Why a key could not be read. The code of all is `INVALID_KEY`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyError {
    /// A certificate was given, without a key of its own.
    Certificate,
    /// The PEM or what it holds is broken.
    Malformed,
    /// There is no PEM in the text.
    NotPem,
    /// The key is of another kind than RSA (EC, Ed25519); OCI takes RSA only.
    NotRsa,
    /// The key is encrypted, and no passphrase was given.
    PassphraseMissing,
    /// The passphrase does not open the key.
    PassphraseWrong,
    /// A path was given where the text of the key was expected. Read the file first.
    PathGiven,
    /// A private key was given where a public one was expected.
    PrivateKey,
    /// A public key was given where a private one was expected.
    PublicKey,
    /// The text, or the work that its encryption asks for, is beyond all use.
    TooLarge,
    /// The modulus has this many bits: under 2,048 (under 1,024 always).
    TooShort(usize),
    /// The format or its encryption is none that is read here.
    Unsupported,
}

impl KeyError {
    /// The stable word for this reason, equal in all languages.
    ///
    /// ```
    /// use ocisign_core::{KeyError, KeyOptions, PrivateKeyDer};
    ///
    /// let error = PrivateKeyDer::from_pem("~/.oci/key.pem", &KeyOptions::new()).unwrap_err();
    /// assert_eq!(error, KeyError::PathGiven);
    /// assert_eq!(error.reason(), "path-given");
    /// ```
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Malformed => "malformed",
            Self::NotPem => "not-pem",
            Self::NotRsa => "not-rsa",
            Self::PassphraseMissing => "passphrase-missing",
            Self::PassphraseWrong => "passphrase-wrong",
            Self::PathGiven => "path-given",
            Self::PrivateKey => "private-key",
            Self::PublicKey => "public-key",
            Self::TooLarge => "too-large",
            Self::TooShort(_) => "too-short",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "a certificate was given where a key was expected",
            Self::Malformed => "the key is malformed",
            Self::NotPem => "the key is not PEM: no `-----BEGIN` line was found",
            Self::NotRsa => "the key is not RSA, the only kind that OCI accepts",
            Self::PassphraseMissing => "the private key is encrypted, and no passphrase was given",
            Self::PassphraseWrong => "the passphrase does not open the private key",
            Self::PathGiven => "a path was given where the text of a key was expected",
            Self::PrivateKey => "a private key was given where a public key was expected",
            Self::PublicKey => "a public key was given where a private key was expected",
            Self::TooLarge => "the key or the work of decrypting it is too large",
            Self::TooShort(bits) => {
                return write!(f, "the RSA key has {bits} bits, fewer than the 2,048 required");
            }
            Self::Unsupported => "the format or encryption of the key is not supported",
        })
    }
}

impl core::error::Error for KeyError {}

/// What is wrong with a security token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenFault {
    /// The claim `exp` is not a whole number of seconds since 1970.
    Expiry,
    /// The claim `jwk` does not hold an RSA public key.
    Jwk,
    /// It is not three parts of base64url, of which the second is a JSON object.
    NotJwt,
    /// It is longer than 65,536 bytes.
    TooLong,
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expiry => "has a claim `exp` that is not a number of seconds",
            Self::Jwk => "has a claim `jwk` that is not an RSA public key",
            Self::NotJwt => "is not a JWT: three parts of base64url, the second a JSON object",
            Self::TooLong => "is longer than 65,536 bytes",
        })
    }
}

/// Why a profile could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProfileError {
    /// A line of the text is not what a configuration file may hold.
    Invalid {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong with it.
        fault: ProfileFault,
    },
    /// The profile lacks this key, or has it empty.
    Missing(&'static str),
    /// The text has no section of this name.
    NotFound(String),
}

impl ProfileError {
    /// The stable code, equal in all languages.
    ///
    /// ```
    /// use ocisign_core::Profile;
    ///
    /// let error = Profile::parse("[DEFAULT]\nuser=u\n", "PROD").unwrap_err();
    /// assert_eq!(error.code(), "PROFILE_NOT_FOUND");
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } | Self::Missing(_) => "INVALID_PROFILE",
            Self::NotFound(_) => "PROFILE_NOT_FOUND",
        }
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { line, fault } => write!(f, "configuration line {line} {fault}"),
            Self::Missing(key) => write!(f, "the profile does not set `{key}`"),
            Self::NotFound(name) => {
                write!(f, "the configuration has no profile `{}`", name.escape_default())
            }
        }
    }
}

impl core::error::Error for ProfileError {}

/// What is wrong with a line of a configuration file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProfileFault {
    /// The key was set before in this section.
    DuplicateKey,
    /// The section stood before in this file.
    DuplicateSection,
    /// The section or the key has no name.
    NoName,
    /// The key stands before any section.
    NoSection,
    /// There is no `=` in it.
    NoSeparator,
    /// The text passes 1,048,576 bytes.
    TooLong,
    /// The `[` is not closed.
    UnclosedSection,
}

impl fmt::Display for ProfileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DuplicateKey => "sets a key that this profile has set before",
            Self::DuplicateSection => "starts a profile that stood before",
            Self::NoName => "has an empty name",
            Self::NoSection => "stands before any `[profile]`",
            Self::NoSeparator => "has no `=`",
            Self::TooLong => "lies beyond the first 1,048,576 bytes",
            Self::UnclosedSection => "has no `]`",
        })
    }
}

/// Why a region could not be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RegionError {
    /// The name is empty, too long, or holds a character that no host name has.
    InvalidName,
    /// The metadata of regions is not the JSON expected: this member is at fault.
    InvalidMetadata(&'static str),
}

impl RegionError {
    /// The stable code, equal in all languages.
    ///
    /// ```
    /// use ocisign_core::{Region, RegionSources};
    ///
    /// let error = Region::lookup("", &RegionSources::default()).unwrap_err();
    /// assert_eq!(error.code(), "INVALID_REGION");
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "INVALID_REGION"
    }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName => f.write_str("the region is not a name that a host can have"),
            Self::InvalidMetadata(member) => {
                write!(f, "the region metadata is not as expected at `{member}`")
            }
        }
    }
}

impl core::error::Error for RegionError {}

/// Why a received request was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The date lies further from now than the window allows.
    DateOutOfWindow {
        /// The date that was signed.
        signed: UnixTime,
        /// The receiver's time.
        now: UnixTime,
    },
    /// The body has another SHA-256 than `x-content-sha256` says.
    DigestMismatch,
    /// This header stands twice in the request or in the signature.
    DuplicateHeader(String),
    /// This header is signed, but the request does not have it.
    HeaderMissing(String),
    /// This header has to be signed, and is not.
    HeaderNotSigned(String),
    /// The request was signed for another host.
    HostMismatch,
    /// The date is not in the one form that is sent (RFC 9110, IMF-fixdate), or before 1970.
    InvalidDate,
    /// This header holds a control or non-ASCII character, or there are over 1,000 headers.
    InvalidHeader(String),
    /// The method is not a token (RFC 9110, section 9.1).
    InvalidMethod,
    /// The URL cannot be one that was received.
    InvalidUrl(UrlError),
    /// The body has another length than `content-length` says.
    LengthMismatch,
    /// The `authorization` header is not in the form that OCI documents.
    MalformedAuthorization(AuthorizationFault),
    /// There is no `authorization` header.
    MissingAuthorization,
    /// The signature is not one of this key over this request.
    SignatureMismatch,
    /// The algorithm is not `rsa-sha256`.
    UnsupportedAlgorithm,
    /// The version is not `1`.
    UnsupportedVersion,
}

impl VerifyError {
    /// The stable code, equal in all languages.
    ///
    /// ```
    /// use ocisign_core::{Request, VerifyOptions, examine};
    ///
    /// let unsigned = Request::new("GET", "https://example.com/");
    /// let error = examine(&unsigned, &VerifyOptions::new(), 0).unwrap_err();
    /// assert_eq!(error.code(), "MISSING_AUTHORIZATION");
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DateOutOfWindow { .. } => "DATE_OUT_OF_WINDOW",
            Self::DigestMismatch => "DIGEST_MISMATCH",
            Self::DuplicateHeader(_) => "DUPLICATE_HEADER",
            Self::HeaderMissing(_) => "HEADER_MISSING",
            Self::HeaderNotSigned(_) => "HEADER_NOT_SIGNED",
            Self::HostMismatch => "HOST_MISMATCH",
            Self::InvalidDate => "INVALID_DATE",
            Self::InvalidHeader(_) => "INVALID_HEADER",
            Self::InvalidMethod => "INVALID_METHOD",
            Self::InvalidUrl(_) => "INVALID_URL",
            Self::LengthMismatch => "LENGTH_MISMATCH",
            Self::MalformedAuthorization(_) => "MALFORMED_AUTHORIZATION",
            Self::MissingAuthorization => "MISSING_AUTHORIZATION",
            Self::SignatureMismatch => "SIGNATURE_MISMATCH",
            Self::UnsupportedAlgorithm => "UNSUPPORTED_ALGORITHM",
            Self::UnsupportedVersion => "UNSUPPORTED_VERSION",
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DateOutOfWindow { signed, now } => write!(
                f,
                "the request is dated {} seconds {} the receiver's time",
                now.abs_diff(*signed),
                if signed < now { "before" } else { "after" },
            ),
            Self::DigestMismatch => f.write_str("`x-content-sha256` is not that of the body"),
            Self::DuplicateHeader(name) => write!(f, "header `{name}` is there twice"),
            Self::HeaderMissing(name) => {
                write!(f, "header `{name}` is signed, and the request lacks it")
            }
            Self::HeaderNotSigned(name) => write!(f, "header `{name}` has to be signed"),
            Self::HostMismatch => f.write_str("the request was signed for another host"),
            Self::InvalidDate => f.write_str("the date is not an IMF-fixdate of RFC 9110"),
            Self::InvalidHeader(name) => write!(f, "header `{name}` is not one that can be signed"),
            Self::InvalidMethod => f.write_str("the method is not a token of RFC 9110"),
            Self::InvalidUrl(error) => error.fmt(f),
            Self::LengthMismatch => f.write_str("`content-length` is not that of the body"),
            Self::MalformedAuthorization(fault) => {
                write!(f, "the `authorization` header {fault}")
            }
            Self::MissingAuthorization => f.write_str("there is no `authorization` header"),
            Self::SignatureMismatch => {
                f.write_str("the signature is not one of this key over this request")
            }
            Self::UnsupportedAlgorithm => f.write_str("the algorithm is not `rsa-sha256`"),
            Self::UnsupportedVersion => f.write_str("the signature version is not `1`"),
        }
    }
}

impl core::error::Error for VerifyError {}

/// What is wrong with an `authorization` header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AuthorizationFault {
    /// A parameter stands twice.
    DuplicateParameter,
    /// This parameter is missing.
    MissingParameter(&'static str),
    /// The scheme is not `Signature`.
    Scheme,
    /// The signature is not standard base64 with padding.
    SignatureEncoding,
    /// It is not a list of `name="value"` separated by commas.
    Syntax,
    /// It is longer than 131,072 bytes.
    TooLong,
    /// A parameter has a name that the scheme does not know.
    UnknownParameter,
}

impl fmt::Display for AuthorizationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateParameter => f.write_str("has a parameter twice"),
            Self::MissingParameter(name) => write!(f, "lacks the parameter `{name}`"),
            Self::Scheme => f.write_str("is not of the scheme `Signature`"),
            Self::SignatureEncoding => {
                f.write_str("has a signature that is not base64 with padding")
            }
            Self::Syntax => f.write_str("is not a list of `name=\"value\"`"),
            Self::TooLong => f.write_str("is longer than 131,072 bytes"),
            Self::UnknownParameter => f.write_str("has a parameter that is not known"),
        }
    }
}
