//! Callers that obey the rotation as a real driver does, through years of faults.
//!
//! At every step: I1, what signs verifies; I2 and I3, as the witness knows them; I4, when
//! the last fault is over, signing works again.

use std::collections::VecDeque;
use std::fmt::Write;
use std::time::Duration;

use ocisign_core::{
    Claim, Decision, Generation, Quiet, Rejection, Request, Rotation, SignedHeaders, Verdict,
};

use crate::support::NumberKey;
use crate::weather::Fault;
use crate::witness::{Ended, RECHECK, Witness};
use crate::world::{Answer, Fetched, Minted, Source, World};

#[test]
fn a_server_of_long_tokens_for_four_years() {
    for seed in [2, 3] {
        Simulation::new(seed, Source::Server { life: 21_600 }, 365).run();
        Simulation::new(seed, Source::Server { life: 86_400 }, 365).run();
    }
}

#[test]
fn a_file_with_a_token_for_two_years() {
    Simulation::new(4, Source::File { life: 3_600 }, 30).run();
    Simulation::new(5, Source::File { life: 43_200 }, 350).run();
    Simulation::new(6, Source::File { life: 86_400 }, 350).run();
}

#[test]
fn a_file_with_an_api_key_for_four_years() {
    for seed in 7..11 {
        Simulation::new(seed, Source::ApiKey, 365).run();
    }
}

#[test]
fn in_good_weather_nothing_fails_and_the_source_is_asked_twice_in_a_life() {
    let mut simulation = Simulation::new(11, Source::Server { life: 21_600 }, 365);
    simulation.world = World::new(11, Source::Server { life: 21_600 }, 365, false);
    let seen = simulation.run();
    let lives = 365 * 86_400 / 21_600;
    assert!((lives * 18 / 10..=lives * 23 / 10).contains(&seen.refreshes), "{}", seen.refreshes);
    assert_eq!((seen.failures, seen.rejected, seen.refused, seen.waited), (0, 0, 0, 1));
}

#[test]
fn many_short_histories_in_which_every_kind_of_fault_has_its_effect() {
    let mut seen = Simulation::new(1, Source::Server { life: 1_200 }, 90).run().counts();
    for seed in 100..130 {
        for source in
            [Source::Server { life: 600 + seed * 37 }, Source::File { life: 900 + seed * 31 }]
        {
            let run = Simulation::new(seed, source, 5).run();
            for (sum, count) in seen.iter_mut().zip(run.counts()) {
                sum.1 += count.1;
            }
        }
    }
    let (what, count) = seen.into_iter().min_by_key(|(_, count)| *count).unwrap();
    assert!(count > 0, "nothing {what}");
}

/// What was seen in a run, to know that it was no idle one.
#[derive(Debug, Default)]
struct Seen {
    dropped: u64,
    expired: u64,
    failures: u64,
    forced: u64,
    late: u64,
    mismatched: u64,
    other_tenancy: u64,
    refreshes: u64,
    refused: u64,
    rejected: u64,
    signed: u64,
    signed_again: u64,
    stale: u64,
    vanished: u64,
    waited: u64,
}

impl Seen {
    fn counts(&self) -> [(&'static str, u64); 12] {
        [
            ("that came late was dropped", self.dropped),
            ("that had expired was refused", self.expired),
            ("was forced by a rejection", self.forced),
            ("came late and was taken", self.late),
            ("was a pair that does not match", self.mismatched),
            ("of another tenancy was refused", self.other_tenancy),
            ("was refused", self.refused),
            ("was rejected", self.rejected),
            ("was signed again", self.signed_again),
            ("was decided and begun too late", self.stale),
            ("vanished", self.vanished),
            ("waited", self.waited),
        ]
    }
}

struct Simulation {
    callers: [Caller; 3],
    days: u64,
    events: VecDeque<(u64, u64, &'static str, u64)>,
    flights: Vec<Flight>,
    /// What was published with the last change.
    quiet: Quiet,
    rotation: Rotation,
    seed: u64,
    seen: Seen,
    /// The uptime at which the last trouble ended.
    trouble: u64,
    witness: Witness,
    world: World,
}

struct Caller {
    at: u64,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// It has decided to refresh, and comes to it now.
    Late,
    Ready,
    /// It waits for a refresh to ask again about its rejected request.
    Rejected {
        number: u64,
        rejection: Rejection,
    },
}

struct Flight {
    claim: Claim,
    ends: u64,
    minted: Minted,
    refresh: u64,
}

impl Simulation {
    fn new(seed: u64, source: Source, days: u64) -> Self {
        let byte = u8::try_from(seed % 251).unwrap();
        let rotation = Rotation::new([byte; 32]).recheck(Duration::from_secs(RECHECK));
        Self {
            callers: [0; 3].map(|at| Caller { at, state: State::Ready }),
            days,
            events: VecDeque::new(),
            flights: Vec::new(),
            quiet: rotation.quiet(),
            rotation,
            seed,
            seen: Seen::default(),
            trouble: 0,
            witness: Witness::default(),
            world: World::new(seed, source, days, true),
        }
    }

    fn run(mut self) -> Seen {
        while self.world.real < self.days * 86_400_000 {
            let uptime = self.world.uptime;
            let flight = (0..self.flights.len()).min_by_key(|&index| self.flights[index].ends);
            let caller = (0..self.callers.len()).min_by_key(|&index| self.callers[index].at);
            let flight_ends = flight.map_or(u64::MAX, |index| self.flights[index].ends);
            let caller = caller.unwrap();
            let next = flight_ends.min(self.callers[caller].at).max(uptime);
            let change = self.world.next_change();
            let to = self.world.real + (next - uptime);
            if change <= to {
                if !self.world.active.is_empty() {
                    self.trouble = self
                        .trouble
                        .max(self.world.uptime + (change.saturating_sub(self.world.real)));
                }
                let (what, file) = self.world.pass(change);
                self.weather(what.unwrap_or("nothing"), file);
                continue;
            }
            self.world.pass(to);
            if !self.world.active.is_empty() {
                self.trouble = self.trouble.max(self.world.uptime);
            }
            if flight_ends <= self.world.uptime {
                let flight = self.flights.swap_remove(flight.unwrap());
                self.land(flight);
            } else {
                self.call(caller);
            }
        }
        self.seen
    }

    /// The weather changed: everybody looks up.
    fn weather(&mut self, what: &'static str, file: bool) {
        self.note(what, 0);
        let uptime = self.world.uptime;
        self.trouble = self.trouble.max(uptime);
        if self.world.has(|fault| fault == Fault::NotFound) {
            // Case 21: a new token comes after 15 minutes.
            self.trouble = self.trouble.max(uptime + 900_000);
        }
        for caller in &mut self.callers {
            caller.at = caller.at.min(uptime + self.world.dice.within(0..500));
        }
        // Case 11, 23: somebody who watches the file, now and then.
        if file
            && self.world.dice.below(3) == 0
            && let Some(claim) = self.rotation.force(self.world.now())
        {
            let broken = self.witness.starts(uptime);
            self.hold(broken);
            self.depart(claim);
        }
    }

    fn call(&mut self, who: usize) {
        let state = std::mem::replace(&mut self.callers[who].state, State::Ready);
        self.callers[who].at = self.world.uptime + self.pause(who);
        match state {
            State::Late => self.begin(who),
            State::Ready => self.decide(who),
            State::Rejected { number, rejection } => self.rejected(who, number, rejection),
        }
    }

    /// How long until a caller has its next request.
    fn pause(&mut self, who: usize) -> u64 {
        let uptime = self.world.uptime;
        let dice = &mut self.world.dice;
        let longest = self.world.active.iter().map(|spell| spell.end - spell.start).max();
        if let Some(longest) = longest {
            return dice.within(200..(longest / 30).clamp(1_000, 120_000));
        }
        if uptime < self.trouble + GRACE + 5_000 {
            return dice.within(100..POLL);
        }
        if self.trouble > uptime {
            return dice.within(1_000..60_000);
        }
        let pause = match self.world.source {
            _ if who > 0 => return 86_400_000,
            Source::ApiKey => dice.within(600_000..1_800_000),
            Source::File { life } | Source::Server { life } => {
                dice.within(life * 20..(life * 60).min(1_500_000).max(life * 21))
            }
        };
        // Often enough to be there when a refresh is due.
        pause.min(self.witness.left(uptime) / 4).max(1_000)
    }

    fn decide(&mut self, who: usize) {
        let (now, uptime) = (self.world.now(), self.world.uptime);
        let decision = self.rotation.decide(now);
        let broken = self.witness.decides(&decision, uptime, now.time);
        self.hold(broken);
        let quiet = self.quiet.covers(now) || self.rotation.quiet().covers(now);
        if quiet && !matches!(decision, Decision::Sign(_)) {
            self.hold(Some("it is not quiet"));
        }
        match decision {
            Decision::Sign(generation) => self.send(who, &generation, 0),
            Decision::SignAndRefresh(generation) => {
                self.lead(who);
                self.send(who, &generation, 0);
            }
            Decision::Refresh => {
                self.settled();
                self.seen.waited += 1;
                self.lead(who);
                self.soon(who);
            }
            Decision::Await => {
                self.settled();
                self.soon(who);
            }
            Decision::Refuse(_) => {
                self.settled();
                self.seen.refused += 1;
            }
        }
    }

    /// Refresh as decided, at once or, now and then, after others have come between.
    fn lead(&mut self, who: usize) {
        if self.world.dice.below(10) == 0 {
            self.callers[who].state = State::Late;
            self.callers[who].at = self.world.uptime + self.world.dice.within(0..3_000);
        } else {
            self.begin(who);
        }
    }

    fn begin(&mut self, who: usize) {
        let now = self.world.now();
        let Some(claim) = self.rotation.begin(now) else {
            self.seen.stale += 1;
            return;
        };
        self.note("a refresh begins", who as u64);
        let broken = self.witness.begins(self.world.uptime, now.time);
        self.hold(broken);
        self.depart(claim);
    }

    fn depart(&mut self, claim: Claim) {
        let uptime = self.world.uptime;
        let minted = self.world.mint();
        let refresh = self.witness.last_refresh();
        self.seen.refreshes += 1;
        if self.world.has(|fault| fault == Fault::LeaderDies) && self.world.dice.below(2) == 0 {
            self.seen.vanished += 1;
            self.trouble = self.trouble.max(uptime + 120_000);
            return self.note("case 3: its leader is gone", refresh);
        }
        let slow = self.world.has(|fault| fault == Fault::Slow);
        let lasts = if slow { 20_000..400_000 } else { 50..REFRESH };
        let ends = uptime + self.world.dice.within(lasts);
        if slow {
            self.trouble = self.trouble.max(ends);
        }
        self.flights.push(Flight { claim, ends, minted, refresh });
    }

    /// A fetch ends.
    fn land(&mut self, Flight { claim, minted, refresh, .. }: Flight) {
        let (now, uptime) = (self.world.now(), self.world.uptime);
        let late = refresh < self.witness.last_refresh();
        match self.world.fetch(minted) {
            Fetched::Nothing { retry_after } => {
                self.note("a refresh fails", refresh);
                self.seen.failures += 1;
                self.seen.mismatched += u64::from(
                    self.world.has(|fault| matches!(fault, Fault::Torn { .. } | Fault::WrongKey)),
                );
                if let Some(asked) = retry_after {
                    // Case 22: what the server asks for is part of the fault.
                    self.trouble = self.trouble.max(uptime + asked.min(300) * 1_000);
                }
                self.rotation.fail(claim, retry_after.map(Duration::from_secs), now);
                self.witness.fails(refresh, retry_after, uptime);
            }
            Fetched::Credential { credential, key, tenancy } => {
                let ended = Ended { refresh, key, tenancy, expires: credential.expires() };
                let before = self.witness.current_key();
                let result = self.rotation.succeed(claim, *credential, now);
                let signs = result.map(|generation| {
                    NumberKey::signer(generation.credential().public_key().modulus())
                });
                self.seen.expired +=
                    u64::from(signs.is_err_and(|refused| refused.code() == "EXPIRED"));
                self.seen.other_tenancy +=
                    u64::from(signs.is_err_and(|refused| refused.code() == "TENANCY_CHANGED"));
                self.note(
                    if signs.is_ok() { "a refresh succeeds" } else { "a refresh is refused" },
                    refresh,
                );
                let broken = self.witness.succeeds(&ended, signs, uptime, now.time);
                self.hold(broken);
                if late && signs.is_ok() {
                    let taken = self.witness.current_key() == key && before != key;
                    *(if taken { &mut self.seen.late } else { &mut self.seen.dropped }) += 1;
                }
                if signs.is_ok() && self.world.predates_policy(self.witness.current_key()) {
                    self.trouble = self.trouble.max(uptime + 900_000);
                }
            }
        }
        self.quiet = self.rotation.quiet();
        if self.rotation.failures() != self.witness.failures() {
            self.hold(Some("case 22: the failures are miscounted"));
        }
    }

    fn send(&mut self, who: usize, generation: &Generation, tried: u32) {
        let signed = self.sign(generation);
        let answer = self.world.judge(&signed);
        self.seen.signed += 1;
        let rejection = match answer {
            Answer::Ok => return,
            Answer::Wrong => return self.hold(Some("I1: a request is signed by another key")),
            Answer::NotFound => Rejection::NotFound,
            Answer::Unauthorized => Rejection::Unauthorized,
        };
        self.seen.rejected += 1;
        self.note("a request is rejected", generation.number());
        self.settled();
        if tried < 3 {
            self.rejected(who, generation.number(), rejection);
        }
    }

    fn sign(&self, generation: &Generation) -> SignedHeaders {
        let request = Request::new("GET", "https://h/");
        generation.sign(&request, self.world.wall()).unwrap()
    }

    fn rejected(&mut self, who: usize, number: u64, rejection: Rejection) {
        let (now, uptime) = (self.world.now(), self.world.uptime);
        let verdict = self.rotation.reject(number, rejection, now);
        let broken = self.witness.rejects(verdict, rejection, uptime, now.time);
        self.hold(broken);
        match verdict {
            Verdict::GiveUp => {}
            Verdict::SignAgain => {
                self.seen.signed_again += 1;
                let generation = self.rotation.current().unwrap().clone();
                if generation.number() <= number {
                    self.hold(Some("case 20: there is no newer one to sign with"));
                }
                self.send(who, &generation, 1 + u32::from(generation.number() == number) * 3);
            }
            Verdict::Await | Verdict::Refresh => {
                if verdict == Verdict::Refresh {
                    self.seen.forced += 1;
                    self.begin(who);
                }
                if matches!(self.callers[who].state, State::Ready) {
                    self.callers[who].state = State::Rejected { number, rejection };
                }
                self.soon(who);
            }
        }
    }

    fn soon(&mut self, who: usize) {
        let soon = self.world.uptime + self.world.dice.within(200..1_000);
        self.callers[who].at = self.callers[who].at.min(soon);
    }

    /// I4: a request did not go through; is there still a reason?
    fn settled(&mut self) {
        let starting = self.world.uptime < REFRESH + POLL;
        if !starting && self.world.uptime > self.trouble + GRACE {
            self.hold(Some("I4: no fault is left, and a request does not go through"));
        }
    }

    fn note(&mut self, what: &'static str, number: u64) {
        self.events.push_back((self.world.real, self.world.uptime, what, number));
        if self.events.len() > 20 {
            self.events.pop_front();
        }
    }

    /// End the run where a rule is broken.
    fn hold(&self, broken: Option<&'static str>) {
        let Some(broken) = broken else { return };
        let mut text = format!(
            "{broken}\nseed {}, {:?}, {} ms, uptime {} ms, active {:?}\n",
            self.seed, self.world.source, self.world.real, self.world.uptime, self.world.active
        );
        for (real, uptime, what, number) in &self.events {
            let _ = writeln!(text, "{real:>14} ms, uptime {uptime:>14} ms: {what} ({number})");
        }
        panic!("{text}{:?}", self.rotation);
    }
}

/// How long a refresh takes at most, how often callers come after a fault, and how long after
/// it all is well: the longest pause after a failure, a refresh, and a caller to begin it.
const REFRESH: u64 = 3_000;
const POLL: u64 = 1_500;
const GRACE: u64 = 30_000 + REFRESH + 2 * POLL;
