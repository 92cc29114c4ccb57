//! A request as it will go on the wire, and what it says about its own signature.

use alloc::string::String;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::error::{HeaderFault, SignError};
use crate::url;

/// A request as it will go on the wire.
///
/// The URL is absolute and already percent-encoded. It is signed as given and
/// never rewritten, so the client has to send these bytes and no others.
///
/// ```
/// use ocisign_core::{Body, DateHeader, Request};
///
/// let request = Request::new("PUT", "https://objectstorage.us-phoenix-1.oraclecloud.com/n/ns/b/b/o/o")
///     .headers(&[("content-type", "text/plain")])
///     .body(Body::Unsigned)
///     .date_header(DateHeader::XDate);
/// assert_eq!(request.method, "PUT");
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The method, in any case.
    pub method: &'a str,
    /// The absolute URL, `http` or `https`, of at most 65,536 bytes.
    pub url: &'a str,
    /// Names and values, at most 1,000. Those that are neither signed nor set may repeat.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is known of the body.
    pub body: Body<'a>,
    /// Which header carries the date, where the request gives none.
    pub date_header: DateHeader,
}

impl<'a> Request<'a> {
    /// A request without headers or body.
    #[must_use]
    pub const fn new(method: &'a str, url: &'a str) -> Self {
        Self { method, url, headers: &[], body: Body::Empty, date_header: DateHeader::Date }
    }

    /// The same request with these headers.
    #[must_use]
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// The same request with this body.
    #[must_use]
    pub const fn body(mut self, body: Body<'a>) -> Self {
        self.body = body;
        self
    }

    /// The same request with its date under this name.
    #[must_use]
    pub const fn date_header(mut self, date_header: DateHeader) -> Self {
        self.date_header = date_header;
        self
    }

    /// Whether the body headers belong to the signature: for POST, PUT and
    /// PATCH, even with no body, unless the body is left out of it.
    pub(crate) fn signs_body(&self) -> bool {
        !matches!(self.body, Body::Unsigned)
            && ["POST", "PUT", "PATCH"]
                .iter()
                .any(|method| self.method.eq_ignore_ascii_case(method))
    }
}

/// Of the URL only host and path, and of the headers only how many: the rest may hold secrets.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = url::parse(self.url).ok();
        let path = target.and_then(|target| target.path_and_query.split('?').next());
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &target.map(|target| target.host))
            .field("path", &path)
            .field("headers", &self.headers.len())
            .field("body", &self.body)
            .field("date_header", &self.date_header)
            .finish_non_exhaustive()
    }
}

/// What is known of a body at the moment of signing.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Body<'a> {
    /// The request has no body.
    Empty,
    /// The whole body; its digest is computed here.
    Bytes(&'a [u8]),
    /// A body that was hashed elsewhere, such as a stream.
    Digest {
        /// Its SHA-256.
        sha256: [u8; 32],
        /// How many bytes it has.
        length: u64,
    },
    /// A body that is left out of the signature.
    ///
    /// OCI accepts this only for some uploads, among them `PutObject` and
    /// `UploadPart` of Object Storage.
    Unsigned,
}

impl Body<'_> {
    /// Its length in bytes; `None` where it is left out.
    pub(crate) fn length(&self) -> Option<u64> {
        match *self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Digest { length, .. } => Some(length),
            Self::Unsigned => None,
        }
    }

    /// Its length in bytes and SHA-256; `None` where it is left out.
    pub(crate) fn measure(&self) -> Option<(u64, [u8; 32])> {
        match *self {
            Self::Empty => Some((0, EMPTY_SHA256)),
            Self::Bytes(bytes) => Some((bytes.len() as u64, Sha256::digest(bytes).into())),
            Self::Digest { sha256, length } => Some((length, sha256)),
            Self::Unsigned => None,
        }
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Digest { length, .. } => write!(f, "Digest({length} bytes)"),
            Self::Unsigned => f.write_str("Unsigned"),
        }
    }
}

/// The header that carries the date.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DateHeader {
    /// `date`.
    #[default]
    Date,
    /// `x-date`, for clients that may not set `date`, such as browsers.
    XDate,
}

/// The value of `x-content-sha256`.
pub(crate) fn encode_digest(sha256: &[u8; 32]) -> String {
    STANDARD.encode(sha256)
}

/// The headers of a request that bear on its signature, trimmed and checked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    pub(crate) content_length: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) date: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) x_content_sha256: Option<&'a str>,
    pub(crate) x_date: Option<&'a str>,
}

impl<'a> Given<'a> {
    /// Read them, in one pass.
    pub(crate) fn read(request: &Request<'a>) -> Result<Self, SignError> {
        let mut found: [(Option<&'a str>, bool); NAMES.len()] = [(None, false); NAMES.len()];
        for (index, &(name, value)) in request.headers.iter().enumerate() {
            check_name(name, value.len(), index)?;
            let known = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
            if let Some(slot) = known.and_then(|index| found.get_mut(index)) {
                *slot = (Some(value), slot.0.is_some());
            }
        }
        let [authorization, length, kind, date, host, obo, digest, x_date] = found;
        if obo.0.is_some() {
            return Err(fault(OPC_OBO_TOKEN, HeaderFault::Reserved));
        }
        if authorization.1 {
            return Err(fault(AUTHORIZATION, HeaderFault::Duplicate));
        }
        let mut given =
            Self { host: signed(HOST, host)?, x_date: signed(X_DATE, x_date)?, ..Self::default() };
        if given.x_date.is_none() {
            given.date = signed(DATE, date)?;
        }
        if request.signs_body() {
            given.content_length = signed(CONTENT_LENGTH, length)?;
            given.content_type = signed(CONTENT_TYPE, kind)?.filter(|value| !value.is_empty());
            given.x_content_sha256 = signed(X_CONTENT_SHA256, digest)?;
        }
        Ok(given)
    }
}

/// A value that will be signed: given at most once, trimmed, printable ASCII.
fn signed<'a>(
    name: &str,
    (value, twice): (Option<&'a str>, bool),
) -> Result<Option<&'a str>, SignError> {
    let Some(value) = value.map(trim) else { return Ok(None) };
    if twice {
        return Err(fault(name, HeaderFault::Duplicate));
    }
    if !is_printable(value) {
        return Err(fault(name, HeaderFault::IllegalValue));
    }
    Ok(Some(value))
}

/// A header that may be sent at all.
fn check_name(name: &str, value_length: usize, index: usize) -> Result<(), SignError> {
    let error = if !is_token(name) {
        HeaderFault::IllegalName
    } else if name.len().saturating_add(value_length) > MAX_HEADER_LENGTH {
        HeaderFault::TooLong
    } else if index >= MAX_HEADERS {
        HeaderFault::TooMany
    } else {
        return Ok(());
    };
    Err(fault(name, error))
}

/// The error names the header up to its first illegal byte: behind it might stand a secret.
fn fault(name: &str, fault: HeaderFault) -> SignError {
    SignError::InvalidHeader { name: printable_name(name), fault }
}

/// A name that is safe to print, whatever was given as one, in lower case.
pub(crate) fn printable_name(name: &str) -> String {
    let legal = name.chars().take_while(|&c| is_token_char(c)).take(MAX_PRINTED_NAME);
    legal.map(|c| c.to_ascii_lowercase()).collect()
}

/// RFC 9110, section 5.6.2: token = 1*tchar
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| is_token_char(char::from(byte)))
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// RFC 9110, section 5.5: blanks around a value are not part of it.
pub(crate) fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// Text out of a file, without its byte order mark, blanks and line ends.
pub(crate) fn trim_text(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

pub(crate) fn is_printable(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const CONTENT_LENGTH: &str = "content-length";
pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const DATE: &str = "date";
pub(crate) const HOST: &str = "host";
pub(crate) const OPC_OBO_TOKEN: &str = "opc-obo-token";
pub(crate) const REQUEST_TARGET: &str = "(request-target)";
pub(crate) const X_CONTENT_SHA256: &str = "x-content-sha256";
pub(crate) const X_DATE: &str = "x-date";

/// In the order in which `Given::read` takes them apart.
const NAMES: [&str; 8] = [
    AUTHORIZATION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    DATE,
    HOST,
    OPC_OBO_TOKEN,
    X_CONTENT_SHA256,
    X_DATE,
];

const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Many times what any server reads.
pub(crate) const MAX_HEADERS: usize = 1_000;
pub(crate) const MAX_HEADER_LENGTH: usize = 65_536;
const MAX_PRINTED_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Body, EMPTY_SHA256, Request, printable_name};
    use alloc::format;

    #[test]
    fn the_constant_is_the_digest_of_nothing() {
        assert_eq!(Body::Bytes(b"").measure(), Some((0, EMPTY_SHA256)));
        assert_eq!(Body::Empty.measure(), Some((0, EMPTY_SHA256)));
    }

    #[test]
    fn debug_shows_no_value_query_or_user() {
        let headers = [("authorization", "hunter2")];
        for url in ["https://h/path?token=hunter2", "https://u:hunter2?hunter2@h/path"] {
            let request = Request::new("POST", url).headers(&headers).body(Body::Bytes(b"hunter2"));
            let text = format!("{request:?}");
            assert!(!text.contains("hunter2"), "{text}");
            assert_eq!(text.contains("/path"), !url.contains('@'), "{text}");
        }
    }

    #[test]
    fn a_whole_line_given_as_a_name_is_not_printed_whole() {
        assert_eq!(printable_name("authorization: Bearer hunter2"), "authorization");
    }
}
