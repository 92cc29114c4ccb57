//! Keeps a credential fresh: obeys core's rules of rotation, with a source, a clock and threads.

use std::fmt;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use event_listener::{Event, EventListener, Listener};
use ocisign_core::{Claim, Decision, Generation, Moment, Quiet, Rejection, Rotation, Verdict};

use crate::builder::OnRefresh;
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
    pub(crate) on_refresh: Option<OnRefresh>,
    pub(crate) source: Box<dyn Source>,
    pub(crate) time: Time,
    pub(crate) transport: Box<dyn Transport>,
}

/// Keeps a credential fresh.
///
/// What signs is read without a lock, but from when a refresh is due to its end. The lock guards the rules alone: it is held for
/// nanoseconds, and never while something is fetched.
pub(crate) struct Keeper {
    parts: Parts,
    published: ArcSwapOption<Published>,
    /// Replaced whole in a child of `fork`: there a lock may have stayed locked, and the
    /// thread that was refreshing is gone.
    process: ArcSwap<InProcess>,
}

struct Published {
    about: Option<Arc<Fetched>>,
    generation: Arc<Generation>,
    quiet: Quiet,
}

struct InProcess {
    pid: u32,
    state: Mutex<State>,
    /// A refresh has ended, well or not; or it is time to see whether one has its lease still.
    ended: Event,
    /// How many refreshes have ended.
    ends: AtomicU64,
    /// Whether a thread wakes the tasks that wait.
    watched: AtomicBool,
}

struct State {
    about: Option<Arc<Fetched>>,
    last_error: Option<Arc<SourceError>>,
    rotation: Rotation,
}

/// What a caller has to do to sign.
pub(crate) enum Next {
    Follow(End),
    Lead(Refresh),
    Sign(Arc<Generation>),
}

/// The end of a refresh that is another's, or on another thread.
pub(crate) struct End {
    before: u64,
    listener: EventListener,
    process: Arc<InProcess>,
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
        let process = InProcess::new(rotation(&parts), None);
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
                let last_call = state.rotation.failures() == 0 && is_ending(&generation, now);
                let claim = self.parts.background.then(|| state.rotation.begin(now)).flatten();
                drop(state);
                match claim.map(|claim| self.refresh(&process, claim)) {
                    // Nobody has signed for long. It is worth one wait not to sign with what may
                    // end on its way; where the refresh fails, that signs after all.
                    Some(refresh) if last_call => return Ok(Next::Lead(refresh)),
                    Some(refresh) => refresh.beside(),
                    None => {}
                }
                Ok(Next::Sign(generation))
            }
            Decision::Await => Ok(Next::Follow(process.end())),
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
            Verdict::Await => Some(Next::Follow(process.end())),
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
            None => Next::Follow(process.end()),
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
        let (mut rotation, mut about) = (rotation(&self.parts), None);
        if let Some(published) = &*self.published.load() {
            rotation.adopt(published.generation.clone(), self.parts.time.now());
            about.clone_from(&published.about);
        }
        let fresh = Arc::new(InProcess::new(rotation, about));
        let before = self.process.compare_and_swap(&known, fresh.clone());
        if Arc::ptr_eq(&before, &known) { fresh } else { self.process.load_full() }
    }

    fn publish(&self, State { about, rotation, .. }: &State) {
        let published = rotation.current().map(|generation| {
            let (about, quiet) = (about.clone(), rotation.quiet());
            Arc::new(Published { about, generation: generation.clone(), quiet })
        });
        self.published.store(published);
    }
}

/// Whether so little is left of a life that a request may arrive after it.
fn is_ending(generation: &Generation, now: Moment) -> bool {
    generation.expires().is_some_and(|expires| {
        let life = expires.saturating_sub(generation.received().uptime);
        expires.saturating_sub(now.uptime) < MARGIN.min(life / 4)
    })
}

fn rotation(parts: &Parts) -> Rotation {
    let rotation = Rotation::new(entropy());
    if parts.source.may_change() { rotation.recheck(RECHECK) } else { rotation }
}

impl InProcess {
    fn new(rotation: Rotation, about: Option<Arc<Fetched>>) -> Self {
        let state = State { about, last_error: None, rotation };
        Self {
            pid: process::id(),
            state: Mutex::new(state),
            ended: Event::new(),
            ends: AtomicU64::new(0),
            watched: AtomicBool::new(false),
        }
    }

    /// The next end of a refresh.
    fn end(self: &Arc<Self>) -> End {
        let before = self.ends.load(Ordering::SeqCst);
        End { before, listener: self.ended.listen(), process: self.clone() }
    }

    fn has_ended_since(&self, before: u64) -> bool {
        self.ends.load(Ordering::SeqCst) != before
    }

    /// Wake all who wait each second until a refresh ends: tasks have no clock of their own,
    /// and one that does not end is given to another after two minutes.
    fn watch(self: &Arc<Self>, before: u64) {
        if self.watched.swap(true, Ordering::SeqCst) {
            return;
        }
        let process = self.clone();
        let watching = thread::Builder::new().name("ocisign-watch".into()).spawn(move || {
            while !(End { before, ..process.end() }).wait() {
                process.ended.notify(usize::MAX);
            }
            process.watched.store(false, Ordering::SeqCst);
            // Who came meanwhile was told that somebody watches.
            process.ended.notify(usize::MAX);
        });
        if watching.is_err() {
            self.watched.store(false, Ordering::SeqCst);
        }
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

impl End {
    /// Wait for it, a second at most; the rules say what then. Returns whether it came.
    pub(crate) fn wait(self) -> bool {
        let Self { before, listener, process } = self;
        if !process.has_ended_since(before) {
            listener.wait_timeout(PATIENCE);
        }
        process.has_ended_since(before)
    }

    /// The same without blocking.
    pub(crate) async fn heard(self) -> bool {
        let Self { before, listener, process } = self;
        if !process.has_ended_since(before) {
            process.watch(before);
            listener.await;
        }
        process.has_ended_since(before)
    }
}

impl Refresh {
    /// Refresh on a thread that lives as long as that takes. Where there is none to be had, it
    /// has failed.
    pub(crate) fn beside(self) {
        // The closure is lost where no thread starts, and with it the claim: so it has failed.
        let _ = thread::Builder::new().name("ocisign-refresh".into()).spawn(|| self.run());
    }

    /// The same, with its end to wait for.
    pub(crate) fn run_elsewhere(self) -> End {
        let end = self.process.end();
        self.beside();
        end
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
        self.keeper.publish(&state);
        // Under the lock, so that nobody takes it for the end of the next one.
        self.process.ends.fetch_add(1, Ordering::SeqCst);
        drop(state);
        self.process.ended.notify(usize::MAX);
        // A second panic, of the program's own, would end the process.
        if let Some(tell) = parts.on_refresh.as_ref().filter(|_| !thread::panicking()) {
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
const RECHECK: Duration = Duration::from_mins(5);
/// Before the end of a credential.
const MARGIN: Duration = Duration::from_mins(1);
/// After which whoever waits for a refresh asks the rules again.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::{InProcess, Keeper, Next, Parts, rotation};
    use crate::clock::{SystemClock, Time};
    use crate::environment::Environment;
    use crate::source::ValueSource;
    use crate::transport::HttpTransport;
    use ocisign_core::{Credential, KeyId, KeyOptions, PrivateKeyDer};
    use std::process;
    use std::sync::Arc;

    fn keeper() -> Arc<Keeper> {
        let pem = include_str!("../../vectors/keys/test-key.pem");
        let der = PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap();
        let key = crate::key::NativeKey::new(&der).unwrap();
        let environment = Environment::of([("HOME", "/")]);
        Arc::new(Keeper::new(Parts {
            background: true,
            on_refresh: None,
            source: Box::new(ValueSource::new(Credential::new(KeyId::new("t/u/f").unwrap(), key))),
            time: Time::new(SystemClock),
            transport: Box::new(HttpTransport::new(&environment)),
            environment,
        }))
    }

    /// As a child of `fork` finds it: the state of another process.
    fn fork(keeper: &Keeper) -> Arc<InProcess> {
        let pid = process::id() ^ 1;
        let state = InProcess { pid, ..InProcess::new(rotation(&keeper.parts), None) };
        let state = Arc::new(state);
        keeper.process.store(state.clone());
        state
    }

    #[test]
    fn case_24_a_child_of_fork_signs_though_a_lock_stayed_locked_and_a_refresh_is_gone() {
        let keeper = keeper();
        let now = keeper.time().now();
        let Ok(Next::Lead(refresh)) = keeper.next(now) else { panic!("a refresh is due") };
        refresh.run();
        let before = keeper.quiet(now).unwrap();

        let parents = fork(&keeper);
        let _locked = parents.lock();
        assert!(Arc::ptr_eq(&keeper.quiet(now).unwrap(), &before));
        let Ok(Next::Sign(generation)) = keeper.next(now) else { panic!("it is valid") };
        assert!(Arc::ptr_eq(&generation, &before));
        let report = keeper.report();
        assert_eq!(report.about.unwrap().origin, "a value of the program");
        assert_eq!((report.failures, report.generation.unwrap().number()), (0, 1));
        let Next::Lead(refresh) = keeper.force(now) else { panic!("nobody refreshes here") };
        refresh.run();
        assert!(keeper.report().last_error.is_none());
    }

    #[test]
    fn case_24_a_child_of_a_parent_that_was_fetching_its_first_fetches_by_itself() {
        let keeper = keeper();
        let now = keeper.time().now();
        let parents = fork(&keeper);
        assert!(parents.lock().rotation.begin(now).is_some()); // and never ends
        let _locked = parents.lock();
        let Ok(Next::Lead(refresh)) = keeper.next(now) else { panic!("a refresh is due") };
        refresh.run();
        assert_eq!(keeper.quiet(now).unwrap().number(), 1);
        assert_eq!(keeper.process().pid, process::id());
    }
}
