//! Answers and values that are not what they should be: a typed error, and never a trap.

use ocisign_emulator::{Fault, FaultKind, ResourcePrincipal};
use ocisign_host_test::seeds;
use wasmtime::component::ResourceAny;

use crate::host::{ENTROPY, Given, Host, SESSION_KEY, code, emulator, environment};
use crate::world::exchanges::{
    DomainApplication, DomainClient, Environment, HttpAnswer, Step, TransportFault,
};
use crate::world::types::{ErrorCode, Header};
use crate::{instance, key_material};

#[test]
fn what_the_server_gives_wrong_has_its_code() {
    let (emulator, mut host) = (emulator(), Host::new());
    let environment = environment(&emulator, None, &mut host);
    for (on, kind, expected) in [
        ("GET /opc/v2/identity/cert.pem", FaultKind::Garbage, ErrorCode::InvalidAnswer),
        ("GET /opc/v2/identity/key.pem", FaultKind::Garbage, ErrorCode::InvalidKey),
        ("GET /opc/v2/instance/regionInfo", FaultKind::Garbage, ErrorCode::InvalidAnswer),
        ("POST /v1/x509", FaultKind::Garbage, ErrorCode::InvalidAnswer),
        ("POST /v1/x509", FaultKind::Huge, ErrorCode::ExchangeUnreachable),
        ("POST /v1/x509", FaultKind::WrongJwk, ErrorCode::KeyMismatch),
        ("POST /v1/x509", FaultKind::ExpiredToken, ErrorCode::Expired),
        ("POST /v1/x509", FaultKind::OtherTenancy, ErrorCode::TenancyChanged),
        ("POST /v1/x509", FaultKind::Redirect, ErrorCode::ExchangeRefused),
        ("POST /v1/x509", FaultKind::Close, ErrorCode::ExchangeUnreachable),
    ] {
        emulator.set_faults(vec![Fault { on: on.into(), kind, ..Fault::default() }]);
        let exchange = instance(&mut host, &environment);
        let error = host.run(exchange, &emulator).unwrap_err();
        assert_eq!(error.code, expected, "{on} {kind:?}: {}", error.message);
        let (method, path) = on.split_once(' ').unwrap();
        let call = format!("{method} {}{path}: ", emulator.url());
        assert!(error.message.starts_with(&call), "{}", error.message);
        // It stays that way, whatever comes after.
        host.receive(exchange, Err(TransportFault::Other));
        assert_eq!(code(host.next_step(exchange)), expected);
    }
}

#[test]
fn a_body_of_65_536_bytes_is_read_and_one_more_is_too_large() {
    for (length, expected) in
        [(65_536, ErrorCode::InvalidAnswer), (65_537, ErrorCode::ExchangeUnreachable)]
    {
        let mut host = Host::new();
        let exchange = instance(&mut host, &nowhere());
        let error = host.run_with(exchange, |_| Ok(answer(200, &"x".repeat(length)))).unwrap_err();
        assert_eq!(error.code, expected, "{}", error.message);
    }
}

#[test]
fn what_variables_lack_is_said_by_name_and_without_a_value() {
    let mut host = Host::new();
    let version = ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2");
    let key = ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", SESSION_KEY);
    for (variables, expected, name) in [
        (vec![], ErrorCode::MissingVariable, "VERSION"),
        (vec![("OCI_RESOURCE_PRINCIPAL_VERSION", "9")], ErrorCode::InvalidVariable, "VERSION"),
        (vec![version], ErrorCode::MissingVariable, "RPST"),
        (
            vec![version, key, ("OCI_RESOURCE_PRINCIPAL_RPST", "/run/secret/rpst")],
            ErrorCode::FileUnreadable,
            "RPST",
        ),
    ] {
        let error = resource(&mut host, &variables).unwrap().unwrap_err();
        assert_eq!(error.code, expected);
        let start = format!("OCI_RESOURCE_PRINCIPAL_{name}: ");
        assert!(error.message.starts_with(&start), "{}", error.message);
        assert!(!error.message.contains("secret"));
    }
    let mut pod = |variables: &[(&str, &str)]| {
        let environment = with_variables(variables);
        let token = "e30.e30.c2ln";
        let given = host.call(|guest, store| {
            guest.call_workload_identity(store, token, &environment, Some(SESSION_KEY), ENTROPY)
        });
        code(given)
    };
    let host_name = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    assert_eq!(pod(&[]), ErrorCode::MissingVariable);
    let port = ("KUBERNETES_SERVICE_PORT_PROXYMUX", "many");
    assert_eq!(pod(&[host_name, port]), ErrorCode::InvalidVariable);
    let region = ("OCI_RESOURCE_PRINCIPAL_REGION", "a/b");
    assert_eq!(pod(&[host_name, region]), ErrorCode::InvalidVariable);
}

#[test]
fn a_token_whose_key_is_another_is_refused_before_anything_is_sent() {
    let (emulator, mut host) = (emulator(), Host::new());
    let mut environment = environment(&emulator, Some(ResourcePrincipal::V2_2), &mut host);
    let token = environment.files[0].1.clone();
    environment.files[1].1 = SESSION_KEY.into();
    let exchange = host
        .call(|guest, store| guest.call_resource_principal(store, &environment, None, ENTROPY))
        .unwrap()
        .unwrap();
    assert_eq!(code(host.next_step(exchange)), ErrorCode::KeyMismatch);

    let session = key_material(&format!("ST${token}"), SESSION_KEY);
    let refresh =
        host.call(|guest, store| guest.call_session_refresh(store, "https://h", &session, ENTROPY));
    assert_eq!(code(refresh), ErrorCode::KeyMismatch);
}

#[test]
fn entropy_that_is_too_little_and_keys_that_are_none_are_refused() {
    let mut host = Host::new();
    let mut begin =
        |key: Option<&str>, entropy: &str| {
            code(host.call(|guest, store| {
                guest.call_instance_principal(store, &nowhere(), key, entropy)
            }))
        };
    assert_eq!(begin(None, ""), ErrorCode::InvalidEncoding);
    assert_eq!(
        begin(None, "correct horse battery staple, correct horse"),
        ErrorCode::InvalidEncoding
    );
    assert_eq!(
        begin(None, "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw=="),
        ErrorCode::InvalidEncoding
    );
    assert_eq!(begin(Some("no key"), ENTROPY), ErrorCode::InvalidKey);
}

#[test]
fn no_answer_after_three_times_is_unreachable_and_waits_in_between() {
    let mut host = Host::new();
    let exchange = instance(&mut host, &nowhere());
    let mut asked = 0;
    let error = host.run_with(exchange, |_| {
        asked += 1;
        Err(TransportFault::Timeout)
    });
    assert_eq!((error.unwrap_err().code, asked), (ErrorCode::ExchangeUnreachable, 3));

    // Up to ten seconds an exchange waits; longer is for the host to wait, before the next one.
    for (asked, waits) in [(7, true), (17, false)] {
        let exchange = instance(&mut host, &nowhere());
        let mut busy = answer(429, "{}");
        busy.headers.push(Header { name: "Retry-After".into(), value: asked.to_string() });
        host.receive(exchange, Ok(&busy));
        match host.next_step(exchange).unwrap() {
            Ok(Step::Wait(until)) if waits => assert!(until >= crate::host::now() + asked - 1),
            Err(error) if !waits => assert_eq!(error.code, ErrorCode::ExchangeRefused),
            other => panic!("{asked}: {other:?}"),
        }
        let after = host.call(|guest, store| guest.call_retry_after(store, exchange)).unwrap();
        assert_eq!(after, Some(asked));
    }
}

#[test]
fn no_seed_of_the_fuzz_corpora_traps() {
    let mut host = Host::new();
    for (file, text) in seeds().unwrap() {
        let name = |end: &str| format!("OCI_RESOURCE_PRINCIPAL_{end}");
        for version in ["1.1", "2.1.2", "2.2", "3.0", &text] {
            let mut variables = vec![(name("VERSION"), version.to_owned())];
            for end in [
                "RPST",
                "PRIVATE_PEM",
                "PRIVATE_PEM_PASSPHRASE",
                "REGION",
                "RESOURCE_ID",
                "RPT_PATH",
                "TENANCY_ID",
                "SECURITY_CONTEXT",
            ] {
                variables.push((name(end), text.clone()));
            }
            for end in ["RPT_ENDPOINT", "RPST_ENDPOINT"] {
                variables.push((name(end), format!("https://{text}")));
            }
            host.paths_in(&variables)
                .unwrap_or_else(|trap| panic!("{}: {trap}", file.display()))
                .ok();
            let environment =
                Environment { variables, files: vec![], regions_config: Some(text.clone()) };
            let begun = host.call(|guest, store| {
                guest.call_resource_principal(store, &environment, Some(SESSION_KEY), ENTROPY)
            });
            play(&mut host, begun, &text);
        }
        let mut environment = with_variables(&[
            ("KUBERNETES_SERVICE_HOST", &text),
            ("OCI_METADATA_BASE_URL", &text),
            ("OCI_REGION_METADATA", &text),
        ]);
        let begun = host.call(|guest, store| {
            guest.call_workload_identity(store, &text, &environment, Some(SESSION_KEY), ENTROPY)
        });
        play(&mut host, begun, &text);
        environment.regions_config = Some(text.clone());
        let begun = host.call(|guest, store| {
            guest.call_instance_principal(store, &environment, Some(SESSION_KEY), ENTROPY)
        });
        play(&mut host, begun, &text);
        let begun = host.call(|guest, store| {
            guest.call_instance_principal(store, &environment, Some(&text), &text)
        });
        play(&mut host, begun, &text);
        let begun = host.call(|guest, store| {
            let key = key_material(&format!("ST$e30.{text}.e30"), SESSION_KEY);
            guest.call_session_refresh(store, &text, &key, ENTROPY)
        });
        play(&mut host, begun, &text);
        let begun = host.call(|guest, store| {
            let key = key_material(&text, SESSION_KEY);
            guest.call_user_session(store, &text, &key, u16::MAX, Some(SESSION_KEY), ENTROPY)
        });
        play(&mut host, begun, &text);
        let client =
            DomainClient::Application(DomainApplication { id: text.clone(), secret: text.clone() });
        let begun = host.call(|guest, store| {
            guest.call_token_exchange(
                store,
                &text,
                &text,
                &client,
                None,
                Some(SESSION_KEY),
                ENTROPY,
            )
        });
        play(&mut host, begun, &text);
    }
}

/// Answer with this text until there is an end; a trap would fail an unwrap.
fn play(host: &mut Host, begun: Given<ResourceAny>, text: &str) {
    let Ok(exchange) = begun.unwrap() else { return };
    for status in [404, 200, 200, 401, 200, u16::MAX] {
        if host.next_step(exchange).unwrap().is_err() {
            break;
        }
        host.receive(exchange, Ok(&answer(status, text)));
    }
    for now in [0, u64::MAX] {
        host.call(|guest, store| guest.call_next_step(store, exchange, now)).unwrap().ok();
        let fault = Err(TransportFault::Connection);
        host.call(|guest, store| guest.call_receive(store, exchange, fault, now)).unwrap();
    }
    exchange.resource_drop(&mut host.store).unwrap();
}

fn resource(host: &mut Host, variables: &[(&str, &str)]) -> Given<ResourceAny> {
    let environment = with_variables(variables);
    host.call(|guest, store| guest.call_resource_principal(store, &environment, None, ENTROPY))
}

fn with_variables(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    Environment { variables, files: vec![], regions_config: None }
}

fn nowhere() -> Environment {
    with_variables(&[("OCI_METADATA_BASE_URL", "http://127.0.0.1:9/opc/v2")])
}

fn answer(status: u16, body: &str) -> HttpAnswer {
    let date = Header { name: "Date".into(), value: body.into() };
    HttpAnswer { status, headers: vec![date], body: body.into() }
}
