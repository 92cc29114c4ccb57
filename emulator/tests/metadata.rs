//! The metadata service, and the certificates that it gives.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::thread;
use std::time::{Duration, Instant};

use plain::{
    COMPARTMENT, Caller, Digest, INSTANCE, Identity, SESSION_PEM, TENANCY, call, der, metadata,
    now, reason, start, start_toml,
};
use serde_json::json;
use x509_parser::prelude::{FromDer, X509Certificate};

const BEARER: [(&str, &str); 1] = [("authorization", "Bearer Oracle")];

#[test]
fn metadata_wants_its_header_and_no_proxy() {
    let emulator = start();
    let url = emulator.url();
    let path = "/opc/v2/instance/";
    call(&url, "GET", path, &[], &[]).with(401);
    assert!(reason(&emulator).contains("Bearer Oracle"));
    for wrong in ["Bearer oracle", "Oracle", "Bearer Oracle2", ""] {
        call(&url, "GET", path, &[("authorization", wrong)], &[]).with(401);
    }
    for name in ["X-Forwarded-For", "Forwarded", "X-Forwarded-Host"] {
        let headers = [BEARER[0], (name, "10.0.0.1")];
        call(&url, "GET", path, &headers, &[]).with(403);
        assert!(reason(&emulator).contains(&name.to_ascii_lowercase()));
    }
    call(&url, "GET", path, &BEARER, &[]).with(200);
}

#[test]
fn metadata_of_version_1_is_not_there() {
    let emulator = start();
    for path in ["/opc/v1/instance/", "/opc/v1/identity/cert.pem", "/opc/", "/opc/v3/instance"] {
        for headers in [&[][..], &BEARER] {
            call(&emulator.url(), "GET", path, headers, &[]).with(404);
        }
    }
    call(&emulator.url(), "POST", "/opc/v2/instance/", &BEARER, &[]).with(404);
}

#[test]
fn metadata_has_every_path_that_clients_ask() {
    let emulator = start();
    let url = emulator.url();
    for path in ["instance", "instance/"] {
        let all = metadata(&url, path).with(200).json();
        assert_eq!((&all["id"], &all["tenantId"]), (&json!(INSTANCE), &json!(TENANCY)));
        assert_eq!(all["compartmentId"], COMPARTMENT);
        assert_eq!(all["regionInfo"]["realmDomainComponent"], "oraclecloud.com");
    }
    for (path, text) in [
        ("instance/id", INSTANCE),
        ("instance/compartmentId", COMPARTMENT),
        ("instance/region", "iad"),
        ("instance/canonicalRegionName", "us-ashburn-1"),
    ] {
        let reply = metadata(&url, path).with(200);
        assert_eq!((reply.text(), reply.header("content-type")), (text, Some("text/plain")));
    }
    let region = metadata(&url, "instance/regionInfo").with(200).json();
    assert_eq!((&region["regionKey"], &region["realmKey"]), (&json!("IAD"), &json!("oc1")));
    for (name, label) in [
        ("cert.pem", "CERTIFICATE"),
        ("key.pem", "RSA PRIVATE KEY"),
        ("intermediate.pem", "CERTIFICATE"),
    ] {
        let reply = metadata(&url, &format!("identity/{name}")).with(200);
        assert!(reply.text().starts_with(&format!("-----BEGIN {label}-----\n")));
    }
    for path in ["", "identity", "identity/", "identity/key", "instance/nothing", "vnics/"] {
        metadata(&url, path).with(404);
    }
}

/// Whether one certificate has signed the other, both in PEM.
fn has_signed(issuer: &str, subject: &str) -> bool {
    let (issuer, subject) = (der(issuer), der(subject));
    let (_, issuer) = X509Certificate::from_der(&issuer).unwrap();
    let (_, subject) = X509Certificate::from_der(&subject).unwrap();
    subject.issuer() == issuer.subject()
        && subject.verify_signature(Some(issuer.public_key())).is_ok()
}

#[test]
fn the_root_certificate_ends_the_chain() {
    let emulator = start();
    let url = emulator.url();
    let path = "/v1/instancePrincipalRootCACertificates";
    call(&url, "GET", path, &[], &[]).with(401);
    let roots = Caller::user(&url).get(path).with(200).json();
    let root = roots["certificates"][0].as_str().unwrap();
    let identity = Identity::of(&url);
    assert!(has_signed(root, root));
    assert!(has_signed(root, &identity.intermediate));
    assert!(has_signed(&identity.intermediate, &identity.certificate));
    assert!(!has_signed(root, &identity.certificate));
    assert!(roots["refreshIn"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn the_certificate_is_replaced_in_time_and_the_old_one_is_still_chained() {
    let emulator = start_toml("[lifetimes]\ncertificate = 2");
    let url = emulator.url();
    let mut seen = vec![Identity::of(&url)];
    let start = Instant::now();
    while seen.len() < 3 && start.elapsed() < Duration::from_secs(25) {
        let identity = Identity::of(&url);
        if seen.last().unwrap().certificate != identity.certificate {
            seen.push(identity);
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(seen.len(), 3);
    for pair in seen.windows(2) {
        assert_ne!(pair[0].key, pair[1].key);
        assert_eq!(pair[0].intermediate, pair[1].intermediate);
    }
    for identity in &seen {
        assert!(has_signed(&identity.intermediate, &identity.certificate));
    }
}

#[test]
fn certificates_old_and_new_are_both_taken_until_they_expire() {
    let emulator = start_toml("[lifetimes]\ncertificate = 100000");
    let url = emulator.url();
    let old = Identity::of(&url);
    emulator.rotate_certificate().unwrap();
    let new = Identity::of(&url);
    assert_ne!(old, new);
    for identity in [&old, &new] {
        identity.federate(&url, SESSION_PEM).with(200);
    }
    call(&url, "POST", "/emulator/rotate", &[], &[]).with(204);
    assert_ne!(Identity::of(&url).certificate, new.certificate);
    new.federate(&url, SESSION_PEM).with(200);
}

#[test]
fn a_certificate_is_renewed_after_half_of_its_life_by_the_emulators_clock() {
    let emulator = start_toml("[lifetimes]\ncertificate = 100000");
    let url = emulator.url();
    let old = Identity::of(&url);
    emulator.set_time(i64::try_from(now()).unwrap() + 50_001);
    let start = Instant::now();
    while Identity::of(&url) == old {
        assert!(start.elapsed() < Duration::from_secs(15));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_instance_federates_at_whatever_time_the_clock_is_set_to() {
    let emulator = start();
    let url = emulator.url();
    let mut refused = Vec::new();
    for time in [1_388_957_500, 1_700_000_000, 1_900_000_000, 4_000_000_000] {
        emulator.set_time(time);
        thread::sleep(Duration::from_millis(2_500));
        let identity = Identity::of(&url);
        let key_id = identity.key_id(Digest::Sha256);
        let caller = Caller::new(&url, &key_id, &identity.key).at(u64::try_from(time).unwrap());
        if caller.post("/v1/x509", &identity.details(SESSION_PEM)).status != 200 {
            refused.push((time, reason(&emulator)));
        }
    }
    assert_eq!(refused, []);
}
