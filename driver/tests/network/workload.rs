//! Pods: their service account's token (16), and the proxymux (17).

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocisign::{TransportFault, WorkloadSource};
use ocisign_emulator::{Config, Fault, FaultKind, WorkloadConfig};

use crate::emulated::Emulated;
use crate::server::{Authority, Server, forward, http};
use crate::watch::{Seen, signer};

/// A pod whose proxymux is a server of this test, in front of the emulator.
struct Pod {
    emulated: Emulated,
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Pod {
    fn new() -> Self {
        let config = Config { hosts: vec!["127.0.0.1".into()], ..Config::default() };
        let pod = Self {
            emulated: Emulated::start(config),
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new(),
        };
        fs::write(pod.path("ca.crt"), &pod.authority.pem).unwrap();
        fs::copy(pod.emulated.emulator.file("kubernetes/token"), pod.path("token")).unwrap();
        pod
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it does with this proxymux.
    fn with(&self, proxymux: &Server) -> Seen {
        let environment = self.emulated.environment(&[
            ("KUBERNETES_SERVICE_PORT_PROXYMUX", &proxymux.port()),
            ("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH", &self.path("ca.crt").to_string_lossy()),
        ]);
        signer(environment, WorkloadSource::new().token_file(self.path("token")))
    }

    fn proxymux(&self) -> Server {
        let url = self.emulated.emulator.url();
        Server::over_tls(self.authority.server("127.0.0.1"), move |heard| forward(&url, heard))
    }
}

fn token(claims: &str) -> String {
    ["e30", &URL_SAFE_NO_PAD.encode(claims), "c2ln"].join(".")
}

#[test]
fn case_16_the_service_account_token_is_read_anew_for_each_exchange() {
    let pod = Pod::new();
    let good = fs::read_to_string(pod.path("token")).unwrap();
    let (url, bearer) = (pod.emulated.emulator.url(), format!("Bearer {good}"));
    let rotated = token(r#"{"aud":["api"],"exp":4102444800}"#);
    let (own, others) = (rotated.clone(), bearer.clone());
    let proxymux = Server::over_tls(pod.authority.server("127.0.0.1"), move |heard| {
        let mut heard = heard.clone();
        heard.head = heard.head.replace(&format!("Bearer {own}"), &others);
        forward(&url, &heard)
    });
    let seen = pod.with(&proxymux);
    seen.signer.warm().unwrap();
    // As the kubelet writes it, with a line end that is not the token's.
    fs::write(pod.path("token"), [&rotated, "\n"].concat()).unwrap();
    seen.signer.refresh().unwrap();
    let bearers: Vec<String> = proxymux
        .heard()
        .iter()
        .map(|heard| heard.header("authorization").unwrap().into())
        .collect();
    assert_eq!(bearers, [bearer, format!("Bearer {rotated}")]);
    assert_eq!(seen.signer.status().generation, 2);
}

#[test]
fn case_16_an_expired_service_account_token_is_not_sent_and_the_error_names_expiry_and_audience() {
    let pod = Pod::new();
    let proxymux = pod.proxymux();
    let seen = pod.with(&proxymux);
    seen.signer.warm().unwrap();
    for (audience, shown) in
        [(r#""https://kubernetes""#, "https://kubernetes"), (r#"["one","two"]"#, "one, two")]
    {
        let expired = token(&format!(r#"{{"aud":{audience},"exp":1700000000}}"#));
        fs::write(pod.path("token"), &expired).unwrap();
        let error = seen.signer.refresh().unwrap_err();
        assert_eq!(error.code(), "EXPIRED");
        let said = format!(
            "the service account token is for {shown:?}, and expired at 1700000000 (seconds since \
             1970)"
        );
        assert!(error.to_string().ends_with(&said), "{error}");
        assert!(!error.to_string().contains(&expired[4..20]), "{error}");
    }
    assert_eq!(proxymux.heard().len(), 1);
    assert_eq!(pod.emulated.get(&seen.signer, "/20160918/regions").unwrap().0, 200);
}

#[test]
fn case_16_a_service_account_token_for_another_audience_is_refused_and_the_error_names_it() {
    let pod = Pod::new();
    let seen = pod.with(&pod.proxymux());
    fs::write(pod.path("token"), token(r#"{"aud":["vault"],"exp":4102444800}"#)).unwrap();
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_REFUSED");
    let said =
        "answered 401: the service account token is for \"vault\", and expires at 4102444800";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(seen.calls.all().len(), 1);
}

#[test]
fn case_17_a_basic_cluster_is_refused_with_the_hint_that_it_has_to_be_enhanced() {
    let workload = WorkloadConfig { enhanced: false, ..WorkloadConfig::default() };
    let emulated = Emulated::start(Config { workload, ..Config::default() });
    let token = emulated.emulator.file("kubernetes/token");
    let seen = signer(emulated.environment(&[]), WorkloadSource::new().token_file(token));
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_REFUSED");
    let said = "answered 403 NotAllowed; workload identity needs an enhanced cluster";
    assert!(error.to_string().ends_with(said), "{error}");
    assert_eq!(seen.calls.all().len(), 1);
}

#[test]
fn case_17_a_proxymux_that_fails_is_asked_three_times_and_named() {
    let pod = Pod::new();
    for status in [500, 502, 503] {
        let proxymux = Server::over_tls(pod.authority.server("127.0.0.1"), move |_| {
            http(status, "", b"upstream connect error")
        });
        let seen = pod.with(&proxymux);
        let error = seen.signer.warm().unwrap_err();
        assert_eq!(error.code(), "EXCHANGE_REFUSED");
        let said = format!("/resourcePrincipalSessionTokens: answered {status}");
        assert!(error.to_string().ends_with(&said), "{error}");
        assert_eq!(proxymux.heard().len(), 3);
    }
    let emulated = Emulated::start(Config::default());
    emulated.emulator.set_faults(vec![Fault {
        on: "POST /resourcePrincipalSessionTokens".into(),
        times: Some(2),
        kind: FaultKind::Close,
        ..Fault::default()
    }]);
    let token = emulated.emulator.file("kubernetes/token");
    let seen = signer(emulated.environment(&[]), WorkloadSource::new().token_file(token));
    seen.signer.warm().unwrap();
}

#[test]
fn case_17_the_clusters_authority_is_read_anew_for_each_refresh() {
    let pod = Pod::new();
    let proxymux = pod.proxymux();
    let seen = pod.with(&proxymux);
    seen.signer.warm().unwrap();
    let next = Authority::new();
    proxymux.set_tls(next.server("127.0.0.1"));
    let error = seen.signer.refresh().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_UNREACHABLE");
    assert_eq!(seen.calls.all().pop().unwrap().ended, Err(TransportFault::Tls));
    assert_eq!(pod.emulated.get(&seen.signer, "/20160918/regions").unwrap().0, 200);
    fs::write(pod.path("ca.crt"), [&*pod.authority.pem, &*next.pem].concat()).unwrap();
    seen.signer.refresh().unwrap();
    assert_eq!(seen.signer.status().generation, 2);
}

#[test]
fn case_17_what_the_pod_lacks_is_named_without_a_connection() {
    let pod = Pod::new();
    let proxymux = pod.proxymux();
    let port = proxymux.port();
    let ca = pod.path("ca.crt").to_string_lossy().into_owned();
    let nowhere = pod.path("nowhere").to_string_lossy().into_owned();
    for (change, code, words) in [
        (("KUBERNETES_SERVICE_HOST", ""), "MISSING_VARIABLE", "KUBERNETES_SERVICE_HOST: not set"),
        (
            ("KUBERNETES_SERVICE_PORT_PROXYMUX", "x"),
            "INVALID_VARIABLE",
            "KUBERNETES_SERVICE_PORT_PROXYMUX: not the number of a port",
        ),
        (
            ("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH", nowhere.as_str()),
            "EXCHANGE_UNREACHABLE",
            "authorities",
        ),
    ] {
        let environment = pod.emulated.environment(&[
            ("KUBERNETES_SERVICE_PORT_PROXYMUX", &port),
            ("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH", &ca),
            change,
        ]);
        let source = WorkloadSource::new().token_file(pod.path("token"));
        let error = signer(environment, source).signer.warm().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let seen = pod.with(&proxymux);
    fs::remove_file(pod.path("token")).unwrap();
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "FILE_UNREADABLE");
    assert!(error.to_string().contains("token"), "{error}");
    assert!(proxymux.heard().is_empty());
}
