//! `ocisign sign --profile`, with a home of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;

use std::fs;

use command::{Run, command, file, key, run};
use tempfile::TempDir;

const FINGERPRINT: &str = "e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee";

/// A home with a key and this configuration in it.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".oci")).unwrap();
    file(&home, ".oci/config", config);
    file(&home, ".oci/key.pem", fs::read(key("test-key.pkcs8-enc.pem")).unwrap());
    home
}

fn sign(home: &TempDir, more: &[&str]) -> Run {
    let get = ["sign", "--method", "GET", "--url", "https://h/", "--now", "1388957500"];
    run(command().env("HOME", home.path()).args(get).args(more), b"")
}

fn config() -> String {
    format!(
        "[DEFAULT]\ntenancy=t\nuser=u\nfingerprint={FINGERPRINT}\nkey_file=~/.oci/key.pem\n\
         region=us-phoenix-1\n[OPEN]\npass_phrase=test-passphrase\n[OTHER]\nuser=v\n\
         pass_phrase=wrong\n[METAL]\nauthentication_type=instance_principal\n\
         [STRANGE]\nauthentication_type=magic\n"
    )
}

#[test]
fn the_profile_of_the_home_signs() {
    let home = home(&config());
    let signed = sign(&home, &["--profile", "OPEN"]).good();
    assert!(signed.contains(&format!("keyId=\"t/u/{FINGERPRINT}\"")), "{signed}");
}

#[test]
fn the_passphrase_file_goes_before_the_profile() {
    let home = home(&config());
    let passphrase = file(&home, "passphrase", "test-passphrase\n");
    for profile in ["DEFAULT", "OTHER"] {
        assert_eq!(sign(&home, &["--profile", profile]).refused(), "INVALID_KEY");
        sign(&home, &["--profile", profile, "--passphrase-file", &passphrase]).good();
    }
}

#[test]
fn another_configuration_may_be_named_and_its_tilde_is_the_home() {
    let home = home("");
    let elsewhere = file(&home, "elsewhere", config());
    sign(&home, &["--profile", "OPEN", "--config", &elsewhere]).good();
}

#[test]
fn a_delegation_token_goes_with_a_profile() {
    let home = home(&config());
    let token = file(&home, "obo", "a.b.c\n");
    let signed = sign(&home, &["--profile", "OPEN", "--delegation-token-file", &token]).good();
    assert!(signed.contains("\nopc-obo-token: a.b.c\n"), "{signed}");
}

#[test]
fn refusals_have_their_code_and_name_the_configuration() {
    let home = home(&config());
    for (args, code) in [
        (&["--profile", "NONE"][..], "PROFILE_NOT_FOUND"),
        (&["--profile", "STRANGE"], "UNSUPPORTED_AUTHENTICATION"),
        (&["--profile", "METAL", "--allow-weak-key"], "UNSUPPORTED_AUTHENTICATION"),
        (&["--profile", "OPEN", "--config", "no-such-file"], "FILE_UNREADABLE"),
    ] {
        assert_eq!(sign(&home, args).refused(), code);
    }
    let run = sign(&home, &["--profile", "NONE"]);
    assert!(run.stderr.contains(".oci/config\": the configuration has no profile"), "{run:?}");

    for (from, to, code) in [
        ("tenancy=t\n", "", "INVALID_PROFILE"),
        ("tenancy=t\n", "nonsense\n", "INVALID_PROFILE"),
        (FINGERPRINT, "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34", "KEY_MISMATCH"),
        ("/key.pem", "/no.pem", "FILE_UNREADABLE"),
    ] {
        let elsewhere = file(&home, "elsewhere", config().replace(from, to));
        let args = ["--profile", "OPEN", "--config", &elsewhere];
        assert_eq!(sign(&home, &args).refused(), code, "{to}");
    }
}
