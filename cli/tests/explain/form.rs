//! How it is given and printed, and the vectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_vectors::KnownBody;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{file, key, ocisign, ocisign_with_stdin};
use crate::{DATE, KEY_ID, NOW, Sent, URL, explained, no_secret};

#[test]
fn a_request_is_read_as_it_was_on_the_wire_or_as_curl_says() {
    let directory = tempfile::tempdir().unwrap();
    let body = file(&directory, "body", "{}");
    let sent = Sent::signed("POST", URL, KEY_ID, &["--body-file", &body]);
    let read = |text: &str, more: &[&str]| {
        let key = key("test-key.pem");
        let args = [&["explain", "--request-file", "-", "--key-file", &key, "--now", NOW], more];
        explained(&ocisign_with_stdin(&args.concat(), text.as_bytes()), &sent.headers)
    };
    let raw = sent.raw("{}");
    read(&raw, &[]).is_good();
    read(&raw.replace("\r\n", "\n"), &["--url", URL]).is_good();
    read(&sent.raw("[]"), &[]).says("bad", "digest", "not that of the body");

    let mut transcript = String::from("* Connected\n> GET /first HTTP/1.1\r\n> \r\n");
    for line in sent.raw("").lines() {
        transcript += &["> ", line, "\r\n"].concat();
    }
    transcript += "* upload completely sent\n< HTTP/1.1 401 Unauthorized\r\n";
    transcript += &["< Date: ", &DATE.replace("12:", "14:"), "\r\n< \r\n"].concat();
    transcript += "{\"code\":\"NotAuthenticated\"}* Connection #0 to host left intact\n";
    let body_file = format!("--body-file={body}");
    let both = read(&transcript, &["--response-file", "-", "--url", URL, &body_file]);
    both.says("note", "status", "401 NotAuthenticated");
    both.says("bad", "clock", "2 hours behind the answer's date");
    both.says("ok", "key", "the signature is one of this key");

    let rewritten = raw.replace("?limit=10", "?limit=11");
    read(&rewritten, &["--url", URL]).says("bad", "url", "from `0` at offset 22");
    let rewritten = read(&rewritten, &["--url", URL]);
    rewritten.says("bad", "key", "as the URL has it, not as it was sent");
    rewritten.blames("url");
    let broken = raw.replace("\",algorithm", "\n\",algorithm");
    read(&broken, &[]).says("bad", "whitespace", "`authorization` has a line end");

    let refused = ocisign_with_stdin(&["explain", "--request-file", "-"], b"hunter2");
    assert_eq!(refused.refused(), "INVALID_MESSAGE");
}

#[test]
fn every_verify_vector_is_explained_as_it_is_judged() {
    let directory = tempfile::tempdir().unwrap();
    let (mut valid, mut caught, mut missed) = (0, 0, Vec::new());
    for case in ocisign_vectors::cases(&["verify.json"]) {
        let Some(args) = vector_args(&case, &directory) else { continue };
        let run = ocisign(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let id = case["id"].as_str().unwrap().to_owned();
        let bad: Vec<_> = run.stdout.lines().filter(|line| line.starts_with("bad ")).collect();
        // An option of a verifier's, which is not the service's.
        let own = !case["expected_host"].is_null() || case["allow_weak_key"] == true;
        match case["result"].as_str().unwrap() {
            "valid" if !own => {
                valid += 1;
                let strange = |line: &&&str| !line.contains("key-id") && !line.contains("summary");
                assert_eq!(bad.iter().find(strange), None, "{id}: {run:?}");
            }
            // OCI is known to read these, so that they are no cause of its refusal.
            "invalid" if run.stdout.contains("note    authorization: ") => {}
            "invalid" if bad.is_empty() && !own => missed.push(id),
            _ => caught += 1,
        }
    }
    assert!(valid > 5 && caught > 20, "{valid} {caught}");
    assert_eq!(missed, Vec::<String>::new());
}

fn vector_args(case: &Value, directory: &TempDir) -> Option<Vec<String>> {
    let request = &case["request"];
    let mut args = vec![
        "explain".to_owned(),
        format!("--method={}", ocisign_vectors::text(&request["method"])),
        format!("--url={}", ocisign_vectors::text(&request["url"])),
        format!("--now={}", case["now"]),
        format!("--key-file={}", key(case["key"].as_str().unwrap())),
    ];
    for (name, value) in ocisign_vectors::headers(request) {
        if name.contains(':') {
            return None;
        }
        args.push(format!("--header={name}:{value}"));
    }
    match ocisign_vectors::body(request) {
        KnownBody::Empty => args.push(format!("--body-file={}", file(directory, "none", ""))),
        KnownBody::Unsigned => args.push("--unsigned-body".into()),
        KnownBody::Bytes(bytes) => {
            args.push(format!("--body-file={}", file(directory, "body", bytes)));
        }
        KnownBody::Digest(sha256, length) => {
            args.push(format!("--body-sha256={}", STANDARD.encode(sha256)));
            args.push(format!("--body-length={length}"));
        }
    }
    let fits = args.iter().all(|arg| arg.len() < 128 << 10 && !arg.contains('\0'))
        && args.iter().map(String::len).sum::<usize>() < 1 << 20;
    fits.then_some(args)
}

#[test]
fn json_is_an_array_of_the_same_verdicts() {
    let sent = Sent::new("GET").with(&["--now=0"]);
    let mut args = vec!["explain", "--method=GET", "--url", URL, "--now=0", "--json"];
    args.extend(sent.headers.iter().flat_map(|line| ["--header", line]));
    let run = ocisign(&args);
    assert_eq!((run.code, &*run.stderr), (3, ""));
    no_secret(&run.stdout, &sent.headers);
    let verdicts: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(verdicts[0]["verdict"], "bad");
    assert_eq!(verdicts[0]["check"], "clock");
    assert_eq!(verdicts.last().unwrap()["check"], "summary");
    assert!(verdicts.iter().all(|verdict| verdict["message"].is_string()));
}

#[test]
fn a_code_is_explained_wherever_it_is_from() {
    for (code, parts) in [
        ("EXPIRED", &["what it means: the credential's expiry has come", "what to do: "][..]),
        ("expired", &["EXPIRED (signing)"]),
        ("INVALID_DATE", &["INVALID_DATE (signing)", "INVALID_DATE (verifying)"]),
        ("INVALID_URL", &["  - has no host: "]),
        ("passphrase-wrong", &["what to do: check it"]),
        ("EMULATOR_NOT_STARTED", &["the emulator"]),
        ("NotAuthenticated", &["status: 401", "what it means: "]),
    ] {
        let said = ocisign(&["explain", "--code", code]).good();
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        assert!(!said.contains(['`', '[', '|']), "{said}");
    }
    let unknown = ocisign(&["explain", "--code", "hunter2"]);
    assert_eq!(unknown.refused(), "UNKNOWN_CODE");
    assert!(!unknown.stderr.contains("hunter2"));
}

#[test]
fn what_cannot_be_given_together_is_wrong_usage() {
    for args in [
        &[][..],
        &["--key-file", "k"],
        &["--json"],
        &["--code", "EXPIRED", "--json"],
        &["--request-file", "f", "--method", "GET"],
        &["--request-file", "f", "--header", "a: b"],
        &["--response-file", "f", "--status", "401"],
        &["--request-file", "-", "--body-file", "-"],
        &["--body-file", "-", "--response-body-file", "-", "--method", "GET"],
        &["--status", "401", "--passphrase-file", "p"],
    ] {
        ocisign(&[&["explain"], args].concat()).usage();
    }
}
