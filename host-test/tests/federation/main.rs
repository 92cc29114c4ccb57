//! Every exchange of `ocisign-federation.wasm`, with the emulator at the other end and all
//! sending on this side.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use ocisign::{KeyOptions, NativeKey, PrivateKeyDer};
use ocisign_emulator::{Fault, FaultKind, ResourcePrincipal};
use ocisign_host_test::federation::exports::ocisign::signing as world;

use host::{ENTROPY, Host, SESSION_KEY, emulator, environment, is_accepted};
use world::exchanges::{
    DomainApplication, DomainClient, DomainResource, Endpoint, Environment, Step,
};
use world::types::KeyMaterial;

mod host;
mod hostile;
mod http;
mod limits;

#[test]
fn an_instance_becomes_a_principal_with_a_key_made_in_the_guest() {
    let (emulator, mut host) = (emulator(), Host::new());
    let environment = environment(&emulator, None, &mut host);
    let made = |host: &mut Host| {
        let exchange = host
            .call(|guest, store| guest.call_instance_principal(store, &environment, None, ENTROPY))
            .unwrap()
            .unwrap();
        assert!(host.region(exchange).is_none());
        let key = host.run(exchange, &emulator).unwrap();
        assert_eq!(host.region(exchange).unwrap().id, "us-ashburn-1");
        key
    };
    let key = made(&mut host);
    assert!(key.key_id.starts_with("ST$") && key.expires > Some(host::now()), "{key:?}");
    assert!(is_accepted(&emulator, &key));

    // The host's own RSA reads it too.
    let der = PrivateKeyDer::from_pem(&key.private_key, &KeyOptions::new()).unwrap();
    assert_eq!((der.public_key().bits(), der.public_key().exponent()), (2_048, &[1, 0, 1][..]));
    assert!(NativeKey::new(&der).is_ok());
    // The same entropy is the same key, in another instance as well.
    assert_eq!(made(&mut Host::new()).private_key, key.private_key);
}

#[test]
fn an_instance_becomes_a_principal_with_a_key_that_the_host_made() {
    let (emulator, mut host) = (emulator(), Host::new());
    let environment = environment(&emulator, None, &mut host);
    let exchange = host
        .call(|guest, store| {
            guest.call_instance_principal(store, &environment, Some(SESSION_KEY), ENTROPY)
        })
        .unwrap()
        .unwrap();
    let key = host.run(exchange, &emulator).unwrap();
    assert!(is_accepted(&emulator, &key));
    assert!(is_session_key(&key));
}

#[test]
fn a_resource_of_any_version_becomes_a_principal() {
    let emulator = emulator();
    for (version, requests) in [
        (ResourcePrincipal::V1_1, true),
        (ResourcePrincipal::V2_1, true),
        (ResourcePrincipal::V2_1_1, true),
        (ResourcePrincipal::V2_1_2, true),
        (ResourcePrincipal::V2_2, false),
        (ResourcePrincipal::V3_0, true),
    ] {
        let mut host = Host::new();
        let environment = environment(&emulator, Some(version), &mut host);
        let exchange = host
            .call(|guest, store| {
                guest.call_resource_principal(store, &environment, Some(SESSION_KEY), ENTROPY)
            })
            .unwrap()
            .unwrap();
        let first = host.next_step(exchange).unwrap().unwrap();
        assert_eq!(matches!(first, Step::Send(_)), requests, "{version:?}");
        let key = host.run(exchange, &emulator).unwrap();
        assert!(is_accepted(&emulator, &key), "{version:?}");
        assert_eq!(host.region(exchange).unwrap().id, "us-ashburn-1", "{version:?}");
    }
}

#[test]
fn the_paths_are_those_that_stand_in_place_of_values() {
    let (emulator, mut host) = (emulator(), Host::new());
    let mut paths = |version| host.paths_in(&emulator.environment(Some(version))).unwrap().unwrap();
    let file = |name| emulator.file(name).display().to_string();
    assert_eq!(
        paths(ResourcePrincipal::V2_2),
        [file("resource_principal/rpst"), file("resource_principal/private.pem")]
    );
    // The path of a URL is none of a file.
    assert_eq!(paths(ResourcePrincipal::V1_1), [""; 0]);
    assert_eq!(paths(ResourcePrincipal::V2_1_1), [file("resource.pem")]);
}

#[test]
fn a_pod_becomes_a_workload_over_tls() {
    let (emulator, mut host) = (emulator(), Host::new());
    let environment = environment(&emulator, None, &mut host);
    let token = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let exchange = host
        .call(|guest, store| {
            guest.call_workload_identity(store, &token, &environment, Some(SESSION_KEY), ENTROPY)
        })
        .unwrap()
        .unwrap();
    let Step::Send(request) = host.next_step(exchange).unwrap().unwrap() else { panic!() };
    assert_eq!(request.endpoint, Endpoint::Workload);
    assert!(request.url.starts_with(&emulator.tls_url()));
    let key = host.run(exchange, &emulator).unwrap();
    assert!(is_accepted(&emulator, &key));
    assert_eq!(host.region(exchange).unwrap().id, "us-ashburn-1");
}

#[test]
fn a_session_lives_on_with_the_same_key() {
    let (emulator, mut host) = (emulator(), Host::new());
    let read = |name| fs::read_to_string(emulator.file(name)).unwrap();
    let session = key_material(&format!("ST${}", read("session/token")), &read("session/key.pem"));
    let exchange = host
        .call(|guest, store| guest.call_session_refresh(store, &emulator.url(), &session, ENTROPY))
        .unwrap()
        .unwrap();
    let key = host.run(exchange, &emulator).unwrap();
    assert!(is_accepted(&emulator, &key));
    let public =
        |pem: &str| PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap().public_key().clone();
    assert_eq!(public(&key.private_key), public(&session.private_key));
}

#[test]
fn an_api_key_becomes_a_session() {
    let (emulator, mut host) = (emulator(), Host::new());
    let exchange = host
        .call(|guest, store| {
            let (url, key) = (emulator.url(), api_key(&emulator));
            guest.call_user_session(store, &url, &key, 15, Some(SESSION_KEY), ENTROPY)
        })
        .unwrap()
        .unwrap();
    let key = host.run(exchange, &emulator).unwrap();
    assert!(is_accepted(&emulator, &key));
    assert!(is_session_key(&key));
    assert!(key.expires.unwrap() <= host::now() + 15 * 60);
}

#[test]
fn a_token_of_another_issuer_becomes_one_of_oci() {
    let (emulator, mut host) = (emulator(), Host::new());
    let subject = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let application = DomainClient::Application(DomainApplication {
        id: "example-client".into(),
        secret: "example-secret".into(),
    });
    let instance = DomainClient::Instance(environment(&emulator, None, &mut host));
    let resource = DomainResource { resource_type: "fnfunc".into(), expires_in: Some(600) };
    for (client, as_resource) in
        [(&application, None), (&application, Some(&resource)), (&instance, None)]
    {
        let exchange = host
            .call(|guest, store| {
                let (url, key) = (emulator.url(), Some(SESSION_KEY));
                guest.call_token_exchange(store, &url, &subject, client, as_resource, key, ENTROPY)
            })
            .unwrap()
            .unwrap();
        let key = host.run(exchange, &emulator).unwrap();
        assert!(is_accepted(&emulator, &key), "{client:?} {as_resource:?}");
    }
}

#[test]
fn what_fails_for_a_moment_is_asked_again_after_a_wait() {
    let (emulator, mut host) = (emulator(), Host::new());
    let environment = environment(&emulator, None, &mut host);
    let busy = |times| Fault {
        on: "POST /v1/x509".into(),
        times: Some(times),
        kind: FaultKind::Status,
        status: Some(503),
        ..Fault::default()
    };
    for (times, succeeds) in [(2, true), (3, false)] {
        emulator.set_faults(vec![busy(times)]);
        let exchange = instance(&mut host, &environment);
        assert_eq!(host.run(exchange, &emulator).is_ok(), succeeds);
    }
}

fn instance(host: &mut Host, environment: &Environment) -> wasmtime::component::ResourceAny {
    host.call(|guest, store| {
        guest.call_instance_principal(store, environment, Some(SESSION_KEY), ENTROPY)
    })
    .unwrap()
    .unwrap()
}

/// The key of the profile DEFAULT, as the component reads the profile.
fn api_key(emulator: &ocisign_emulator::Emulator) -> KeyMaterial {
    let mut host = Host::new();
    let text = fs::read_to_string(emulator.file("config")).unwrap();
    let profile = host
        .world
        .ocisign_signing_reading()
        .call_read_profile(&mut host.store, &text, "DEFAULT")
        .unwrap()
        .unwrap();
    let value = |name: &str| &*profile.iter().find(|pair| pair.0 == name).unwrap().1;
    let key_id = [value("tenancy"), value("user"), value("fingerprint")].join("/");
    key_material(&key_id, &fs::read_to_string(value("key_file")).unwrap())
}

fn key_material(key_id: &str, private_key: &str) -> KeyMaterial {
    KeyMaterial {
        key_id: key_id.into(),
        private_key: private_key.into(),
        passphrase: None,
        delegation_token: None,
        expires: None,
        blinding_seed: None,
        danger_allow_weak_key: false,
    }
}

fn is_session_key(key: &KeyMaterial) -> bool {
    let read = |pem| PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap();
    read(&key.private_key).public_key() == read(SESSION_KEY).public_key()
}
