//! The key id: its shape, and what can be read of a token in it.

use ocisign::{SecurityToken, SignError, TokenFault};

use super::authorization::Authorization;
use super::date::{span, write};
use super::evidence::{Clock, Evidence};
use super::verdict::{Verdict, Verdicts};

/// What a key id names.
pub(crate) enum KeyId<'a> {
    Api {
        tenancy: &'a str,
        user: &'a str,
        fingerprint: &'a str,
    },
    /// An instance or a resource asks for its token.
    Federation(&'a str),
    Token(&'a str),
    Other,
}

/// Take one apart, without what does not belong around it.
pub(crate) fn read(authorization: &Authorization) -> Option<KeyId<'_>> {
    let id = authorization.key_id.as_deref()?.trim();
    if id.starts_with("ST$") {
        return Some(KeyId::Token(id));
    }
    let parts: Vec<&str> = id.split('/').collect();
    Some(match parts.as_slice() {
        [tenancy, "fed-x509" | "fed-x509-sha256", _] => KeyId::Federation(tenancy),
        ["resource", ..] => KeyId::Federation(""),
        [tenancy, user, fingerprint] => KeyId::Api { tenancy, user, fingerprint },
        _ => KeyId::Other,
    })
}

/// The token of a key id, where core can read it.
pub(crate) fn token(authorization: &Authorization) -> Option<SecurityToken> {
    match read(authorization)? {
        KeyId::Token(id) => SecurityToken::parse(id).ok(),
        _ => None,
    }
}

/// The tenancy that the key id names, itself or in its token.
pub(crate) fn tenancy(authorization: &Authorization) -> Option<String> {
    match read(authorization)? {
        KeyId::Api { tenancy, .. } | KeyId::Federation(tenancy) => Some(tenancy.to_owned()),
        KeyId::Token(_) => token(authorization)?.tenancy(),
        KeyId::Other => None,
    }
}

pub(crate) fn check(authorization: &Authorization, evidence: &Evidence) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("key-id");
    match read(authorization) {
        None => verdicts.list,
        Some(KeyId::Api { tenancy, user, fingerprint }) => {
            ocid(&mut verdicts, tenancy, "tenancy", "first");
            ocid(&mut verdicts, user, "user", "second");
            check_fingerprint(&mut verdicts, fingerprint);
            verdicts.ok_unless_bad("an API key's: tenancy, user and fingerprint have their form")
        }
        Some(KeyId::Federation(_)) => {
            verdicts.ok("that of an instance or a resource which asks for its token");
            verdicts.list
        }
        Some(KeyId::Token(id)) => {
            check_token(&mut verdicts, id, evidence);
            verdicts.ok_unless_bad("`ST$…`, a token that can be read")
        }
        Some(KeyId::Other) => {
            let id = authorization.key_id.as_deref().unwrap_or("").trim();
            verdicts.bad(if id.starts_with("ey") && id.split('.').count() == 3 {
                "a token without `ST$` in front: put it there"
            } else if id.to_ascii_lowercase().starts_with("st$") {
                "`ST$` has to be in upper case"
            } else if id.starts_with("ST") {
                "`ST` without its `$`: a shell took `$…` for a variable; quote it with '…'"
            } else if id.is_empty() {
                "it is empty"
            } else {
                "neither `<tenancy>/<user>/<fingerprint>` nor `ST$<token>`"
            });
            verdicts.list
        }
    }
}

fn ocid(verdicts: &mut Verdicts, part: &str, kind: &str, place: &str) {
    let mut words = part.split('.');
    let (first, found) = (words.next(), words.next().unwrap_or(""));
    if first == Some("ocid1") && found == kind {
        let whole = part.split('.').count() >= 5 && !part.ends_with('.');
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if !whole {
            verdicts.bad(format!("the {kind}'s OCID, its {place} part, is cut short"));
        } else if !part.chars().all(legal) {
            verdicts.bad(format!("the {kind}'s OCID, its {place} part, holds a strange character"));
        }
        return;
    }
    let known = ["tenancy", "user", "compartment", "instance", "group", "domain"];
    verdicts.bad(match known.iter().find(|known| first == Some("ocid1") && **known == found) {
        Some(other) => {
            format!("its {place} part is the OCID of a {other} and has to be that of the {kind}")
        }
        None if part.is_empty() => format!("its {place} part, the {kind}'s OCID, is empty"),
        None => format!("its {place} part is not the OCID of a {kind}"),
    });
}

/// Sixteen pairs of hex in lower case, with colons between.
pub(crate) fn is_fingerprint(text: &str) -> bool {
    let pair = |pair: &str| {
        pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    text.split(':').count() == 16 && text.split(':').all(pair)
}

fn check_fingerprint(verdicts: &mut Verdicts, text: &str) {
    if is_fingerprint(text) {
        return;
    }
    let digits: String = text.chars().filter(|&c| c != ':').collect();
    let hex = digits.chars().all(|c| c.is_ascii_hexdigit());
    verdicts.bad(if text.is_empty() {
        "its fingerprint is empty"
    } else if text.starts_with("SHA256:") || text.starts_with("MD5:") {
        "its fingerprint is what ssh-keygen prints: take that of OCI's console"
    } else if is_fingerprint(&text.to_ascii_lowercase()) {
        "its fingerprint is in upper case: OCI's are in lower case"
    } else if hex && digits.len() == 32 {
        "its fingerprint lacks colons, or has them in the wrong places"
    } else if hex && (digits.len() == 40 || digits.len() == 64) {
        "its fingerprint is of SHA-1 or SHA-256: OCI's is MD5 over the public key in DER"
    } else {
        "its fingerprint is not 16 pairs of hex with colons between"
    });
}

fn check_token(verdicts: &mut Verdicts, id: &str, evidence: &Evidence) {
    if id.starts_with("ST$ST$") {
        verdicts.bad("`ST$` stands twice: what gave the token had put it there already");
        return;
    }
    // What blanks do to it, another check says.
    let bare: String = id.split_whitespace().collect();
    let token = match SecurityToken::parse(&bare) {
        Ok(token) => token,
        Err(error) => {
            verdicts.bad(match error {
                SignError::InvalidToken(TokenFault::NotJwt) if bare == "ST$" => {
                    "no token stands behind `ST$`".to_owned()
                }
                SignError::InvalidToken(fault) => {
                    format!("the token behind `ST$` {fault}: give it whole, and nothing else")
                }
                _ => "the token behind `ST$` cannot be read".to_owned(),
            });
            return;
        }
    };
    let now = evidence.now;
    let by = if evidence.clock == Clock::Machine { ", by this machine's clock" } else { "" };
    match token.expires() {
        Some(expires) if now >= expires => verdicts.bad(format!(
            "the token expired {} before, at {}{by}: get a new one",
            span(now - expires),
            write(expires),
        )),
        Some(expires) => {
            verdicts.ok(format!("the token lasts for {} more{by}", span(expires - now)));
        }
        None => verdicts.unknown("the token does not say when it expires"),
    }
    if let Some(begins) = token.not_before().filter(|begins| *begins > now) {
        let early = format!("the token begins to be valid {} later{by}", span(begins - now));
        if begins - now > 300 {
            verdicts.bad(format!("{early}: one of the clocks is wrong"));
        } else {
            verdicts.note(format!("{early}, which a server may forgive"));
        }
    }
}
