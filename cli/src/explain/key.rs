//! The key: the file that was given, the one that is named, and whether it signed this.

use ocisign::{KeyError, NativeVerifyingKey, PublicKey, VerifyingKey};

use super::authorization::Authorization;
use super::evidence::{Evidence, Key, Sent};
use super::key_id::{self, KeyId};
use super::variants;
use super::verdict::{Verdict, Verdicts};

/// Whether the signature is one over the request as given; `None` where that cannot be tried.
pub(crate) fn verifies(evidence: &Evidence, authorization: Option<&Authorization>) -> Option<bool> {
    let (sent, authorization) = (evidence.sent.as_ref()?, authorization?);
    let key = native(&key(evidence, authorization)?)?;
    let signature = authorization.signature.as_deref()?;
    let text = variants::as_sent(sent, authorization)?;
    Some(key.verify(text.as_bytes(), signature))
}

pub(crate) fn check(
    evidence: &Evidence,
    authorization: Option<&Authorization>,
    verified: Option<bool>,
) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("key");
    if let Some(key) = &evidence.key {
        check_file(&mut verdicts, key);
    }
    let Some((sent, authorization)) = evidence.sent.as_ref().zip(authorization) else {
        return verdicts.list;
    };
    let named = check_named(&mut verdicts, evidence, authorization);
    match verified {
        Some(true) => {
            let key = if evidence.key.is_some() { "key" } else { "token's own key" };
            let tied = if named { "" } else { "; whether OCI knows that key, only OCI tells" };
            verdicts.ok(format!("the signature is one of this {key} over this request{tied}"));
        }
        Some(false) => verdicts.bad(mismatch(evidence, sent, authorization)),
        None if evidence.key.is_none() => {
            verdicts.unknown("give --key-file to have fingerprint and signature checked");
        }
        None if authorization.algorithm.as_deref() != Some("rsa-sha256") => {
            verdicts.unknown("the signature is of an algorithm that is not checked here");
        }
        None => verdicts.unknown("the signature cannot be checked: something it needs is missing"),
    }
    verdicts.list
}

/// What the file holds.
fn check_file(verdicts: &mut Verdicts, key: &Key) {
    let error = match key {
        Key::Private(_) => return,
        Key::Public(_) => {
            verdicts.note(
                "--key-file is a public key, enough to check; if the signer was given this file, it \
                 needs the private one",
            );
            return;
        }
        Key::Refused(error) => *error,
    };
    match error {
        KeyError::PassphraseMissing => {
            verdicts
                .unknown("the private key is encrypted: give --passphrase-file to have it checked");
        }
        KeyError::Certificate => verdicts.bad(
            "--key-file is a certificate: the signer needs the private key that belongs to it",
        ),
        KeyError::NotRsa => {
            verdicts.bad("the key is not RSA, the only kind that OCI takes: make an RSA key");
        }
        KeyError::TooShort(_) => verdicts.bad(format!("{error}; OCI registers no shorter one")),
        error => verdicts.bad(format!("--key-file: {error}")),
    }
}

/// The key file against the key that the key id names. True where they are one.
fn check_named(
    verdicts: &mut Verdicts,
    evidence: &Evidence,
    authorization: &Authorization,
) -> bool {
    let Some(given) = evidence.key.as_ref().and_then(Key::public) else { return false };
    let own = given.fingerprint();
    match key_id::read(authorization) {
        Some(KeyId::Api { fingerprint, .. }) if fingerprint.eq_ignore_ascii_case(&own) => {
            verdicts.ok(format!("its fingerprint is the one in the key id, {own}"));
            true
        }
        Some(KeyId::Api { fingerprint, .. }) => {
            let named = if key_id::is_fingerprint(fingerprint) {
                format!("names {fingerprint}")
            } else {
                "names another".to_owned()
            };
            verdicts.bad(format!(
                "its fingerprint is {own}, and the key id {named}: key and fingerprint belong to \
                 different keys",
            ));
            false
        }
        Some(KeyId::Token(_)) => match key_id::token(authorization) {
            Some(token) => match token.session_key() {
                Some(session) if session == given => {
                    verdicts.ok("it is the key in the token's claim jwk");
                    true
                }
                Some(_) => {
                    verdicts.bad(
                        "it is not the key in the token's claim jwk: token and key were not made \
                         together, or were read while they were replaced",
                    );
                    false
                }
                None => {
                    verdicts.unknown("the token has no claim jwk that would name its key");
                    false
                }
            },
            None => false,
        },
        _ => false,
    }
}

/// Why the signature is none over this request: something else may have been signed.
fn mismatch(evidence: &Evidence, sent: &Sent, authorization: &Authorization) -> String {
    let found = key(evidence, authorization).and_then(|key| native(&key)).and_then(|key| {
        let signature = authorization.signature.as_deref()?;
        variants::all(sent, authorization)
            .into_iter()
            .find(|(_, text)| key.verify(text.as_bytes(), signature))
    });
    match found {
        Some((what, _)) => format!("the signature is right for another text: {what}"),
        None => "the signature is not one of this key over this request: another key signed, or \
                 something signed was changed before or after"
            .to_owned(),
    }
}

/// The file's key, else the token's own.
fn key(evidence: &Evidence, authorization: &Authorization) -> Option<PublicKey> {
    match &evidence.key {
        Some(key) => key.public().cloned(),
        None => key_id::token(authorization)?.session_key().cloned(),
    }
    .filter(|_| authorization.algorithm.as_deref() == Some("rsa-sha256"))
}

fn native(key: &PublicKey) -> Option<NativeVerifyingKey> {
    NativeVerifyingKey::new(key).ok()
}
