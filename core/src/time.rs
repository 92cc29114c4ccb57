//! Dates as HTTP writes them. The calendar is `der`'s.

use alloc::string::String;
use core::fmt::Write;
use core::time::Duration;

use der::DateTime;

/// Seconds since 1970-01-01T00:00:00Z. There is no clock here: the caller has it.
pub type UnixTime = u64;

/// The value of a `Date` header: RFC 9110, section 5.6.7, IMF-fixdate. `None` after the year
/// 9999.
///
/// ```
/// use ocisign_core::http_date;
///
/// assert_eq!(http_date(784_111_777).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
/// ```
#[must_use]
pub fn http_date(now: UnixTime) -> Option<String> {
    let date = DateTime::from_unix_duration(Duration::from_secs(now)).ok()?;
    // 1970-01-01 was a Thursday.
    let weekday = WEEKDAYS.get(usize::try_from((now / 86_400 + 4) % 7).ok()?)?;
    let month = MONTHS.get(usize::from(date.month()).checked_sub(1)?)?;
    let mut text = String::with_capacity(29);
    write!(
        text,
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        date.day(),
        date.year(),
        date.hour(),
        date.minutes(),
        date.seconds(),
    )
    .ok()?;
    Some(text)
}

/// The time that a `Date` header says: RFC 9110, section 5.6.7, IMF-fixdate.
///
/// ```
/// use ocisign_core::parse_http_date;
///
/// assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
/// assert_eq!(parse_http_date("yesterday"), None);
/// ```
#[must_use]
pub fn parse_http_date(text: &str) -> Option<UnixTime> {
    parse_imf_fixdate(text.trim())
}

/// The server's time in what OCI says to a date outside its window: "… Current '…', valid
/// datetime range: …".
///
/// ```
/// use ocisign_core::parse_clock_skew;
///
/// let body = br#"{"code":"NotAuthenticated","message":"Date 'Thu, 01 Jan 1970 00:00:00 GMT' is not
///     within allowed clock skew. Current 'Sun, 06 Nov 1994 08:49:37 GMT', valid datetime range: ['']"}"#;
/// assert_eq!(parse_clock_skew(body), Some(784_111_777));
/// ```
#[must_use]
pub fn parse_clock_skew(body: &[u8]) -> Option<UnixTime> {
    let text = core::str::from_utf8(body).ok()?;
    let current = text.split_once("clock skew")?.1.split_once("Current '")?.1.split_once('\'')?.0;
    parse_imf_fixdate(current).or_else(|| {
        // Seconds are all that matters: `2018-04-05T12:00:00.123Z` has no fraction in `der`.
        let seconds = current.get(..19)?;
        let date: DateTime = [seconds, "Z"].concat().parse().ok()?;
        Some(date.unix_duration().as_secs())
    })
}

/// The time that an IMF-fixdate says.
///
/// The weekday must be one but need not be the right one: the date in Oracle's
/// own published example has a wrong one. `None` for every other form.
pub(crate) fn parse_imf_fixdate(text: &str) -> Option<UnixTime> {
    let bytes: &[u8; 29] = text.as_bytes().try_into().ok()?;
    let number = |range: core::ops::Range<usize>| -> Option<u16> {
        bytes[range].iter().try_fold(0_u16, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + u16::from(byte - b'0'))
        })
    };
    let small = |range| number(range).and_then(|number| u8::try_from(number).ok());
    let fixed = [(3, b','), (4, b' '), (7, b' '), (11, b' '), (16, b' '), (19, b':'), (22, b':')];
    if fixed.iter().any(|&(at, byte)| bytes[at] != byte)
        || &bytes[25..] != b" GMT"
        || !WEEKDAYS.iter().any(|day| day.as_bytes() == &bytes[..3])
    {
        return None;
    }
    let month = MONTHS.iter().position(|month| month.as_bytes() == &bytes[8..11])?;
    let date = DateTime::new(
        number(12..16)?,
        u8::try_from(month + 1).ok()?,
        small(5..7)?,
        small(17..19)?,
        small(20..22)?,
        small(23..25)?,
    )
    .ok()?;
    Some(date.unix_duration().as_secs())
}

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::{http_date, parse_imf_fixdate};

    #[test]
    fn writes_the_example_of_rfc_9110() {
        assert_eq!(http_date(784_111_777).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(http_date(0).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(http_date(1_709_164_800).as_deref(), Some("Thu, 29 Feb 2024 00:00:00 GMT"));
    }

    #[test]
    fn ends_with_the_year_9999() {
        let last = 253_402_300_799;
        assert_eq!(http_date(last).as_deref(), Some("Fri, 31 Dec 9999 23:59:59 GMT"));
        assert_eq!(http_date(last + 1), None);
        assert_eq!(http_date(u64::MAX), None);
    }

    #[test]
    fn reads_what_it_writes() {
        for now in (0..253_402_300_799).step_by(7_777_777_777) {
            assert_eq!(http_date(now).as_deref().and_then(parse_imf_fixdate), Some(now));
        }
    }

    #[test]
    fn refuses_every_other_form() {
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:3\u{e9}GMT",
        ] {
            assert_eq!(parse_imf_fixdate(text), None, "{text}");
        }
    }
}
