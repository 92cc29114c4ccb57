//! The layer signs, streams, and after a 401 refreshes and repeats once.
#![allow(clippy::unwrap_used, clippy::panic)]

mod clients;
mod emulated;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use clients::{
    ECHO, FEDERATION, Parts, REGIONS, Stream, UPLOAD, early, instance, object, refuse, start,
    stream, user,
};
use emulated::Emulated;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use ocisign::{Body, SendError, SignBody, SignLayer, Signer};
use tower::{Layer, Service, ServiceExt};

/// Send with hyper.
async fn send<B>(signer: &Signer, request: Request<B>) -> Result<(u16, Bytes), SendError>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = SignLayer::new(signer.clone()).layer(client).oneshot(request).await?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await.unwrap().to_bytes()))
}

fn post(emulated: &Emulated) -> Request<Full<Bytes>> {
    let url = [&emulated.emulator.url(), ECHO].concat();
    Request::post(url).body(Full::from(r#"{"a":1}"#)).unwrap()
}

#[tokio::test]
async fn a_get_is_signed() {
    let emulated = start();
    let url = [&emulated.emulator.url(), REGIONS].concat();
    let request = Request::get(url).body(Full::<Bytes>::default()).unwrap();
    let (status, body) = send(&user(&emulated), request).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(body, r#"[{"key":"IAD","name":"us-ashburn-1"}]"#);
}

#[tokio::test]
async fn a_body_is_read_and_hashed_also_when_it_streams() {
    let emulated = start();
    let signer = user(&emulated);
    assert_eq!(send(&signer, post(&emulated)).await.unwrap().0, 200);
    let streaming = post(&emulated).map(|_| stream());
    assert_eq!(send(&signer, streaming).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_stream_is_sent_with_the_digest_that_is_known_of_it() {
    let emulated = start();
    let request = ocisign::Request::new("POST", "https://h").body(Body::Bytes(b"{}"));
    let signed = user(&emulated).sign(&request).unwrap();
    let digest = signed.headers().get("x-content-sha256").unwrap();
    let sha256 = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, digest);
    let sha256: [u8; 32] = sha256.unwrap().try_into().unwrap();
    for (length, status) in [(2, Some(200)), (3, None)] {
        let mut streaming = post(&emulated).map(|_| stream());
        streaming.extensions_mut().insert(Body::Digest { sha256, length });
        let answer = send(&user(&emulated), streaming).await;
        assert_eq!(answer.ok().map(|answer| answer.0), status);
    }
}

#[tokio::test]
async fn an_upload_streams_unsigned_in_constant_memory() {
    let emulated = start();
    let signer = user(&emulated);
    let url = [emulated.emulator.url(), object(&emulated.emulator)].concat();
    let (body, held) = Stream::new(UPLOAD);
    let request = Request::put(&url).extension(Body::Unsigned).body(body).unwrap();
    assert_eq!(send(&signer, request).await.unwrap().0, 200);
    assert!(held.most() <= 4 << 20, "{}", held.most());

    let request = Request::get(&url).body(Full::<Bytes>::default()).unwrap();
    assert_eq!(send(&signer, request).await.unwrap().1.len(), UPLOAD);
}

#[tokio::test]
async fn after_a_401_the_credential_is_refreshed_and_the_request_sent_again() {
    let emulated = start();
    refuse(&emulated.emulator, "POST /echo", Some(1));
    let signer = instance(&emulated);
    assert_eq!(send(&signer, post(&emulated)).await.unwrap().0, 200);
    assert_eq!((emulated.count("POST", ECHO), emulated.count("POST", FEDERATION)), (2, 2));
    assert_eq!(signer.status().generation, 2);
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let emulated = start();
    refuse(&emulated.emulator, "POST /echo", None);
    assert_eq!(send(&instance(&emulated), post(&emulated)).await.unwrap().0, 401);
    assert_eq!((emulated.count("POST", ECHO), emulated.count("POST", FEDERATION)), (2, 2));
}

#[tokio::test]
async fn a_401_that_no_refresh_can_mend_is_the_answer() {
    let emulated = start();
    refuse(&emulated.emulator, "POST /echo", Some(1));
    assert_eq!(send(&user(&emulated), post(&emulated)).await.unwrap().0, 401);
    assert_eq!(emulated.count("POST", ECHO), 1);
}

#[tokio::test]
async fn a_stream_is_sent_once_and_the_next_one_with_a_new_credential() {
    let emulated = start();
    let signer = instance(&emulated);
    let url = [emulated.emulator.url(), object(&emulated.emulator)].concat();
    refuse(&emulated.emulator, "PUT *", Some(1));
    for (status, generation) in [(401, 2), (200, 2)] {
        let request = Request::put(&url).extension(Body::Unsigned).body(stream()).unwrap();
        assert_eq!(send(&signer, request).await.unwrap().0, status);
        assert_eq!(signer.status().generation, generation);
    }
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_a_server_that_proved_its_name_alone() {
    let emulated = start();
    let pem = std::fs::read(emulated.emulator.ca_file()).unwrap();
    let authority = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    let inner = tower::service_fn(move |request: Request<SignBody<Full<Bytes>>>| {
        let client = client.clone();
        async move {
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))?;
            client.execute(request).await.map(Response::<reqwest::Body>::from)
        }
    });
    for (base, status, offset) in
        [(emulated.emulator.url(), 401, 0), (emulated.emulator.tls_url(), 200, -360)]
    {
        let signer = early(&emulated);
        let request = Request::post([&base, ECHO].concat()).body(Full::from("{}")).unwrap();
        let service = SignLayer::new(signer.clone()).layer(inner.clone());
        assert_eq!(service.oneshot(request).await.unwrap().status(), status);
        assert!(signer.status().clock_offset.abs_diff(offset) <= 2, "{:?}", signer.status());
    }
}

#[tokio::test]
async fn each_failure_has_its_code() {
    let emulated = start();
    let nobody = emulated.builder(ocisign::ConfigSource::new().profile("NOBODY")).build();
    let code = |answer: Result<(u16, Bytes), SendError>| answer.unwrap_err().code();
    assert_eq!(code(send(&nobody, post(&emulated)).await), "PROFILE_NOT_FOUND");

    let signer = user(&emulated);
    let relative = Request::get("/").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(code(send(&signer, relative).await), "INVALID_URL");
    let nowhere = Request::get("http://127.0.0.1:1/").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(code(send(&signer, nowhere).await), "CLIENT_FAILED");
    let broken = post(&emulated).map(|_| Parts::of([Err(io::Error::other("the disk is gone"))]));
    let error = send(&signer, broken).await.unwrap_err();
    assert_eq!(error.code(), "BODY_UNREADABLE");
    assert_eq!(error.to_string(), "the body could not be read: the disk is gone");

    for request in [post(&emulated).map(BodyExt::boxed), post(&emulated).map(|_| stream().boxed())]
    {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let service = SignLayer::new(signer.clone()).body_limit(1).layer(client);
        assert_eq!(service.oneshot(request).await.unwrap_err().code(), "BODY_TOO_LARGE");
    }
    assert!(emulated.emulator.log().is_empty());
}

/// Answers by a list, and may be called only where it said that it is ready.
struct Strict {
    answers: Arc<Mutex<VecDeque<u16>>>,
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { answers: self.answers.clone(), ready: false }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "it was not ready");
        let status = self.answers.lock().unwrap().pop_front().unwrap();
        std::future::ready(Ok(Response::builder().status(status).body(()).unwrap()))
    }
}

#[tokio::test]
async fn what_is_called_was_ready_also_the_second_time() {
    let emulated = start();
    let answers = Arc::new(Mutex::new(VecDeque::from([401, 200, 307])));
    let inner = Strict { answers: answers.clone(), ready: false };
    let mut service = SignLayer::new(instance(&emulated)).layer(inner);
    for status in [200, 307] {
        let ready = ServiceExt::<Request<Full<Bytes>>>::ready(&mut service).await.unwrap();
        let response = ready.call(post(&emulated)).await.unwrap();
        assert_eq!(response.status(), status);
    }
    assert!(answers.lock().unwrap().is_empty());
}
