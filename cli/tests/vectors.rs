//! The vectors through the command, as far as a command line can carry them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use command::{file, key, ocisign};
use ocisign_vectors::{KnownBody, check_all, expect, text};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn oracles_published_requests_are_signed_byte_for_byte() {
    let published = ocisign_vectors::cases(&["published.json"]);
    let published: Vec<_> =
        published.into_iter().filter(|case| case["source"] == "oracle-docs").collect();
    assert_eq!(published.len(), 2);
    for case in &published {
        let directory = tempfile::tempdir().unwrap();
        let args = sign_args(case, &directory).unwrap();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let want: Vec<String> = ocisign_vectors::headers(case)
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let want = want.join("\n") + "\n";
        assert_eq!(ocisign(&args).good(), want);
        assert!(want.contains(case["signature"].as_str().unwrap()));
    }
}

#[test]
fn every_signing_case_signs_as_it_says() {
    let files =
        ["published.json", "signing.json", "rules.json", "disagreements.json", "invalid.json"];
    let (cases, left_out) = carried(&files);
    assert!(left_out * 12 < cases.len(), "{left_out} left out");
    check_all(&cases, |case| {
        let directory = tempfile::tempdir().unwrap();
        let mut args = sign_args(case, &directory).unwrap();
        args.push("--json".into());
        let run = ocisign(&args.iter().map(String::as_str).collect::<Vec<_>>());
        if case["result"] == "invalid" {
            return expect("error", run.refused(), case["error"].as_str().unwrap());
        }
        let got: Value = serde_json::from_str(&run.good()).unwrap();
        expect("signing string", text(&got["signing_string"]), text(&case["signing_string"]))?;
        expect("signed headers", &got["signed_headers"], &case["signed_headers"])?;
        expect("signature", &got["signature"], &case["signature"])?;
        let want = ocisign_vectors::headers(case);
        expect("authorization", got["authorization"].as_str(), want.last().map(|h| &*h.1))?;
        let want: Value =
            want.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        expect("headers", &got["headers"], &want)
    });
}

#[test]
fn every_verify_case_is_judged_as_it_says() {
    let (cases, left_out) = carried(&["verify.json"]);
    assert!(left_out * 12 < cases.len(), "{left_out} left out");
    check_all(&cases, |case| {
        let directory = tempfile::tempdir().unwrap();
        let mut args = vec!["verify".to_owned()];
        args.extend(request_args(case, &directory).unwrap());
        args.push(format!("--public-key-file={}", key(case["key"].as_str().unwrap())));
        if let Some(host) = case["expected_host"].as_str() {
            args.push(format!("--expected-host={host}"));
        }
        if case["allow_weak_key"] == true {
            args.push("--allow-weak-key".into());
        }
        let run = ocisign(&args.iter().map(String::as_str).collect::<Vec<_>>());
        if case["result"] == "valid" {
            return expect("verdict", &*run.good(), "valid\n");
        }
        expect("error", run.refused(), case["error"].as_str().unwrap())
    });
}

/// The cases that fit on a command line, and the number of those that do not.
fn carried(files: &[&str]) -> (Vec<Value>, usize) {
    let all = ocisign_vectors::cases(files);
    let count = all.len();
    let directory = tempfile::tempdir().unwrap();
    let fits = |case: &Value| request_args(case, &directory).is_some();
    let carried: Vec<_> = all
        .into_iter()
        .filter(|case| case["credential"]["expires"].is_null() && fits(case))
        .collect();
    let left_out = count - carried.len();
    (carried, left_out)
}

fn sign_args(case: &Value, directory: &TempDir) -> Option<Vec<String>> {
    let credential = &case["credential"];
    let mut args = vec!["sign".to_owned()];
    args.extend(request_args(case, directory)?);
    args.push(format!("--key-id={}", credential["key_id"].as_str().unwrap()));
    args.push(format!("--key-file={}", key(credential["key"].as_str().unwrap())));
    if let Some(token) = credential["delegation_token"].as_str() {
        args.push(format!("--delegation-token-file={}", file(directory, "obo", token)));
    }
    if credential["allow_weak_key"] == true {
        args.push("--allow-weak-key".into());
    }
    if case["request"]["date_header"] == "x-date" {
        args.push("--x-date".into());
    }
    Some(args)
}

/// `None` where a command line cannot carry the request.
fn request_args(case: &Value, directory: &TempDir) -> Option<Vec<String>> {
    let request = &case["request"];
    let mut args = vec![
        format!("--method={}", text(&request["method"])),
        format!("--url={}", text(&request["url"])),
        format!("--now={}", case["now"]),
    ];
    for (name, value) in ocisign_vectors::headers(request) {
        if name.contains(':') {
            return None;
        }
        args.push(format!("--header={name}:{value}"));
    }
    match ocisign_vectors::body(request) {
        KnownBody::Empty => {}
        KnownBody::Unsigned => args.push("--unsigned-body".into()),
        KnownBody::Bytes(bytes) => {
            args.push(format!("--body-file={}", file(directory, "body", bytes)));
        }
        KnownBody::Digest(sha256, length) => {
            args.push(format!("--body-sha256={}", STANDARD.encode(sha256)));
            args.push(format!("--body-length={length}"));
        }
    }
    // Linux: 128 KiB each, with their NUL; 2 MiB in all.
    let fits = args.iter().all(|arg| arg.len() < 128 << 10 && !arg.contains('\0'))
        && args.iter().map(String::len).sum::<usize>() < 1 << 20;
    fits.then_some(args)
}
