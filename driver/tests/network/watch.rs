//! The real transport and the real clock, watched: what was called, how long it took, and which
//! waits were asked for, which take no time here.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ocisign::{
    Clock, Environment, HttpRequest, HttpTransport, Moment, Response, Signer, Source, SystemClock,
    Transport, TransportFault,
};

/// The machine's clock, on which sleeping takes no time and is remembered.
#[derive(Clone, Default)]
pub(crate) struct Skipping(Arc<Mutex<Skipped>>);

#[derive(Default)]
struct Skipped {
    sleeps: Vec<Duration>,
    sum: Duration,
}

impl Skipping {
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().unwrap().sleeps.clone()
    }

    pub(crate) fn skip(&self, time: Duration) {
        self.0.lock().unwrap().sum += time;
    }
}

impl Clock for Skipping {
    fn now(&self) -> Moment {
        let (now, skipped) = (SystemClock.now(), self.0.lock().unwrap().sum);
        Moment { time: now.time + skipped.as_secs(), uptime: now.uptime + skipped }
    }

    fn sleep(&self, time: Duration) {
        let mut skipped = self.0.lock().unwrap();
        skipped.sleeps.push(time);
        skipped.sum += time;
    }
}

/// A request that was sent, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) line: String,
    pub(crate) limit: Duration,
    pub(crate) took: Duration,
    pub(crate) ended: Result<u16, TransportFault>,
}

#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }
}

/// The real transport, with something that happens before each request.
pub(crate) struct Watched {
    transport: HttpTransport,
    before: Box<dyn Fn(&HttpRequest) + Send + Sync>,
    calls: Calls,
}

impl Transport for Watched {
    fn send(&self, request: &HttpRequest) -> Result<Response, TransportFault> {
        (self.before)(request);
        let start = Instant::now();
        let answer = self.transport.send(request);
        self.calls.0.lock().unwrap().push(Call {
            line: format!("{} {}", request.method, request.url),
            limit: request.time_limit,
            took: start.elapsed(),
            ended: answer.as_ref().map(|answer| answer.status).map_err(|fault| *fault),
        });
        answer
    }
}

/// A signer, and what can be seen of it.
pub(crate) struct Seen {
    pub(crate) signer: Signer,
    pub(crate) clock: Skipping,
    pub(crate) calls: Calls,
}

pub(crate) fn signer(environment: Environment, source: impl Source + 'static) -> Seen {
    hooked(environment, source, |_| ())
}

pub(crate) fn hooked(
    environment: Environment,
    source: impl Source + 'static,
    before: impl Fn(&HttpRequest) + Send + Sync + 'static,
) -> Seen {
    let (clock, calls) = (Skipping::default(), Calls::default());
    let transport = Watched {
        transport: HttpTransport::new(&environment),
        before: Box::new(before),
        calls: calls.clone(),
    };
    let signer = Signer::builder(source)
        .environment(environment)
        .transport(transport)
        .clock(clock.clone())
        .background(false)
        .build();
    Seen { signer, clock, calls }
}
