//! HTTP: connections in, answers out, and the faults between.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming as Body};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::call::Call;
use crate::clock::http_date;
use crate::fault::{Fault, FaultKind};
use crate::guard::Incoming;
use crate::log::Entry;
use crate::service::{admin, route};
use crate::state::State;

type Reply = Response<Either<Full<Bytes>, Channel<Bytes, io::Error>>>;

/// Serve connections until the runtime goes.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    hosts: Arc<Vec<String>>,
) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let permit = Arc::clone(&connections).acquire_owned().await.ok();
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, most likely: others have to end first.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (tls, state, hosts) = (tls.clone(), Arc::clone(&state), Arc::clone(&hosts));
        tokio::spawn(async move {
            match tls {
                None => connection(stream, false, state, hosts).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = timeout(HEAD, tls.accept(stream)).await {
                        connection(stream, true, state, hosts).await;
                    }
                }
            }
            drop(permit);
        });
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    secure: bool,
    state: Arc<State>,
    hosts: Arc<Vec<String>>,
) {
    let service = service_fn(move |request| {
        let (state, hosts) = (Arc::clone(&state), Arc::clone(&hosts));
        async move { reply(request, secure, state, &hosts).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // What ends a connection early is the client's affair, or a fault's; who does not read
    // what is answered is not waited for for ever.
    let _ = timeout(CONNECTION, connection).await;
}

/// A request, read whole.
struct Received {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Bytes,
    secure: bool,
}

impl Received {
    fn incoming(&self) -> Incoming<'_> {
        Incoming {
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
        }
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

async fn reply(
    request: Request<Body>,
    secure: bool,
    state: Arc<State>,
    hosts: &[String],
) -> Result<Reply, io::Error> {
    let (head, body) = request.into_parts();
    let authority = head.uri.authority().cloned();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let mut received = Received {
        method: head.method.to_string(),
        target,
        headers: head.headers,
        body: Bytes::new(),
        secure,
    };
    let limit = state.config.max_body;
    // What says how long it is need not be read to be refused.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        let answer = too_large(limit);
        return Ok(finish(&state, &received, answer, None, None));
    }
    // Longer bodies are read a few at a time: all of them at once would not fit.
    let short = body.size_hint().upper().is_some_and(|upper| upper <= SHORT);
    let read = async {
        let _turn = if short { None } else { LONG_BODIES.acquire().await.ok() };
        Limited::new(body, limit).collect().await
    };
    let answer = match timeout(BODY, read).await {
        Ok(Ok(body)) => {
            received.body = body.to_bytes();
            None
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => Some(too_large(limit)),
        Ok(Err(_)) => return Err(io::Error::other("the body broke off")),
        Err(_) => Some(Answer::error(408, "RequestTimeout", "The body did not arrive in time.")),
    };
    if let Some(answer) = answer {
        return Ok(finish(&state, &received, answer, None, None));
    }
    let host = received.headers.get("host").and_then(|host| host.to_str().ok());
    // A target in absolute form has to say the same: RFC 9112, section 3.2.2.
    let same = authority.is_none_or(|target| host.is_some_and(|host| target == host));
    if !same || !host.is_some_and(|host| hosts.iter().any(|own| is_host(own, host))) {
        let answer = Answer::not_authenticated("the host is none of the emulator's".into());
        return Ok(finish(&state, &received, answer, None, None));
    }
    if received.path().starts_with("/emulator/") {
        // It may make a key.
        return Ok(tokio::task::spawn_blocking(move || {
            let answer = admin::answer(&state, received.incoming());
            finish(&state, &received, answer, None, None)
        })
        .await?);
    }
    if let Some(answer) = preflight(&state, &received) {
        return Ok(finish(&state, &received, answer, None, None));
    }
    let fault = crate::lock(&state.faults).next(&received.method, received.path());
    let fault = match fault {
        None => None,
        Some(fault) => {
            if fault.kind != FaultKind::Slow {
                sleep(Duration::from_millis(fault.delay_ms)).await;
            }
            match fault.kind {
                FaultKind::Close => {
                    enter(&state, &received, 0, Entry::default(), Some(&fault));
                    return Err(io::Error::other("a fault"));
                }
                FaultKind::Hang => {
                    enter(&state, &received, 0, Entry::default(), Some(&fault));
                    std::future::pending::<Infallible>().await;
                }
                _ => {}
            }
            Some(fault)
        }
    };
    let (answer, caller) = decide(&state, &received, fault.as_ref());
    Ok(finish(&state, &received, answer, caller, fault.as_ref()))
}

fn too_large(limit: usize) -> Answer {
    let message = format!("The body is longer than the {limit} bytes that are read.");
    Answer::error(413, "RequestEntityTooLarge", &message)
}

/// The answer, and who called.
fn decide(state: &State, received: &Received, fault: Option<&Fault>) -> (Answer, Option<String>) {
    if let Some(answer) = fault.and_then(instead) {
        return (answer, None);
    }
    let mut call = Call {
        state,
        request: received.incoming(),
        secure: received.secure,
        fault: fault.map(|fault| fault.kind),
        now: state.clock.now(),
        caller: None,
        reason: None,
    };
    let mut answer = route(&mut call);
    answer.reason = answer.reason.or(call.reason.take());
    (answer, call.caller)
}

/// Whether `host` is this one, or below it where it starts with `*.`; with or without a port.
fn is_host(own: &str, host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|_| !own.contains(':')).map_or(host, |(name, _)| name);
    match own.strip_prefix('*') {
        Some(end) => {
            let start = name.len().checked_sub(end.len());
            start.and_then(|start| name.get(start..)).is_some_and(|it| it.eq_ignore_ascii_case(end))
        }
        None => own.eq_ignore_ascii_case(name),
    }
}

/// What a fault answers without asking.
fn instead(fault: &Fault) -> Option<Answer> {
    match fault.kind {
        FaultKind::Garbage => {
            Some(Answer::new(200, "application/json", &b"\x00\xff}{<html>not json"[..]))
        }
        FaultKind::Redirect => {
            let location = fault.location.as_deref().unwrap_or("http://127.0.0.1:1/");
            Some(Answer::empty(307).header("location", location))
        }
        FaultKind::Status => {
            let status = fault.status.unwrap_or(500);
            let code = match status {
                400 => "InvalidParameter",
                401 => "NotAuthenticated",
                404 => "NotAuthorizedOrNotFound",
                409 => "IncorrectState",
                429 => "TooManyRequests",
                503 => "ServiceUnavailable",
                _ => "InternalServerError",
            };
            Some(Answer::error(status, code, "The fault plan says so."))
        }
        _ => None,
    }
}

/// The answer to a browser that asks whether it may call; none where that is off.
fn preflight(state: &State, received: &Received) -> Option<Answer> {
    let asked = received.headers.get("access-control-request-headers");
    allowed_origin(state, received).filter(|_| received.method == "OPTIONS")?;
    let names = asked.and_then(|names| names.to_str().ok()).unwrap_or_default();
    Some(
        Answer::empty(204)
            .header("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
            .header("access-control-allow-headers", names)
            .header("access-control-max-age", "600"),
    )
}

fn allowed_origin<'a>(state: &State, received: &'a Received) -> Option<&'a HeaderValue> {
    let origin = received.headers.get("origin")?;
    state.config.cors.iter().any(|allowed| origin == allowed.as_str()).then_some(origin)
}

/// Log an answer and put it on its way.
fn finish(
    state: &State,
    received: &Received,
    answer: Answer,
    caller: Option<String>,
    fault: Option<&Fault>,
) -> Reply {
    let entry = Entry { caller, reason: answer.reason, ..Entry::default() };
    let request_id = enter(state, received, answer.status, entry, fault);

    let mut reply = Response::new(Either::Left(Full::new(Bytes::new())));
    *reply.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = reply.headers_mut();
    for (name, value) in answer
        .headers
        .into_iter()
        .chain([("date", http_date(state.clock.now())), ("opc-request-id", request_id)])
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if let Some(origin) = allowed_origin(state, received) {
        headers.insert("access-control-allow-origin", origin.clone());
        headers.insert("access-control-expose-headers", HeaderValue::from_static(EXPOSED));
        headers.insert("vary", HeaderValue::from_static("origin"));
    }
    *reply.body_mut() = match fault.map(|fault| (fault.kind, fault)) {
        Some((FaultKind::Slow, fault)) => {
            let pause = Duration::from_millis(fault.delay_ms);
            headers.insert("content-length", HeaderValue::from(answer.body.len()));
            stream(move |sender| drip(sender, answer.body, pause))
        }
        Some((FaultKind::Truncated, _)) => {
            headers.insert("content-length", HeaderValue::from(answer.body.len()));
            stream(move |sender| half(sender, answer.body))
        }
        Some((FaultKind::Huge, fault)) => {
            let bytes = fault.bytes.unwrap_or(64 << 20);
            stream(move |sender| flood(sender, bytes))
        }
        _ => Either::Left(Full::new(answer.body)),
    };
    reply
}

/// A body that a task sends.
fn stream<F>(
    send: impl FnOnce(Sender<Bytes, io::Error>) -> F,
) -> Either<Full<Bytes>, Channel<Bytes, io::Error>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, body) = Channel::new(1);
    tokio::spawn(send(sender));
    Either::Right(body)
}

async fn drip(mut sender: Sender<Bytes, io::Error>, body: Bytes, pause: Duration) {
    for at in 0..body.len() {
        sleep(pause).await;
        if sender.send_data(body.slice(at..=at)).await.is_err() {
            return;
        }
    }
}

async fn half(mut sender: Sender<Bytes, io::Error>, body: Bytes) {
    let _ = sender.send_data(body.slice(..body.len() / 2)).await;
    // What was sent has to be on its way before the connection ends.
    sleep(Duration::from_millis(10)).await;
    sender.abort(io::Error::other("a fault"));
}

async fn flood(mut sender: Sender<Bytes, io::Error>, bytes: u64) {
    let chunk = Bytes::from(vec![b' '; 64 << 10]);
    for _ in 0..bytes.div_ceil(chunk.len() as u64) {
        if sender.send_data(chunk.clone()).await.is_err() {
            return;
        }
    }
}

/// Enter a request into the log; gives its id.
fn enter(
    state: &State,
    received: &Received,
    status: u16,
    entry: Entry,
    fault: Option<&Fault>,
) -> String {
    let given = received.headers.get("opc-request-id").and_then(|id| id.to_str().ok());
    let given = given.filter(|id| id.len() <= 98).map_or_else(crate::random::id, str::to_owned);
    let request_id = format!("{given}/{}/{}", crate::random::id(), crate::random::id());
    let name = |kind: FaultKind| serde_json::to_value(kind).ok()?.as_str().map(str::to_owned);
    state.log.add(Entry {
        time: state.clock.now(),
        method: received.method.clone(),
        path: received.path().to_owned(),
        status,
        fault: fault.and_then(|fault| name(fault.kind)),
        request_id: request_id.clone(),
        ..entry
    });
    request_id
}

const EXPOSED: &str = "opc-request-id, etag, date";
const MAX_CONNECTIONS: usize = 4_096;
const MAX_HEAD: usize = 64 << 10;
/// How long the head of a request may take, and a connection may idle.
const HEAD: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(30);
const CONNECTION: Duration = Duration::from_mins(15);
/// The longest body that is read whoever else sends one, in bytes.
const SHORT: u64 = 64 << 10;
static LONG_BODIES: Semaphore = Semaphore::const_new(16);

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_is_one_of_those_named_with_any_port_or_that_one() {
        assert!(is_host("localhost", "LOCALHOST:80"));
        assert!(is_host("127.0.0.1:80", "127.0.0.1:80"));
        assert!(!is_host("127.0.0.1:80", "127.0.0.1:81"));
        assert!(is_host("*.example.com", "a.example.com:443"));
        assert!(!is_host("*.example.com", "example.com"));
        assert!(!is_host("*.example.com", "a.example.com.evil.org"));
        assert!(!is_host("localhost", ""));
    }
}
