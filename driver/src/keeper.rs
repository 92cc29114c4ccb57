//! Keeps a credential fresh: obeys core's rules of rotation, with a source, a clock and threads.

use std::fmt;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use arc_swap::{ArcSwap, ArcSwapOption};
use event_listener::{Event, EventListener};
use ocisign_core::{Claim, Decision, Generation, Moment, Quiet, Rejection, Rotation, Verdict};

use crate::clock::Time;
use crate::context::{Context, entropy};
use crate::environment::Environment;
use crate::signer::{Refreshed, SignerError};
use crate::source::{Fetched, Source, SourceError};
use crate::transport::Transport;

/// What a keeper works with. It does not change.
pub(crate) struct Parts {
    pub(crate) background: bool,
    pub(crate) environment: Environment,
    pub(crate) on_refresh: Option<Box<dyn Fn(&Refreshed<'_>) + Send + Sync>>,
    pub(crate) source: Box<dyn Source>,
    pub(crate) time: Time,
    pub(crate) transport: Box<dyn Transport>,
}

/// Keeps a credential fresh.
///
/// What signs is read without a lock. The lock guards the rules alone: it is held for
/// nanoseconds, and never while something is fetched.
pub(crate) struct Keeper {
    parts: Parts,
    published: ArcSwapOption<Published>,
    /// Replaced whole in a child of `fork`: there a lock may have stayed locked, and the
    /// thread that was refreshing is gone.
    process: ArcSwap<InProcess>,
}

struct Published {
    generation: Arc<Generation>,
    quiet: Quiet,
}

struct InProcess {
    pid: u32,
    state: Mutex<State>,
    /// A refresh has ended, well or not.
    ended: Event,
}

struct State {
    about: Option<Arc<Fetched>>,
    last_error: Option<Arc<SourceError>>,
    rotation: Rotation,
}

/// What a caller has to do to sign.
pub(crate) enum Next {
    Follow(EventListener),
    Lead(Refresh),
    Sign(Arc<Generation>),
}

/// The one refresh. Whoever drops it undone has failed.
pub(crate) struct Refresh {
    /// Until it has ended.
    claim: Option<Claim>,
    keeper: Arc<Keeper>,
    process: Arc<InProcess>,
}

/// What is known of the refreshes so far.
pub(crate) struct Report {
    pub(crate) about: Option<Arc<Fetched>>,
    pub(crate) failures: u32,
    pub(crate) generation: Option<Arc<Generation>>,
    pub(crate) last_error: Option<Arc<SourceError>>,
}

impl Keeper {
    pub(crate) fn new(parts: Parts) -> Self {
        let process = InProcess::new(rotation(&parts));
        Self { parts, published: ArcSwapOption::empty(), process: ArcSwap::from_pointee(process) }
    }

    pub(crate) fn time(&self) -> &Time {
        &self.parts.time
    }

    /// The generation that signs, where there is nothing to decide.
    pub(crate) fn quiet(&self, now: Moment) -> Option<Arc<Generation>> {
        let published = self.published.load();
        let published = published.as_ref()?;
        published.quiet.covers(now).then(|| published.generation.clone())
    }

    /// What a caller has to do to sign now.
    pub(crate) fn next(self: &Arc<Self>, now: Moment) -> Result<Next, SignerError> {
        let process = self.process();
        let mut state = process.lock();
        match state.rotation.decide(now) {
            Decision::Sign(generation) => Ok(Next::Sign(generation)),
            Decision::SignAndRefresh(generation) => {
                let claim = self.parts.background.then(|| state.rotation.begin(now)).flatten();
                drop(state);
                if let Some(claim) = claim {
                    self.refresh(&process, claim).beside();
                }
                Ok(Next::Sign(generation))
            }
            Decision::Await => Ok(Next::Follow(process.ended.listen())),
            Decision::Refresh => Ok(self.lead_or_follow(&process, state.rotation.begin(now))),
            Decision::Refuse(_) => Err(state.refusal()),
        }
    }

    /// Claim a refresh that is not due, if nobody has one.
    pub(crate) fn force(self: &Arc<Self>, now: Moment) -> Next {
        let process = self.process();
        let mut state = process.lock();
        self.lead_or_follow(&process, state.rotation.force(now))
    }

    /// What to do about a request that was rejected: `None` when the answer stands.
    pub(crate) fn rejected(
        self: &Arc<Self>,
        number: u64,
        rejection: Rejection,
        now: Moment,
    ) -> Option<Next> {
        let process = self.process();
        let mut state = process.lock();
        match state.rotation.reject(number, rejection, now) {
            Verdict::GiveUp => None,
            Verdict::SignAgain => state.rotation.current().cloned().map(Next::Sign),
            Verdict::Await => Some(Next::Follow(process.ended.listen())),
            Verdict::Refresh => Some(self.lead_or_follow(&process, state.rotation.begin(now))),
        }
    }

    /// The last generation, what is known of it, and what went wrong since.
    pub(crate) fn report(&self) -> Report {
        let process = self.process();
        let state = process.lock();
        Report {
            about: state.about.clone(),
            failures: state.rotation.failures(),
            generation: state.rotation.current().cloned(),
            last_error: state.last_error.clone(),
        }
    }

    /// To be called under the lock, so that no end goes unheard.
    fn lead_or_follow(self: &Arc<Self>, process: &Arc<InProcess>, claim: Option<Claim>) -> Next {
        match claim {
            Some(claim) => Next::Lead(self.refresh(process, claim)),
            None => Next::Follow(process.ended.listen()),
        }
    }

    fn refresh(self: &Arc<Self>, process: &Arc<InProcess>, claim: Claim) -> Refresh {
        Refresh { keeper: self.clone(), process: process.clone(), claim: Some(claim) }
    }

    /// The state of this process.
    fn process(&self) -> Arc<InProcess> {
        let known = self.process.load_full();
        if known.pid == process::id() {
            return known;
        }
        let mut rotation = rotation(&self.parts);
        if let Some(published) = &*self.published.load() {
            rotation.adopt(published.generation.clone(), self.parts.time.now());
        }
        let fresh = Arc::new(InProcess::new(rotation));
        let before = self.process.compare_and_swap(&known, fresh.clone());
        if Arc::ptr_eq(&before, &known) { fresh } else { self.process.load_full() }
    }

    fn publish(&self, rotation: &Rotation) {
        let published = rotation.current().map(|generation| {
            Arc::new(Published { generation: generation.clone(), quiet: rotation.quiet() })
        });
        self.published.store(published);
    }
}

fn rotation(parts: &Parts) -> Rotation {
    let rotation = Rotation::new(entropy());
    if parts.source.may_change() { rotation.recheck(RECHECK) } else { rotation }
}

impl InProcess {
    fn new(rotation: Rotation) -> Self {
        let state = State { about: None, last_error: None, rotation };
        Self { pid: process::id(), state: Mutex::new(state), ended: Event::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why there is nothing to sign with.
    fn refusal(&self) -> SignerError {
        let error = self.last_error.clone().unwrap_or_else(|| Arc::new(SourceError::Stopped));
        match self.rotation.current().and_then(|known| known.credential().expires()) {
            Some(since) => SignerError::Expired { since, last_error: error },
            None => SignerError::NoCredential(error),
        }
    }
}

impl Refresh {
    /// Refresh on a thread that lives as long as that takes; where there is none to be had,
    /// on this one.
    pub(crate) fn beside(self) {
        // The closure is lost where no thread starts, and with it the claim: so it has failed.
        let _ = thread::Builder::new().name("ocisign-refresh".into()).spawn(|| self.run());
    }

    /// The same, and wait for its end without blocking.
    pub(crate) async fn run_elsewhere(self) {
        let ended = self.process.ended.listen();
        self.beside();
        ended.await;
    }

    /// Refresh now.
    pub(crate) fn run(mut self) {
        let parts = &self.keeper.parts;
        let context = Context {
            environment: &parts.environment,
            time: &parts.time,
            transport: &*parts.transport,
        };
        let fetched = parts.source.fetch(&context);
        self.end(fetched);
    }

    fn end(&mut self, fetched: Result<Fetched, SourceError>) {
        let Some(claim) = self.claim.take() else { return };
        let parts = &self.keeper.parts;
        let now = parts.time.now();
        let mut state = self.process.lock();
        let before = state.rotation.current().map(|known| known.number());
        let ended = match fetched {
            Ok(fetched) => match state.rotation.succeed(claim, fetched.credential.clone(), now) {
                Ok(generation) => {
                    // A refresh that was overtaken brings nothing that signs.
                    if Arc::ptr_eq(generation.credential(), &fetched.credential) {
                        state.about = Some(Arc::new(fetched));
                    }
                    state.last_error = None;
                    Ok(generation)
                }
                Err(refused) => Err(Arc::new(SourceError::from(refused))),
            },
            Err(error) => {
                state.rotation.fail(claim, error.retry_after(), now);
                Err(Arc::new(error))
            }
        };
        if let Err(error) = &ended {
            state.last_error = Some(error.clone());
        }
        self.keeper.publish(&state.rotation);
        drop(state);
        self.process.ended.notify(usize::MAX);
        if let Some(tell) = &parts.on_refresh {
            tell(&match &ended {
                Ok(generation) if Some(generation.number()) == before => Refreshed::Unchanged,
                Ok(generation) => Refreshed::New(generation),
                Err(error) => Refreshed::Failed(error),
            });
        }
    }
}

/// A source that panics, or a thread that cannot start, is a refresh that failed.
impl Drop for Refresh {
    fn drop(&mut self) {
        self.end(Err(SourceError::Stopped));
    }
}

/// Nothing of keys and tokens.
impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let published = self.published.load();
        f.debug_struct("Keeper")
            .field("generation", &published.as_ref().map(|published| &published.generation))
            .field("environment", &self.parts.environment)
            .finish_non_exhaustive()
    }
}

/// How often a credential without an expiry is looked at: an API key in its file.
const RECHECK: std::time::Duration = std::time::Duration::from_secs(300);
