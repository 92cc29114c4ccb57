//! What the tests of the HTTP clients share.
#![allow(dead_code)] // each test file uses its own part

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ocisign::{Clock, ConfigSource, InstanceSource, Moment, Signer, SystemClock};
use ocisign_emulator::{Config, Emulator, Fault, FaultKind};

use crate::emulated::Emulated;

pub(crate) const ECHO: &str = "/echo";
pub(crate) const FEDERATION: &str = "/v1/x509";
pub(crate) const REGIONS: &str = "/20160918/regions";
pub(crate) const UPLOAD: usize = 64 << 20;

pub(crate) fn start() -> Emulated {
    Emulated::start(Config { max_body: UPLOAD, ..Config::default() })
}

/// Signs with an API key, so that nothing can be refreshed.
pub(crate) fn user(emulated: &Emulated) -> Signer {
    emulated.builder(ConfigSource::new()).build()
}

/// Signs with a token that is fetched.
pub(crate) fn instance(emulated: &Emulated) -> Signer {
    emulated.builder(InstanceSource::new()).build()
}

/// Signs with an API key, six minutes ahead of everyone.
pub(crate) fn early(emulated: &Emulated) -> Signer {
    emulated.builder(ConfigSource::new()).clock(SixMinutesAhead).build()
}

struct SixMinutesAhead;

impl Clock for SixMinutesAhead {
    fn now(&self) -> Moment {
        let now = SystemClock.now();
        Moment { time: now.time + 360, ..now }
    }

    fn sleep(&self, time: Duration) {
        SystemClock.sleep(time);
    }
}

/// Answer so many requests with 401, or all.
pub(crate) fn refuse(emulator: &Emulator, on: &str, times: Option<u32>) {
    let status = Some(401);
    let fault = Fault { on: on.into(), times, kind: FaultKind::Status, status, ..Fault::default() };
    emulator.set_faults(vec![fault]);
}

/// The path of an object that is not there yet.
pub(crate) fn object(emulator: &Emulator) -> String {
    let environment = emulator.environment(None);
    let value = |name: &str| {
        let found = environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap()
    };
    let (namespace, bucket) =
        (value("OCISIGN_EMULATOR_NAMESPACE"), value("OCISIGN_EMULATOR_BUCKET"));
    format!("/n/{namespace}/b/{bucket}/o/object")
}

/// A body of which its sender knows no more than it gives.
pub(crate) struct Parts<E>(VecDeque<Result<Bytes, E>>);

impl<E> Parts<E> {
    pub(crate) fn of<const N: usize>(parts: [Result<&'static [u8], E>; N]) -> Self {
        Self(parts.into_iter().map(|part| part.map(Bytes::from_static)).collect())
    }
}

impl<E: Unpin> Body for Parts<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Poll::Ready(self.0.pop_front().map(|part| part.map(Frame::data)))
    }
}

/// Two bytes of JSON.
pub(crate) fn stream() -> Parts<Infallible> {
    Parts::of([Ok(b"{"), Ok(b"}")])
}

/// A body that is made while it is sent, and knows how much of it was there at once.
pub(crate) struct Stream {
    held: Arc<Held>,
    left: usize,
}

impl Stream {
    pub(crate) fn new(length: usize) -> (Self, Arc<Held>) {
        let held = Arc::new(Held::default());
        (Self { held: held.clone(), left: length }, held)
    }
}

#[derive(Default)]
pub(crate) struct Held {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Held {
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.min(CHUNK);
        if length == 0 {
            return Poll::Ready(None);
        }
        self.left -= length;
        let now = self.held.now.fetch_add(length, Ordering::SeqCst) + length;
        self.held.most.fetch_max(now, Ordering::SeqCst);
        let chunk = Chunk { bytes: vec![b'x'; length], held: self.held.clone() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(chunk)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

struct Chunk {
    bytes: Vec<u8>,
    held: Arc<Held>,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.held.now.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

const CHUNK: usize = 64 << 10;
