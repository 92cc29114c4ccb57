//! What somebody who only watches knows of the rules, and accepts.

use ocisign_core::{Decision, RefusedGeneration, Rejection, Verdict};

/// Keeps its own books, in milliseconds of uptime, and says which rule was broken.
#[derive(Default)]
pub(crate) struct Witness {
    /// The number of the refresh that brought the credential, and its key.
    current: Option<(u64, u64)>,
    /// When its life ends.
    ends: u64,
    failed: Option<Failed>,
    failures: u32,
    /// When a rejection surely, and maybe, made a refresh due that was not.
    forced: Option<u64>,
    maybe_forced: Option<u64>,
    in_flight: Option<(u64, u64)>,
    last_refresh: u64,
    /// A rejection made a refresh due, and none has succeeded since.
    owed: bool,
    succeeded: Option<Succeeded>,
}

#[derive(Clone, Copy)]
struct Failed {
    at: u64,
    asked: u64,
}

#[derive(Clone, Copy)]
struct Succeeded {
    at: u64,
    /// The time of day, in seconds.
    time: u64,
    /// What is left of the life, or the time after which to look again.
    rest: Rest,
}

#[derive(Clone, Copy)]
enum Rest {
    Left(u64),
    Recheck(u64),
}

/// A fetch that ended.
pub(crate) struct Ended {
    pub(crate) refresh: u64,
    pub(crate) key: u64,
    pub(crate) tenancy: &'static str,
    pub(crate) expires: Option<u64>,
}

impl Witness {
    /// Whether something may sign.
    pub(crate) fn is_valid(&self, uptime: u64) -> bool {
        self.current.is_some() && uptime < self.ends
    }

    /// How long it may still do so.
    pub(crate) fn left(&self, uptime: u64) -> u64 {
        self.ends.saturating_sub(uptime)
    }

    pub(crate) fn current_key(&self) -> u64 {
        self.current.map_or(0, |current| current.1)
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// I2 and I3: what is decided about a request.
    pub(crate) fn decides(
        &self,
        decision: &Decision,
        uptime: u64,
        time: u64,
    ) -> Option<&'static str> {
        let valid = self.is_valid(uptime);
        match decision {
            Decision::Await | Decision::Refresh | Decision::Refuse(_) if valid => {
                return Some("I2, I3: a caller waits or is refused while a generation is valid");
            }
            Decision::Sign(_) | Decision::SignAndRefresh(_) if !valid => {
                return Some("what has expired signs");
            }
            Decision::Await if !self.is_in_flight(uptime) => {
                return Some("I3: a caller waits for nobody");
            }
            Decision::Refuse(until) => {
                let until = u64::try_from(until.as_millis()).unwrap();
                // Whole milliseconds, of which it may be in the last.
                if until < uptime || until > uptime + 300_000 {
                    return Some("I4: a caller is refused for no time or too long");
                }
            }
            Decision::Sign(_) if !self.is_in_flight(uptime) && self.must_be_due(uptime, time) => {
                return Some("I4: a refresh is due, and nobody is told");
            }
            _ => {}
        }
        None
    }

    /// I3: a refresh that begins as decided.
    pub(crate) fn begins(&mut self, uptime: u64, time: u64) -> Option<&'static str> {
        if uptime < self.earliest(false) {
            return Some("case 22: a refresh before the pause after a failure is over");
        }
        if !self.may_be_due(uptime, time) {
            return Some("I3: a refresh that no rule asks for");
        }
        self.starts(uptime)
    }

    /// I3: any refresh that begins.
    pub(crate) fn starts(&mut self, uptime: u64) -> Option<&'static str> {
        if self.is_in_flight(uptime) {
            return Some("I3: two refreshes in flight");
        }
        self.last_refresh += 1;
        self.in_flight = Some((self.last_refresh, uptime));
        None
    }

    pub(crate) fn last_refresh(&self) -> u64 {
        self.last_refresh
    }

    pub(crate) fn fails(&mut self, refresh: u64, asked: Option<u64>, uptime: u64) {
        if refresh == self.last_refresh {
            self.in_flight = None;
            self.failures += 1;
            self.failed = Some(Failed { at: uptime, asked: asked.unwrap_or(0).min(300) * 1_000 });
        }
    }

    /// What came of a credential: the key that signs from now on, or why it does not.
    pub(crate) fn succeeds(
        &mut self,
        ended: &Ended,
        result: Result<u64, RefusedGeneration>,
        uptime: u64,
        time: u64,
    ) -> Option<&'static str> {
        let expected = if ended.expires.is_some_and(|end| end <= time + 1) {
            "EXPIRED"
        } else if ended.tenancy != "a" {
            "TENANCY_CHANGED"
        } else {
            "OK"
        };
        if result.as_ref().map_or_else(RefusedGeneration::code, |_| "OK") != expected {
            return Some("case 9, 10: what has to be refused is taken, or the reverse");
        }
        let Ok(signs) = result else {
            self.fails(ended.refresh, None, uptime);
            return None;
        };
        if let Some((refresh, key)) = self.current
            && ended.refresh < refresh
        {
            let kept = signs == key;
            return (!kept).then_some("case 3: an older credential replaces a newer one");
        }
        if signs != ended.key {
            return Some("what came is not what signs");
        }
        // From the end of this second, as nobody knows how much of it is over.
        let left = ended.expires.map(|end| (end - time - 1) * 1_000);
        let end = left.map_or(u64::MAX, |left| uptime + left);
        let same = self.current_key() == ended.key;
        self.ends = if same { self.ends.max(end) } else { end };
        self.current = Some((ended.refresh, ended.key));
        let rest = left.map_or(Rest::Recheck(RECHECK * 1_000), Rest::Left);
        self.succeeded = Some(Succeeded { at: uptime, time, rest });
        (self.failures, self.failed, self.owed) = (0, None, false);
        if ended.refresh == self.last_refresh {
            self.in_flight = None;
        }
        None
    }

    /// Case 20 and 21: what is said about a request that was rejected.
    pub(crate) fn rejects(
        &mut self,
        verdict: Verdict,
        rejection: Rejection,
        uptime: u64,
        time: u64,
    ) -> Option<&'static str> {
        let rested = self.succeeded.is_none_or(|last| uptime >= last.at + 900_000);
        let early = rejection == Rejection::NotFound && !rested;
        let lately = |forced: Option<u64>| forced.is_some_and(|at| uptime < at + 10_000);
        let due = self.may_be_due(uptime, time);
        match verdict {
            Verdict::Await if !self.is_in_flight(uptime) => {
                return Some("case 20: a rejected caller waits for nobody");
            }
            Verdict::GiveUp
                if !early && !lately(self.maybe_forced) && uptime >= self.earliest(true) =>
            {
                return Some("case 20: a rejected caller is left alone");
            }
            Verdict::Refresh if uptime < self.earliest(false) => {
                return Some("case 22: a rejected caller is sent before the pause is over");
            }
            Verdict::Refresh if early => {
                return Some("case 21: a 404 asks for a token sooner than after 15 minutes");
            }
            Verdict::Refresh if !due && lately(self.forced) => {
                return Some("case 20: two forced refreshes in ten seconds");
            }
            Verdict::Refresh => {
                if !due {
                    self.forced = Some(uptime);
                }
                if !self.is_due(uptime, time, 551, 62) {
                    self.maybe_forced = Some(uptime);
                }
                self.owed = true;
            }
            _ => {}
        }
        None
    }

    fn is_in_flight(&self, uptime: u64) -> bool {
        self.in_flight.is_some_and(|(_, since)| uptime < since + 120_000)
    }

    /// When the pause after a failure ends, at the latest or the earliest.
    fn earliest(&self, at_latest: bool) -> u64 {
        let Some(Failed { at, asked }) = self.failed else { return 0 };
        let full = (1_000 << (self.failures - 1).min(5)).min(30_000);
        at + asked.max(if at_latest { full } else { full / 2 })
    }

    fn may_be_due(&self, uptime: u64, time: u64) -> bool {
        self.owed || !self.is_valid(uptime) || self.is_due(uptime, time, 449, 59)
    }

    fn must_be_due(&self, uptime: u64, time: u64) -> bool {
        uptime >= self.earliest(true) && self.is_due(uptime, time, 551, 62)
    }

    fn is_due(&self, uptime: u64, time: u64, part: u64, drift: u64) -> bool {
        let Some(last) = self.succeeded else { return true };
        let rest = match last.rest {
            Rest::Left(left) => left / 1_000 * part,
            Rest::Recheck(rest) => rest / 1_000 * (part * 2),
        };
        let elapsed = (uptime - last.at) / 1_000;
        uptime >= last.at + rest.max(1_000) || time.abs_diff(last.time + elapsed) > drift
    }
}

/// In seconds.
pub(crate) const RECHECK: u64 = 3_600;
