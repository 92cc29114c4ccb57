//! The value of an `authorization` header, through `examine`: it is refused, or
//! says the same when it is written anew.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use ocisign_core::{Body, Examined, Request, VerifyError, VerifyOptions, examine};
use ocisign_fuzz::{DATE, Fake, NOW, authorization, hidden, names, printed};

fuzz_target!(|value: &str| {
    for method in ["GET", "POST"] {
        let Some(examined) = examined(method, value) else { continue };
        let names = names(examined.signing_string());
        assert!(!examined.key_id().is_empty() && value.contains(examined.key_id()));
        assert!(!examined.signature().is_empty());
        assert!(["date", "(request-target)", "host"].iter().all(|name| names.contains(name)));
        assert!(examined.verify(&Fake::new()).is_err(), "nobody signed this");
        let written = authorization(
            examined.key_id(),
            &names.join(" "),
            &STANDARD.encode(examined.signature()),
        );
        let again = self::examined(method, &written).expect("it is the same");
        assert_eq!(again.signing_string(), examined.signing_string());
        assert_eq!(again.signature(), examined.signature());
        assert_eq!(again.key_id(), examined.key_id());
    }
});

fn examined(method: &str, value: &str) -> Option<Examined> {
    let headers = [
        ("date", DATE),
        ("host", "h.example.com"),
        ("content-length", "4"),
        ("content-type", "text/plain"),
        ("x-content-sha256", "Om6weQ85rIfJT+RwuFHTgM5D8lvSPZVl4rbsoIBgNrI="),
        ("accept", "*/*"),
        ("authorization", value),
    ];
    let request = Request::new(method, "https://h.example.com/a?b")
        .headers(&headers)
        .body(Body::Bytes(b"data"));
    match examine(&request, &VerifyOptions::new(), NOW) {
        Ok(examined) => {
            // Key ids are tokens as often as not.
            hidden(&format!("{examined:?}"), value.as_bytes());
            Some(examined)
        }
        Err(error) => {
            let text = printed(&error);
            let name = match &error {
                VerifyError::DuplicateHeader(name)
                | VerifyError::HeaderMissing(name)
                | VerifyError::HeaderNotSigned(name)
                | VerifyError::InvalidHeader(name) => name.as_str(),
                _ => "",
            };
            assert!(name.len() <= 64);
            let text = if name.is_empty() { text } else { text.replace(name, "") };
            hidden(&text, value.as_bytes());
            None
        }
    }
}
