//! The time, which can be set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::formatting::Formattable;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Seconds since 1970, of a clock that runs as the machine's and may be ahead of it or behind.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    pub(crate) fn now(&self) -> i64 {
        machine().saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// The machine's time again.
    pub(crate) fn reset(&self) {
        self.ahead.store(0, Ordering::Relaxed);
    }

    /// Set it to this time, from which it runs on: one between 1970 and 8,000 years later, so
    /// that what is valid from then on can be written too.
    pub(crate) fn set(&self, now: i64) {
        let now = now.clamp(0, 8_000 * 31_557_600);
        self.ahead.store(now.saturating_sub(machine()), Ordering::Relaxed);
    }
}

fn machine() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// RFC 9110, section 5.6.7.
const IMF_FIXDATE: &[BorrowedFormatItem<'_>] = format_description!(
    version = 2,
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// IMF-fixdate, as in the header `date`.
pub(crate) fn http_date(at: i64) -> String {
    written(at, IMF_FIXDATE)
}

/// Seconds since 1970 of an IMF-fixdate. The day of the week is not compared with the
/// date: in Oracle's published example it is another.
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    // The parser takes a sign before the year.
    let date = PrimitiveDateTime::parse(text, IMF_FIXDATE).ok().filter(|_| text.len() == 29)?;
    Some(date.assume_utc().unix_timestamp())
}

/// RFC 3339, as in OCI's JSON.
pub(crate) fn rfc3339(at: i64) -> String {
    written(at, &Rfc3339)
}

fn written(at: i64, format: &(impl Formattable + ?Sized)) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Clock, http_date, parse_http_date, rfc3339};

    #[test]
    fn a_clock_runs_on_from_where_it_is_set() {
        let clock = Clock::default();
        assert!(clock.now() > 1_700_000_000);
        clock.set(1_388_957_500);
        assert!((1_388_957_500..1_388_957_510).contains(&clock.now()));
    }

    #[test]
    fn dates_are_written_as_they_are_read() {
        assert_eq!(http_date(1_388_957_500), "Sun, 05 Jan 2014 21:31:40 GMT");
        assert_eq!(parse_http_date("Sun, 05 Jan 2014 21:31:40 GMT"), Some(1_388_957_500));
        assert_eq!(parse_http_date("Thu, 05 Jan 2014 21:31:40 GMT"), Some(1_388_957_500));
        assert_eq!(parse_http_date("Sunday, 05-Jan-14 21:31:40 GMT"), None);
        assert_eq!(parse_http_date("Sun Jan  5 21:31:40 2014"), None);
        assert_eq!(rfc3339(1_388_957_500), "2014-01-05T21:31:40Z");
    }
}
