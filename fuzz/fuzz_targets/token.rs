//! A token, or the claims of one, through `SecurityToken`: nothing of it is
//! printed, and what is read is read again the same.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use ocisign_core::{Credential, Request, SecurityToken, SignError, SigningKey, prepare};
use ocisign_fuzz::{Fake, NOW, hidden, printed};

fuzz_target!(|input: &str| {
    // Claims as they are: base64 would keep the fuzzer out.
    let token = if input.starts_with('{') {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(input))
    } else {
        input.to_owned()
    };
    let read = match SecurityToken::parse(&token) {
        Ok(read) => read,
        Err(error) => {
            assert!(matches!(error, SignError::InvalidToken(_)));
            hidden(&printed(&error), token.as_bytes());
            hidden(&printed(&error), input.as_bytes());
            return;
        }
    };
    hidden(&format!("{read:?}"), token.as_bytes());
    let key_id = read.key_id().expect("a token that was read is a key id");
    assert!(key_id.as_str().starts_with("ST$") && key_id.as_str().len() > 3);
    hidden(&format!("{key_id:?}"), token.as_bytes());

    for around in [key_id.as_str().to_owned(), format!("\u{feff} {}\r\n", key_id.as_str())] {
        if around.len() <= 65_536 {
            let again = SecurityToken::parse(&around).expect("it is the same");
            assert_eq!(again.expires(), read.expires());
            assert_eq!(again.session_key(), read.session_key());
            assert_eq!(again.key_id().expect("it is the same").as_str(), key_id.as_str());
        }
    }
    let prepared = prepare(&Request::new("GET", "https://h/"), &key_id, NOW).expect("it signs");
    assert!(prepared.authorization_start().contains(key_id.as_str()));

    let credential = Credential::security_token(&token, Fake::new());
    match (read.session_key(), credential) {
        (None, Ok(credential)) => {
            assert!(!credential.binding_checked());
            assert_eq!(credential.expires(), read.expires());
            hidden(&format!("{credential:?}"), token.as_bytes());
        }
        (Some(key), Ok(_)) => assert_eq!(key, Fake::new().public_key()),
        (Some(key), Err(SignError::KeyMismatch)) => assert_ne!(key, Fake::new().public_key()),
        (_, other) => panic!("{other:?}"),
    }
});
