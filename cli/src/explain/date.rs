//! Dates, read and written by core as it reads and writes them when it signs and verifies.

use ocisign::{http_date, parse_http_date};

/// The time that a date says, in the one form that OCI takes. A server may write UTC for GMT.
pub(crate) fn parse(date: &str) -> Option<u64> {
    parse_http_date(&date.replace(" UTC", " GMT"))
}

/// `Sun, 05 Jan 2014 21:31:40 GMT`.
pub(crate) fn write(time: u64) -> String {
    http_date(time).unwrap_or_else(|| format!("{time} seconds since 1970"))
}

/// A length of time as people say it.
pub(crate) fn span(seconds: u64) -> String {
    let unit = |count: u64, name: &str| {
        if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
    };
    match seconds {
        0..120 => unit(seconds, "second"),
        120..7_200 => unit(seconds / 60, "minute"),
        7_200..172_800 => unit(seconds / 3_600, "hour"),
        _ => unit(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, span, write};

    #[test]
    fn reads_what_it_writes_and_utc_too() {
        assert_eq!(write(1_388_957_500), "Sun, 05 Jan 2014 21:31:40 GMT");
        assert_eq!(parse("Sun, 05 Jan 2014 21:31:40 GMT"), Some(1_388_957_500));
        assert_eq!(parse(" Sun, 05 Jan 2014 21:31:40 UTC"), Some(1_388_957_500));
        assert_eq!(parse("2014-01-05T21:31:40Z"), None);
        assert_eq!(parse(&write(0)), Some(0));
    }

    #[test]
    fn a_span_is_said_in_the_unit_that_fits() {
        for (seconds, said) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (360, "6 minutes"),
            (7_200, "2 hours"),
            (86_400 * 3, "3 days"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }
}
