//! `ocisign secret get`: exactly the bytes, or none.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;
mod emulated;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use command::{Run, run};
use emulated::{Emulated, answer, serve};
use ocisign_emulator::{Config, FaultKind, ResourcePrincipal, SecretConfig};

const BYTES: &str = "\u{0}a\u{e9}\r\n\n";

fn start() -> Emulated {
    let versions = vec!["first".into(), "second".into(), BYTES.into()];
    let secrets = vec![SecretConfig { versions, ..SecretConfig::default() }];
    Emulated::start(Config { secrets, ..Config::default() })
}

fn get(emulated: &Emulated, more: &[&str]) -> Run {
    let id = emulated.environment("OCISIGN_EMULATOR_SECRET");
    let endpoint = emulated.emulator.tls_url();
    emulated.run(&[&["secret", "get", &id, "--endpoint", &endpoint], more].concat())
}

#[test]
fn the_bytes_are_printed_and_nothing_else() {
    let emulated = start();
    assert_eq!(get(&emulated, &[]).good(), BYTES);
    assert_eq!(get(&emulated, &["--newline"]).good(), format!("{BYTES}\n"));
    for (more, secret) in [
        (&["--version-number", "1"][..], "first"),
        (&["--stage", "PREVIOUS"], "second"),
        (&["--stage", "deprecated"], "first"),
        (&["--stage", "CURRENT"], BYTES),
        (&["--stage", "LATEST"], BYTES),
    ] {
        assert_eq!(get(&emulated, more).good(), secret, "{more:?}");
    }
}

#[test]
fn a_secret_is_found_by_its_name_as_every_kind_of_identity() {
    let mut emulated = start();
    let vault = emulated.environment("OCISIGN_EMULATOR_VAULT");
    let by_name = |emulated: &Emulated, more: &[&str]| {
        let args = ["secret", "get", "--name", "example", "--vault", &vault];
        let mut command = emulated.command(&[&args[..], more].concat());
        run(command.env("OCI_CLI_ENDPOINT", emulated.emulator.tls_url()), b"")
    };
    for more in [&[][..], &["--profile", "SESSION"], &["--auth", "instance_principal"]] {
        assert_eq!(by_name(&emulated, more).good(), BYTES);
    }
    assert_eq!(by_name(&emulated, &["--stage", "previous"]).good(), "second");
    emulated.acting = Some(ResourcePrincipal::V2_2);
    assert_eq!(by_name(&emulated, &[]).good(), BYTES);
}

#[test]
fn a_file_is_its_owners_alone_and_whole_or_as_it_was() {
    let emulated = start();
    let path = emulated.home.path().join("key");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let missing = get(&emulated, &["--output", "key", "--version-number", "9"]);
    assert_eq!(missing.refused(), "NOT_AUTHORIZED_OR_NOT_FOUND");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(get(&emulated, &["--output", "key"]).good(), "");
    assert_eq!(fs::read_to_string(&path).unwrap(), BYTES);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(emulated.files(), ["key"]);
    let count = emulated.emulator.log().len();
    assert_eq!(get(&emulated, &["--output", "no/such/folder"]).refused(), "OUTPUT_FAILED");
    assert_eq!(emulated.emulator.log().len(), count);
}

#[test]
fn what_passes_is_asked_again() {
    let emulated = start();
    for (kind, status) in [
        (FaultKind::Status, Some(503)),
        (FaultKind::Status, Some(429)),
        (FaultKind::Truncated, None),
        (FaultKind::Close, None),
    ] {
        emulated.fault("*", 2, kind, status);
        assert_eq!(get(&emulated, &[]).good(), BYTES, "{kind:?}");
    }
    let before = emulated.emulator.log().len();
    emulated.fault("*", 9, FaultKind::Status, Some(429));
    assert_eq!(get(&emulated, &[]).refused(), "TOO_MANY_REQUESTS");
    assert_eq!(emulated.emulator.log().len(), before + 4);
}

#[test]
fn retry_after_is_obeyed_or_given_up_at_once() {
    let emulated = start();
    let bundle = r#"{"secretBundleContent":{"contentType":"BASE64","content":"aGk="}}"#;
    let limited = |after: u32| answer(&format!("429 Slow Down\r\nretry-after: {after}"), "{}");
    let (url, server) = serve(vec![limited(2), answer("200 OK", bundle)]);
    let started = Instant::now();
    assert_eq!(emulated.run(&["secret", "get", "x", "--endpoint", &url]).good(), "hi");
    assert!(started.elapsed().as_secs() >= 2);
    server.join().unwrap();
    let (url, server) = serve(vec![limited(3_600)]);
    let run = emulated.run(&["secret", "get", "x", "--endpoint", &url]);
    assert_eq!(run.refused(), "TOO_MANY_REQUESTS");
    server.join().unwrap();
}

#[test]
fn a_401_is_answered_once_with_a_new_token() {
    let emulated = start();
    emulated.fault("GET /20190301/*", 1, FaultKind::Status, Some(401));
    assert_eq!(get(&emulated, &["--auth", "instance_principal"]).good(), BYTES);
    emulated.fault("GET /20190301/*", 9, FaultKind::Status, Some(401));
    assert_eq!(get(&emulated, &["--auth", "instance_principal"]).refused(), "NOT_AUTHENTICATED");
    assert_eq!(get(&emulated, &[]).refused(), "NOT_AUTHENTICATED");
}

#[test]
fn a_refusal_says_which_policy_is_usually_missing() {
    let mut emulated = start();
    emulated.emulator.set_policies(vec![], vec![NO_ONE.into()]).unwrap();
    let refused = |emulated: &Emulated, more: &[&str], policy: &str| {
        let run = get(emulated, more);
        assert_eq!(run.refused(), "NOT_AUTHORIZED_OR_NOT_FOUND");
        assert!(run.stderr.contains(policy), "{run:?}");
        assert!(run.stderr.contains("opc-request-id "), "{run:?}");
    };
    refused(&emulated, &[], "allow group … to read secret-bundles in compartment …");
    let group = "allow dynamic-group … to read secret-bundles in compartment …";
    refused(&emulated, &["--auth", "instance_principal"], group);
    emulated.acting = Some(ResourcePrincipal::V2_2);
    refused(&emulated, &[], group);
}

const NO_ONE: &str = "allow group nobody to read vcns in tenancy";

#[test]
fn what_came_and_is_no_secret_is_not_repeated() {
    let emulated = start();
    for body in [
        "hunter2".to_owned(),
        r#"{"secretBundleContent":{"contentType":"BASE64","content":"hunter2!"}}"#.to_owned(),
        r#"{"secretBundleContent":{"contentType":"BASE64"},"hunter2":1}"#.to_owned(),
        format!("\"hunter2{}\"", " ".repeat(300_000)),
    ] {
        let (url, server) = serve(vec![answer("200 OK", &body)]);
        let run = emulated.run(&["secret", "get", "x", "--endpoint", &url, "--output", "out"]);
        assert_eq!(run.refused(), "INVALID_SECRET");
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
        server.join().unwrap();
    }
    let moved = answer("307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/", "");
    let (url, server) = serve(vec![moved]);
    let run = emulated.run(&["secret", "get", "x", "--endpoint", &url]);
    assert_eq!(run.refused(), "REDIRECT_NOT_FOLLOWED");
    server.join().unwrap();
    assert!(emulated.files().is_empty());
}

#[test]
fn names_and_ids_are_escaped() {
    let emulated = start();
    let bundle = r#"{"secretBundleContent":{"contentType":"BASE64","content":""}}"#;
    let (url, server) = serve(vec![answer("200 OK", bundle); 2]);
    let args = ["secret", "get", "--name", "a/b &c", "--vault", "v", "--version-number", "2"];
    assert_eq!(emulated.run(&[&args[..], &["--endpoint", &url]].concat()).good(), "");
    assert_eq!(emulated.run(&["secret", "get", "a?b/..", "--endpoint", &url]).good(), "");
    let lines: Vec<_> = server.join().unwrap().into_iter().map(|it| it.request_line).collect();
    let query = "secretName=a%2Fb%20%26c&vaultId=v&versionNumber=2";
    assert_eq!(
        lines,
        [
            format!("POST /20190301/secretbundles/actions/getByName?{query} HTTP/1.1"),
            "GET /20190301/secretbundles/a%3Fb%2F.. HTTP/1.1".to_owned(),
        ]
    );
}

#[test]
fn without_region_and_endpoint_nothing_is_asked() {
    let emulated = start();
    let config = fs::read_to_string(emulated.emulator.file("config")).unwrap();
    let lines = config.lines().filter(|line| !line.replace(' ', "").starts_with("region="));
    let config = lines.collect::<Vec<_>>().join("\n");
    let config = command::file(&emulated.home, "config", config);
    let run = emulated.run(&["secret", "get", "x", "--config", &config]);
    assert_eq!(run.refused(), "REGION_UNKNOWN");
}
