//! The loop that drives an exchange, under a clock of its own, with an eye on every text.

use std::sync::Arc;

use ocisign_core::{
    Credential, Exchange, ExchangeError, HttpAnswer, HttpRequest, Step, TransportFault,
};

use crate::made::NOW;

/// What a stub answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub(crate) type Replied = Result<Reply, TransportFault>;

/// Let an exchange have a reply. Returns the answer as `Debug` shows it.
pub(crate) fn give(exchange: &mut Exchange, replied: &Replied, now: u64) -> String {
    let headers: Vec<(&str, &str)> = replied
        .iter()
        .flat_map(|reply| reply.headers.iter().map(|(name, value)| (*name, value.as_str())))
        .collect();
    let answer = replied.as_ref().map_err(|fault| *fault).map(|reply| HttpAnswer {
        status: reply.status,
        headers: &headers,
        body: &reply.body,
    });
    exchange.receive(answer, now);
    format!("{answer:?}")
}

/// What came of an exchange, and what was seen on the way.
pub(crate) struct Run {
    pub(crate) result: Result<Arc<Credential>, ExchangeError>,
    pub(crate) requests: Vec<HttpRequest>,
    /// How long each wait was, in seconds.
    pub(crate) waits: Vec<u64>,
    pub(crate) exchange: Exchange,
}

impl Run {
    /// Method and URL of each request.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.requests.iter().map(call).collect()
    }

    #[track_caller]
    pub(crate) fn ready(&self) -> &Credential {
        match &self.result {
            Ok(credential) => credential,
            Err(error) => panic!("{}: {error}", error.code()),
        }
    }

    #[track_caller]
    pub(crate) fn error(&self) -> &ExchangeError {
        self.result.as_ref().unwrap_err()
    }
}

pub(crate) fn call(request: &HttpRequest) -> String {
    format!("{} {}", request.method, request.url)
}

/// Drive an exchange from [`NOW`] to its end, checking what holds at every step.
#[track_caller]
pub(crate) fn run(exchange: Exchange, answer: impl FnMut(&HttpRequest) -> Replied) -> Run {
    run_at(exchange, [NOW, NOW], answer)
}

/// The same, with what is asked and what is received each at its own time.
#[track_caller]
pub(crate) fn run_at(
    mut exchange: Exchange,
    [mut asked, mut received]: [u64; 2],
    mut answer: impl FnMut(&HttpRequest) -> Replied,
) -> Run {
    let (mut requests, mut waits) = (Vec::new(), Vec::new());
    let result = loop {
        assert!(requests.len() + waits.len() < MOST_STEPS, "it does not end: {exchange:?}");
        let step = exchange.next_step(asked);
        assert_same(&step, &exchange.next_step(asked));
        match step {
            Ok(Step::Send(request)) => {
                let replied = answer(&request);
                let shown = format!("{request:?} {exchange:?}");
                let before = requests.len();
                requests.push(request);
                let given = give(&mut exchange, &replied, received);
                let shown = format!("{shown} {given} {exchange:?}");
                assert_hidden(&shown, &secrets_of(&requests[before]));
                if let Ok(reply) = &replied {
                    assert_hidden(&shown, &secrets_in(&reply.body));
                }
            }
            Ok(Step::Wait(until)) => {
                waits.push(until - asked);
                received += until - asked;
                asked = until;
            }
            Ok(Step::Ready(credential)) => break Ok(credential),
            Err(error) => break Err(error),
        }
    };
    let shown = match &result {
        Ok(credential) => format!("{credential:?} {:?}", Step::Ready(Arc::clone(credential))),
        Err(error) => format!("{error} {error:?} {exchange:?}"),
    };
    for request in &requests {
        assert_hidden(&shown, &secrets_of(request));
    }
    Run { result, requests, waits, exchange }
}

/// Ten parents, each with two calls of three attempts and as many waits, and an instance before.
const MOST_STEPS: usize = 200;

#[track_caller]
fn assert_same(one: &Result<Step, ExchangeError>, other: &Result<Step, ExchangeError>) {
    match (one, other) {
        (Ok(Step::Send(one)), Ok(Step::Send(other))) => {
            assert_eq!((call(one), &one.headers), (call(other), &other.headers));
            assert_eq!((&one.body, one.endpoint), (&other.body, other.endpoint));
        }
        (Ok(Step::Wait(one)), Ok(Step::Wait(other))) => assert_eq!(one, other),
        (Ok(Step::Ready(one)), Ok(Step::Ready(other))) => assert!(Arc::ptr_eq(one, other)),
        (Err(one), Err(other)) => assert_eq!(one, other),
        other => panic!("{other:?}"),
    }
}

/// What a request holds that nobody may see: signature, tokens and body.
fn secrets_of(request: &HttpRequest) -> Vec<Vec<u8>> {
    let authorization = request.header("authorization").unwrap_or_default();
    let mut secrets = secrets_in(&request.body);
    secrets.extend(
        authorization
            .split(['"', ' '])
            .filter(|part| !part.contains("ocid1") && !part.contains('('))
            .map(|part| part.as_bytes().to_vec()),
    );
    secrets
}

/// The lines of PEM and the strings of JSON, but for what names things.
fn secrets_in(body: &[u8]) -> Vec<Vec<u8>> {
    let parts = body.split(|byte| b"\"\n&=".contains(byte));
    let secret = |part: &&[u8]| {
        part.len() >= 40
            && !part.starts_with(b"ocid1")
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_.$%".contains(byte))
    };
    parts.filter(secret).map(<[u8]>::to_vec).collect()
}

/// No fifteen bytes of these in a text as they are, nor their start as Rust shows bytes.
#[track_caller]
pub(crate) fn assert_hidden(text: &str, secrets: &[impl AsRef<[u8]>]) {
    let known: std::collections::HashSet<&[u8]> = text.as_bytes().windows(12).collect();
    for secret in secrets {
        // Of garbage by the kilobyte the start is enough.
        let secret = secret.as_ref();
        let secret = secret.get(..8_192).unwrap_or(secret);
        for part in secret.windows(12).step_by(4) {
            let part_text = String::from_utf8_lossy(part);
            assert!(!known.contains(part), "{part_text:?} is in {text:?}");
        }
        if let Some(start) = secret.get(..6) {
            let decimal = format!("{start:?}");
            assert!(!text.contains(decimal.trim_matches(['[', ']'])), "{decimal} is in {text:?}");
        }
    }
}
