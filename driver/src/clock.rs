//! The time, and how far this machine's idea of it is off.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use ocisign_core::{Moment, UnixTime};

/// Tells the time. [`SystemClock`] is the machine's; tests have their own.
pub trait Clock: Send + Sync {
    /// Now, on both clocks.
    fn now(&self) -> Moment;

    /// Return after this time.
    fn sleep(&self, time: Duration);
}

/// The clocks of the machine. Its uptime counts on while the machine sleeps, on Linux.
///
/// ```
/// use ocisign::{Clock, SystemClock};
///
/// let (first, second) = (SystemClock.now(), SystemClock.now());
/// assert!(first.uptime <= second.uptime);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Moment { time: time.map_or(0, |time| time.as_secs()), uptime: uptime() }
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// `Instant` is the clock that stands still while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn uptime() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn uptime() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// A clock, corrected by what servers said.
pub(crate) struct Time {
    clock: Box<dyn Clock>,
    offset: AtomicI64,
}

impl Time {
    pub(crate) fn new(clock: impl Clock + 'static) -> Self {
        Self { clock: Box::new(clock), offset: AtomicI64::new(0) }
    }

    /// Now, with the time of day as servers have it.
    pub(crate) fn now(&self) -> Moment {
        self.now_and_offset().0
    }

    /// The same, with the correction that is in it.
    pub(crate) fn now_and_offset(&self) -> (Moment, i64) {
        let (now, offset) = (self.clock.now(), self.offset());
        (Moment { time: now.time.saturating_add_signed(offset), ..now }, offset)
    }

    pub(crate) fn sleep(&self, time: Duration) {
        self.clock.sleep(time);
    }

    /// Take the time that a server proved to be its own, by TLS, to have been right just
    /// now.
    ///
    /// A difference of less than a minute is none; one of more than two days is not
    /// believed, because a signature for a far day could be kept and used then.
    pub(crate) fn learn(&self, server: UnixTime) {
        let own = self.clock.now().time;
        let difference = signed_difference(server, own);
        if let Some(difference) = difference.filter(|by| by.unsigned_abs() <= MOST) {
            let offset = if difference.unsigned_abs() < LEAST { 0 } else { difference };
            self.offset.store(offset, Ordering::Relaxed);
        }
    }

    /// Whether dates were corrected since this was the offset.
    pub(crate) fn corrected_since(&self, offset: i64) -> bool {
        self.offset().abs_diff(offset) >= LEAST
    }

    /// By how many seconds the machine's clock is corrected.
    pub(crate) fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }
}

fn signed_difference(a: UnixTime, b: UnixTime) -> Option<i64> {
    i64::try_from(a).ok()?.checked_sub(i64::try_from(b).ok()?)
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Time").field("offset", &self.offset()).finish_non_exhaustive()
    }
}

/// In seconds.
const LEAST: u64 = 60;
const MOST: u64 = 2 * 86_400;

#[cfg(test)]
mod tests {
    use super::{Clock, Time};
    use ocisign_core::Moment;
    use std::time::Duration;

    struct Stopped(u64);

    impl Clock for Stopped {
        fn now(&self) -> Moment {
            Moment { time: self.0, uptime: Duration::ZERO }
        }

        fn sleep(&self, _: Duration) {}
    }

    #[test]
    fn a_server_is_believed_from_a_minute_to_two_days() {
        let now = 1_700_000_000;
        for (server, learnt) in [
            (now, 0),
            (now + 59, 0),
            (now + 360, 360),
            (now - 360, -360),
            (now + 86_400, 86_400),
            (now - 86_400, -86_400),
            (now + 200_000, 0),
            (0, 0),
            (u64::MAX, 0),
        ] {
            let time = Time::new(Stopped(now));
            time.learn(server);
            assert_eq!(time.corrected_since(0), learnt != 0, "{server}");
            assert_eq!(time.offset(), learnt, "{server}");
            assert_eq!(time.now().time, now.saturating_add_signed(learnt));
        }
    }

    #[test]
    fn a_clock_that_was_set_right_is_believed_again() {
        let time = Time::new(Stopped(1_700_000_000));
        time.learn(1_700_003_600);
        assert!(time.corrected_since(0));
        assert!(!time.corrected_since(3_600));
        time.learn(1_700_000_001);
        assert!(time.corrected_since(3_600));
        assert_eq!(time.offset(), 0);
    }
}
