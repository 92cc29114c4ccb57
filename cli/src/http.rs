//! Signed requests, sent exactly as they were signed.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use ocisign::{HttpTransport, Refusal, Request, Signed, SignedHeaders, TransportFault};
use ureq::http::header::{HeaderName, HeaderValue};
use ureq::http::{self, Uri};
use ureq::{Agent, Body, BodyReader, SendBody};

use crate::content::{Content, Fault};
use crate::failure::Failure;
use crate::identity::Identity;
use crate::output::printable;

/// Sends signed requests.
pub(crate) struct Client<'a> {
    agent: Agent,
    identity: &'a Identity,
    /// For the whole of a request.
    time_limit: Option<Duration>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        identity: &'a Identity,
        time_limit: Option<Duration>,
    ) -> Result<Self, Failure> {
        let agent = HttpTransport::new(&identity.environment).client()?;
        Ok(Self { agent, identity, time_limit })
    }

    /// Sign and send; where the answer is 401 and that can be mended, once more.
    pub(crate) fn send(
        &self,
        request: &Request<'_>,
        content: &mut Content,
    ) -> Result<Answer, Failure> {
        let answer = self.send_once(request, content)?;
        if answer.status() != 401 || !content.is_lasting() {
            return Ok(answer);
        }
        let date = answer.header("date");
        let mut refusal = Refusal::new(date.as_deref(), b"");
        if is_secure(request.url) {
            refusal = refusal.over_tls();
        }
        if self.identity.signer.on_unauthorized(&answer.signed, &refusal) {
            return self.send_once(request, content);
        }
        Ok(answer)
    }

    fn send_once(&self, request: &Request<'_>, content: &mut Content) -> Result<Answer, Failure> {
        let signed = self.identity.sign(request)?;
        let mut sent = http::Request::builder().method(request.method).uri(request.url);
        let uri: Result<Uri, _> = request.url.parse();
        if !uri.is_ok_and(|uri| is_signed(&uri, request.method, signed.headers())) {
            return Err(Failure::Refused {
                code: "INVALID_URL",
                message: "the URL cannot be sent as it would be signed: escape what stands out \
                          in it as %XX"
                    .to_owned(),
            });
        }
        let length = said_length(request, signed.headers());
        let length = length.or_else(|| content.length());
        for (name, value) in headers(request, signed.headers()) {
            sent = sent.header(header_name(name)?, header_value(name, value)?);
        }
        let bodiless = !["POST", "PUT", "PATCH"].contains(&request.method);
        let body = if bodiless && matches!(content, Content::Empty) { None } else { Some(length) };
        if let Some(Some(length)) = body
            && said_length(request, signed.headers()).is_none()
        {
            sent = sent.header("content-length", length);
        }

        let fault = Cell::new(None);
        let ran = match body {
            None => self.run(sent, SendBody::none()),
            Some(length) => {
                let unreadable = |error: io::Error| broken_body(Fault::Unreadable(error.kind()));
                let mut reader = content.read(length, &fault).map_err(unreadable)?;
                self.run(sent, SendBody::from_reader(&mut reader))
            }
        };
        let response = ran.map_err(|error| match fault.get() {
            Some(fault) => broken_body(fault),
            None => unsent(request, HttpTransport::fault(&error)),
        })?;
        let (head, body) = response.into_parts();
        Ok(Answer { about: about(request), body: body.into_reader(), head, signed })
    }

    fn run(
        &self,
        request: http::request::Builder,
        body: SendBody<'_>,
    ) -> Result<http::Response<Body>, ureq::Error> {
        let request = self.agent.configure_request(request.body(body)?);
        let request = request
            .allow_non_standard_methods(true)
            .timeout_global(self.time_limit)
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .build();
        self.agent.run(request)
    }
}

/// What came back. Its body is still on its way.
pub(crate) struct Answer {
    /// Method and URL, without its query.
    pub(crate) about: String,
    pub(crate) body: BodyReader<'static>,
    pub(crate) head: http::response::Parts,
    pub(crate) signed: Signed,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// What was asked, with the status, and what to ask Oracle about.
    pub(crate) fn outcome(&self) -> String {
        let id = self.header("opc-request-id");
        let id = id.map(|id| format!(", opc-request-id {}", printable(&id))).unwrap_or_default();
        format!("{}: {}{id}", self.about, self.head.status)
    }

    /// The value of a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        Some(self.head.headers.get(name)?.to_str().ok()?.to_owned())
    }
}

/// Whether the client would put on the request line what was signed.
fn is_signed(uri: &Uri, method: &str, signed: &SignedHeaders) -> bool {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let slash = if target.starts_with('/') { "" } else { "/" };
    let method = method.to_ascii_lowercase();
    let line = format!("(request-target): {method} {slash}{target}");
    signed.signing_string().lines().any(|signed| signed == line)
}

/// What is sent: the request's own headers, and in place of them those that were signed.
fn headers<'a>(
    request: &'a Request<'_>,
    signed: &'a SignedHeaders,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let is_set = |name: &str| signed.headers().iter().any(|set| set.0.eq_ignore_ascii_case(name));
    let own = request.headers.iter().filter(move |(name, _)| !is_set(name));
    let set = signed.headers().iter().map(|(name, value)| (*name, value.as_str()));
    set.chain(own.map(|(name, value)| (*name, value.trim_matches([' ', '\t']))))
}

/// The length that a header says, signed or not.
fn said_length(request: &Request<'_>, signed: &SignedHeaders) -> Option<u64> {
    let mut headers = headers(request, signed);
    headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.parse().ok()
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    let parsed = name.parse::<HeaderName>().ok();
    // The client says itself how a body is framed.
    parsed.filter(|name| name != "transfer-encoding").ok_or_else(|| invalid_header(name))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_str(value);
    let mut value = value.map_err(|_| invalid_header(name))?;
    value.set_sensitive(true);
    Ok(value)
}

fn invalid_header(name: &str) -> Failure {
    let name = name.to_ascii_lowercase();
    let message = format!("the header {name:?} cannot be sent");
    Failure::Refused { code: "INVALID_HEADER", message }
}

fn is_secure(url: &str) -> bool {
    url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

fn about(request: &Request<'_>) -> String {
    let url = request.url.split(['?', '#']).next().unwrap_or_default();
    format!("{} {url}", request.method)
}

/// Why the body of an answer did not come whole.
pub(crate) fn broken(about: &str, error: io::Error) -> Failure {
    failed(about, HttpTransport::fault(&ureq::Error::from(error)))
}

fn unsent(request: &Request<'_>, fault: TransportFault) -> Failure {
    failed(&about(request), fault)
}

fn failed(about: &str, fault: TransportFault) -> Failure {
    Failure::Unsent { about: about.to_owned(), fault }
}

fn broken_body(fault: Fault) -> Failure {
    match fault {
        Fault::Short => Failure::Refused {
            code: "BODY_CHANGED",
            message: "the body ended before the length that was said of it".to_owned(),
        },
        Fault::Unreadable(kind) => {
            Failure::Refused { code: "FILE_UNREADABLE", message: format!("the body: {kind}") }
        }
    }
}

/// How long to wait for a byte.
const SILENCE: Duration = Duration::from_mins(1);
