//! The body against what its headers say of it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::evidence::{Sent, SentBody};
use super::verdict::{Verdict, Verdicts};

/// `x-content-sha256` and `content-length`, and whether a body belongs here at all.
pub(crate) fn check(sent: &Sent) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("digest");
    let (digest, length) = (sent.get("x-content-sha256"), sent.get("content-length"));
    let known = match sent.body {
        SentBody::Known { sha256, length } => Some((sha256, length)),
        _ => None,
    };
    if !sent.has_body_method() {
        let method = sent.method.as_deref().unwrap_or("").to_ascii_uppercase();
        let said = length.and_then(|length| length.parse::<u64>().ok()).unwrap_or(0);
        if sent.method.is_some() && (said > 0 || known.is_some_and(|(_, length)| length > 0)) {
            verdicts.note(format!(
                "{method} has a body, which is sent unsigned; some clients and servers refuse it",
            ));
        }
        if digest.is_none() {
            return verdicts.list;
        }
    } else if sent.body != SentBody::LeftOut && !sent.is_upload() {
        let method = sent.method.as_deref().unwrap_or("").to_ascii_uppercase();
        for (name, value) in [
            ("content-length", length),
            ("content-type", sent.get("content-type")),
            ("x-content-sha256", digest),
        ] {
            if value.is_none() {
                verdicts
                    .bad(format!("{method} has no `{name}`: send and sign it, even with no body"));
            }
        }
    }
    check_length(&mut verdicts, length, known.map(|(_, length)| length), sent);
    check_digest(&mut verdicts, digest, known, length);
    if digest.is_none() && length.is_none() || sent.body == SentBody::LeftOut {
        return verdicts.list;
    }
    if known.is_none() && !verdicts.is_bad() {
        verdicts.unknown("the body is not at hand: give --body-file to have its digest compared");
        return verdicts.list;
    }
    verdicts.ok_unless_bad("length and digest are those of the body")
}

fn check_length(verdicts: &mut Verdicts, said: Option<&str>, real: Option<u64>, sent: &Sent) {
    let Some(said) = said else {
        if sent.has_body_method() && sent.has("transfer-encoding") {
            verdicts.bad("the body is sent in chunks, without a length: OCI wants content-length");
        }
        return;
    };
    let Ok(said) = said.parse::<u64>() else {
        verdicts.bad("`content-length` is not a number");
        return;
    };
    let Some(real) = real.filter(|real| *real != said) else { return };
    let why = match real.checked_sub(said) {
        Some(1 | 2) => "a line end at the end of the file that was not sent?",
        Some(_) => "characters counted in place of bytes, or a body cut short?",
        None if said - real <= 2 => "a line end that the client added?",
        None => "another body, or one cut short?",
    };
    verdicts.bad(format!("`content-length` says {said} and the body has {real} bytes: {why}"));
}

fn check_digest(
    verdicts: &mut Verdicts,
    said: Option<&str>,
    known: Option<([u8; 32], u64)>,
    length: Option<&str>,
) {
    let Some(said) = said else { return };
    let Some(bytes) = STANDARD.decode(said).ok().filter(|bytes| bytes.len() == 32) else {
        let other = [URL_SAFE, URL_SAFE_NO_PAD, STANDARD_NO_PAD]
            .iter()
            .any(|form| form.decode(said).is_ok_and(|bytes| bytes.len() == 32));
        verdicts.bad(if said.len() == 64 && said.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            "`x-content-sha256` is in hex: write the 32 bytes in base64"
        } else if other {
            "`x-content-sha256` is base64url or lacks its padding: write standard base64"
        } else {
            "`x-content-sha256` is not 32 bytes in base64"
        });
        return;
    };
    match known {
        Some((sha256, _)) if bytes == sha256 => {}
        Some((_, real)) if said == EMPTY && real > 0 => verdicts.bad(
            "`x-content-sha256` is that of an empty body: the body was not there when it was hashed",
        ),
        Some(_) => verdicts.bad(
            "`x-content-sha256` is not that of the body: hash the bytes that are sent, after all \
             encoding",
        ),
        None if said == EMPTY && length.is_some_and(|length| length != "0") => verdicts.bad(
            "`x-content-sha256` is that of an empty body, and `content-length` says there is one",
        ),
        None => {}
    }
}

/// SHA-256 of nothing.
const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
