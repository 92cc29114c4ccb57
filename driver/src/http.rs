//! Requests of the crate `http`: their heads are signed in place.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri, request};
use ocisign_core::{Body, Credential, HeaderFault, Request, SignError, SignedHeaders, UnixTime};

use crate::signer::{Signed, Signer, SignerError};

/// Sign an HTTP request with a credential, as [`sign`](ocisign_core::sign) does: its headers are
/// set on the request, and replace those of the same name.
///
/// - The target is signed as it goes on the request line: the bytes of path and query, `/` for
///   an empty path. The URI is absolute; or it is a path, and the request has a `host`, as
///   hyper's connections want it.
/// - Signed again after a change, the request keeps the date of its first signature. Keep a
///   copy that is not signed to sign it anew.
///
/// # Errors
///
/// Those of [`sign`](ocisign_core::sign). The request is unchanged then. A value that is not
/// ASCII is [`HeaderFault::IllegalValue`] where it is to be signed, and else left alone.
///
/// ```
/// use ocisign::{Body, Credential, KeyId, KeyOptions, NativeKey, PrivateKeyDer, sign_http};
///
/// # let pem = include_str!("../../vectors/keys/test-key.pem");
/// # let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
/// let credential = Credential::new(KeyId::new("tenancy/user/fingerprint")?, key);
/// let url = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns";
/// let mut request = http::Request::post(url).body("{}")?;
/// let body = Body::Bytes(request.body().as_bytes());
/// sign_http(&mut request, body, &credential, 1_388_957_500)?;
/// assert_eq!(request.headers()["content-length"], "2");
/// assert!(request.headers().contains_key("authorization"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_http(
    request: &mut impl HttpHead,
    body: Body<'_>,
    credential: &Credential,
    now: UnixTime,
) -> Result<SignedHeaders, SignError> {
    let signed = ocisign_core::sign(&request.view().request(body), credential, now)?;
    set(request.headers_mut(), &signed)?;
    Ok(signed)
}

/// With the feature `http`.
impl Signer {
    /// Sign an HTTP request as [`sign`](Self::sign) does: its headers are set on the request, by
    /// the rules of [`sign_http`]. What comes back is for
    /// [`on_unauthorized`](Self::on_unauthorized).
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign). The request is unchanged then.
    ///
    /// ```
    /// # use ocisign::{Credential, KeyOptions, NativeKey, PrivateKeyDer, Signer};
    /// # let pem = include_str!("../../vectors/keys/test-key.pem");
    /// # let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
    /// # let signer = Signer::from_credential(Credential::security_token("e30.e30.c2ln", key)?);
    /// let url = "https://objectstorage.us-phoenix-1.oraclecloud.com/n/ns/b/bucket/o/object";
    /// let (mut parts, body) = http::Request::put(url).body("a stream")?.into_parts();
    /// signer.sign_http(&mut parts, ocisign::Body::Unsigned)?;
    /// let request = http::Request::from_parts(parts, body);
    /// assert!(request.headers().contains_key("authorization"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign_http(
        &self,
        request: &mut impl HttpHead,
        body: Body<'_>,
    ) -> Result<Signed, SignerError> {
        let signed = self.sign(&request.view().request(body))?;
        set(request.headers_mut(), signed.headers())?;
        Ok(signed)
    }

    /// The same without blocking, as [`sign_async`](Self::sign_async).
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign). The request is unchanged then.
    pub async fn sign_http_async(
        &self,
        request: &mut impl HttpHead,
        body: Body<'_>,
    ) -> Result<Signed, SignerError> {
        let view = request.view();
        let signed = self.sign_async(&view.request(body)).await?;
        set(request.headers_mut(), signed.headers())?;
        Ok(signed)
    }
}

/// The head of an HTTP request: an [`http::Request`], its [`Parts`](http::request::Parts), or
/// with the feature `reqwest` a request of that.
pub trait HttpHead: sealed::Head {}

impl<B> HttpHead for http::Request<B> {}
impl HttpHead for request::Parts {}

pub(crate) mod sealed {
    use http::HeaderMap;

    pub trait Head {
        fn view(&self) -> super::View<'_>;
        fn headers_mut(&mut self) -> &mut HeaderMap;
    }
}

impl<B> sealed::Head for http::Request<B> {
    fn view(&self) -> View<'_> {
        View::of(self.method(), self.uri(), self.headers())
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}

impl sealed::Head for request::Parts {
    fn view(&self) -> View<'_> {
        View::of(&self.method, &self.uri, &self.headers)
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }
}

/// A head as core reads it.
pub struct View<'a> {
    method: &'a str,
    url: Cow<'a, str>,
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> View<'a> {
    fn of(method: &'a Method, uri: &Uri, headers: &'a HeaderMap) -> Self {
        let mut url = uri.to_string();
        if url.starts_with('/') && headers.contains_key(HOST) {
            // The header is signed as the host, and this is not.
            url.insert_str(0, "http://host");
        }
        Self::new(method, url.into(), headers)
    }

    pub(crate) fn new(method: &'a Method, url: Cow<'a, str>, headers: &'a HeaderMap) -> Self {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), text(value)));
        Self { method: method.as_str(), url, headers: headers.collect() }
    }

    pub(crate) fn request<'b>(&'b self, body: Body<'b>) -> Request<'b> {
        Request::new(self.method, &self.url).headers(&self.headers).body(body)
    }
}

/// Core refuses what is not ASCII where it would be signed, and reads no other value.
fn text(value: &HeaderValue) -> &str {
    std::str::from_utf8(value.as_bytes()).unwrap_or("\u{fffd}")
}

/// Set all of them, or none.
pub(crate) fn set(headers: &mut HeaderMap, signed: &SignedHeaders) -> Result<(), SignError> {
    let mut checked = Vec::with_capacity(signed.headers().len());
    for (name, value) in signed.headers() {
        let fault = HeaderFault::IllegalValue;
        let illegal = |_| SignError::InvalidHeader { name: (*name).to_owned(), fault };
        let mut value = HeaderValue::try_from(value.as_str()).map_err(illegal)?;
        let name = HeaderName::from_static(name);
        value.set_sensitive(name == AUTHORIZATION || name == OPC_OBO_TOKEN);
        checked.push((name, value));
    }
    for (name, value) in checked {
        headers.insert(name, value);
    }
    Ok(())
}

/// Whether core signs the body of a request of this method.
#[cfg(any(feature = "reqwest", feature = "tower"))]
pub(crate) fn signs_body(method: &Method) -> bool {
    ["POST", "PUT", "PATCH"].iter().any(|known| method.as_str().eq_ignore_ascii_case(known))
}

const OPC_OBO_TOKEN: &str = "opc-obo-token";
