//! The date that was signed, against the server's.

use std::cmp::Ordering;

use super::date::{parse, span, write};
use super::evidence::{Answer, Clock, Evidence};
use super::verdict::{Verdict, Verdicts};

/// Whether the date lies within five minutes of the server's time.
pub(crate) fn check(evidence: &Evidence) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("clock");
    let text = evidence.answer.as_ref().and_then(skew);
    let sent = evidence.sent.as_ref();
    // The service prefers `x-date`.
    let header = sent.and_then(|sent| sent.get("x-date").or_else(|| sent.get("date")));
    let signed = match (header, text) {
        (Some(date), _) => match parse_signed(date) {
            Ok(signed) => signed,
            Err(why) => {
                verdicts.bad(why);
                return verdicts.list;
            }
        },
        (None, Some((signed, _))) => signed,
        (None, None) => {
            if sent.is_some() {
                verdicts.unknown("the request as given has neither date nor x-date");
            }
            return verdicts.list;
        }
    };
    judge(&mut verdicts, signed, evidence);
    if let (Some((client, server)), false) = (text, verdicts.is_bad()) {
        verdicts.bad(format!(
            "the answer says that the date {} is too far from its own, {}",
            write(client),
            write(server)
        ));
    }
    verdicts.list
}

/// The time to judge by, and where it is from.
pub(crate) fn reference(answer: Option<&Answer>, given: Option<u64>, machine: u64) -> (u64, Clock) {
    let header = answer.and_then(|answer| answer.get("date")).and_then(parse);
    match (header, answer.and_then(skew), given) {
        (Some(date), ..) => (date, Clock::Answer),
        (None, Some((_, server)), _) => (server, Clock::Text),
        (None, None, Some(given)) => (given, Clock::Given),
        (None, None, None) => (machine, Clock::Machine),
    }
}

/// The client's date and the server's that the text of a 401 names.
pub(crate) fn skew(answer: &Answer) -> Option<(u64, u64)> {
    let (before, after) = answer.body.split_once("is not within allowed clock skew")?;
    let client = before.rsplit('\'').nth(1)?;
    let server = after.split_once("Current '")?.1.split('\'').next()?;
    Some((parse(client)?, parse(server)?))
}

fn judge(verdicts: &mut Verdicts, signed: u64, evidence: &Evidence) {
    let now = evidence.now;
    let apart = signed.abs_diff(now);
    let whose = match evidence.clock {
        Clock::Answer => "the answer's date",
        Clock::Text => "the server's time in the answer's text",
        Clock::Given => "the time given",
        Clock::Machine => "this machine's clock",
    };
    let way = match signed.cmp(&now) {
        Ordering::Less => format!("{} behind", span(apart)),
        Ordering::Equal => "the same as".to_owned(),
        Ordering::Greater => format!("{} ahead of", span(apart)),
    };
    let place = format!("dated {}, {way} {whose}, {}", write(signed), write(now));
    if evidence.clock == Clock::Machine {
        verdicts.unknown(format!(
            "{place}; whether that clock was right when the request was sent, only the Date header \
             of the answer tells",
        ));
    } else if apart > WINDOW {
        let mut advice = if signed < now {
            "set the signer's clock forward, or sign right before sending"
        } else {
            "set the signer's clock back"
        };
        // A clock that drifts is never wrong by whole hours.
        let off = apart % 1_800;
        if apart >= 1_800 - WINDOW && (off <= 60 || off >= 1_740) && apart <= 14 * 3_600 + 60 {
            advice = "that looks like local time written as GMT: write UTC";
        }
        verdicts.bad(format!("{place}, over the five minutes allowed; {advice}"));
    } else {
        verdicts.ok(format!("{place}, within the five minutes allowed"));
    }
}

/// The signed date, or what is wrong with its form.
fn parse_signed(date: &str) -> Result<u64, String> {
    let form = "has to be written as `Sun, 05 Jan 2014 21:31:40 GMT`";
    let lead = if date.ends_with(" UTC") {
        "the date says UTC in place of GMT"
    } else if date.contains('T') && date.get(4..5) == Some("-") {
        "the date is ISO 8601"
    } else if date.contains('+') || date.contains(" -") {
        "the date has an offset"
    } else if date.is_empty() {
        "the date is empty"
    } else {
        "the date cannot be read"
    };
    match parse(date) {
        Some(time) if !date.ends_with(" UTC") => Ok(time),
        _ => Err(format!("{lead}: it {form}")),
    }
}

/// Five minutes either way.
const WINDOW: u64 = 300;
