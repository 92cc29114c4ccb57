//! Credentials from profiles, with files in a home of their own.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use ocisign::{Credential, KeyOptions, Profile, ProfileSource, SourceError};
use tempfile::TempDir;

/// A home directory with these files in it.
fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(home.path().join(name), content).unwrap();
    }
    home
}

fn key(name: &str) -> String {
    fs::read_to_string(ocisign_vectors::vectors().join("keys").join(name)).unwrap()
}

/// The token of this case, whose `jwk` is the test key.
fn token(id: &str) -> String {
    let cases = ocisign_vectors::cases(&["tokens.json"]);
    ocisign_vectors::text(&cases.iter().find(|case| case["id"] == id).unwrap()["token"])
}

fn load(home: &TempDir, text: &str) -> Result<Credential, SourceError> {
    let profile = Profile::parse(text, "DEFAULT").unwrap();
    ProfileSource::new(&profile).home(home.path()).credential()
}

fn code(home: &TempDir, text: &str) -> &'static str {
    load(home, text).unwrap_err().code()
}

#[test]
fn an_api_key_is_read_with_a_tilde_and_without() {
    let home = home(&[("key.pem", &key("test-key.pem"))]);
    let absolute = home.path().join("key.pem");
    for path in ["~/key.pem", absolute.to_str().unwrap()] {
        let credential = load(&home, &format!("{API_KEY}key_file={path}\n")).unwrap();
        assert_eq!(credential.key_id().as_str(), format!("t/u/{FINGERPRINT}"));
        assert!(credential.binding_checked());
    }
}

#[test]
fn the_passphrase_given_goes_before_the_profiles_own() {
    let home = home(&[("key.pem", &key("test-key.pkcs8-enc.pem"))]);
    let text = format!("{API_KEY}key_file=~/key.pem\n");
    assert!(load(&home, &format!("{text}pass_phrase=test-passphrase\n")).is_ok());
    assert!(load(&home, &format!("{text}passphrase=test-passphrase\n")).is_ok());
    for (own, reason) in [
        ("pass_phrase=wrong\n", "the passphrase does not open the private key"),
        ("pass_phrase=\n", "the private key is encrypted, and no passphrase was given"),
        ("", "the private key is encrypted, and no passphrase was given"),
    ] {
        let text = format!("{text}{own}");
        assert_eq!(load(&home, &text).unwrap_err().to_string(), reason);
        let profile = Profile::parse(&text, "DEFAULT").unwrap();
        let source = ProfileSource::new(&profile).home(home.path());
        assert!(
            source
                .key_options(KeyOptions::new().passphrase(b"test-passphrase"))
                .credential()
                .is_ok()
        );
    }
}

#[test]
fn a_security_token_needs_nothing_of_the_api_key_but_its_file() {
    let home = home(&[
        ("key.pem", &key("test-key.pem")),
        ("other.pem", &key("other-key.pem")),
        ("token", &format!("{}\n", token("instance-principal"))),
    ]);
    for kind in ["", "authentication_type=\n", "authentication_type=security_token\n"] {
        let text =
            format!("[DEFAULT]\n{kind}security_token_file=~/token\nkey_file=~/key.pem\nregion=x\n");
        let credential = load(&home, &text).unwrap();
        assert!(credential.key_id().as_str().starts_with("ST$ey"));
        assert!(credential.binding_checked());
        assert!(credential.expires().is_some());
        assert_eq!(code(&home, &text.replace("key.pem", "other.pem")), "KEY_MISMATCH");
    }
    assert_eq!(
        code(&home, "[DEFAULT]\nsecurity_token_file=~/key.pem\nkey_file=~/key.pem\n"),
        "INVALID_TOKEN"
    );
}

#[test]
fn an_authentication_type_of_api_key_goes_before_a_token_file() {
    let home = home(&[("key.pem", &key("test-key.pem")), ("token", "no token")]);
    let text = format!("{API_KEY}key_file=~/key.pem\nsecurity_token_file=~/token\n");
    assert_eq!(code(&home, &text), "INVALID_TOKEN");
    assert!(load(&home, &format!("{text}authentication_type=api_key\n")).is_ok());
    // And an empty one counts as none.
    assert!(load(&home, &text.replace("~/token", "")).is_ok());
}

#[test]
fn a_delegation_token_is_added_to_either() {
    let home = home(&[("key.pem", &key("test-key.pem")), ("obo", "a.b.c\n"), ("empty", "\n")]);
    let text = format!("{API_KEY}key_file=~/key.pem\ndelegation_token_file=~/obo\n");
    let credential = load(&home, &text).unwrap();
    assert!(format!("{credential:?}").contains("delegated: true"));
    assert_eq!(code(&home, &text.replace("~/obo", "~/empty")), "INVALID_HEADER");
}

#[test]
fn each_thing_that_is_missing_has_its_own_error() {
    let home =
        home(&[("key.pem", &key("test-key.pem")), ("weak.pem", &key("oracle-docs-1024.pem"))]);
    let whole = format!("{API_KEY}key_file=~/key.pem\n");
    for (from, to, code, message) in [
        ("user=u", "user=", "INVALID_PROFILE", "the profile does not set `user`"),
        ("key_file=~/key.pem", "", "INVALID_PROFILE", "the profile does not set `key_file`"),
        ("key.pem", "no.pem", "FILE_UNREADABLE", "not found"),
        ("~/key.pem", "~", "FILE_UNREADABLE", "is a directory"),
        (
            FINGERPRINT,
            "20:3b",
            "KEY_MISMATCH",
            "the private key is not the one that the security token or fingerprint names",
        ),
        ("key.pem", "weak.pem", "INVALID_KEY", "1024 bits"),
        (
            "user=u",
            "authentication_type=security_token",
            "INVALID_PROFILE",
            "`security_token_file`",
        ),
        (
            "user=u",
            "authentication_type=instance_principal",
            "UNSUPPORTED_AUTHENTICATION",
            "OCI_CLI_AUTH or authentication_type asks for \"instance_principal\", which is none that is known here",
        ),
        (
            "user=u",
            "authentication_type=hunter2 -----BEGIN",
            "UNSUPPORTED_AUTHENTICATION",
            "\"hunter2\"",
        ),
    ] {
        let error = load(&home, &whole.replace(from, to)).unwrap_err();
        assert_eq!(error.code(), code, "{to}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let profile = Profile::parse(&whole, "DEFAULT").unwrap();
    let error = ProfileSource::new(&profile).credential().unwrap_err();
    assert_eq!(error.to_string(), "\"~/key.pem\": the home directory is not known");
}

#[test]
fn a_weak_key_is_taken_only_when_asked() {
    let home = home(&[("key.pem", &key("oracle-docs-1024.pem"))]);
    let text = format!("{API_KEY}key_file=~/key.pem\n")
        .replace(FINGERPRINT, "73:61:a2:21:67:e0:df:be:7e:4b:93:1e:15:98:a5:b7");
    let profile = Profile::parse(&text, "DEFAULT").unwrap();
    let source = ProfileSource::new(&profile).home(home.path());
    assert_eq!(source.credential().unwrap_err().code(), "INVALID_KEY");
    assert!(source.key_options(KeyOptions::new().danger_allow_weak_key(true)).credential().is_ok());
}

#[test]
fn debug_shows_no_passphrase() {
    let profile = Profile::parse("[DEFAULT]\npass_phrase=hunter2\n", "DEFAULT").unwrap();
    let options = KeyOptions::new().passphrase(b"hunter2");
    let text = format!("{:?}", ProfileSource::new(&profile).key_options(options));
    assert!(!text.contains("hunter2") && !text.contains("104, 117"), "{text}");
}

const FINGERPRINT: &str = "e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee";
const API_KEY: &str =
    "[DEFAULT]\ntenancy=t\nuser=u\nfingerprint=e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee\n";
