//! Between the types of the boundary and those of ocisign-core.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
#[cfg(not(feature = "federation"))]
use ocisign_core::{Body, DateHeader, Request};
use ocisign_core::{KeyError, SignError};

#[cfg(not(feature = "federation"))]
use crate::bindings::types::{self as wit, Header};
use crate::bindings::types::{Error, ErrorCode};

impl Error {
    pub(crate) fn new(code: ErrorCode, message: &str) -> Self {
        Self { code, reason: None, message: message.into() }
    }

    /// An error of core, by its stable code.
    pub(crate) fn from_core(code: &str, message: String) -> Self {
        let code =
            CODES.iter().find(|known| known.0 == code).map_or(ErrorCode::Other, |known| known.1);
        Self { code, reason: None, message }
    }
}

impl From<SignError> for Error {
    fn from(error: SignError) -> Self {
        let reason = match &error {
            SignError::InvalidKey(error) => Some(error.reason().into()),
            _ => None,
        };
        Self { reason, ..Self::from_core(error.code(), error.to_string()) }
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        SignError::from(error).into()
    }
}

/// A request of core, borrowed from one of the boundary.
#[cfg(not(feature = "federation"))]
pub(crate) fn with_request<T>(
    request: &wit::Request,
    then: impl FnOnce(&Request<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|header| (&*header.name, &*header.value)).collect();
    let body = match &request.body {
        wit::Body::Empty => Body::Empty,
        wit::Body::Text(text) => Body::Bytes(text.as_bytes()),
        wit::Body::Bytes(bytes) => Body::Bytes(bytes),
        wit::Body::Digest(digest) => Body::Digest {
            sha256: decode(&digest.sha256)?.try_into().map_err(|_| {
                Error::new(ErrorCode::InvalidEncoding, "the digest does not have 32 bytes")
            })?,
            length: digest.length,
        },
        wit::Body::Unsigned => Body::Unsigned,
    };
    let date_header = match request.date_header {
        wit::DateHeader::Date => DateHeader::Date,
        wit::DateHeader::XDate => DateHeader::XDate,
    };
    then(
        &Request::new(&request.method, &request.url)
            .headers(&headers)
            .body(body)
            .date_header(date_header),
    )
}

#[cfg(not(feature = "federation"))]
pub(crate) fn headers(headers: impl IntoIterator<Item = (&'static str, String)>) -> Vec<Header> {
    headers.into_iter().map(|(name, value)| Header { name: name.into(), value }).collect()
}

/// Standard base64 with padding.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Error> {
    STANDARD
        .decode(text)
        .map_err(|_| Error::new(ErrorCode::InvalidEncoding, "this is not base64 with padding"))
}

#[cfg(any(feature = "federation", not(feature = "signing")))]
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The stable codes of core, as the boundary has them.
const CODES: &[(&str, ErrorCode)] = &[
    ("DATE_OUT_OF_WINDOW", ErrorCode::DateOutOfWindow),
    ("DIGEST_MISMATCH", ErrorCode::DigestMismatch),
    ("DUPLICATE_HEADER", ErrorCode::DuplicateHeader),
    #[cfg(feature = "federation")]
    ("EXCHANGE_REFUSED", ErrorCode::ExchangeRefused),
    #[cfg(feature = "federation")]
    ("EXCHANGE_UNREACHABLE", ErrorCode::ExchangeUnreachable),
    ("EXPIRED", ErrorCode::Expired),
    #[cfg(feature = "federation")]
    ("FILE_UNREADABLE", ErrorCode::FileUnreadable),
    ("HEADER_MISSING", ErrorCode::HeaderMissing),
    ("HEADER_NOT_SIGNED", ErrorCode::HeaderNotSigned),
    ("HOST_MISMATCH", ErrorCode::HostMismatch),
    #[cfg(feature = "federation")]
    ("INVALID_ANSWER", ErrorCode::InvalidAnswer),
    #[cfg(feature = "federation")]
    ("INVALID_CERTIFICATE", ErrorCode::InvalidCertificate),
    ("INVALID_DATE", ErrorCode::InvalidDate),
    ("INVALID_HEADER", ErrorCode::InvalidHeader),
    ("INVALID_KEY", ErrorCode::InvalidKey),
    ("INVALID_KEY_ID", ErrorCode::InvalidKeyId),
    ("INVALID_METHOD", ErrorCode::InvalidMethod),
    ("INVALID_PROFILE", ErrorCode::InvalidProfile),
    ("INVALID_REGION", ErrorCode::InvalidRegion),
    ("INVALID_TOKEN", ErrorCode::InvalidToken),
    ("INVALID_URL", ErrorCode::InvalidUrl),
    #[cfg(feature = "federation")]
    ("INVALID_VARIABLE", ErrorCode::InvalidVariable),
    ("KEY_MISMATCH", ErrorCode::KeyMismatch),
    ("LENGTH_MISMATCH", ErrorCode::LengthMismatch),
    ("MALFORMED_AUTHORIZATION", ErrorCode::MalformedAuthorization),
    ("MISSING_AUTHORIZATION", ErrorCode::MissingAuthorization),
    #[cfg(feature = "federation")]
    ("MISSING_VARIABLE", ErrorCode::MissingVariable),
    #[cfg(feature = "federation")]
    ("PARENT_LOOP", ErrorCode::ParentLoop),
    ("PROFILE_NOT_FOUND", ErrorCode::ProfileNotFound),
    ("SIGNATURE_MISMATCH", ErrorCode::SignatureMismatch),
    ("SIGNING_FAILED", ErrorCode::SigningFailed),
    #[cfg(feature = "federation")]
    ("TENANCY_CHANGED", ErrorCode::TenancyChanged),
    ("UNSUPPORTED_ALGORITHM", ErrorCode::UnsupportedAlgorithm),
    ("UNSUPPORTED_VERSION", ErrorCode::UnsupportedVersion),
];
