//! The vectors through the native backend, stage by stage.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use ocisign::{
    Body, Credential, DateHeader, KeyId, KeyOptions, NativeKey, NativeVerifyingKey, PrivateKeyDer,
    PublicKey, Request, VerifyOptions, VerifyingKey, examine, prepare, sign,
};
use ocisign_vectors::{KnownBody, check_all, expect, text};
use serde_json::Value;

#[test]
fn every_signing_case_signs_as_it_says() {
    let files =
        ["published.json", "signing.json", "rules.json", "disagreements.json", "invalid.json"];
    check_all(&ocisign_vectors::cases(&files), |case| {
        let credential = credential(case);
        let now = case["now"].as_u64().unwrap();
        with_request(&case["request"], |request| {
            if case["result"] == "invalid" {
                let error = sign(&request, &credential, now).map(|_| ()).unwrap_err();
                return expect("error", error.code(), case["error"].as_str().unwrap());
            }
            let prepared =
                prepare(&request, credential.key_id(), now).map_err(|e| e.to_string())?;
            let want = text(&case["signing_string"]);
            expect("signing string", prepared.signing_string(), &want)?;
            expect("signed headers", prepared.signed_headers(), &joined(case))?;

            let signed = sign(&request, &credential, now).map_err(|e| e.to_string())?;
            expect("signature", signed.signature(), case["signature"].as_str().unwrap())?;
            let got: Vec<(String, String)> =
                signed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            expect("headers", got, ocisign_vectors::headers(case))
        })
    });
}

#[test]
fn every_verify_case_is_judged_as_it_says() {
    check_all(&ocisign_vectors::cases(&["verify.json"]), |case| {
        let pem = fs::read_to_string(ocisign_vectors::key_path(&case["key"])).unwrap();
        let key = PublicKey::from_pem(&pem, &options(case)).map_err(|e| e.to_string())?;
        let key = NativeVerifyingKey::new(&key).unwrap();
        let options = VerifyOptions::new();
        let options =
            case["expected_host"].as_str().map_or(options, |host| options.expected_host(host));
        let now = case["now"].as_u64().unwrap();
        with_request(&case["request"], |request| {
            let verdict = examine(&request, &options, now)
                .and_then(|examined| examined.verify(&key).map(|()| examined));
            match verdict {
                Ok(examined) => {
                    expect("result", "valid", case["result"].as_str().unwrap())?;
                    expect("key id", examined.key_id(), case["key_id"].as_str().unwrap())
                }
                Err(error) => expect("error", error.code(), case["error"].as_str().unwrap_or("")),
            }
        })
    });
}

#[test]
fn every_key_case_is_read_or_refused_as_it_says() {
    check_all(&ocisign_vectors::cases(&["keys.json"]), |case| {
        let pem = match &case["file"] {
            Value::Null => text(&case["pem"]),
            file => fs::read_to_string(ocisign_vectors::key_path(file)).unwrap(),
        };
        let key = PrivateKeyDer::from_pem(&pem, &options(case))
            .and_then(|der| NativeKey::new(&der).map(|_| der.public_key().clone()));
        match key {
            Ok(key) => {
                expect("result", "valid", case["result"].as_str().unwrap())?;
                expect("bits", Some(key.bits() as u64), case["bits"].as_u64())?;
                expect("fingerprint", &*key.fingerprint(), case["fingerprint"].as_str().unwrap())
            }
            Err(error) => expect("reason", error.reason(), case["reason"].as_str().unwrap_or("")),
        }
    });
}

#[test]
fn the_native_key_signs_what_the_native_key_verifies() {
    for case in ocisign_vectors::cases(&["published.json"]) {
        let key =
            fs::read_to_string(ocisign_vectors::key_path(&case["credential"]["key"])).unwrap();
        let der = PrivateKeyDer::from_pem(&key, &options(&case["credential"])).unwrap();
        let key = NativeVerifyingKey::new(der.public_key()).unwrap();
        let signature = ocisign::SigningKey::sign(&NativeKey::new(&der).unwrap(), b"message");
        assert!(key.verify(b"message", &signature.unwrap()));
    }
}

fn credential(case: &Value) -> Credential {
    let given = &case["credential"];
    let pem = fs::read_to_string(ocisign_vectors::key_path(&given["key"])).unwrap();
    let der = PrivateKeyDer::from_pem(&pem, &options(given)).unwrap();
    let key_id = KeyId::new(given["key_id"].as_str().unwrap()).unwrap();
    let mut credential = Credential::new(key_id, NativeKey::new(&der).unwrap());
    if let Some(expires) = given["expires"].as_u64() {
        credential = credential.with_expiry(expires);
    }
    match given["delegation_token"].as_str() {
        Some(token) => credential.with_delegation_token(token).unwrap(),
        None => credential,
    }
}

fn options(case: &Value) -> KeyOptions<'_> {
    let options = KeyOptions::new()
        .danger_allow_weak_key(case["allow_weak_key"].as_bool().unwrap_or_default());
    case["passphrase"].as_str().map_or(options, |secret| options.passphrase(secret.as_bytes()))
}

fn with_request<T>(case: &Value, then: impl FnOnce(Request<'_>) -> T) -> T {
    let (method, url) = (text(&case["method"]), text(&case["url"]));
    let headers = ocisign_vectors::headers(case);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&**n, &**v)).collect();
    let known = ocisign_vectors::body(case);
    let body = match &known {
        KnownBody::Bytes(bytes) => Body::Bytes(bytes),
        KnownBody::Digest(sha256, length) => Body::Digest { sha256: *sha256, length: *length },
        KnownBody::Empty => Body::Empty,
        KnownBody::Unsigned => Body::Unsigned,
    };
    let date_header =
        if case["date_header"] == "x-date" { DateHeader::XDate } else { DateHeader::Date };
    then(Request::new(&method, &url).headers(&headers).body(body).date_header(date_header))
}

fn joined(case: &Value) -> String {
    let names: Vec<_> =
        case["signed_headers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    names.join(" ")
}
