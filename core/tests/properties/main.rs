//! What holds for every request, key, token and text, tried on many made ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod keys;
mod plan;
mod secrets;
mod texts;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{SignError, SigningKey, VerifyError, VerifyOptions, prepare, sign};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::keys::Fake;
use crate::plan::{OwnedBody, Received, plan};

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn what_signs_also_verifies(plan in plan()) {
        let (received, _) = plan.sign();
        let options = VerifyOptions::new();
        prop_assert_eq!(received.verify(&options), Ok(()));
        // The host is the one that was signed, in any case.
        let host = received.header("host").unwrap().to_ascii_uppercase();
        prop_assert_eq!(received.verify(&options.expected_host(&host)), Ok(()));
        let other = format!("{host}.example");
        let refused = received.verify(&options.expected_host(&other));
        prop_assert_eq!(refused, Err(VerifyError::HostMismatch));
    }

    #[test]
    fn two_halves_give_what_one_step_gives(plan in plan()) {
        let signed = plan.sign().1;
        let prepared = plan.with_request(|request| prepare(&request, &plan.key_id(), NOW).unwrap());
        prop_assert_eq!(prepared.signing_string(), signed.signing_string());
        prop_assert_eq!(prepared.signed_headers(), signed.signed_headers());
        let signature = Fake::new().sign(prepared.signing_string().as_bytes()).unwrap();
        let start = prepared.authorization_start().to_owned();
        let finished = prepared.finish(&signature);
        prop_assert_eq!(finished.headers(), signed.headers());
        let expected = format!("{start}{}\"", STANDARD.encode(&signature));
        prop_assert_eq!(finished.authorization(), expected);
        prop_assert_eq!(finished.signature(), STANDARD.encode(&signature));
    }

    #[test]
    fn path_and_query_are_signed_byte_for_byte(plan in plan()) {
        let signed = plan.sign().1;
        let target = if plan.target.starts_with('/') { plan.target.clone() } else { format!("/{}", plan.target) };
        let line = format!("(request-target): {} {target}", plan.method.to_ascii_lowercase());
        prop_assert_eq!(signed.signing_string().split('\n').nth(1), Some(&*line));
    }

    #[test]
    fn only_what_is_signed_is_returned_and_each_header_once(plan in plan()) {
        let signed = plan.sign().1;
        let returned: Vec<&str> = signed.headers().iter().map(|header| header.0).collect();
        let mut expected: Vec<&str> = signed.signed_headers().split(' ').collect();
        expected.retain(|name| *name != "(request-target)");
        expected.push("authorization");
        prop_assert_eq!(&returned, &expected);
        // No header of the caller that is not signed is in the signing string.
        let lines = signed.signing_string().split('\n');
        let names: Vec<&str> = lines.map(|line| line.split_once(": ").unwrap().0).collect();
        prop_assert_eq!(names.join(" "), signed.signed_headers());
        for (name, value) in &plan.given {
            let expected = value.trim_matches([' ', '\t']);
            if let Some(returned) = signed.get(&name.to_ascii_lowercase())
                && !name.eq_ignore_ascii_case("authorization")
                && !expected.is_empty()
            {
                prop_assert_eq!(returned, expected, "a given header is signed as given");
            }
        }
    }

    #[test]
    fn any_change_of_a_signed_byte_is_refused(
        plan in plan(),
        at: Index,
        to in 0x21_u8..0x7f,
        flip in 1_u8..,
    ) {
        let (received, signed) = plan.sign();
        let accepted = |changed: &Received, what: &str| {
            let result = changed.verify(&VerifyOptions::new());
            prop_assert!(result.is_err(), "{what} was changed, and it verifies");
            let error = result.unwrap_err();
            prop_assert!(!error.code().is_empty() && !error.to_string().is_empty());
            Ok(())
        };

        let mut changed = received.clone();
        let position = at.index(changed.method.len());
        if replace(&mut changed.method, position, to)
            && !changed.method.eq_ignore_ascii_case(&received.method)
        {
            accepted(&changed, "the method")?;
        }

        let mut changed = received.clone();
        // The first slash is the URL's way to write the target, and not of it.
        if plan.target.len() > 1 {
            let position = plan.origin.len() + 1 + at.index(plan.target.len() - 1);
            if replace(&mut changed.url, position, to) {
                accepted(&changed, "the target")?;
            }
        }

        for name in signed.signed_headers().split(' ').filter(|name| *name != "(request-target)") {
            let mut changed = received.clone();
            let value = changed.header_mut(name);
            if !value.is_empty() {
                let position = at.index(value.len());
                if replace(value, position, to) {
                    accepted(&changed, name)?;
                }
            }
            let mut changed = received.clone();
            changed.headers.retain(|header| !header.0.eq_ignore_ascii_case(name));
            accepted(&changed, name)?;
            let mut changed = received.clone();
            changed.headers.push((name.to_owned(), signed.get(name).unwrap().to_owned()));
            accepted(&changed, name)?;
        }

        let mut changed = received.clone();
        if let OwnedBody::Bytes(bytes) = &mut changed.body
            && signed.get("x-content-sha256").is_some()
        {
            if bytes.is_empty() {
                bytes.push(flip);
            } else {
                let position = at.index(bytes.len());
                bytes[position] ^= flip;
            }
            accepted(&changed, "the body")?;
            bytes_pushed(&received, flip, accepted)?;
        }

        // The signature's base64, and what it stands for.
        let mut changed = received.clone();
        let value = changed.header_mut("authorization");
        let position = value.rfind(signed.signature()).unwrap() + at.index(signed.signature().len());
        if replace(value, position, to) {
            accepted(&changed, "the signature's base64")?;
        }
        let mut bytes = STANDARD.decode(signed.signature()).unwrap();
        let position = at.index(bytes.len());
        bytes[position] ^= flip;
        let mut changed = received.clone();
        let value = changed.header_mut("authorization");
        *value = value.replace(signed.signature(), &STANDARD.encode(&bytes));
        accepted(&changed, "the signature")?;

        // The list of what is signed.
        let mut changed = received.clone();
        let value = changed.header_mut("authorization");
        let list = format!("headers=\"{}\"", signed.signed_headers());
        let position = value.find(&list).unwrap() + "headers=\"".len() + at.index(signed.signed_headers().len());
        let was = value.clone();
        if replace(value, position, to) && !value.eq_ignore_ascii_case(&was) {
            accepted(&changed, "the list of headers")?;
        }
    }

    #[test]
    fn a_credential_that_expires_signs_before_and_never_from_then_on(
        plan in plan(),
        expires in NOW - 1_000..NOW + 1_000,
    ) {
        let credential = plan.credential().with_expiry(expires);
        let result = plan.with_request(|request| sign(&request, &credential, NOW).map(|_| ()));
        let expected = if NOW < expires { Ok(()) } else { Err(SignError::Expired(expires)) };
        prop_assert_eq!(result, expected);
    }
}

fn bytes_pushed(
    received: &Received,
    byte: u8,
    accepted: impl Fn(&Received, &str) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut changed = received.clone();
    if let OwnedBody::Bytes(bytes) = &mut changed.body {
        bytes.push(byte);
    }
    accepted(&changed, "the body's length")
}

/// Replace one byte of an ASCII text; whether that changed it.
fn replace(text: &mut String, at: usize, to: u8) -> bool {
    let changed = text.as_bytes()[at] != to;
    text.replace_range(at..=at, char::from(to).encode_utf8(&mut [0]));
    changed
}
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Sunday, at twelve; see `Given::headers`.
const NOW: u64 = 1_388_923_200;
const DATE: &str = "Sun, 05 Jan 2014 12:00:00 GMT";
