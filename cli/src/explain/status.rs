//! The status and the code of an answer, and what they mean.

use super::evidence::Answer;
use super::verdict::{Verdict, Verdicts};

/// What the answer itself says.
pub(crate) fn check(answer: &Answer) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("status");
    let Some(status) = answer.status else {
        verdicts.unknown("the answer has no status that could be read: give --status");
        return verdicts.list;
    };
    if (200..300).contains(&status) {
        verdicts.ok(format!("{status}: the request was accepted"));
        return verdicts.list;
    }
    let code = answer.code.as_deref();
    let known = code.and_then(|code| CODES.iter().find(|known| known.1 == code));
    let said = code.map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
    verdicts.note(format!("{said}: {}", known.map_or_else(|| of_status(status), |known| known.2)));
    if answer.get("opc-request-id").is_some() {
        verdicts.note("the answer has an opc-request-id: quote it in a request for support");
    } else if !answer.headers.is_empty() {
        verdicts.note(
            "the answer has no opc-request-id, which OCI gives: a proxy or another server may \
             have answered",
        );
    }
    verdicts.list
}

/// Whether this answer is about who asks. Others come once that is settled, or before it.
pub(crate) fn is_about_identity(status: Option<u16>) -> bool {
    status.is_none_or(|status| matches!(status, 401 | 403 | 404))
}

/// What a code of OCI's means.
pub(crate) fn meaning(code: &str) -> Option<String> {
    let known = CODES.iter().find(|known| known.1.eq_ignore_ascii_case(code))?;
    Some(format!("{} (OCI)\n  status: {}\n  what it means: {}", known.1, known.0, known.2))
}

/// The status with which a code comes.
pub(crate) fn of_code(code: &str) -> Option<u16> {
    CODES.iter().find(|known| known.1 == code).map(|known| known.0)
}

/// A code that stands in a text, as a word.
pub(crate) fn known_in(text: &str) -> Option<&'static str> {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
    words.find_map(|word| CODES.iter().find(|known| known.1 == word).map(|known| known.1))
}

fn of_status(status: u16) -> &'static str {
    match status {
        300..400 => "a redirect, which OCI does not send: look at the URL and for a proxy",
        400 => "the request reached the service and is not what its operation takes",
        401 => "who asks could not be told",
        403 => "who asks is known and may not do this: look at the policies",
        404 => "there is no such thing, or who asks may not see it: the service does not say which",
        405 => "the operation has another method",
        407 => "a proxy wants to know who asks; OCI has not seen the request",
        409 => {
            "the resource is in a state, or exists, so that this cannot be done: not the signature"
        }
        411 | 413 | 431 => "the size of body or headers was refused: not the signature",
        412 => "the etag in if-match is not the resource's: read it again",
        429 => "too many requests: wait, and send fewer; not the signature",
        500..600 => "the service failed: send again later, with a fresh signature",
        _ => "no status that OCI documents",
    }
}

/// Status, code, and what it means. Source: Oracle's documentation, "API Errors".
const CODES: [(u16, &str, &str); 21] = [
    (400, "CannotParseRequest", "the body or a parameter is not in the form expected"),
    (
        400,
        "InvalidParameter",
        "a parameter has a value that is not allowed: compare with the API's reference",
    ),
    (400, "LimitExceeded", "a service limit of the tenancy is reached"),
    (400, "MissingParameter", "a required parameter is missing"),
    (400, "QuotaExceeded", "a quota of the compartment is reached"),
    (
        400,
        "RelatedResourceNotAuthorizedOrNotFound",
        "an OCID in the body names nothing, or nothing that the caller may use: check it and the policies",
    ),
    (
        401,
        "NotAuthenticated",
        "who asks could not be told: the clock, the signature, the key id or the token is not as \
         it should be",
    ),
    (402, "SignUpRequired", "the tenancy has to subscribe to this service first"),
    (403, "NotAllowed", "this has to be sent to the tenancy's home region"),
    (
        403,
        "NotAuthorized",
        "the caller is known, and may not change one of these fields: look at the policies",
    ),
    (
        404,
        "NamespaceNotFound",
        "no such namespace, or the caller may not see it: check its name, then the policies",
    ),
    (
        404,
        "NotAuthorizedOrNotFound",
        "the caller is known, so the signature was accepted; a policy is missing, or the OCID, the \
         compartment or the region is not the resource's: OCI does not say which",
    ),
    (
        404,
        "NotFound",
        "no operation has this path and method: check the URL, its version and the host",
    ),
    (405, "MethodNotAllowed", "the resource has no operation with this method"),
    (
        409,
        "IncorrectState",
        "the resource is in a state that does not allow this: wait, and try again",
    ),
    (409, "InvalidatedRetryToken", "the opc-retry-token was used before: take a new one"),
    (
        409,
        "NotAuthorizedOrResourceAlreadyExists",
        "the name is taken, or the caller may not create here: look for it, then at the policies",
    ),
    (412, "NoEtagMatch", "the etag in if-match is not the resource's: read it again"),
    (429, "TooManyRequests", "too many requests: wait, and send fewer; not the signature"),
    (500, "InternalServerError", "the service failed: send again later, with a fresh signature"),
    (
        503,
        "ServiceUnavailable",
        "the service is not there: send again later, with a fresh signature",
    ),
];
