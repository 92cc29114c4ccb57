//! Tokens that are not to be had (10): for every kind of principal that is given one.

use std::sync::{Arc, Mutex};

use ocisign::{InstanceSource, ResourceSource, WorkloadSource};
use ocisign_emulator::{Config, Emulator, Fault, FaultKind, ResourcePrincipal};
use serde_json::json;

use crate::emulated::Emulated;
use crate::server::{Authority, Heard, Server, forward, http, with_claims, with_token};
use crate::watch::{Seen, signer};

type Change = Box<dyn Fn(&str) -> String + Send + Sync>;

/// What is to be done to the answers that give tokens.
#[derive(Default)]
enum Tamper {
    #[default]
    Nothing,
    Instead(Vec<u8>),
    Token(Change),
}

/// A principal with somebody between it and the one who gives tokens.
struct Tampered {
    emulated: Emulated,
    seen: Seen,
    tamper: Arc<Mutex<Tamper>>,
    /// Of the call that gives the token.
    path: &'static str,
    _files: tempfile::TempDir,
}

impl Tampered {
    fn all() -> [Self; 3] {
        [Self::instance(), Self::resource(), Self::workload()]
    }

    fn instance() -> Self {
        let (emulated, tamper) = start();
        let front = Server::start(between(&emulated.emulator, &tamper));
        let environment = emulated.environment(&[("OCI_SDK_AUTH_CLIENT_REGION_URL", &front.url())]);
        let seen = signer(environment, InstanceSource::new());
        Self { emulated, seen, tamper, path: "/v1/x509", _files: tempfile::tempdir().unwrap() }
    }

    fn resource() -> Self {
        let (mut emulated, tamper) = start();
        emulated.acting = Some(ResourcePrincipal::V2_1_1);
        let front = Server::start(between(&emulated.emulator, &tamper));
        let environment =
            emulated.environment(&[("OCI_RESOURCE_PRINCIPAL_RPST_ENDPOINT", &front.url())]);
        let seen = signer(environment, ResourceSource::new());
        let path = "/v1/resourcePrincipalSessionToken";
        Self { emulated, seen, tamper, path, _files: tempfile::tempdir().unwrap() }
    }

    fn workload() -> Self {
        let (emulated, tamper) = start();
        let (authority, files) = (Authority::new(), tempfile::tempdir().unwrap());
        let ca = files.path().join("ca.crt");
        std::fs::write(&ca, &authority.pem).unwrap();
        let front =
            Server::over_tls(authority.server("127.0.0.1"), between(&emulated.emulator, &tamper));
        let environment = emulated.environment(&[
            ("KUBERNETES_SERVICE_PORT_PROXYMUX", &front.port()),
            ("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH", &ca.to_string_lossy()),
        ]);
        let token = emulated.emulator.file("kubernetes/token");
        let seen = signer(environment, WorkloadSource::new().token_file(token));
        Self { emulated, seen, tamper, path: "/resourcePrincipalSessionTokens", _files: files }
    }

    fn set(&self, tamper: Tamper) {
        *self.tamper.lock().unwrap() = tamper;
    }

    /// The next refresh fails with this code, and what was there signs as before.
    #[track_caller]
    fn refused(&self, code: &str, what: &str) {
        let error = self.seen.signer.refresh().unwrap_err();
        assert_eq!(error.code(), code, "{} {what}: {error}", self.path);
        // What the whole succession refuses is no fault of a call.
        let named = error.to_string().contains(self.path) || code == "TENANCY_CHANGED";
        assert!(named, "{what}: {error}");
        assert!(!error.to_string().contains("eyJ"), "{error}");
        self.signs(1);
    }

    #[track_caller]
    fn signs(&self, generation: u64) {
        let (status, signed) = self.emulated.get(&self.seen.signer, "/20160918/regions").unwrap();
        assert_eq!((status, signed.generation()), (200, generation), "{}", self.path);
    }
}

fn start() -> (Emulated, Arc<Mutex<Tamper>>) {
    let config = Config { hosts: vec!["127.0.0.1".into()], ..Config::default() };
    (Emulated::start(config), Arc::default())
}

fn between(
    emulator: &Emulator,
    tamper: &Arc<Mutex<Tamper>>,
) -> impl Fn(&Heard) -> Vec<u8> + Send + Sync + use<> {
    let (url, tamper) = (emulator.url(), tamper.clone());
    move |heard| match &*tamper.lock().unwrap() {
        Tamper::Nothing => forward(&url, heard),
        Tamper::Instead(answer) => answer.clone(),
        Tamper::Token(change) => with_token(forward(&url, heard), change),
    }
}

#[test]
fn case_10_a_token_that_is_expired_not_yet_valid_or_none_is_refused_and_the_old_one_kept() {
    let claim = |name: &'static str, value: i64| -> Change {
        Box::new(move |token| with_claims(token, |claims| claims[name] = json!(value)))
    };
    for principal in Tampered::all() {
        principal.signs(1);
        let changes: [(&str, &str, Change); 7] = [
            ("EXPIRED", "expired", claim("exp", 1_700_000_000)),
            ("INVALID_ANSWER", "valid from 2100 on", claim("nbf", 4_102_444_800)),
            ("INVALID_TOKEN", "an expiry that is none", claim("exp", -1)),
            ("INVALID_TOKEN", "no JWT", Box::new(|_| "not a token".into())),
            ("INVALID_TOKEN", "half a token", Box::new(|token| token[..token.len() / 2].into())),
            ("INVALID_ANSWER", "empty", Box::new(|_| String::new())),
            ("EXCHANGE_UNREACHABLE", "endless", Box::new(|token| token.repeat(100))),
        ];
        for (code, what, change) in changes {
            principal.set(Tamper::Token(change));
            principal.refused(code, what);
        }
        for body in ["", "\"\"", "{}", "null", "[]", "{\"token\":7}", "\"e30=\"", "\u{0}", "<html>"]
        {
            principal.set(Tamper::Instead(http(200, "", body.as_bytes())));
            principal.refused("INVALID_ANSWER", body);
        }
        principal.set(Tamper::Nothing);
        principal.seen.signer.refresh().unwrap();
        principal.signs(2);
    }
}

#[test]
fn case_10_a_token_for_another_key_or_of_another_tenancy_is_refused_and_the_old_one_kept() {
    for principal in Tampered::all() {
        principal.signs(1);
        for (kind, code) in [
            (FaultKind::WrongJwk, "KEY_MISMATCH"),
            (FaultKind::OtherTenancy, "TENANCY_CHANGED"),
            (FaultKind::ExpiredToken, "EXPIRED"),
        ] {
            let on = format!("POST {}", principal.path);
            principal.emulated.emulator.set_faults(vec![Fault { on, kind, ..Fault::default() }]);
            principal.refused(code, code);
        }
        principal.emulated.emulator.set_faults(Vec::new());
        principal.seen.signer.refresh().unwrap();
        principal.signs(2);
    }
}
