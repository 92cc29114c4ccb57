//! The other direction: is a received request signed as it should be?

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::authorization::Authorization;
use crate::error::VerifyError;
use crate::request::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, MAX_HEADERS, OPC_OBO_TOKEN,
    REQUEST_TARGET, Request, X_CONTENT_SHA256, X_DATE, encode_digest, is_printable, is_token,
    printable_name, trim,
};
use crate::signing_key::VerifyingKey;
use crate::signing_string::SigningString;
use crate::time::{UnixTime, parse_imf_fixdate};
use crate::url;

/// What a receiver asks beyond a right signature.
///
/// ```
/// use ocisign_core::VerifyOptions;
///
/// let options = VerifyOptions::new().expected_host("api.example.com");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct VerifyOptions<'a> {
    /// The host that has to be signed.
    ///
    /// Nothing else in an OCI signature names the receiver: a service that
    /// leaves this out can be sent what was meant for another.
    pub expected_host: Option<&'a str>,
    /// How far the date may lie from now, in seconds, either way: 300, as OCI does.
    pub window: u64,
}

impl<'a> VerifyOptions<'a> {
    /// Any host, and five minutes either way.
    #[must_use]
    pub const fn new() -> Self {
        Self { expected_host: None, window: 300 }
    }

    /// The same options, for requests to this host alone.
    #[must_use]
    pub const fn expected_host(mut self, host: &'a str) -> Self {
        self.expected_host = Some(host);
        self
    }
}

impl Default for VerifyOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Check a received request in full: [`examine`], then the signature.
///
/// # Errors
///
/// A [`VerifyError`] for the first check that fails.
///
/// ```
/// use ocisign_core::{Request, VerifyingKey, VerifyOptions, verify};
/// # struct MyKey;
/// # impl VerifyingKey for MyKey {
/// #     fn verify(&self, _: &[u8], signature: &[u8]) -> bool { signature == [0; 3] }
/// # }
/// # let my_key = MyKey;
///
/// let headers = [
///     ("date", "Sun, 05 Jan 2014 21:31:40 GMT"),
///     ("host", "api.example.com"),
///     ("authorization", "Signature version=\"1\",keyId=\"t/u/f\",algorithm=\"rsa-sha256\",\
///                        headers=\"date (request-target) host\",signature=\"AAAA\""),
/// ];
/// let request = Request::new("GET", "https://api.example.com/path").headers(&headers);
/// let options = VerifyOptions::new().expected_host("api.example.com");
/// assert!(verify(&request, &my_key, &options, 1_388_957_500).is_ok());
///
/// let late = verify(&request, &my_key, &options, 1_388_957_801).unwrap_err();
/// assert_eq!(late.code(), "DATE_OUT_OF_WINDOW");
/// ```
pub fn verify(
    request: &Request<'_>,
    key: &dyn VerifyingKey,
    options: &VerifyOptions<'_>,
    now: UnixTime,
) -> Result<(), VerifyError> {
    examine(request, options, now)?.verify(key)
}

/// Check all of a received request but the signature itself.
///
/// For a receiver that has to read the key id before it can fetch the key, or
/// that verifies with a key held elsewhere. Until the signature is verified,
/// nothing that this gives is proven.
///
/// The request's URL is absolute, its headers are those that arrived, and its
/// body is [`Body::Unsigned`](crate::Body::Unsigned) only for an operation that allows that. Checked
/// are: the form of `authorization`; that `date` or `x-date` (`x-date` where
/// there is one), `(request-target)`, `host`, a delegation token, and for POST,
/// PUT and PATCH the body headers are signed; that each signed header is there
/// once; the host, the date, the length and the digest.
///
/// # Errors
///
/// A [`VerifyError`] for the first check that fails.
pub fn examine(
    request: &Request<'_>,
    options: &VerifyOptions<'_>,
    now: UnixTime,
) -> Result<Examined, VerifyError> {
    if !is_token(request.method) {
        return Err(VerifyError::InvalidMethod);
    }
    let received = Received::new(request)?;
    let authorization = received.one(AUTHORIZATION)?.ok_or(VerifyError::MissingAuthorization)?;
    let authorization = Authorization::parse(authorization)?;
    let signed: Vec<String> =
        authorization.headers.iter().map(|name| name.to_ascii_lowercase()).collect();
    require(request, &received, &signed)?;

    let target = url::parse(request.url).map_err(VerifyError::InvalidUrl)?;
    let mut text = SigningString::with_capacity(request.url.len() + 384);
    for (index, name) in signed.iter().enumerate() {
        if signed.iter().take(index).any(|before| before == name) {
            return Err(VerifyError::DuplicateHeader(printable_name(name)));
        }
        if name == REQUEST_TARGET {
            text.request_target(request.method, &target);
            continue;
        }
        let Some(value) = received.one(name)? else {
            return Err(VerifyError::HeaderMissing(printable_name(name)));
        };
        check_value(name, value, request, options, now)?;
        text.line(name, value);
    }
    Ok(Examined {
        key_id: authorization.key_id.to_string(),
        signature: authorization.signature,
        signing_string: text.into_parts().0,
    })
}

/// The headers that arrived.
struct Received<'a>(&'a [(&'a str, &'a str)]);

impl<'a> Received<'a> {
    fn new(request: &Request<'a>) -> Result<Self, VerifyError> {
        match request.headers.get(MAX_HEADERS) {
            Some(header) => Err(VerifyError::InvalidHeader(printable_name(header.0))),
            None => Ok(Self(request.headers)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|header| header.0.eq_ignore_ascii_case(name))
    }

    /// The value of a header that may be there once.
    fn one(&self, name: &str) -> Result<Option<&'a str>, VerifyError> {
        let mut values = self.0.iter().filter(|header| header.0.eq_ignore_ascii_case(name));
        let Some(value) = values.next().map(|header| trim(header.1)) else { return Ok(None) };
        if values.next().is_some() {
            return Err(VerifyError::DuplicateHeader(printable_name(name)));
        }
        if !is_printable(value) {
            return Err(VerifyError::InvalidHeader(printable_name(name)));
        }
        Ok(Some(value))
    }
}

/// The headers that have to be signed are.
fn require(
    request: &Request<'_>,
    received: &Received<'_>,
    signed: &[String],
) -> Result<(), VerifyError> {
    let x_date = received.has(X_DATE) || signed.iter().any(|name| name == X_DATE);
    let date = if x_date { X_DATE } else { DATE };
    let delegation = received.has(OPC_OBO_TOKEN).then_some(OPC_OBO_TOKEN);
    let body: &[&str] =
        if request.signs_body() { &[CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_SHA256] } else { &[] };
    [date, REQUEST_TARGET, HOST]
        .iter()
        .copied()
        .chain(delegation)
        .chain(body.iter().copied())
        .find(|required| !signed.iter().any(|name| name == required))
        .map_or(Ok(()), |missing| Err(VerifyError::HeaderNotSigned(missing.to_string())))
}

/// What a signed header says is so.
fn check_value(
    name: &str,
    value: &str,
    request: &Request<'_>,
    options: &VerifyOptions<'_>,
    now: UnixTime,
) -> Result<(), VerifyError> {
    match name {
        DATE | X_DATE => {
            let signed = parse_imf_fixdate(value).ok_or(VerifyError::InvalidDate)?;
            if signed.abs_diff(now) > options.window {
                return Err(VerifyError::DateOutOfWindow { signed, now });
            }
        }
        HOST if options.expected_host.is_some_and(|host| !host.eq_ignore_ascii_case(value)) => {
            return Err(VerifyError::HostMismatch);
        }
        CONTENT_LENGTH => match request.body.length() {
            Some(length) if value != length.to_string() => {
                return Err(VerifyError::LengthMismatch);
            }
            _ => {}
        },
        X_CONTENT_SHA256 => match request.body.measure() {
            Some((_, sha256)) if value != encode_digest(&sha256) => {
                return Err(VerifyError::DigestMismatch);
            }
            _ => {}
        },
        _ => {}
    }
    Ok(())
}

/// A received request that is as it should be, if its signature is.
pub struct Examined {
    key_id: String,
    signature: Vec<u8>,
    signing_string: String,
}

impl Examined {
    /// The key id that the request claims. It may hold a token: do not log it.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The signature, as raw bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What the signature has to be over.
    #[must_use]
    pub fn signing_string(&self) -> &str {
        &self.signing_string
    }

    /// Check the signature with the key of this key id.
    ///
    /// # Errors
    ///
    /// [`VerifyError::SignatureMismatch`].
    pub fn verify(&self, key: &dyn VerifyingKey) -> Result<(), VerifyError> {
        if key.verify(self.signing_string.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(VerifyError::SignatureMismatch)
        }
    }
}

/// Nothing of it: key id and signing string may hold tokens.
impl fmt::Debug for Examined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examined").finish_non_exhaustive()
    }
}
