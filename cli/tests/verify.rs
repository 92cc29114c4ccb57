//! `ocisign verify`: good, and each way bad.
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;

use command::{Run, file, key, ocisign};

const URL: &str = "https://h.example.com/a?b=c";

/// The header lines of a signed POST with the body `{}`, by this key id.
fn signed(body: &str, key_id: &str) -> Vec<String> {
    let key = key("test-key.pem");
    let mut args = vec!["sign", "--method", "POST", "--url", URL, "--body-file", body];
    args.extend(["--now", "1388957500", "--key-id", key_id, "--key-file", &key]);
    ocisign(&args).good().lines().map(str::to_owned).collect()
}

/// The verdict on them, with these arguments in place or on top.
fn verify(headers: &[String], body: &str, changes: &[&str]) -> Run {
    let public_key = key("test-key.pub.pem");
    let mut args = vec!["verify", "--method", "POST", "--url", URL, "--body-file", body];
    args.extend(["--now", "1388957500", "--public-key-file", &public_key]);
    for change in changes.chunks(2) {
        match args.iter().position(|arg| *arg == change[0]) {
            Some(at) => args[at + 1] = change[1],
            None => args.extend(change),
        }
    }
    args.extend(headers.iter().flat_map(|line| ["--header", line]));
    ocisign(&args)
}

#[test]
fn what_was_signed_is_valid_and_what_was_changed_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let body = file(&directory, "body", "{}");
    let longer = file(&directory, "longer", "{ }");
    let other = file(&directory, "other", "[]");
    let headers = signed(&body, "t/u/f");

    assert_eq!(verify(&headers, &body, &[]).good(), "valid\n");
    assert_eq!(verify(&headers, &body, &["--expected-host", "H.example.com"]).good(), "valid\n");
    assert_eq!(verify(&headers, &body, &["--now", "1388957800"]).good(), "valid\n");
    let other_key = key("other-key.pub.pem");
    for (changes, code) in [
        (["--now", "1388957801"], "DATE_OUT_OF_WINDOW"),
        (["--now", "1388957199"], "DATE_OUT_OF_WINDOW"),
        (["--body-file", &*other], "DIGEST_MISMATCH"),
        (["--body-file", &*longer], "LENGTH_MISMATCH"),
        (["--expected-host", "other.example.com"], "HOST_MISMATCH"),
        (["--method", "PUT"], "SIGNATURE_MISMATCH"),
        (["--url", "https://h.example.com/a?b=d"], "SIGNATURE_MISMATCH"),
        (["--url", "https://h.example.com/a b"], "INVALID_URL"),
        (["--public-key-file", &*other_key], "SIGNATURE_MISMATCH"),
        (["--public-key-file", "no-such-file"], "FILE_UNREADABLE"),
        (["--public-key-file", &*body], "INVALID_KEY"),
    ] {
        assert_eq!(verify(&headers, &body, &changes).refused(), code, "{changes:?}");
    }
}

#[test]
fn headers_that_are_missing_doubled_or_broken_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let body = file(&directory, "body", "{}");
    let headers = signed(&body, "t/u/f");
    let without = |name: &str| -> Vec<String> {
        headers.iter().filter(|line| !line.starts_with(name)).cloned().collect()
    };
    let with = |line: String| -> Vec<String> {
        let mut headers = without(line.split_once(':').unwrap().0);
        headers.push(line);
        headers
    };
    let authorization = headers.last().unwrap();
    let twice = [headers.clone(), vec!["Date: Sun, 05 Jan 2014 21:31:40 GMT".to_owned()]].concat();
    for (headers, code) in [
        (without("authorization"), "MISSING_AUTHORIZATION"),
        (without("content-type"), "HEADER_MISSING"),
        (twice, "DUPLICATE_HEADER"),
        (with("date: yesterday".to_owned()), "INVALID_DATE"),
        (with("content-type: text/plain".to_owned()), "SIGNATURE_MISMATCH"),
        (with(authorization.replace("Signature ", "Bearer ")), "MALFORMED_AUTHORIZATION"),
        (with(authorization.replace(" content-length", "")), "HEADER_NOT_SIGNED"),
        (with(authorization.replace("version=\"1\"", "version=\"2\"")), "UNSUPPORTED_VERSION"),
        (with(authorization.replace("rsa-sha256", "hmac-sha256")), "UNSUPPORTED_ALGORITHM"),
    ] {
        assert_eq!(verify(&headers, &body, &[]).refused(), code);
    }
}

#[test]
fn json_gives_the_key_id_but_never_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let body = file(&directory, "body", "{}");
    for (key_id, json) in [
        ("t/u/f", "{\"valid\":true,\"key_id\":\"t/u/f\"}\n"),
        ("ST$head.claims.signature", "{\"valid\":true,\"key_id\":\"ST$…\"}\n"),
    ] {
        let mut headers = signed(&body, key_id);
        let run = verify(&headers, &body, &["--json"]);
        assert_eq!(run.good(), json);
        headers.pop();
        assert_eq!(verify(&headers, &body, &["--json"]).refused(), "MISSING_AUTHORIZATION");
    }
}

#[test]
fn a_weak_key_is_taken_only_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let body = file(&directory, "body", "{}");
    let headers = signed(&body, "t/u/f");
    let weak = key("oracle-docs-1024.pub.pem");
    let refused = verify(&headers, &body, &["--public-key-file", &weak]);
    assert_eq!(refused.refused(), "INVALID_KEY");
    let taken = verify(&headers, &body, &["--public-key-file", &weak, "--allow-weak-key"]);
    assert_eq!(taken.refused(), "SIGNATURE_MISMATCH");
}
