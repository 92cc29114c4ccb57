//! The last line: the most likely cause, or where to look when nothing is wrong here.

use super::evidence::Evidence;
use super::status::is_about_identity;
use super::verdict::{Level, Verdict, Verdicts};

pub(crate) fn of(verdicts: &[Verdict], evidence: &Evidence) -> Verdict {
    let mut summary = Verdicts::of("summary");
    let bad = || verdicts.iter().filter(|verdict| verdict.level == Level::Bad);
    let status = evidence.answer.as_ref().and_then(|answer| answer.status);
    let rank = |verdict: &&Verdict| LIKELY.iter().position(|check| *check == verdict.check);
    match (bad().min_by_key(rank), status) {
        (Some(cause), _) => {
            let more = match bad().count() - 1 {
                0 => String::new(),
                1 => " (one more is bad)".to_owned(),
                more => format!(" ({more} more are bad)"),
            };
            summary.bad(format!("most likely {}: {}{more}", cause.check, cause.message));
        }
        (None, Some(200..300)) => {
            summary.ok("the request was accepted, and nothing is wrong with it");
        }
        (None, status) if !is_about_identity(status) => {
            summary
                .note("nothing checkable is wrong with the signature, nor does the status say so");
        }
        (None, Some(404 | 403)) => summary.note(
            "nothing checkable is wrong: look for a policy that allows this to the user's group or \
             the dynamic group, in this compartment; then at the OCIDs, the region and the path",
        ),
        (None, _) => {
            let unchecked = verdicts.iter().any(|verdict| verdict.level == Level::Unknown);
            let first = if evidence.sent.is_none() {
                "nothing checkable is wrong with the answer alone: give the request too"
            } else if unchecked {
                "nothing that could be checked is wrong; what is unknown above may be. Then"
            } else {
                "nothing checkable is wrong. Then"
            };
            let rest = if evidence.sent.is_none() {
                ""
            } else {
                ": the key is not uploaded for this user or was deleted, the user or tenancy is \
                 another, the tenancy is not subscribed to this region, or a proxy changed the request"
            };
            summary.note(format!("{first}{rest}"));
        }
    }
    summary.list.remove(0)
}

/// From what explains all the rest to what seldom matters.
const LIKELY: [&str; 10] = [
    "authorization",
    "clock",
    "whitespace",
    "key-id",
    "header-set",
    "digest",
    "region",
    "host",
    "url",
    "key",
];
