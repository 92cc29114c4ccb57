//! Which headers are signed and have to be, and the blanks and line ends in them.

use super::authorization::Authorization;
use super::evidence::{Sent, SentBody};
use super::safe;
use super::verdict::{Verdict, Verdicts};

/// That all is signed which has to be, and all is there that is signed.
pub(crate) fn check_set(sent: &Sent, authorization: &Authorization) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("header-set");
    let signed = |name: &str| authorization.headers.iter().any(|one| one == name);
    dates(&mut verdicts, sent, &signed);
    if !signed("(request-target)") {
        verdicts.bad("`(request-target)` is not signed: sign method, path and query too");
    }
    if !signed("host") {
        let federation = sent.target().is_some_and(|target| target.starts_with("/v1/x509"));
        if federation {
            verdicts.note("`host` is not signed; official SDKs leave it out here too");
        } else {
            verdicts.bad("`host` is not signed: OCI asks for it");
        }
    }
    if sent.has("opc-obo-token") && !signed("opc-obo-token") {
        verdicts.bad("`opc-obo-token` is not signed: a delegation token has to be");
    }
    body_headers(&mut verdicts, sent, &signed);
    for (index, name) in authorization.headers.iter().enumerate() {
        let shown = safe::name(name);
        if authorization.headers.iter().take(index).any(|before| before == name) {
            verdicts.bad(format!("{shown} stands twice in the list of signed headers"));
        } else if name != "(request-target)" {
            match sent.all(name).count() {
                0 => verdicts.bad(format!(
                    "{shown} is signed and the request has none: a client or proxy removed it",
                )),
                1 => {}
                _ => verdicts.bad(format!("{shown} is signed and the request has several")),
            }
        }
    }
    if sent.method.is_none() {
        verdicts.unknown("without the method it cannot be told whether the body has to be signed");
    }
    verdicts.ok_unless_bad(format!(
        "all that has to be signed is: {}",
        safe::names(authorization.headers.iter().map(String::as_str))
    ))
}

fn dates(verdicts: &mut Verdicts, sent: &Sent, signed: &impl Fn(&str) -> bool) {
    match (signed("date"), signed("x-date"), sent.has("x-date")) {
        (false, false, _) => verdicts.bad("neither `date` nor `x-date` is signed: one has to be"),
        (true, false, true) => verdicts.bad(
            "`x-date` is sent and `date` is signed: OCI prefers `x-date`; sign that, or leave it out",
        ),
        (_, true, true) if sent.has("date") => verdicts.note(
            "`date` is sent beside the signed `x-date`, which OCI prefers: what `date` says does \
             not count",
        ),
        _ => {}
    }
}

fn body_headers(verdicts: &mut Verdicts, sent: &Sent, signed: &impl Fn(&str) -> bool) {
    if !sent.has_body_method() {
        return;
    }
    let missing: Vec<&str> = BODY_HEADERS.into_iter().filter(|name| !signed(name)).collect();
    let method = sent.method.as_deref().unwrap_or("").to_ascii_uppercase();
    if missing.is_empty() {
        return;
    }
    let names = safe::names(missing.iter().copied());
    let whole = missing.len() == BODY_HEADERS.len();
    if whole && (sent.is_upload() || sent.body == SentBody::LeftOut) {
        verdicts.note(
            "the body is not signed: OCI allows that for some uploads only, as PutObject and \
             UploadPart",
        );
    } else if whole {
        verdicts.bad(format!(
            "of the body nothing is signed: {method} has to send and sign {names}, even with no body",
        ));
    } else {
        verdicts.bad(format!("{method} has to sign {names} too, even with no body"));
    }
}

/// Blanks around values, line ends in them, names in mixed case.
pub(crate) fn check_blanks(
    sent: &Sent,
    authorization: Option<&Authorization>,
    verified: bool,
) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("whitespace");
    let signed = authorization.map_or(&[][..], |authorization| &authorization.headers);
    for (name, value) in &sent.headers {
        let shown = safe::name(name.trim());
        if name.trim() != name {
            verdicts.bad(format!("a blank stands around the name {shown}: send it without"));
        }
        if value.contains(['\r', '\n']) {
            verdicts.bad(format!(
                "{shown} has a line end in its value: often one that belongs to a file of the \
                 token, or base64 that was broken into lines",
            ));
            continue;
        }
        // One blank after the colon is how a header is written.
        let bare = value.strip_prefix(' ').unwrap_or(value);
        if bare.trim_matches([' ', '\t']) == bare {
            continue;
        }
        if signed.iter().any(|one| one.eq_ignore_ascii_case(name.trim())) && !verified {
            verdicts.bad(format!(
                "{shown} is signed and has blanks around its value: the server drops them, and \
                 some signers sign them; send it without",
            ));
        } else {
            verdicts.note(format!("{shown} has blanks around its value; the server drops them"));
        }
    }
    if let Some(authorization) = authorization {
        if authorization.headers != authorization.headers_as_written {
            verdicts.note(
                "names in the list of signed headers are in mixed case; OCI's documents ask for \
                 lower case, though it takes what its SDK for TypeScript sends so",
            );
        }
        key_id(&mut verdicts, authorization);
    }
    verdicts.ok_unless_bad("no blank or line end stands where it does harm")
}

fn key_id(verdicts: &mut Verdicts, authorization: &Authorization) {
    let Some(id) = authorization.key_id.as_deref() else { return };
    if id.contains("\\n") || id.contains("\\r") {
        verdicts.bad("the key id holds the two characters `\\n` for a line end: drop them");
    } else if id.contains([' ', '\t']) {
        verdicts.bad("the key id holds a blank: trim its parts, or the token");
    } else if id.contains(['\r', '\n']) && id.starts_with("ST$") {
        verdicts.bad("the token in the key id has a line end: trim what was read from its file");
    } else if id.contains('\u{feff}') {
        verdicts.bad("the key id holds a byte order mark: drop it");
    }
}

const BODY_HEADERS: [&str; 3] = ["content-length", "content-type", "x-content-sha256"];
