//! Which credential signs now, and when the next one is fetched: the rules, without a clock.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::backoff::Jitter;
use crate::credential::Credential;
use crate::error::SignError;
use crate::request::Request;
use crate::sign::{SignedHeaders, sign_unexpired};
use crate::time::UnixTime;

/// A moment on two clocks.
///
/// A credential's life is counted on `uptime`, which nobody sets; dates are written by
/// `time`, which somebody may. Where the two drift apart, a refresh is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Moment {
    /// The time of day, as right as it is known.
    pub time: UnixTime,
    /// Since any fixed start; it never goes back, and counts on while the machine sleeps
    /// where the system has such a clock.
    pub uptime: Duration,
}

/// One immutable set of token, private key and key id.
///
/// It is replaced whole and never in part.
pub struct Generation {
    credential: Arc<Credential>,
    expires: Option<Duration>,
    number: u64,
    received: Moment,
}

impl Generation {
    /// The headers to set, by this generation, as [`sign`](crate::sign()) but without its
    /// look at the expiry: [`Rotation`] judges that, by a clock that does not jump.
    ///
    /// # Errors
    ///
    /// As [`sign`](crate::sign()), but for `EXPIRED`.
    pub fn sign(&self, request: &Request<'_>, now: UnixTime) -> Result<SignedHeaders, SignError> {
        sign_unexpired(request, &self.credential, now)
    }

    /// What signs.
    #[must_use]
    pub fn credential(&self) -> &Arc<Credential> {
        &self.credential
    }

    /// Which one it is, counted from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When it first came.
    #[must_use]
    pub fn received(&self) -> Moment {
        self.received
    }

    /// The uptime at which its life ends, where it does.
    #[must_use]
    pub fn expires(&self) -> Option<Duration> {
        self.expires
    }

    /// Whether it may still sign.
    #[must_use]
    pub fn is_valid(&self, now: Moment) -> bool {
        self.expires.is_none_or(|expires| now.uptime < expires)
    }
}

/// Nothing of key or token.
impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("number", &self.number)
            .field("credential", &self.credential)
            .field("received", &self.received)
            .field("expires", &self.expires)
            .finish()
    }
}

/// The succession of generations: one signs, at most one refresh is in flight.
///
/// Methods that take `&self` read; [`begin`](Self::begin), [`force`](Self::force),
/// [`succeed`](Self::succeed), [`fail`](Self::fail) and [`reject`](Self::reject) change.
/// What holds:
///
/// - A generation comes whole, and what signs is what the last refresh to begin brought.
/// - While it is valid it signs, whatever became of the refreshes after it.
/// - A refresh is due at half of the life that is left when one succeeds, a tenth earlier or
///   later, and never within a second of it.
/// - After failures the next refresh waits half a second to thirty, or for what the server
///   asked for, up to five minutes; one success makes that undone.
/// - Another tenancy is never accepted.
///
/// ```
/// use core::time::Duration;
/// use ocisign_core::{Credential, Decision, KeyId, Moment, Rotation};
/// # use ocisign_core::{PublicKey, SigningFailed, SigningKey};
/// # struct Key(PublicKey);
/// # impl SigningKey for Key {
/// #     fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningFailed> { Ok(vec![0; 256]) }
/// #     fn public_key(&self) -> &PublicKey { &self.0 }
/// # }
/// # let key = || Key(PublicKey::from_components(&[0x80; 256], &[1, 0, 1]));
///
/// let at = |seconds| Moment { time: 1_700_000_000 + seconds, uptime: Duration::from_secs(seconds) };
/// let mut rotation = Rotation::new([7; 32]); // 32 random bytes
/// assert!(matches!(rotation.decide(at(0)), Decision::Refresh));
///
/// let claim = rotation.begin(at(0)).expect("a refresh is due");
/// assert!(rotation.begin(at(0)).is_none());
/// let first = Credential::new(KeyId::new("ST$a.b.c")?, key()).with_expiry(1_700_001_200);
/// rotation.succeed(claim, first, at(1))?;
/// assert!(matches!(rotation.decide(at(500)), Decision::Sign(_)));
/// assert!(matches!(rotation.decide(at(700)), Decision::SignAndRefresh(_)));
///
/// let claim = rotation.begin(at(700)).expect("a refresh is due");
/// rotation.fail(claim, None, at(710));
/// assert!(matches!(rotation.decide(at(1_198)), Decision::SignAndRefresh(_)));
/// assert!(matches!(rotation.decide(at(1_199)), Decision::Refresh)); // a second early, to be sure
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Rotation {
    /// When clock and uptime were last seen to agree, by a refresh.
    checked: Option<Moment>,
    /// How many refreshes began. One in flight is the last of them.
    claims: u64,
    current: Option<Arc<Generation>>,
    /// Which refresh brought `current`.
    current_claim: u64,
    failures: u32,
    forced: Option<Duration>,
    jitter: Jitter,
    recheck: Option<Duration>,
    refresh_at: Duration,
    refreshing: Option<Duration>,
    retry_at: Duration,
    tenancy: Option<String>,
}

/// The right to refresh, which one caller at a time has.
///
/// Not `Clone`: it ends once, with [`Rotation::succeed`] or [`Rotation::fail`].
#[derive(Debug)]
#[must_use = "nobody else refreshes before it ends, for two minutes"]
pub struct Claim(u64);

/// The moments at which [`Rotation::decide`] says [`Decision::Sign`] for sure.
#[derive(Clone, Copy, Debug)]
pub struct Quiet {
    checked: Option<Moment>,
    until: Duration,
}

impl Quiet {
    /// Whether this is one of them.
    #[must_use]
    pub fn covers(&self, now: Moment) -> bool {
        now.uptime < self.until && !self.checked.is_some_and(|then| jumped(then, now))
    }
}

/// What to do about a request that is to be signed now. Every case has to be handled.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Nothing is valid and a refresh is in flight: wait for it.
    Await,
    /// Nothing is valid, and the last refresh failed: refuse until this uptime.
    Refuse(Duration),
    /// Nothing is valid: refresh, then sign.
    Refresh,
    /// Sign with this.
    Sign(Arc<Generation>),
    /// Sign with this, and refresh beside it.
    SignAndRefresh(Arc<Generation>),
}

/// Why a server rejected what a generation signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// 404 `NotAuthorizedOrNotFound`: policies that changed reach a token that is minted
    /// after the change. Nothing is fetched within 15 minutes of the last refresh.
    NotFound,
    /// 401: the token or key is not accepted.
    Unauthorized,
}

/// What to do about a rejected request. Every case has to be handled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// A refresh is in flight: wait for it, then ask again.
    Await,
    /// Another refresh now would not help: the answer stands.
    GiveUp,
    /// Refresh, and sign again if that gave a new generation.
    Refresh,
    /// A newer generation signs already: sign again.
    SignAgain,
}

impl Rotation {
    /// No generation yet. The entropy keeps clients apart in time, and nothing secret.
    #[must_use]
    pub fn new(entropy: [u8; 32]) -> Self {
        Self {
            checked: None,
            claims: 0,
            current: None,
            current_claim: 0,
            failures: 0,
            forced: None,
            jitter: Jitter::new(entropy),
            recheck: None,
            refresh_at: Duration::ZERO,
            refreshing: None,
            retry_at: Duration::ZERO,
            tenancy: None,
        }
    }

    /// Look again after this time for credentials that do not say when they expire, such as
    /// an API key that may be replaced in its file.
    #[must_use]
    pub fn recheck(mut self, after: Duration) -> Self {
        self.recheck = Some(after);
        self
    }

    /// The last generation that came, valid or not.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Generation>> {
        self.current.as_ref()
    }

    /// How many refreshes failed since the last one that did not.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When there is nothing to decide: a copy to be read without a lock.
    #[must_use]
    pub fn quiet(&self) -> Quiet {
        let expires = self.current.as_ref().map_or(Some(Duration::ZERO), |known| known.expires);
        let until = self.refresh_at.max(self.retry_at).min(expires.unwrap_or(Duration::MAX));
        Quiet { checked: self.checked, until }
    }

    /// What to do about a request that is to be signed now.
    #[must_use]
    pub fn decide(&self, now: Moment) -> Decision {
        let valid = self.current.as_ref().filter(|known| known.is_valid(now));
        let free = !self.is_refreshing(now);
        let waited = now.uptime >= self.retry_at;
        match valid {
            Some(known) if free && waited && self.is_due(now) => {
                Decision::SignAndRefresh(known.clone())
            }
            Some(known) => Decision::Sign(known.clone()),
            None if !free => Decision::Await,
            None if waited => Decision::Refresh,
            None => Decision::Refuse(self.retry_at),
        }
    }

    /// Claim the one refresh; `None` when another has it, or none is due (any more): decide,
    /// or [`reject`](Self::reject), again.
    ///
    /// After two minutes without an end of it another may claim the next one.
    pub fn begin(&mut self, now: Moment) -> Option<Claim> {
        // Judged anew: whoever decided before the last refresh ended must not start another.
        match self.decide(now) {
            Decision::Refresh | Decision::SignAndRefresh(_) => self.force(now),
            Decision::Await | Decision::Refuse(_) | Decision::Sign(_) => None,
        }
    }

    /// Claim a refresh that is not due, because the source says that it changed, or somebody
    /// asked for it; `None` when another has it.
    ///
    /// It does not wait for what failures and the server ask for: that is the caller's to do.
    pub fn force(&mut self, now: Moment) -> Option<Claim> {
        if self.is_refreshing(now) {
            return None;
        }
        self.claims += 1;
        self.refreshing = Some(now.uptime);
        Some(Claim(self.claims))
    }

    /// Take what a refresh brought, and return what signs from now on.
    ///
    /// The same credential again changes no generation, but may lengthen its life. What a
    /// refresh brings after a later one has brought something is dropped.
    ///
    /// # Errors
    ///
    /// [`RefusedGeneration`]; the one that was there stays, and the refresh has failed.
    pub fn succeed(
        &mut self,
        claim: Claim,
        credential: impl Into<Arc<Credential>>,
        now: Moment,
    ) -> Result<Arc<Generation>, RefusedGeneration> {
        let credential = credential.into();
        if let Err(refused) = self.check(&credential, now) {
            self.fail(claim, None, now);
            return Err(refused);
        }
        if let Some(known) = self.current.as_ref().filter(|_| claim.0 < self.current_claim) {
            return Ok(known.clone());
        }
        let remaining =
            credential.expires().map(|at| Duration::from_secs(at.saturating_sub(latest(now))));
        let generation =
            self.succeeding(credential, remaining.map(|rest| now.uptime.saturating_add(rest)), now);
        self.tenancy = self.tenancy.take().or_else(|| generation.credential.tenancy());
        self.checked = Some(now);
        self.failures = 0;
        self.retry_at = Duration::ZERO;
        self.refresh_at = now.uptime.saturating_add(self.rest(remaining));
        self.current = Some(generation.clone());
        self.current_claim = claim.0;
        self.end(claim);
        Ok(generation)
    }

    /// Go on with a generation that came in another process, before a `fork`.
    pub fn adopt(&mut self, generation: Arc<Generation>, now: Moment) {
        let remaining = generation.expires.map(|at| at.saturating_sub(now.uptime));
        self.tenancy = generation.credential.tenancy();
        self.checked = Some(now);
        self.refresh_at = now.uptime.saturating_add(self.rest(remaining));
        self.current = Some(generation);
    }

    /// A refresh brought nothing. `retry_after` is what the server asked for.
    pub fn fail(&mut self, claim: Claim, retry_after: Option<Duration>, now: Moment) {
        if self.end(claim) {
            self.failures = self.failures.saturating_add(1);
            self.retry_at =
                now.uptime.saturating_add(self.jitter.backoff(self.failures, retry_after));
        }
    }

    /// A server rejected what the generation of this number signed.
    ///
    /// At most one refresh in ten seconds comes of it.
    pub fn reject(&mut self, number: u64, rejection: Rejection, now: Moment) -> Verdict {
        let Some(known) = &self.current else { return Verdict::GiveUp };
        if known.number > number {
            return Verdict::SignAgain;
        }
        let rested = self.checked.map(|then| now.uptime.saturating_sub(then.uptime));
        if rejection == Rejection::NotFound && rested.is_some_and(|rested| rested < STALE) {
            return Verdict::GiveUp;
        }
        if self.is_refreshing(now) {
            return Verdict::Await;
        }
        if now.uptime < self.retry_at {
            return Verdict::GiveUp;
        }
        if !self.is_due(now) {
            let since = self.forced.map(|at| now.uptime.saturating_sub(at));
            if since.is_some_and(|since| since < FORCED_INTERVAL) {
                return Verdict::GiveUp;
            }
            self.forced = Some(now.uptime);
            self.refresh_at = Duration::ZERO;
        }
        Verdict::Refresh
    }

    /// The generation that this credential makes, or lives on in.
    fn succeeding(
        &self,
        credential: Arc<Credential>,
        expires: Option<Duration>,
        now: Moment,
    ) -> Arc<Generation> {
        let Some(known) = &self.current else {
            return Arc::new(Generation { credential, expires, number: 1, received: now });
        };
        let same = known.credential.key_id() == credential.key_id()
            && known.credential.public_key() == credential.public_key();
        Arc::new(if same {
            // The later one of two ends: a clock that was set must not end a life.
            let expires = expires.map(|end| known.expires.map_or(end, |known| known.max(end)));
            Generation { credential, expires, number: known.number, received: known.received }
        } else {
            Generation { credential, expires, number: known.number + 1, received: now }
        })
    }

    /// Whether this ended the refresh in flight. A claim that another one followed ends nothing.
    fn end(&mut self, Claim(number): Claim) -> bool {
        let last = number == self.claims;
        if last {
            self.refreshing = None;
        }
        last
    }

    fn is_refreshing(&self, now: Moment) -> bool {
        self.refreshing.is_some_and(|since| now.uptime.saturating_sub(since) < LEASE)
    }

    fn is_due(&self, now: Moment) -> bool {
        now.uptime >= self.refresh_at || self.checked.is_some_and(|then| jumped(then, now))
    }

    fn check(&self, credential: &Credential, now: Moment) -> Result<(), RefusedGeneration> {
        if let Some(at) = credential.expires().filter(|&at| at <= latest(now)) {
            return Err(RefusedGeneration::Expired(at));
        }
        match (&self.tenancy, credential.tenancy()) {
            (Some(known), Some(other)) if *known != other => Err(RefusedGeneration::TenancyChanged),
            _ => Ok(()),
        }
    }

    /// How long a credential with so much life is left alone.
    fn rest(&mut self, remaining: Option<Duration>) -> Duration {
        match remaining.map(|remaining| remaining / 2).or(self.recheck) {
            Some(rest) => self.jitter.around(rest).max(LEAST_REST),
            None => Duration::MAX,
        }
    }
}

/// The second may be nearly over: a life is counted to its end from the next one.
fn latest(now: Moment) -> UnixTime {
    now.time.saturating_add(1)
}

/// Whether somebody set the clock, or the machine slept, between two moments.
fn jumped(then: Moment, now: Moment) -> bool {
    let elapsed = now.uptime.saturating_sub(then.uptime).as_secs();
    now.time.abs_diff(then.time.saturating_add(elapsed)) > MAX_DRIFT
}

/// Why what a refresh brought is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RefusedGeneration {
    /// It had expired at this time when it came. Where it should be valid, check the clock.
    Expired(UnixTime),
    /// It belongs to another tenancy than the one before it.
    TenancyChanged,
}

impl RefusedGeneration {
    /// The stable code, equal in all languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired(_) => "EXPIRED",
            Self::TenancyChanged => "TENANCY_CHANGED",
        }
    }
}

impl fmt::Display for RefusedGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(at) => {
                write!(f, "the new credential expired at {at} (seconds since 1970)")
            }
            Self::TenancyChanged => {
                f.write_str("the new credential belongs to another tenancy than the one before it")
            }
        }
    }
}

impl core::error::Error for RefusedGeneration {}

/// Between two refreshes that were forced.
const FORCED_INTERVAL: Duration = Duration::from_secs(10);
/// After which a refresh that nobody ended is given to another.
const LEASE: Duration = Duration::from_mins(2);
/// A credential that is about to expire is not fetched more often than this.
const LEAST_REST: Duration = Duration::from_secs(1);
/// In seconds. Uptime is trimmed to the time of day by a few parts in a million.
const MAX_DRIFT: u64 = 60;
/// After which a changed policy may be the reason for a 404.
const STALE: Duration = Duration::from_mins(15);
