//! Requests of `reqwest`, signed and sent.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode, header};
use ocisign_core::Body;
use reqwest::{Client, Request, Response, Url};

use crate::http::{HttpHead, View, sealed, set, signs_body};
use crate::send_error::SendError;
use crate::signer::{Refusal, Signed, Signer};

/// With the feature `reqwest`.
impl Signer {
    /// Sign a request and send it; after a 401 refresh, sign anew and send once more.
    ///
    /// The body is signed, and has to be there as bytes. Of streams see
    /// [`execute_with`](Self::execute_with).
    ///
    /// On 401 the signer does as [`on_unauthorized_async`](Self::on_unauthorized_async) has it,
    /// with the server's time where the scheme is `https`. If it has another credential or
    /// another time, the request is sent again, once. After the second 401, and where it has
    /// not, the answer is given as it is.
    ///
    /// Build the client with `redirect::Policy::none()`. One that follows redirects sends the
    /// signature of this request to the new place, where it is not true: at the same host that
    /// is a 401. At another host reqwest leaves `authorization` out, but sends the delegation
    /// token, where the credential has one. A 401 from another URL is given as it is. Build it
    /// without default headers that are signed, such as `x-date`.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the request was not signed, or there was no answer. An answer with any
    /// status is none.
    ///
    /// ```
    /// # use ocisign_emulator::{Config, Emulator};
    /// # let listen = "127.0.0.1:0".parse()?;
    /// # let emulator = Emulator::start(Config { listen, tls_listen: listen, ..Config::default() })?;
    /// # let endpoint = emulator.url();
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// use reqwest::redirect::Policy;
    ///
    /// let signer = ocisign::Signer::from_config(&emulator.file("config"), "DEFAULT");
    /// let client = reqwest::Client::builder().redirect(Policy::none()).build()?;
    /// let request = client.get(format!("{endpoint}/20160918/regions")).build()?;
    /// let response = signer.execute(&client, request).await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn execute(&self, client: &Client, request: Request) -> Result<Response, SendError> {
        self.send_twice(client, request, None).await
    }

    /// The same, and say what is known of the body: the way to send a stream.
    ///
    /// With [`Body::Unsigned`] it is left out of the signature, which OCI accepts for some
    /// uploads, such as `PutObject`; with [`Body::Digest`] its digest is signed. A stream is
    /// sent once: after a 401 the credential is refreshed, and the answer given as it is.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    ///
    /// ```no_run
    /// # async fn upload(file: reqwest::Body) -> Result<(), Box<dyn std::error::Error>> {
    /// # let (signer, client) = (ocisign::Signer::from_default(), reqwest::Client::new());
    /// let url = "https://objectstorage.us-phoenix-1.oraclecloud.com/n/ns/b/bucket/o/object";
    /// let request = client.put(url).header("content-length", 67_108_864).body(file).build()?;
    /// let response = signer.execute_with(&client, request, ocisign::Body::Unsigned).await?;
    /// # Ok(()) }
    /// ```
    pub async fn execute_with(
        &self,
        client: &Client,
        request: Request,
        body: Body<'_>,
    ) -> Result<Response, SendError> {
        self.send_twice(client, request, Some(body)).await
    }

    async fn send_twice(
        &self,
        client: &Client,
        request: Request,
        body: Option<Body<'_>>,
    ) -> Result<Response, SendError> {
        let url = request.url().clone();
        // It stays unsigned: what is signed again needs a date of its own.
        let again = request.try_clone();
        let (signed, response) = self.send_once(client, request, body).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !is_same(response.url(), &url) {
            return Ok(response);
        }
        let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let refusal = Refusal::new(date, b"");
        let refusal = if url.scheme() == "https" { refusal.over_tls() } else { refusal };
        // Also where this one cannot be sent again, for those that follow.
        let is_worth_it = self.on_unauthorized_async(&signed, &refusal).await;
        let Some(request) = again.filter(|_| is_worth_it) else { return Ok(response) };
        drop(response);
        Ok(self.send_once(client, request, body).await?.1)
    }

    async fn send_once(
        &self,
        client: &Client,
        mut request: Request,
        body: Option<Body<'_>>,
    ) -> Result<(Signed, Response), SendError> {
        let known = match (body, request.body()) {
            (Some(body), _) => body,
            (None, None) => Body::Empty,
            (None, Some(body)) => match body.as_bytes() {
                Some(bytes) => Body::Bytes(bytes),
                None if signs_body(request.method()) => return Err(SendError::BodyUnknown),
                None => Body::Unsigned,
            },
        };
        let signed = {
            let view = sealed::Head::view(&request);
            self.sign_async(&view.request(known)).await?
        };
        set(request.headers_mut(), signed.headers()).map_err(crate::SignerError::from)?;
        let response = client.execute(request).await;
        Ok((signed, response.map_err(|error| SendError::Client(error.into()))?))
    }
}

impl HttpHead for Request {}

impl sealed::Head for Request {
    fn view(&self) -> View<'_> {
        View::new(self.method(), Cow::Borrowed(self.url().as_str()), self.headers())
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}

/// Whether no redirect lies between them. A fragment is not sent.
fn is_same(answered: &Url, asked: &Url) -> bool {
    let without_fragment = |url: &Url| url.as_str().split('#').next().map(str::to_owned);
    without_fragment(answered) == without_fragment(asked)
}
