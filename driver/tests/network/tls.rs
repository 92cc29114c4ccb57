//! Who proves by TLS to be whom (29).

use std::fs;
use std::path::{Path, PathBuf};

use ocisign::{InstanceSource, TransportFault};
use ocisign_emulator::Config;

use crate::emulated::Emulated;
use crate::server::{Authority, Server, forward};
use crate::watch::{Seen, signer};

/// An instance, and an authentication service behind TLS that is this test's.
struct Secured {
    emulated: Emulated,
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Secured {
    fn new() -> Self {
        let config = Config { hosts: vec!["127.0.0.1".into()], ..Config::default() };
        let secured = Self {
            emulated: Emulated::start(config),
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new(),
        };
        fs::write(secured.path("ca.pem"), &secured.authority.pem).unwrap();
        secured
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn service(&self, tls: std::sync::Arc<rustls::ServerConfig>) -> Server {
        let url = self.emulated.emulator.url();
        Server::over_tls(tls, move |heard| forward(&url, heard))
    }

    /// What an instance does that trusts by this variable what is at this path.
    fn trusting(&self, service: &str, variable: &str, path: &Path) -> Seen {
        let environment = self.emulated.environment(&[
            ("OCI_SDK_AUTH_CLIENT_REGION_URL", service),
            ("OCI_DEFAULT_CERTS_PATH", ""),
            (variable, &path.to_string_lossy()),
        ]);
        signer(environment, InstanceSource::new())
    }

    #[track_caller]
    fn refused(&self, service: &str) {
        let seen = self.trusting(service, "OCI_DEFAULT_CERTS_PATH", &self.path("ca.pem"));
        not_proven(&seen);
    }
}

#[track_caller]
fn not_proven(seen: &Seen) {
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_UNREACHABLE");
    assert_eq!(seen.calls.all().pop().unwrap().ended, Err(TransportFault::Tls), "{error}");
    let said = "/v1/x509: the server did not prove by TLS who it is";
    assert!(error.to_string().ends_with(said), "{error}");
    // Once: asking again proves no more.
    let calls = seen.calls.all().iter().filter(|call| call.line.contains("/v1/x509")).count();
    assert_eq!(calls, 1);
}

#[test]
fn case_29_an_authority_that_nobody_configured_is_not_trusted() {
    let secured = Secured::new();
    let service = secured.service(secured.authority.server("127.0.0.1"));
    not_proven(&secured.trusting(&service.url(), "OCI_DEFAULT_CERTS_PATH", Path::new("")));
    let own = secured.emulated.emulator.ca_file();
    not_proven(&secured.trusting(&service.url(), "OCI_DEFAULT_CERTS_PATH", &own));
    not_proven(&secured.trusting(&service.url(), "SSL_CERT_FILE", &own));
    // Not the system's either: what replaces them was not to be read.
    not_proven(&secured.trusting(&service.url(), "SSL_CERT_FILE", Path::new("/nowhere")));
    assert!(service.heard().is_empty());
}

#[test]
fn case_29_an_authority_is_trusted_by_a_file_a_folder_or_the_variables_of_openssl() {
    let secured = Secured::new();
    let folder = secured.path("folder");
    fs::create_dir(&folder).unwrap();
    fs::copy(secured.path("ca.pem"), folder.join("company.crt")).unwrap();
    fs::write(folder.join("README"), "not a certificate").unwrap();
    let service = secured.service(secured.authority.server("127.0.0.1"));
    for (variable, path) in [
        ("OCI_DEFAULT_CERTS_PATH", secured.path("ca.pem")),
        ("OCI_DEFAULT_CERTS_PATH", folder.clone()),
        ("SSL_CERT_FILE", secured.path("ca.pem")),
        ("SSL_CERT_DIR", folder),
    ] {
        secured.trusting(&service.url(), variable, &path).signer.warm().unwrap();
    }
}

#[test]
fn case_29_authorities_that_cannot_be_read_are_an_error_that_names_the_variable() {
    let secured = Secured::new();
    let service = secured.service(secured.authority.server("127.0.0.1"));
    let seen =
        secured.trusting(&service.url(), "OCI_DEFAULT_CERTS_PATH", &secured.path("nowhere.pem"));
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_UNREACHABLE");
    assert!(error.to_string().contains("OCI_DEFAULT_CERTS_PATH"), "{error}");
}

#[test]
fn case_29_a_certificate_for_another_name_is_refused() {
    let secured = Secured::new();
    for name in ["localhost", "auth.us-ashburn-1.oraclecloud.com", "127.0.0.2"] {
        let service = secured.service(secured.authority.server(name));
        secured.refused(&service.url());
        assert!(service.heard().is_empty());
    }
}

#[test]
fn case_29_a_server_that_knows_tls_1_2_alone_will_do_as_will_one_of_1_3() {
    let secured = Secured::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let tls = secured.authority.server_of("127.0.0.1", &[version]);
        let service = secured.service(tls);
        let path = secured.path("ca.pem");
        secured.trusting(&service.url(), "OCI_DEFAULT_CERTS_PATH", &path).signer.warm().unwrap();
    }
}

#[test]
fn case_29_what_speaks_tls_1_1_or_none_at_all_is_refused() {
    let secured = Secured::new();
    let plain = Server::raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec());
    secured.refused(&plain.replace("http:", "https:"));
    // RFC 5246, section 7.4.1.3: a server hello that chooses version 3.2, which is TLS 1.1.
    let mut hello = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 47, 0]);
    secured.refused(&Server::raw(hello).replace("http:", "https:"));
}
