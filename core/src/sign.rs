//! Signing, in one step or in two halves with the key elsewhere between them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::authorization;
use crate::credential::Credential;
use crate::error::{HeaderFault, SignError};
use crate::key_id::KeyId;
use crate::request::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, DateHeader, Given, HOST, OPC_OBO_TOKEN,
    Request, X_CONTENT_SHA256, X_DATE, encode_digest, is_token,
};
use crate::signing_string::SigningString;
use crate::time::{UnixTime, http_date};
use crate::url;

/// The headers to set on `request` so that OCI will accept it.
///
/// Each replaces any header of the same name. Nothing else about the request
/// may change between signing and sending: the method, the bytes of the URL's
/// path and query, the host and the body are signed. On error nothing is
/// returned, and nothing was changed.
///
/// What is signed, in this order: `date` (or `x-date`), `(request-target)`,
/// `host`; `opc-obo-token` where the credential has a delegation token; and for
/// POST, PUT and PATCH, even with no body, `content-length`, `content-type` and
/// `x-content-sha256`.
///
/// - A `date` or `x-date` in the request is signed as given. With both, `x-date`
///   is signed and `date` neither signed nor returned, because the service
///   prefers `x-date`. With neither, it is made from `now`.
/// - A `host` in the request is signed as given; else it is the URL's.
/// - A missing or empty `content-type` becomes `application/json`.
/// - `content-length` and `x-content-sha256`, where given, must be right.
/// - An `authorization` in the request is to be replaced.
///
/// OCI accepts a date within five minutes of its own time.
///
/// Source: Oracle's documentation, "Request Signatures".
///
/// # Errors
///
/// [`SignError::Expired`] when the credential has an expiry and `now` is not
/// before it; the `Invalid…` variants for what cannot be sent as given;
/// [`SignError::SigningFailed`] when the key refuses.
///
/// ```
/// use ocisign_core::{Credential, KeyId, Request, SigningFailed, SigningKey, PublicKey, sign};
/// # struct MyKey(PublicKey);
/// # impl SigningKey for MyKey {
/// #     fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningFailed> { Ok(vec![0; 256]) }
/// #     fn public_key(&self) -> &PublicKey { &self.0 }
/// # }
/// # let my_key = MyKey(PublicKey::from_components(&[0x80; 256], &[1, 0, 1]));
///
/// let credential = Credential::new(KeyId::new("tenancy/user/fingerprint")?, my_key);
/// let request = Request::new("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances");
/// let signed = sign(&request, &credential, 1_388_957_500)?;
///
/// assert_eq!(signed.get("date"), Some("Sun, 05 Jan 2014 21:31:40 GMT"));
/// assert_eq!(signed.get("host"), Some("iaas.us-phoenix-1.oraclecloud.com"));
/// assert!(signed.get("authorization").unwrap().starts_with("Signature version=\"1\""));
/// # Ok::<(), ocisign_core::SignError>(())
/// ```
pub fn sign(
    request: &Request<'_>,
    credential: &Credential,
    now: UnixTime,
) -> Result<SignedHeaders, SignError> {
    credential.check_expiry(now)?;
    sign_unexpired(request, credential, now)
}

/// The same, where the caller has judged the credential's life by a better clock.
pub(crate) fn sign_unexpired(
    request: &Request<'_>,
    credential: &Credential,
    now: UnixTime,
) -> Result<SignedHeaders, SignError> {
    let prepared = prepare(request, credential.key_id(), now)?;
    let signature = credential.sign_message(prepared.signing_string.as_bytes())?;
    Ok(prepared.finish(&signature))
}

/// The first half of signing: what the holder of the key has to sign.
///
/// For a key that is held elsewhere: in a KMS, an HSM, WebCrypto, node:crypto,
/// another process. Sign [`Prepared::signing_string`] with RSASSA-PKCS1-v1_5
/// and SHA-256, and give the signature to [`Prepared::finish`].
///
/// # Errors
///
/// Those of [`sign`] that concern the request.
///
/// ```
/// use ocisign_core::{KeyId, Request, prepare};
///
/// let key_id = KeyId::new("tenancy/user/fingerprint")?;
/// let prepared = prepare(&Request::new("GET", "https://example.com"), &key_id, 0)?;
/// assert_eq!(
///     prepared.signing_string(),
///     "date: Thu, 01 Jan 1970 00:00:00 GMT\n(request-target): get /\nhost: example.com"
/// );
/// let signature = [0; 256]; // made elsewhere
/// let signed = prepared.finish(&signature);
/// assert_eq!(signed.headers().len(), 3);
/// # Ok::<(), ocisign_core::SignError>(())
/// ```
pub fn prepare(
    request: &Request<'_>,
    key_id: &KeyId,
    now: UnixTime,
) -> Result<Prepared, SignError> {
    if !is_token(request.method) {
        return Err(SignError::InvalidMethod);
    }
    let target = url::parse(request.url)?;
    let given = Given::read(request)?;
    let mut lines = Lines {
        headers: Vec::with_capacity(8),
        signing_string: SigningString::with_capacity(request.url.len() + 384),
    };

    match (given.x_date, given.date, request.date_header) {
        (Some(x_date), _, _) => lines.add(X_DATE, x_date.to_string()),
        (None, Some(date), _) => lines.add(DATE, date.to_string()),
        (None, None, name) => {
            let name = if name == DateHeader::XDate { X_DATE } else { DATE };
            lines.add(name, http_date(now).ok_or(SignError::InvalidDate(now))?);
        }
    }
    lines.signing_string.request_target(request.method, &target);
    lines.add(HOST, given.host.unwrap_or(target.host).to_string());
    if let Some(token) = key_id.delegation_token() {
        lines.add(OPC_OBO_TOKEN, token.to_string());
    }
    let body = if request.signs_body() { request.body.measure() } else { None };
    if let Some((length, sha256)) = body {
        let length = agree(CONTENT_LENGTH, given.content_length, length.to_string())?;
        lines.add(CONTENT_LENGTH, length);
        lines.add(CONTENT_TYPE, given.content_type.unwrap_or("application/json").to_string());
        let digest = agree(X_CONTENT_SHA256, given.x_content_sha256, encode_digest(&sha256))?;
        lines.add(X_CONTENT_SHA256, digest);
    }

    let (signing_string, signed_headers) = lines.signing_string.into_parts();
    Ok(Prepared {
        authorization: authorization::open(key_id.as_str(), &signed_headers),
        headers: lines.headers,
        signed_headers,
        signing_string,
    })
}

/// A header's line, and the header itself.
struct Lines {
    headers: Vec<(&'static str, String)>,
    signing_string: SigningString,
}

impl Lines {
    fn add(&mut self, name: &'static str, value: String) {
        self.signing_string.line(name, &value);
        self.headers.push((name, value));
    }
}

/// The value that is true of the body, unless the request claims another.
fn agree(name: &str, given: Option<&str>, value: String) -> Result<String, SignError> {
    if given.is_some_and(|given| given != value) {
        return Err(SignError::InvalidHeader {
            name: name.to_string(),
            fault: HeaderFault::Contradicts,
        });
    }
    Ok(value)
}

/// A request that waits for its signature.
#[derive(Clone)]
pub struct Prepared {
    authorization: String,
    headers: Vec<(&'static str, String)>,
    signed_headers: String,
    signing_string: String,
}

impl Prepared {
    /// What has to be signed with RSASSA-PKCS1-v1_5 and SHA-256.
    ///
    /// It holds the delegation token where there is one: do not log it.
    #[must_use]
    pub fn signing_string(&self) -> &str {
        &self.signing_string
    }

    /// The names of what is signed, in order, with a space between.
    #[must_use]
    pub fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    /// The headers to set, but for `authorization`.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The value of `authorization` up to its signature, which follows as
    /// base64 and a closing quote.
    #[must_use]
    pub fn authorization_start(&self) -> &str {
        &self.authorization
    }

    /// The second half of signing: the headers to set, with this signature.
    ///
    /// The signature is taken as it is, the raw bytes and not their base64.
    /// [`prepare`] shows both halves.
    #[must_use]
    pub fn finish(mut self, signature: &[u8]) -> SignedHeaders {
        let (authorization, signature) = authorization::close(self.authorization, signature);
        self.headers.push((AUTHORIZATION, authorization));
        SignedHeaders {
            headers: self.headers,
            signature,
            signed_headers: self.signed_headers,
            signing_string: self.signing_string,
        }
    }
}

/// Names only: the values may hold tokens.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}

/// The headers to set on a request, and what they were made of.
#[allow(clippy::struct_field_names, reason = "`signed_headers` is what OCI calls them")]
pub struct SignedHeaders {
    headers: Vec<(&'static str, String)>,
    signature: Range<usize>,
    signed_headers: String,
    signing_string: String,
}

impl SignedHeaders {
    /// The headers to set, in the order in which they were signed, names in
    /// lower case, `authorization` last.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The value of the header of this name, in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    /// The value of `authorization`.
    #[must_use]
    pub fn authorization(&self) -> &str {
        self.headers.last().map_or("", |header| header.1.as_str())
    }

    /// The signature in base64.
    #[must_use]
    pub fn signature(&self) -> &str {
        self.authorization().get(self.signature.clone()).unwrap_or("")
    }

    /// The names of what is signed, in order, with a space between.
    #[must_use]
    pub fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    /// What was signed, for diagnosis.
    ///
    /// It holds the delegation token where there is one: do not log it.
    #[must_use]
    pub fn signing_string(&self) -> &str {
        &self.signing_string
    }
}

/// Names only: the values may hold tokens.
impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedHeaders")
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}

impl IntoIterator for SignedHeaders {
    type Item = (&'static str, String);
    type IntoIter = alloc::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.headers.into_iter()
    }
}
