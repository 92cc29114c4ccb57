//! A layer that signs what an HTTP service sends.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::uri::Scheme;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use ocisign_core::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::http::signs_body;
use crate::send_error::SendError;
use crate::signer::{Refusal, Signer};

/// Signs what any HTTP service sends, and repeats it once after a 401.
///
/// The service within is one of [`http::Request`], such as hyper's client; it receives the
/// request with its signature, and the body as a [`SignBody`].
///
/// What is signed of a body is said by the request's extension [`Body`](crate::Body):
///
/// - without one, the body of a POST, PUT or PATCH is read up to
///   [`body_limit`](Self::body_limit), hashed, and kept until the answer is there;
/// - [`Body::Unsigned`](crate::Body::Unsigned) leaves it out, and it streams. OCI accepts that
///   for some uploads, such as `PutObject`, which want a `content-length` too;
/// - [`Body::Digest`](crate::Body::Digest) is what is known of it beforehand, and it streams.
///
/// On 401 the signer is asked, as [`Signer::on_unauthorized_async`] has it, with the server's
/// time where the scheme is `https`: the service within has to check certificates. If it has
/// another credential or another time, the request is signed anew and sent once more, unless
/// its body was a stream; then, and after the second 401, the answer is given as it is.
///
/// No redirect is followed. A service within that follows them sends a signature that is no
/// longer true, and may send a delegation token elsewhere: let it follow none.
///
/// ```
/// # use bytes::Bytes;
/// # use ocisign_emulator::{Config, Emulator};
/// # let listen = "127.0.0.1:0".parse()?;
/// # let emulator = Emulator::start(Config { listen, tls_listen: listen, ..Config::default() })?;
/// # let endpoint = emulator.url();
/// use http_body_util::Full;
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use ocisign::{SignLayer, Signer};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let signer = Signer::from_config(&emulator.file("config"), "DEFAULT");
/// let client = Client::builder(TokioExecutor::new()).build_http();
/// let service = ServiceBuilder::new().layer(SignLayer::new(signer)).service(client);
///
/// let request = http::Request::get(format!("{endpoint}/20160918/regions"));
/// let response = service.oneshot(request.body(Full::<Bytes>::default())?).await?;
/// assert_eq!(response.status(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignLayer {
    body_limit: usize,
    signer: Signer,
}

impl SignLayer {
    /// With this signer.
    #[must_use]
    pub const fn new(signer: Signer) -> Self {
        Self { body_limit: BODY_LIMIT, signer }
    }

    /// The longest body that is read to be hashed, in bytes: 16 MiB unless set.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// What of the body is kept, or else the body.
    async fn keep<B>(&self, head: &Parts, body: B) -> Result<Kept<B>, SendError>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return Ok(Kept::Bytes(Bytes::new()));
        }
        if head.extensions.get::<Body<'static>>().is_some() || !signs_body(&head.method) {
            return Ok(Kept::Nothing(body));
        }
        let limit = self.body_limit;
        // What says how long it is need not be read to be refused.
        if body.size_hint().lower() > limit as u64 {
            return Err(SendError::BodyTooLarge { limit });
        }
        match Limited::new(body, limit).collect().await {
            Ok(read) => Ok(Kept::Bytes(read.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(SendError::BodyTooLarge { limit }),
            Err(error) => Err(SendError::Body(error)),
        }
    }
}

impl<S> Layer<S> for SignLayer {
    type Service = SignService<S>;

    fn layer(&self, inner: S) -> SignService<S> {
        SignService { inner, layer: self.clone() }
    }
}

/// The body that the service within receives: bytes, or the caller's own stream.
pub type SignBody<B> = Either<Full<Bytes>, B>;

/// What [`SignLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct SignService<S> {
    inner: S,
    layer: SignLayer,
}

impl<S, B, R> Service<Request<B>> for SignService<S>
where
    S: Service<Request<SignBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, SendError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.inner.poll_ready(context).map_err(client)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // What was ready is what has to be called; its clone need not be ready.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        Box::pin(send(ready, self.layer.clone(), request))
    }
}

async fn send<S, B, R>(
    mut inner: S,
    layer: SignLayer,
    request: Request<B>,
) -> Result<Response<R>, SendError>
where
    S: Service<Request<SignBody<B>>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let signer = &layer.signer;
    let (head, body) = request.into_parts();
    let (kept, body) = match layer.keep(&head, body).await? {
        Kept::Bytes(bytes) => (Some(bytes.clone()), Either::Left(Full::new(bytes))),
        Kept::Nothing(body) => (None, Either::Right(body)),
    };
    let known = kept.as_ref().map_or(Body::Unsigned, |bytes| Body::Bytes(bytes));
    let known = head.extensions.get::<Body<'static>>().copied().unwrap_or(known);

    // The head itself stays unsigned: what is signed again needs a date of its own.
    let mut first = head.clone();
    let signed = signer.sign_http_async(&mut first, known).await?;
    let response = inner.call(Request::from_parts(first, body)).await.map_err(client)?;
    if response.status() != StatusCode::UNAUTHORIZED {
        return Ok(response);
    }
    let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    let refusal = Refusal::new(date, b"");
    let secure = head.uri.scheme() == Some(&Scheme::HTTPS);
    let refusal = if secure { refusal.over_tls() } else { refusal };
    // Also where this one cannot be sent again, for those that follow.
    let is_worth_it = signer.on_unauthorized_async(&signed, &refusal).await;
    let Some(bytes) = kept.as_ref().filter(|_| is_worth_it) else { return Ok(response) };
    drop(response);

    let mut second = head.clone();
    signer.sign_http_async(&mut second, known).await?;
    poll_fn(|context| inner.poll_ready(context)).await.map_err(client)?;
    let body = Either::Left(Full::new(bytes.clone()));
    inner.call(Request::from_parts(second, body)).await.map_err(client)
}

enum Kept<B> {
    Bytes(Bytes),
    Nothing(B),
}

fn client(error: impl Into<BoxError>) -> SendError {
    SendError::Client(error.into())
}

type BoxError = Box<dyn Error + Send + Sync>;

/// Enough for any call with JSON; what is longer is an upload.
const BODY_LIMIT: usize = 16 << 20;
