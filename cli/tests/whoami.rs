//! `ocisign whoami`, as every kind of principal, and `sign` with the same identity.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;
mod emulated;

use std::process::{Command, Stdio};

use command::{command, file, run};
use emulated::Emulated;
use ocisign_emulator::{Config, ResourcePrincipal};
use serde_json::Value;

fn json(emulated: &Emulated, more: &[&str]) -> Value {
    let args = [&["whoami", "--json"], more].concat();
    serde_json::from_str(&emulated.run(&args).good()).unwrap()
}

/// The value behind a label.
fn row<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.split("  ").next() == Some(label));
    line.and_then(|line| line.get(13..))
}

#[test]
fn a_user_is_named_with_key_or_session() {
    let emulated = Emulated::start(Config::default());
    let text = emulated.run(&["whoami"]).good();
    assert_eq!(row(&text, "identity"), Some("api_key"));
    assert!(row(&text, "found by").unwrap().starts_with("profile \"DEFAULT\" of "), "{text}");
    assert_eq!(row(&text, "subject"), Some("ocid1.user.oc1..aaaaaaaaexampleuser"));
    assert_eq!(row(&text, "region"), Some("us-ashburn-1, realm oc1"));
    assert_eq!(row(&text, "expires"), None);
    let reason = "resource_principal: OCI_RESOURCE_PRINCIPAL_VERSION is not set";
    assert_eq!(row(&text, "not"), Some(reason));

    let session = json(&emulated, &["--profile", "SESSION"]);
    assert_eq!(session["kind"], "security_token");
    assert_eq!(session["subject"], "ocid1.user.oc1..aaaaaaaaexampleuser");
    assert_eq!(session["tenancy"], "ocid1.tenancy.oc1..aaaaaaaaexampletenancy");
    let lives = session["expires"].as_u64().unwrap() - session["issued"].as_u64().unwrap();
    assert!(session["remaining"].as_u64().unwrap() <= lives);
}

#[test]
fn an_instance_is_named_with_its_compartment_and_how_long_still() {
    let emulated = Emulated::start(Config::default());
    let text = emulated.run(&["whoami", "--auth", "instance_principal"]).good();
    assert_eq!(row(&text, "identity"), Some("instance_principal"));
    assert_eq!(row(&text, "subject"), Some("ocid1.instance.oc1.iad.anuwexampleinstance"));
    assert_eq!(row(&text, "type"), Some("instance"));
    let compartment = "ocid1.compartment.oc1..aaaaaaaaexamplecompartment";
    assert_eq!(row(&text, "compartment"), Some(compartment));
    assert!(row(&text, "issued").unwrap().ends_with(" GMT"), "{text}");
    assert!(row(&text, "expires").unwrap().contains(" GMT, in 19 min "), "{text}");
}

#[test]
fn a_resource_is_named_in_every_version() {
    for version in ["1.1", "2.1", "2.1.1", "2.1.2", "2.2", "3.0"] {
        let mut emulated = Emulated::start(Config::default());
        emulated.acting = Some(version.parse::<ResourcePrincipal>().unwrap());
        let who = json(&emulated, &[]);
        assert_eq!(who["kind"], "resource_principal", "{version}");
        assert_eq!(who["origin"], format!("OCI_RESOURCE_PRINCIPAL_VERSION is {version}"));
        assert!(who["subject"].as_str().unwrap().starts_with("ocid1.fn"), "{who}");
        assert!(who["claims"]["res_type"].as_str().unwrap().starts_with("fn"), "{who}");
        assert_eq!(who["region"]["id"], "us-ashburn-1", "{version}");
        assert!(who["claims"].get("jwk").is_none());
    }
}

/// Its token is at one place only: in a mount namespace of its own, where there may be one.
#[test]
fn a_pod_is_named_with_its_namespace_and_account() {
    let emulated = Emulated::start(Config::default());
    let token = emulated.emulator.file("kubernetes/token");
    let script = "mount -t tmpfs none /run && folder=/var/run/secrets/kubernetes.io/serviceaccount \
                  && mkdir -p $folder && cp \"$1\" $folder/token && shift && exec \"$@\"";
    let unshared = |args: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        command.arg(&token).args(args);
        emulated.surround(&mut command);
        command
    };
    let can = unshared(&["true"]).stderr(Stdio::null()).status();
    if !can.is_ok_and(|status| status.success()) {
        return;
    }
    let text = run(&mut unshared(&[env!("CARGO_BIN_EXE_ocisign"), "whoami"]), b"").good();
    assert_eq!(row(&text, "identity"), Some("oke_workload_identity"));
    assert_eq!(row(&text, "workload"), Some("example in namespace default"));
}

#[test]
fn where_there_is_nobody_it_is_said_what_was_looked_for() {
    let home = tempfile::tempdir().unwrap();
    let mut whoami = command();
    whoami.arg("whoami").env("HOME", home.path());
    for name in ["OCI_CLI_CONFIG_FILE", "OCI_CONFIG_FILE", "OCI_RESOURCE_PRINCIPAL_VERSION"] {
        whoami.env_remove(name);
    }
    let nobody = run(whoami.env("OCI_METADATA_BASE_URL", "http://127.0.0.1:1/opc/v2"), b"");
    assert_eq!(nobody.refused(), "NO_CREDENTIAL");
    for reason in [
        "resource_principal: OCI_RESOURCE_PRINCIPAL_VERSION is not set",
        "oke_workload_identity: ",
        "api_key: OCI_CLI_USER and OCI_CLI_KEY_CONTENT are not set",
        ".oci/config is not there",
        "instance_principal: nobody answers at http://127.0.0.1:1/opc/v2",
    ] {
        assert!(nobody.stderr.contains(reason), "{reason}: {nobody:?}");
    }
}

#[test]
fn a_broken_profile_is_named_with_its_file() {
    let emulated = Emulated::start(Config::default());
    let config = file(&emulated.home, "elsewhere", "[DEFAULT]\nuser=u\n[X]\nnonsense\n");
    let refused = emulated.run(&["whoami", "--config", &config]);
    assert_eq!(refused.refused(), "INVALID_PROFILE");
    assert!(refused.stderr.contains("elsewhere\": "), "{refused:?}");
    let refused = emulated.run(&["whoami", "--profile", "NONE"]);
    assert_eq!(refused.refused(), "PROFILE_NOT_FOUND");
    let path = emulated.emulator.file("config");
    assert!(refused.stderr.contains(path.to_str().unwrap()), "{refused:?}");
}

#[test]
fn sign_without_a_key_signs_as_whoami_says() {
    let mut emulated = Emulated::start(Config::default());
    let sign = ["sign", "--method", "GET", "--url", "https://h/"];
    let signed = emulated.run(&sign).good();
    assert!(signed.contains("keyId=\"ocid1.tenancy.oc1..aaaaaaaaexampletenancy/ocid1.user"));
    let args = [&sign[..], &["--auth", "instance_principal"]].concat();
    assert!(emulated.run(&args).good().contains("keyId=\"ST$"));
    let args = [&sign[..], &["--profile", "SESSION", "--x-date"]].concat();
    assert!(emulated.run(&args).good().starts_with("x-date: "));
    emulated.acting = Some(ResourcePrincipal::V2_2);
    assert!(emulated.run(&sign).good().contains("keyId=\"ST$"));
}

/// Whoever opened it would wait for a writer for ever.
#[test]
fn a_function_signs_without_the_network_and_without_certificates() {
    let mut emulated = Emulated::start(Config::default());
    emulated.acting = Some(ResourcePrincipal::V2_2);
    let fifo = emulated.home.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut sign = emulated.command(&["sign", "--method", "GET", "--url", "https://h/"]);
    for name in ["OCI_DEFAULT_CERTS_PATH", "SSL_CERT_FILE"] {
        sign.env(name, &fifo);
    }
    run(&mut sign, b"").good();
    assert!(emulated.emulator.log().is_empty());
}
