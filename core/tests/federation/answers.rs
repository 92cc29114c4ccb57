//! Every call of every exchange, and every kind of bad answer to it: the right code, the right
//! call, no panic, and nothing secret in any text.

use ocisign_core::{Exchange, ExchangeError, HttpRequest, TransportFault};
use serde_json::{Value, json};

use crate::drive::{Replied, Reply, Run, assert_hidden, call, run};
use crate::made::{
    INTERMEDIATE, LEAF, LEAF_KEY, NOW, OTHER_KEY, certificate, claims, public_key, token,
    vector_key,
};
use crate::world::{
    self, answer, but, exchanges, gives_region_info, gives_resource_tokens, gives_token, instance,
    resource_tokens, token_answer, wrap,
};

#[test]
fn every_exchange_is_ready_when_all_answers_are_right() {
    for (name, exchange) in exchanges() {
        let run = run(exchange(), answer);
        assert!(run.waits.is_empty(), "{name}");
        assert!(run.ready().binding_checked(), "{name}");
        assert!(run.ready().key_id().as_str().starts_with("ST$"), "{name}");
        hidden(&run);
    }
}

#[test]
fn a_fault_of_the_network_is_the_end_after_three_attempts_or_one() {
    use TransportFault::{Connection, Dns, Other, Protocol, Timeout, Tls, TooLarge};
    for fault in [Connection, Dns, Other, Protocol, Timeout, Tls, TooLarge] {
        let attempts = if matches!(fault, Connection | Dns | Timeout) { 3 } else { 1 };
        everywhere(|_| true, |_| Err(fault), |_| Expect::Code("EXCHANGE_UNREACHABLE", attempts));
    }
}

#[test]
fn a_refusal_is_final_and_a_server_in_trouble_is_asked_three_times() {
    let body = r#"{"code":"NotAuthenticated","message":"The required information was not there"}"#;
    for (status, attempts) in [
        (301, 1),
        (302, 1),
        (400, 1),
        (401, 1),
        (403, 1),
        (405, 1),
        (408, 3),
        (409, 1),
        (429, 3),
        (500, 3),
        (502, 3),
        (503, 3),
        (599, 3),
        (0, 1),
        (100, 1),
        (999, 1),
    ] {
        let reply = || Ok(Reply::new(status, body).header("location", "https://elsewhere.example"));
        everywhere(|_| true, |_| reply(), |_| Expect::Code("EXCHANGE_REFUSED", attempts));
    }
    everywhere(
        |_| true,
        |_| Ok(Reply::new(404, "<html>nothing</html>")),
        |request| match request {
            // Version 1 of the metadata service has no such path.
            request if gives_region_info(request) => Expect::Ready,
            // An instance that has just booted.
            request if request.url.contains("/opc/v2/") => Expect::Code("EXCHANGE_REFUSED", 3),
            _ => Expect::Code("EXCHANGE_REFUSED", 1),
        },
    );
}

#[test]
fn the_code_of_a_refusal_is_told_where_it_is_a_word() {
    let long = "A".repeat(65);
    for (body, expected) in [
        (r#"{"code":"NotAuthenticated","message":"m"}"#, "answered 401 NotAuthenticated"),
        (r#"{"code":""}"#, "answered 401"),
        (r#"{"code":401}"#, "answered 401"),
        (r#"{"code":"two words"}"#, "answered 401"),
        (r#"{"code":"line\nbreak"}"#, "answered 401"),
        (&format!(r#"{{"code":"{long}"}}"#), "answered 401"),
        ("<html>", "answered 401"),
        ("", "answered 401"),
        ("\u{0}", "answered 401"),
    ] {
        let run = run(world::refresh(), |_| Ok(Reply::new(401, body)));
        let call = format!("POST {}/v1/authentication/refresh", world::AUTH);
        assert_eq!(run.error().to_string(), format!("{call}: {expected}"), "{body}");
    }
}

#[test]
fn a_basic_cluster_is_told_from_one_that_says_no_for_another_reason() {
    for (status, hint) in [(403, true), (401, false), (500, false)] {
        let run = run(workload(), |_| Ok(Reply::new(status, "")));
        assert_eq!(run.error().to_string().contains("enhanced cluster"), hint, "{status}");
    }
    let run = run(world::refresh(), |_| Ok(Reply::new(403, "")));
    assert!(!run.error().to_string().contains("cluster"));
}

#[test]
fn what_is_no_answer_to_this_call_is_refused_at_once() {
    let deep = "[".repeat(65_536);
    let letters = "Qx".repeat(32_768);
    let page = "<!DOCTYPE html><html><body><form>Log in to the guest network</form></body></html>";
    for (body, region_name) in [
        (page.as_bytes(), "INVALID_REGION"),
        (b"<html></html>", "INVALID_REGION"),
        (b"", "INVALID_REGION"),
        (b"\n", "INVALID_REGION"),
        (b"\xff\xfe\x00\x80", "INVALID_ANSWER"),
        (letters.as_bytes(), "INVALID_REGION"),
        (deep.as_bytes(), "INVALID_REGION"),
        (br#"{"unexpected":["shape"]}"#, "INVALID_REGION"),
        (br#"{"token":null}"#, "INVALID_REGION"),
        (br#"{"token":{"token":"a.b.c"}}"#, "INVALID_REGION"),
        (b"{}", "INVALID_REGION"),
        (b"[]", "INVALID_REGION"),
        (b"\"\"", "INVALID_REGION"),
        (b"../../../etc/passwd?x#y", "INVALID_REGION"),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "INVALID_REGION"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "INVALID_REGION"),
    ] {
        let text = std::str::from_utf8(body).is_ok();
        let object = matches!(serde_json::from_slice(body), Ok(Value::Object(_) | Value::Array(_)))
            || body == b"\"\"";
        everywhere(
            |_| true,
            |_| Ok(Reply::new(200, body)),
            |request| {
                let code = match request.url.rsplit('/').next().unwrap() {
                    "regionInfo" if object => "INVALID_REGION",
                    "region" => region_name,
                    "key.pem" if text => "INVALID_KEY",
                    _ => "INVALID_ANSWER",
                };
                Expect::Code(code, 1)
            },
        );
    }
}

#[test]
fn a_token_that_is_not_what_was_asked_for_is_refused() {
    let other = public_key(&OTHER_KEY);
    let made = |change: fn(&mut Value)| {
        move |request: &HttpRequest| {
            let mut claims = claims(&world::key_of(request));
            change(&mut claims);
            Ok(Reply::new(200, token_answer(request, &claims)))
        }
    };
    let object =
        |object: Value| move |request: &HttpRequest| Ok(Reply::new(200, wrap(request, &object)));
    let cases: Vec<(&str, Box<Answers>)> = vec![
        ("EXPIRED", Box::new(made(|claims| claims["exp"] = json!(NOW)))),
        ("EXPIRED", Box::new(made(|claims| claims["exp"] = json!(0)))),
        ("INVALID_TOKEN", Box::new(made(|claims| claims["exp"] = json!(-1)))),
        ("INVALID_TOKEN", Box::new(made(|claims| claims["exp"] = json!("soon")))),
        ("INVALID_TOKEN", Box::new(made(|claims| claims["jwk"] = json!("{}")))),
        ("INVALID_ANSWER", Box::new(made(|claims| claims["nbf"] = json!(NOW + 301)))),
        ("INVALID_ANSWER", Box::new(made(|claims| claims["iat"] = json!(u64::MAX)))),
        ("INVALID_ANSWER", Box::new(object(json!({ "token": "" })))),
        ("INVALID_ANSWER", Box::new(object(json!({ "token": 7 })))),
        ("INVALID_ANSWER", Box::new(object(json!({ "Token": "a.b.c" })))),
        ("INVALID_TOKEN", Box::new(object(json!({ "token": "no-jwt-but-something-opaque" })))),
        ("INVALID_TOKEN", Box::new(object(json!({ "token": "a.b" })))),
        ("INVALID_TOKEN", Box::new(object(json!({ "token": "a.b.c\r\nhost: elsewhere" })))),
        ("INVALID_TOKEN", Box::new(object(json!({ "token": "x".repeat(65_537) })))),
        (
            "KEY_MISMATCH",
            Box::new(move |request| Ok(Reply::new(200, token_answer(request, &claims(&other))))),
        ),
    ];
    for (code, bad) in &cases {
        let expect = |request: &HttpRequest| {
            // The resource principal of version 2.1 has the other key for its own.
            let own = *code == "KEY_MISMATCH" && world::key_of(request) == public_key(&OTHER_KEY);
            if own { Expect::Ready } else { Expect::Code(code, 1) }
        };
        everywhere(gives_token, bad, expect);
    }
}

#[test]
fn a_token_is_taken_up_to_five_minutes_before_it_is_valid_and_until_its_last_second() {
    everywhere(
        gives_token,
        |request| {
            let mut claims = claims(&world::key_of(request));
            claims["nbf"] = json!(NOW + 300);
            claims["exp"] = json!(NOW + 1);
            Ok(Reply::new(200, token_answer(request, &claims)))
        },
        |_| Expect::Ready,
    );
}

#[test]
fn a_token_with_blanks_or_its_prefix_around_it_is_the_same_token() {
    everywhere(
        gives_token,
        |request| {
            let token = token(&claims(&world::key_of(request)));
            Ok(Reply::new(200, wrap(request, &json!({ "token": format!(" ST${token}\r\n") }))))
        },
        |_| Expect::Ready,
    );
}

#[test]
fn an_instance_does_not_take_the_token_of_another_tenancy() {
    everywhere(
        gives_token,
        |request| {
            let mut claims = claims(&world::key_of(request));
            claims["tenant"] = json!("ocid1.tenancy.oc1..another");
            Ok(Reply::new(200, token_answer(request, &claims)))
        },
        |request| {
            // Nobody has said whose the others are.
            let known = request.url.ends_with("/v1/x509");
            if known { Expect::Code("TENANCY_CHANGED", 1) } else { Expect::Ready }
        },
    );
}

#[test]
fn an_answer_without_one_of_the_two_tokens_of_a_resource_is_refused() {
    for missing in ["resourcePrincipalToken", "servicePrincipalSessionToken"] {
        for value in [None, Some(json!("")), Some(json!(1)), Some(Value::Null)] {
            let mut body: Value = serde_json::from_str(&resource_tokens()).unwrap();
            match value {
                Some(value) => body[missing] = value,
                None => drop(body.as_object_mut().unwrap().remove(missing)),
            }
            everywhere(
                gives_resource_tokens,
                |_| Ok(Reply::new(200, body.to_string())),
                |_| Expect::Code("INVALID_ANSWER", 1),
            );
        }
    }
}

#[test]
fn a_certificate_and_a_key_that_do_not_fit_are_read_four_times_in_all() {
    let run = run(instance(), but("/key.pem", Reply::new(200, &**OTHER_KEY)));
    assert_eq!(run.error().code(), "INVALID_CERTIFICATE");
    assert_eq!(run.error().call, format!("GET {}/identity/intermediate.pem", world::METADATA));
    for file in ["cert.pem", "key.pem", "intermediate.pem"] {
        let read = run.calls().iter().filter(|call| call.ends_with(file)).count();
        assert_eq!(read, 4, "{file}");
    }
    assert!(run.waits.is_empty());
    hidden(&run);
}

#[test]
fn an_intermediate_of_another_name_does_not_fit_either() {
    let key = public_key(&OTHER_KEY);
    let other = certificate(&["Another Intermediate"], &["Root"], ["24", "49"], &key);
    let run = run(instance(), but("/intermediate.pem", Reply::new(200, &*other)));
    assert_eq!(run.error().code(), "INVALID_CERTIFICATE");
}

#[test]
fn a_rotation_between_two_reads_is_survived() {
    for file in ["/cert.pem", "/key.pem", "/intermediate.pem"] {
        for wrong in 1..=3 {
            let mut reads = 0;
            let run = run(instance(), |request| {
                reads += u32::from(request.url.ends_with(file));
                match file {
                    _ if reads > wrong || !request.url.ends_with(file) => answer(request),
                    "/cert.pem" => Ok(Reply::new(200, leaf(&[TENANT], ["24", "49"]))),
                    "/key.pem" => Ok(Reply::new(200, &**OTHER_KEY)),
                    _ => Ok(Reply::new(200, &**LEAF)),
                }
            });
            run.ready();
            assert_eq!(reads, wrong + 1, "{file}");
        }
    }
}

#[test]
fn a_certificate_has_to_name_a_tenancy() {
    for (subject, code) in [
        (&["opc-certtype:instance"][..], Some("INVALID_CERTIFICATE")),
        (&["opc-tenant:"], Some("INVALID_CERTIFICATE")),
        (&["opc-tenant"], Some("INVALID_CERTIFICATE")),
        (&["opc-certtype:instance", TENANT], None),
        (&[IDENTITY], None),
        (&["opc-identity:ocid1.tenancy.oc1..another", TENANT], None),
    ] {
        let run = with_leaf(&leaf_of_instance(subject, ["24", "49"]));
        assert_eq!(run.result.as_ref().err().map(ExchangeError::code), code, "{subject:?}");
        if code.is_some() {
            assert_eq!(run.error().call, format!("GET {}/identity/cert.pem", world::METADATA));
        }
    }
}

#[test]
fn an_expired_certificate_is_refused_where_it_was_read() {
    let expired = with_leaf(&leaf_of_instance(&[TENANT], ["22", "24"]));
    assert_eq!(expired.error().code(), "INVALID_CERTIFICATE");
    assert_eq!(expired.error().call, format!("GET {}/identity/cert.pem", world::METADATA));
    let key = public_key(&OTHER_KEY);
    let old = certificate(&["PKISVC"], &["Root"], ["22", "24"], &key);
    let run = run(instance(), but("/intermediate.pem", Reply::new(200, &*old)));
    assert_eq!(run.error().code(), "INVALID_CERTIFICATE");
    assert_eq!(run.error().call, format!("GET {}/identity/intermediate.pem", world::METADATA));
}

#[test]
fn a_certificate_whose_key_is_not_rsa_is_none() {
    // The OID of rsaEncryption, made that of EC keys' own arc.
    let rsa = leaf_of_instance(&[TENANT], ["24", "49"]);
    let (_, der) = pem_rfc7468::decode_vec(rsa.as_bytes()).unwrap();
    let oid = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    let at = der.windows(oid.len()).position(|part| part == oid).unwrap();
    let mut der = der;
    der[at + 8] = 7;
    let run = with_leaf(&crate::made::pem("CERTIFICATE", &der));
    assert_eq!(run.error().code(), "INVALID_ANSWER");
}

#[test]
fn the_files_of_the_metadata_service_may_have_other_line_ends_and_text_around() {
    let run = run(instance(), |request| {
        let mut reply = answer(request).unwrap();
        if request.url.contains("/identity/") {
            let text = String::from_utf8(reply.body).unwrap().replace('\n', "\r\n");
            reply.body = format!("subject=somebody\r\n{text}\r\nOCI_API_KEY").into_bytes();
        }
        Ok(reply)
    });
    let body: Value = serde_json::from_slice(&run.requests.last().unwrap().body).unwrap();
    for (member, file) in
        [("/certificate", &*LEAF), ("/intermediateCertificates/0", &*INTERMEDIATE)]
    {
        let lines: String = file.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(body.pointer(member), Some(&json!(lines)));
    }
    run.ready();
}

#[test]
fn a_key_of_the_metadata_service_that_is_none_is_an_invalid_key() {
    for text in [
        &*LEAF,
        &vector_key("test-key.pkcs8-enc.pem"),
        &vector_key("ec-p256.pkcs8.pem"),
        &vector_key("rsa-512.pem"),
        &vector_key("test-key.pub.pem"),
    ] {
        let run = run(instance(), but("/key.pem", Reply::new(200, &**text)));
        assert_eq!(run.error().code(), "INVALID_KEY");
        assert_eq!(run.error().call, format!("GET {}/identity/key.pem", world::METADATA));
        hidden(&run);
    }
}

const TENANT: &str = "opc-tenant:ocid1.tenancy.oc1..aaaaaaaatesttenancy";
const IDENTITY: &str = "opc-identity:ocid1.tenancy.oc1..aaaaaaaatesttenancy";

/// With a key of its own, which fits nothing.
fn leaf(subject: &[&str], years: [&str; 2]) -> String {
    certificate(subject, &[ISSUER], years, &public_key(&OTHER_KEY))
}

/// With the key that the metadata service has.
fn leaf_of_instance(subject: &[&str], years: [&str; 2]) -> String {
    certificate(subject, &[ISSUER], years, &public_key(&LEAF_KEY))
}

/// An instance with this certificate, and an intermediate that has issued it.
fn with_leaf(leaf: &str) -> Run {
    let key = public_key(&OTHER_KEY);
    let intermediate = certificate(&[ISSUER], &["Root"], ["24", "49"], &key);
    let run = run(instance(), |request| match request.url.rsplit('/').next().unwrap() {
        "cert.pem" => Ok(Reply::new(200, leaf)),
        "intermediate.pem" => Ok(Reply::new(200, &*intermediate)),
        _ => answer(request),
    });
    hidden(&run);
    run
}

const ISSUER: &str = "An Intermediate";

fn workload() -> Exchange {
    world::workload(&world::service_account_token(NOW + 60))
}

type Answers = dyn Fn(&HttpRequest) -> Replied;

/// What a bad answer leads to.
#[derive(Debug)]
enum Expect {
    /// This code, after so many attempts.
    Code(&'static str, usize),
    /// It is no bad answer here.
    Ready,
}

/// Give a bad answer to each call of each exchange in turn, and good ones to all others.
fn everywhere(
    to: impl Fn(&HttpRequest) -> bool,
    bad: impl Fn(&HttpRequest) -> Replied,
    expect: impl Fn(&HttpRequest) -> Expect,
) {
    let mut tried = 0;
    for (name, exchange) in exchanges() {
        for at in 1.. {
            // A call is known by its place: a parent's are like its child's.
            let (mut calls, mut last, mut tampered) = (0, None, None);
            let run = run(exchange(), |request| {
                let this = Some((call(request), request.body.to_vec()));
                calls += usize::from(last != this);
                last = this;
                if calls == at && to(request) {
                    tampered = Some(request.clone());
                    return bad(request);
                }
                answer(request)
            });
            let Some(tampered) = tampered else {
                if calls < at {
                    break;
                }
                continue;
            };
            tried += 1;
            let place = format!("{name}: {}", call(&tampered));
            match expect(&tampered) {
                Expect::Ready => drop(run.ready()),
                Expect::Code(code, attempts) => {
                    assert_eq!(run.error().code(), code, "{place}");
                    let shown = call(&tampered).split('?').next().unwrap().to_owned();
                    assert_eq!(run.error().call, shown, "{place}");
                    let calls = run.calls();
                    let tail = calls.iter().rev().take_while(|it| **it == call(&tampered));
                    assert_eq!(tail.count(), attempts, "{place}");
                    assert_eq!(run.waits.len(), attempts - 1, "{place}");
                }
            }
            hidden(&run);
        }
    }
    assert!(tried > 0);
}

/// Nothing secret in what the end of an exchange prints.
#[track_caller]
fn hidden(run: &Run) {
    let texts = match &run.result {
        Ok(credential) => format!("{credential:?} {:?}", run.exchange),
        Err(error) => format!("{error} {error:?} {:?}", run.exchange),
    };
    assert_hidden(&texts, &world::SECRETS);
    // The claims as they are, not in base64.
    assert!(!texts.contains("not-to-be-shown"), "{texts}");
}
