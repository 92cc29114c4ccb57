//! `ocisign sign`: bodies, credentials and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;

use std::fs::{self, File};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use command::{command, file, key, ocisign, ocisign_with_stdin, run};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// `ocisign sign` of a POST with the test key, and these arguments.
fn post<'a>(key_file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["sign", "--method", "POST", "--url", "https://h.example.com/a"];
    args.extend(["--now", "1388957500", "--key-id", "t/u/f", "--key-file", key_file]);
    args.extend(more);
    args
}

fn header<'a>(output: &'a str, name: &str) -> &'a str {
    let lines = output.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|line| line.0 == name).map(|line| line.1).next().unwrap()
}

#[test]
fn a_body_signs_alike_from_a_file_from_stdin_and_by_its_digest() {
    let directory = tempfile::tempdir().unwrap();
    let key = key("test-key.pem");
    let body = b"{\"a\":\xff\x00}\r\n";
    let path = file(&directory, "body", body);
    let digest = STANDARD.encode(Sha256::digest(body));
    let length = body.len().to_string();

    let signed = ocisign(&post(&key, &["--body-file", &path])).good();
    assert_eq!(header(&signed, "x-content-sha256"), digest);
    assert_eq!(header(&signed, "content-length"), length);
    assert_eq!(ocisign_with_stdin(&post(&key, &["--body-file", "-"]), body).good(), signed);
    let by_digest = ["--body-sha256", &digest, "--body-length", &length];
    assert_eq!(ocisign(&post(&key, &by_digest)).good(), signed);
}

#[test]
fn an_empty_body_file_signs_like_no_body() {
    let key = key("test-key.pem");
    let none = ocisign(&post(&key, &[])).good();
    assert_eq!(header(&none, "content-length"), "0");
    assert_eq!(ocisign_with_stdin(&post(&key, &["--body-file", "-"]), b"").good(), none);
}

#[cfg(target_os = "linux")]
#[test]
fn a_body_of_50_mb_is_not_held_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("body");
    File::create(&path).unwrap().set_len(50 << 20).unwrap();
    let mut hash = Sha256::new();
    (0..50).for_each(|_| hash.update(vec![0; 1 << 20]));

    let key = key("test-key.pem");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -v 40000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_ocisign")]);
    let signed = run(shell.args(post(&key, &["--body-file", path.to_str().unwrap()])), b"").good();
    assert_eq!(header(&signed, "content-length"), "52428800");
    assert_eq!(header(&signed, "x-content-sha256"), STANDARD.encode(hash.finalize()));
}

#[test]
fn an_unsigned_body_leaves_the_body_headers_out() {
    let signed = ocisign(&post(&key("test-key.pem"), &["--unsigned-body"])).good();
    let names: Vec<_> = signed.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["date", "host", "authorization"]);
}

#[test]
fn an_empty_header_is_printed_as_curl_sends_one() {
    let signed = ocisign(&post(&key("test-key.pem"), &["--header", "x-date:"]));
    assert!(signed.good().starts_with("x-date;\n"));
}

#[test]
fn without_now_the_system_clock_is_asked() {
    let key = key("test-key.pem");
    let args = post(&key, &[]);
    let args: Vec<_> =
        args.into_iter().filter(|arg| !["--now", "1388957500"].contains(arg)).collect();
    let signed = ocisign(&args).good();
    let pem = command::key("test-key.pub.pem");
    let headers: Vec<_> = signed.lines().flat_map(|line| ["--header", line]).collect();
    let mut verify = vec!["verify", "--method", "POST", "--url", "https://h.example.com/a"];
    verify.extend(["--public-key-file", &pem]);
    verify.extend(headers);
    assert_eq!(ocisign(&verify).good(), "valid\n");
}

#[test]
fn a_token_is_bound_to_its_key_and_sent_without_its_line_end() {
    let directory = tempfile::tempdir().unwrap();
    let token = file(&directory, "token", format!("{}\r\n", token("instance-principal")));
    let (right, wrong) = (key("test-key.pem"), key("other-key.pem"));
    let args = |key| {
        let request = ["sign", "--method", "GET", "--url", "https://h/", "--token-file", &token];
        [&request[..], &["--key-file", key, "--now", "1388957500", "--json"]].concat()
    };
    let signed: Value = serde_json::from_str(&ocisign(&args(&right)).good()).unwrap();
    assert!(signed["authorization"].as_str().unwrap().contains("keyId=\"ST$ey"));
    let run = ocisign(&args(&wrong));
    assert_eq!(run.refused(), "KEY_MISMATCH");
    assert!(run.stderr.contains(&token), "{run:?}");
    let late: Vec<_> = args(&right)
        .into_iter()
        .map(|arg| if arg == "1388957500" { "4102444800" } else { arg })
        .collect();
    assert_eq!(ocisign(&late).refused(), "EXPIRED");
}

#[test]
fn a_key_id_that_is_a_token_is_taken_as_it_is() {
    let mut args = vec!["sign", "--method", "GET", "--url", "https://h/"];
    let key = key("test-key.pem");
    args.extend(["--key-id", "ST$not.a-jwt", "--key-file", &key]);
    assert!(ocisign(&args).good().contains("keyId=\"ST$not.a-jwt\""));
}

#[test]
fn one_line_end_of_a_passphrase_file_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let key = key("test-key.pkcs8-enc.pem");
    for (content, opens) in [
        ("test-passphrase", true),
        ("test-passphrase\n", true),
        ("test-passphrase\r\n", true),
        ("test-passphrase\n\n", false),
        ("test-passphrase ", false),
        ("test-passphrase\r", false),
    ] {
        let path = file(&directory, "passphrase", content);
        let run = ocisign(&post(&key, &["--passphrase-file", &path]));
        if opens {
            run.good();
        } else {
            assert_eq!(run.refused(), "INVALID_KEY");
        }
    }
}

#[test]
fn a_delegation_token_is_sent_and_signed() {
    let directory = tempfile::tempdir().unwrap();
    let token = file(&directory, "obo", "a.b.c\n");
    let key = key("test-key.pem");
    let signed = ocisign(&post(&key, &["--delegation-token-file", &token])).good();
    assert_eq!(header(&signed, "opc-obo-token"), "a.b.c");
    assert!(header(&signed, "authorization").contains("host opc-obo-token content-length"));
}

#[cfg(unix)]
#[test]
fn a_key_is_read_from_a_pipe() {
    let pem = fs::read(key("test-key.pem")).unwrap();
    let from_file = ocisign(&post(&key("test-key.pem"), &[])).good();
    assert_eq!(ocisign_with_stdin(&post("/dev/stdin", &[]), &pem).good(), from_file);
}

#[test]
fn each_refusal_has_its_code_and_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let good = key("test-key.pem");
    let of = |name: &str| key(name);
    let binary = file(&directory, "binary", b"\xff\xfe");
    let large = file(&directory, "large", vec![b'x'; (1 << 20) + 1]);
    let here = directory.path().to_str().unwrap();
    let cases: &[(&str, &[&str], &str, &str)] = &[
        ("no-such-file", &[], "FILE_UNREADABLE", "\"no-such-file\": not found"),
        (here, &[], "FILE_UNREADABLE", "is a directory"),
        (&binary, &[], "FILE_UNREADABLE", "not UTF-8"),
        (&large, &[], "FILE_UNREADABLE", "larger than 1,048,576 bytes"),
        (&good, &["--body-file", "no-such-file"], "FILE_UNREADABLE", "\"no-such-file\": not found"),
        (&good, &["--body-file", here], "FILE_UNREADABLE", "is a directory"),
        (&good, &["--passphrase-file", "no-such-file"], "FILE_UNREADABLE", "not found"),
        (&good, &["--delegation-token-file", "no-such-file"], "FILE_UNREADABLE", "not found"),
        (
            &of("oracle-docs-1024.pem"),
            &[],
            "INVALID_KEY",
            "oracle-docs-1024.pem\": the RSA key has 1024 bits",
        ),
        (&of("test-key.pub.pem"), &[], "INVALID_KEY", "test-key.pub.pem\": a public key"),
        (&of("test-key.pkcs8-enc.pem"), &[], "INVALID_KEY", "no passphrase"),
        (&of("ec-p256.pkcs8.pem"), &[], "INVALID_KEY", "not RSA"),
        (&good, &["--header", "content-length: 7"], "INVALID_HEADER", "`content-length`"),
        (&good, &["--header", "opc-obo-token: x"], "INVALID_HEADER", "`opc-obo-token`"),
        (&good, &["--header", ": x"], "INVALID_HEADER", ""),
        (
            &good,
            &["--delegation-token-file", &file(&directory, "empty", "")],
            "INVALID_HEADER",
            "`opc-obo-token`",
        ),
        (&good, &["--key-id", "a\"b"], "INVALID_KEY_ID", ""),
        (&good, &["--method", "G T"], "INVALID_METHOD", ""),
        (&good, &["--url", "https://h/a b"], "INVALID_URL", "' ' at offset 11"),
    ];
    for (key, more, code, message) in cases {
        // The first of an option given twice is the test's own.
        let mut args = post(key, &[]);
        for pair in more.chunks(2) {
            match args.iter().position(|arg| *arg == pair[0]) {
                Some(at) => args[at + 1] = pair[1],
                None => args.extend(pair),
            }
        }
        let run = ocisign(&args);
        assert_eq!(run.refused(), *code, "{more:?}");
        assert!(run.stderr.contains(message), "{run:?}");
    }
}

#[test]
fn no_secret_is_printed_whatever_goes_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let pem = fs::read_to_string(key("test-key.pem")).unwrap();
    let token = token("instance-principal");
    let passphrase = "correct horse battery staple";
    let key_file = file(&directory, "key.pem", &pem);
    let broken = file(&directory, "broken.pem", pem.replacen("MII", "MIJ", 1));
    let other = key("other-key.pem");
    let encrypted = key("test-key.pkcs8-enc.pem");
    let token_file = file(&directory, "token", &token);
    let bad_token = file(&directory, "bad-token", token.replacen("ey", "e!", 1));
    let two_lines = file(&directory, "two-lines", format!("{token}\n{token}"));
    let passphrase_file = file(&directory, "passphrase", passphrase);
    let config = file(
        &directory,
        "config",
        format!(
            "[DEFAULT]\nkey_file={key_file}\npass_phrase={passphrase}\nuser=u\n[X]\n{passphrase}\n"
        ),
    );
    let key_in_config = file(
        &directory,
        "config-2",
        format!("[DEFAULT]\nsecurity_token_file={token}\nkey_file={}\n", pem.replace('\n', "\\n")),
    );
    let authorization = format!("authorization: {token}");
    let with_token: &[&str] = &["--method", "GET", "--url", "https://h/", "--token-file"];
    let get: &[&str] = &["--method", "GET", "--url", "https://h/"];
    let runs: Vec<Vec<&str>> = vec![
        [with_token, &[&token_file, "--key-file", &other]].concat(),
        [with_token, &[&bad_token, "--key-file", &key_file]].concat(),
        [with_token, &[&key_file, "--key-file", &key_file]].concat(),
        [with_token, &[&token, "--key-file", &key_file]].concat(),
        [with_token, &[&token_file, "--key-file", &token_file]].concat(),
        [with_token, &[&token_file, "--key-file", &pem]].concat(),
        [with_token, &[&token_file, "--key-file", &broken]].concat(),
        [
            with_token,
            &[&token_file, "--key-file", &encrypted, "--passphrase-file", &passphrase_file],
        ]
        .concat(),
        [
            with_token,
            &[&token_file, "--key-file", &key_file, "--delegation-token-file", &two_lines],
        ]
        .concat(),
        [with_token, &[&token_file, "--key-file", &key_file, "--now", &token]].concat(),
        [with_token, &[&token_file, "--key-file", &key_file, "--header", &token]].concat(),
        [
            with_token,
            &[
                &token_file,
                "--key-file",
                &key_file,
                "--header",
                &authorization,
                "--header",
                &authorization,
            ],
        ]
        .concat(),
        [with_token, &[&token_file, "--key-file", &key_file, "--passphrase", passphrase]].concat(),
        [with_token, &[&token_file, "--key-file", &key_file, passphrase]].concat(),
        [with_token, &[&token_file, "--key-file", &key_file, &pem]].concat(),
        [get, &["--profile", "DEFAULT", "--config", &config]].concat(),
        [get, &["--profile", "X", "--config", &config]].concat(),
        [get, &["--profile", "DEFAULT", "--config", &key_in_config]].concat(),
        [get, &["--profile", "DEFAULT", "--config", &key_file]].concat(),
        [get, &["--profile", "DEFAULT", "--config", &token_file]].concat(),
    ];
    let mut secrets: Vec<&str> = pem.lines().filter(|line| !line.starts_with("---")).collect();
    secrets.extend(token.split('.'));
    secrets.extend(["correct", "horse"]);
    for args in runs {
        let run = ocisign(&[&["sign"], &args[..]].concat());
        assert_ne!(run.code, 0, "{run:?}");
        assert_eq!(run.stdout, "");
        for secret in &secrets {
            assert!(!run.stderr.contains(&secret[..secret.len().min(16)]), "{run:?}");
        }
    }
}

#[test]
fn the_private_key_is_in_no_output() {
    let pem = fs::read_to_string(key("test-key.pem")).unwrap();
    let key = key("test-key.pem");
    for more in [&[][..], &["--json"]] {
        let output = ocisign(&post(&key, more)).good();
        for line in pem.lines() {
            assert!(!output.contains(line));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_closed_pipe_are_failures_and_no_panics() {
    let key = key("test-key.pem");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command().args(post(&key, &[])).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("ocisign: OUTPUT_FAILED: "));

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command().args(post(&key, &[])).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"");
}

/// The token of this case, whose `jwk` is the test key.
fn token(id: &str) -> String {
    let cases = ocisign_vectors::cases(&["tokens.json"]);
    ocisign_vectors::text(&cases.iter().find(|case| case["id"] == id).unwrap()["token"])
}
