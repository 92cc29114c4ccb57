//! Invariant 5: no bytes of tokens, keys and passphrases in errors, `Debug`, logs or files.
//! Alone in its file: a process has one logger.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![cfg(unix)]

mod emulated;
mod faults;

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::fs;
use std::process::Command;
use std::sync::Mutex;

use emulated::Emulated;
use faults::{KEY, OTHER_KEY, Virtual, parts, request, token};
use log::{Level, LevelFilter, Log, Metadata, Record};
use ocisign::{
    Chain, ConfigSource, Environment, EnvironmentSource, FnSource, InstanceSource, Refreshed,
    ResourceSource, SignError, Signer, Source, ValueSource, WorkloadSource,
};
use ocisign_emulator::{Config, Fault, FaultKind, ResourcePrincipal};

/// All that was logged: its level, who logged it, and what.
struct Kept(Mutex<Vec<(Level, String, String)>>);

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let text = record.args().to_string();
        self.0.lock().unwrap().push((record.level(), record.target().to_owned(), text));
    }

    fn flush(&self) {}
}

/// Which of these secrets a text shows twelve bytes of, or more.
fn shown<'a>(text: &str, secrets: &'a [(String, String)]) -> Option<&'a str> {
    let mut parts = HashMap::new();
    for (name, secret) in secrets {
        parts.extend(secret.as_bytes().windows(12).step_by(6).map(|part| (part, name.as_str())));
    }
    text.as_bytes().windows(12).find_map(|part| parts.get(part).copied())
}

/// The base64 of a PEM but its first line, in which all keys are alike; or the claims and the
/// signature of a token.
fn secret(text: &str) -> String {
    if text.contains("-----") {
        let lines = text.lines().filter(|line| !line.contains("-----") && !line.contains(':'));
        return lines.filter(|line| !line.is_empty()).skip(1).collect::<Vec<_>>().join("\n");
    }
    text.trim().split_once('.').map_or_else(|| text.to_owned(), |(_, rest)| rest.to_owned())
}

struct Seen {
    secrets: Vec<(String, String)>,
    text: String,
}

impl Seen {
    fn see(&mut self, what: &dyn Debug) {
        writeln!(self.text, "{what:?}\n{what:#?}").unwrap();
    }

    /// A signer of this source, whatever becomes of it.
    fn live(
        &mut self,
        emulated: &Emulated,
        name: &str,
        source: impl Source + Debug + 'static,
        more: &[(&str, &str)],
    ) {
        self.see(&source);
        // Its sleeps take no time.
        let builder = Signer::builder(source).clock(Virtual::new());
        let builder = builder.environment(emulated.environment(more));
        self.see(&builder);
        let signer = builder.on_refresh(|refreshed: &Refreshed<'_>| {
            log::info!("{refreshed:?}"); // as a program would log it
        });
        let signer = signer.build();
        self.see(&signer);
        match emulated.get(&signer, "/20160918/regions") {
            Ok((_, signed)) => {
                self.secrets.push((name.to_owned(), secret(&parts(&signed).0)));
                self.see(&signed);
                self.see(signer.identity().unwrap().as_ref());
            }
            Err(error) => {
                self.text.push_str(&error.to_string());
                self.see(&error);
            }
        }
        if let Err(error) = signer.refresh() {
            self.text.push_str(&error.to_string());
            self.see(&error);
        }
        self.see(&signer);
        self.see(&signer.status());
    }
}

#[test]
#[allow(clippy::too_many_lines)] // one list of all that could show one
fn nothing_that_is_printed_or_logged_shows_a_secret() {
    log::set_logger(&KEPT).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let mut emulated = Emulated::start(Config::default());
    let file = |name| fs::read_to_string(emulated.emulator.file(name)).unwrap();
    let encrypted = include_str!("../../vectors/keys/test-key.pkcs8-enc.pem");
    let own = token(KEY, 4_102_444_800, "1");
    let mut seen = Seen { secrets: Vec::new(), text: String::new() };
    for (name, text) in [
        ("the API key", file("api_key.pem")),
        ("the session's key", file("session/key.pem")),
        ("the session", file("session/token")),
        ("the function's key", file("resource_principal/private.pem")),
        ("the function's token", file("resource_principal/rpst")),
        ("the resource's key", file("resource.pem")),
        ("the pod's token", file("kubernetes/token")),
        ("test-key.pem", KEY.to_owned()),
        ("other-key.pem", OTHER_KEY.to_owned()),
        ("the encrypted key", encrypted.to_owned()),
        ("a token", own.clone()),
    ] {
        seen.secrets.push((name.to_owned(), secret(&text)));
    }
    for passphrase in ["correct-horse-battery", "/correct-as-a-path-is"] {
        seen.secrets.push(("a passphrase".to_owned(), passphrase.to_owned()));
    }

    // Everybody, over TLS too; then while the service misbehaves.
    let tls = emulated.emulator.tls_url();
    let pod = emulated.emulator.file("kubernetes/token");
    for fault in
        [None, Some(FaultKind::Garbage), Some(FaultKind::Truncated), Some(FaultKind::WrongJwk)]
    {
        let faults = fault.map(|kind| Fault { on: "POST *".into(), kind, ..Fault::default() });
        emulated.emulator.set_faults(faults.into_iter().collect());
        let over_tls = [("OCI_SDK_AUTH_CLIENT_REGION_URL", tls.as_str())];
        emulated.acting = None;
        seen.live(&emulated, "an instance's session", InstanceSource::new(), &[]);
        seen.live(&emulated, "an instance's session", InstanceSource::new(), &over_tls);
        seen.live(&emulated, "a pod's session", WorkloadSource::new().token_file(&pod), &[]);
        for profile in ["DEFAULT", "SESSION"] {
            let source = ConfigSource::new().profile(profile);
            let name = if profile == "SESSION" { "a session" } else { "" };
            seen.live(&emulated, name, source, &over_tls);
        }
        seen.live(&emulated, "", Chain::new(), &[]);
        for version in ["2.1.2", "2.2", "3.0"] {
            emulated.acting = Some(version.parse::<ResourcePrincipal>().unwrap());
            seen.live(&emulated, "a resource's session", ResourceSource::new(), &[]);
        }
    }
    // An API key's id is no secret.
    seen.secrets.retain(|(name, _)| !name.is_empty());

    // What people get wrong: secrets where paths belong, and paths that are none.
    let literal = [
        ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2"),
        ("OCI_RESOURCE_PRINCIPAL_RPST", own.as_str()),
        ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", encrypted),
    ];
    let passphrase = "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE";
    for passphrase in [(passphrase, "correct-horse-battery"), (passphrase, "/correct-as-a-path-is")]
    {
        let variables = [literal[0], literal[1], literal[2], passphrase];
        seen.live(&emulated, "", ResourceSource::new(), &variables);
    }
    for pair in [
        [
            ("OCI_RESOURCE_PRINCIPAL_RPST", KEY),
            ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", own.as_str()),
        ],
        [
            ("OCI_RESOURCE_PRINCIPAL_RPST", own.as_str()),
            ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", OTHER_KEY),
        ],
        [
            ("OCI_RESOURCE_PRINCIPAL_REGION", own.as_str()),
            ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", "/no/key"),
        ],
    ] {
        seen.live(
            &emulated,
            "",
            ResourceSource::new(),
            &[literal[0], literal[1], pair[0], pair[1]],
        );
    }
    for (name, value) in [
        ("OCI_CLI_KEY_FILE", KEY),
        ("OCI_CLI_KEY_CONTENT", own.as_str()),
        ("OCI_CLI_KEY_CONTENT", encrypted),
        ("OCI_CLI_SECURITY_TOKEN_FILE", own.as_str()),
        ("OCI_CLI_FINGERPRINT", KEY),
    ] {
        let user = [
            ("OCI_CLI_USER", "ocid1.user.oc1..a"),
            ("OCI_CLI_TENANCY", "ocid1.tenancy.oc1..a"),
            ("OCI_CLI_PASSPHRASE", "correct-horse-battery"),
            (name, value),
        ];
        seen.live(&emulated, "", EnvironmentSource::new(), &user);
        seen.live(&emulated, "", Chain::environment_only(), &user);
    }
    let credential = || ocisign::Credential::security_token(&own, faults::key(KEY));
    seen.see(&ValueSource::new(credential().unwrap()));
    seen.see(&Signer::from_credential(credential().unwrap()));
    seen.see(&credential().unwrap());
    let failing = FnSource::new(|| Err::<ocisign::Credential, _>(SignError::KeyMismatch));
    seen.see(&Signer::builder(failing).build().sign(&request()));
    seen.see(&Environment::of([("OCI_CLI_KEY_CONTENT", KEY)]));

    assert_eq!(shown(&format!("key: {OTHER_KEY}"), &seen.secrets), Some("other-key.pem"));
    assert_eq!(shown(&seen.text, &seen.secrets), None);
    assert!(seen.secrets.len() > 20 && seen.text.len() > 20_000);

    // ureq-proto logs each byte that it sends and receives at trace, sixteen a line; nothing
    // that a library does keeps it from that. All else is clean, and that below trace too.
    let kept = KEPT.0.lock().unwrap();
    let (mut rows, mut rest) = (0, String::new());
    for (level, target, text) in kept.iter() {
        if *level == Level::Trace && target == "ureq_proto::util" {
            rows += 1;
        } else {
            writeln!(rest, "{target}: {text}").unwrap();
        }
    }
    println!("{} records, of which {rows} are rows of bytes", kept.len());
    assert_eq!(shown(&rest, &seen.secrets), None);
    assert!(rest.contains("ureq"), "{rest}");
}

/// Run by the test below, in a process of its own.
#[test]
fn child() {
    if std::env::var_os("FAULTS_CHILD").is_none() {
        return;
    }
    for signer in
        [Signer::instance_principal(), Signer::resource_principal(), Signer::from_default()]
    {
        signer.sign(&request()).unwrap();
        signer.refresh().unwrap();
    }
}

#[test]
fn no_file_is_made() {
    let emulated = Emulated::start(Config::default());
    let empty = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child"])
        .envs(emulated.emulator.environment(Some(ResourcePrincipal::V2_2)))
        .envs(["TMPDIR", "HOME", "XDG_CACHE_HOME"].map(|name| (name, empty.path())))
        .env("FAULTS_CHILD", "1")
        .current_dir(empty.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(emulated.count("POST", "/v1/x509"), 2);
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}
