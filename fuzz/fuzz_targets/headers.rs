//! Any headers, through `prepare` and `examine`: what signs also verifies, no
//! value makes a line of its own, and no error quotes one.
//!
//! Input: the method and a letter for the body; lines `name:value`, in which
//! `\n` is a line feed; an empty line; the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocisign_core::{
    Body, Credential, DateHeader, Request, SignError, VerifyError, VerifyOptions, examine, prepare,
    sign, verify,
};
use ocisign_fuzz::{Fake, NOW, hidden, key_id, names, printed};

fuzz_target!(|input: &str| {
    let (head, body) = input.split_once("\n\n").unwrap_or((input, ""));
    let mut lines = head.split('\n');
    let (method, kind) = lines.next().unwrap_or_default().rsplit_once(' ').unwrap_or(("POST", "b"));
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap_or((line, "")))
        .map(|(name, value)| (name.to_owned(), value.replace("\\n", "\n")))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&**n, &**v)).collect();
    let body = match kind {
        "e" => Body::Empty,
        "d" => Body::Digest { sha256: [7; 32], length: body.len() as u64 },
        "u" => Body::Unsigned,
        _ => Body::Bytes(body.as_bytes()),
    };
    let mut request =
        Request::new(method, "https://h.example.com/a?b").headers(&headers).body(body);
    if kind == "x" {
        request = request.date_header(DateHeader::XDate);
    }

    let before = headers.clone();
    let credential = Credential::new(key_id(), Fake::new());
    let signed = sign(&request, &credential, NOW);
    let prepared = prepare(&request, &key_id(), NOW);
    assert_eq!(headers, before);

    // Whatever was given, as if it had been received.
    let examined = examine(&request, &VerifyOptions::new(), NOW);
    if let Err(error) = &examined {
        quotes_no_value(&printed(error), name_in_received(error), &headers);
    }
    let signed = match (signed, prepared) {
        (Ok(signed), Ok(prepared)) => {
            assert_eq!(signed.signing_string(), prepared.signing_string());
            signed
        }
        (Err(error), Err(same)) => {
            assert_eq!(error, same);
            let name = match &error {
                SignError::InvalidHeader { name, .. } => name.as_str(),
                SignError::InvalidMethod => "",
                other => panic!("{other:?}"),
            };
            assert!(name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic()));
            quotes_no_value(&printed(&error), name, &headers);
            return;
        }
        (one, other) => panic!("{one:?} and {other:?}"),
    };

    let lines = names(signed.signing_string());
    assert_eq!(lines.join(" "), signed.signed_headers());
    for (_, value) in signed.headers() {
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    }
    let mut sent: Vec<(&str, &str)> = headers.clone();
    sent.retain(|(name, _)| signed.get(&name.to_ascii_lowercase()).is_none());
    sent.extend(signed.headers().iter().map(|(name, value)| (*name, &**value)));
    if sent.len() > 1_000 {
        return;
    }
    let received = request.headers(&sent);
    match verify(&received, &Fake::new(), &VerifyOptions::new(), NOW) {
        Ok(()) => {
            let examined = examine(&received, &VerifyOptions::new(), NOW).expect("it verifies");
            assert_eq!(examined.signing_string(), signed.signing_string());
        }
        // A given date is signed as given, whatever it says.
        Err(VerifyError::InvalidDate | VerifyError::DateOutOfWindow { .. }) => {
            assert!(headers.iter().any(|(name, _)| {
                name.eq_ignore_ascii_case("date") || name.eq_ignore_ascii_case("x-date")
            }));
        }
        Err(other) => panic!("{other:?}"),
    }
});

fn quotes_no_value(text: &str, name: &str, headers: &[(&str, &str)]) {
    let text = if name.is_empty() { text.to_owned() } else { text.replace(name, "") };
    for (_, value) in headers {
        hidden(&text, value.as_bytes());
    }
}

fn name_in_received(error: &VerifyError) -> &str {
    match error {
        VerifyError::DuplicateHeader(name)
        | VerifyError::HeaderMissing(name)
        | VerifyError::HeaderNotSigned(name)
        | VerifyError::InvalidHeader(name) => name,
        _ => "",
    }
}
