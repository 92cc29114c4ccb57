//! What each exchange sends, to the byte where it can be said.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{
    Body, Credential, DomainClient, Endpoint, Exchange, HttpRequest, InstancePrincipal, Request,
    RsaVerifyingKey, SessionRefresh, TokenExchange, UserSession, VerifyOptions, WorkloadIdentity,
    verify,
};
use serde_json::{Value, json};

use crate::drive::{Reply, call, run};
use crate::made::{
    LEAF_KEY, NOW, OTHER_KEY, RealKeys, SESSION_KEY, claims, private_key, public_key, session_key,
    token, vector_key,
};
use crate::world::{
    self, AUTH, CLIENT_SECRET, DOMAIN, ENTROPY, INSTANCE, PARENT, RESOURCE, RPT, answer, but,
    complete, nested, resource_principal, secret_client, service_account_token, subject_token,
};

#[test]
fn an_instance_asks_for_its_region_its_certificates_and_its_token() {
    let exchange =
        Exchange::instance_principal(InstancePrincipal::new(), Arc::new(RealKeys), ENTROPY);
    let run = run(exchange, answer);
    assert_eq!(run.calls(), instance_calls(AUTH));
    for request in &run.requests[..4] {
        assert_eq!(request.endpoint, Endpoint::Metadata);
        assert_eq!(headers(request), [("authorization", "Bearer Oracle")]);
        assert!(request.body.is_empty());
    }
    let federate = &run.requests[4];
    assert_eq!(federate.endpoint, Endpoint::Service);
    assert_eq!(names(federate), SIGNED_POST);
    assert_eq!(federate.header("content-type"), Some("application/json"));
    assert_signed(federate, &LEAF_KEY);
    assert_eq!(run.exchange.region().unwrap().id(), "us-phoenix-1");
}

#[test]
fn a_known_region_is_not_asked_for_and_other_addresses_are_heeded() {
    let instance = || {
        InstancePrincipal::new()
            .region(world::phoenix())
            .metadata(" http://127.0.0.1:12200/opc/v2/ ")
    };
    for (instance, auth) in [
        (instance(), AUTH),
        (instance().federation("https://auth.example.com/"), "https://auth.example.com"),
        (instance().federation("https://auth.example.com/v1/x509"), "https://auth.example.com"),
    ] {
        let run = run(Exchange::instance_principal(instance, world::keys(), ENTROPY), answer);
        let metadata = "http://127.0.0.1:12200/opc/v2";
        let calls = instance_calls(auth);
        let expected: Vec<String> =
            calls[1..].iter().map(|call| call.replace(world::METADATA, metadata)).collect();
        assert_eq!(run.calls(), expected);
    }
}

#[test]
fn version_1_of_the_metadata_service_says_a_region_by_its_code() {
    let run = run(world::instance(), but("/regionInfo", Reply::new(404, "")));
    assert_eq!(run.calls()[1], format!("GET {}/instance/region", world::METADATA));
    assert_eq!(run.calls()[2..], instance_calls(AUTH)[1..]);
}

#[test]
fn a_region_that_no_table_knows_comes_with_its_domain() {
    let info = json!({
        "realmKey": "oc99",
        "realmDomainComponent": "oracle.example",
        "regionKey": "XYZ",
        "regionIdentifier": "xx-new-1",
        "more": [1, 2],
    });
    let run = run(world::instance(), but("/regionInfo", Reply::new(200, info.to_string())));
    assert_eq!(run.calls()[4], "POST https://auth.xx-new-1.oracle.example/v1/x509");
}

#[test]
fn version_1_1_asks_as_the_instance_with_the_same_session_key() {
    for (more, id) in [
        (&[][..], INSTANCE),
        (&[("RPT_ID", RESOURCE)], RESOURCE),
        (&[("RPT_ID", RESOURCE), ("RPT_PATH", "/at/{id}/here")], RESOURCE),
    ] {
        let mut variables = complete("1.1");
        for (name, value) in more {
            variables.insert(format!("OCI_RESOURCE_PRINCIPAL_{name}"), (*value).into());
        }
        let run = run(real(&variables), answer);
        let mut expected = instance_calls(AUTH);
        if more.is_empty() {
            expected.push(format!("GET {}/instance/id", world::METADATA));
        }
        expected.push(match more.len() {
            2 => format!("GET {RPT}/at/{id}/here"),
            _ => format!("GET {RPT}/20180711/resourcePrincipalToken/{id}"),
        });
        expected.push(format!("POST {AUTH}/v1/resourcePrincipalSessionToken"));
        assert_eq!(run.calls(), expected);
        let [.., ask, session] = &run.requests[..] else { panic!("{expected:?}") };
        assert_signed(ask, &SESSION_KEY);
        assert_eq!(key_id(ask), format!("ST${}", token(&claims(&session_key()))));
        assert_signed(session, &SESSION_KEY);
        assert_eq!(key_id(session), key_id(ask));
        assert_session_body(session, &session_key());
    }
}

#[test]
fn versions_2_1_ask_with_the_resources_own_key() {
    for (version, id, path) in [
        ("2.1", format!("resource/v2.1/{RESOURCE}"), "20180711/resourcePrincipalTokenV2"),
        (
            "2.1.1",
            format!("resource/v2.1.1/ocid1.tenancy.oc1..t/{RESOURCE}"),
            "20180711/resourcePrincipalTokenV2",
        ),
        (
            "2.1.2",
            format!("resource/v2.1.2/ocid1.tenancy.oc1..t/{RESOURCE}"),
            "20180711/resourcePrincipalTokenV212",
        ),
    ] {
        let mut variables = complete(version);
        variables.remove("OCI_RESOURCE_PRINCIPAL_RPT_PATH");
        let run = run(real(&variables), answer);
        let [ask, session] = &run.requests[..] else { panic!("{:?}", run.calls()) };
        assert_eq!(call(ask), format!("GET {RPT}/{path}/{RESOURCE}"));
        assert_eq!(call(session), format!("POST {AUTH}/v1/resourcePrincipalSessionToken"));
        assert_eq!((key_id(ask), key_id(session)), (&*id, &*id));
        assert_signed(ask, &OTHER_KEY);
        assert_signed(session, &OTHER_KEY);
        assert_session_body(session, &public_key(&OTHER_KEY));
        // Known to the resource's service alone, and not signed.
        let context = (version == "2.1.2").then_some("a-context");
        assert_eq!(ask.header("security-context"), context);
        assert_eq!(session.header("security-context"), None);
        assert_eq!(*run.ready().public_key(), public_key(&OTHER_KEY));
    }
}

#[test]
fn version_2_2_sends_nothing() {
    let run = run(real(&complete("2.2")), |request| panic!("{request:?}"));
    assert_eq!(*run.ready().public_key(), public_key(&OTHER_KEY));
    assert_eq!(run.exchange.region().unwrap().id(), "us-phoenix-1");
}

#[test]
fn version_3_0_asks_for_each_parent_as_its_child() {
    let grandparent = "https://parent.example.com/rpt/2/";
    let mut asked = 0;
    let run = run(real(&nested("2.2")), |request| {
        asked += u32::from(request.method == "GET");
        let reply = answer(request).unwrap();
        let first = asked == 1 && request.method == "GET";
        Ok(if first { reply.header("Opc-Parent-RPT-Url", grandparent) } else { reply })
    });
    let session = format!("POST {AUTH}/v1/resourcePrincipalSessionToken");
    let [first, second] = [PARENT, grandparent].map(|url| format!("GET {url}"));
    assert_eq!(run.calls(), [first, session.clone(), second, session]);
    // As the leaf, then as the parent, by the session key that this exchange has made.
    assert_signed(&run.requests[0], &OTHER_KEY);
    assert_signed(&run.requests[1], &OTHER_KEY);
    assert_signed(&run.requests[2], &SESSION_KEY);
    assert_signed(&run.requests[3], &SESSION_KEY);
    assert_session_body(&run.requests[1], &session_key());
    assert_session_body(&run.requests[3], &session_key());
    assert_eq!(*run.ready().public_key(), session_key());
}

#[test]
fn a_workload_asks_the_proxymux_with_its_service_account_token() {
    let account = service_account_token(NOW + 1);
    for (host, port, url) in [
        ("10.96.0.1", None, "https://10.96.0.1:12250"),
        (" fd00::1\n", None, "https://[fd00::1]:12250"),
        ("[fd00::1]", Some(443), "https://[fd00::1]:443"),
        ("kubernetes.default", Some(1), "https://kubernetes.default:1"),
    ] {
        let mut workload = WorkloadIdentity::new(host, &format!("\u{feff}{account}\r\n"));
        if let Some(port) = port {
            workload = workload.port(port);
        }
        let workload = workload.region(world::phoenix());
        let run = run(Exchange::workload_identity(workload, world::keys(), ENTROPY), answer);
        let [request] = &run.requests[..] else { panic!("{:?}", run.calls()) };
        assert_eq!(call(request), format!("POST {url}/resourcePrincipalSessionTokens"));
        assert_eq!(request.endpoint, Endpoint::Workload);
        assert_eq!(names(request), ["authorization", "opc-request-id", "content-type"]);
        assert_eq!(request.header("authorization"), Some(&*format!("Bearer {account}")));
        let id = request.header("opc-request-id").unwrap();
        let parts: Vec<usize> = id.split('/').map(str::len).collect();
        assert_eq!(parts, [32, 32, 32]);
        assert_eq!(body(request), json!({ "podKey": spki() }));
        assert_eq!(run.exchange.region().unwrap().id(), "us-phoenix-1");
    }
}

#[test]
fn the_answer_of_the_proxymux_may_come_without_quotes() {
    let run = run(world::workload(&service_account_token(NOW + 1)), |request| {
        let body = world::token_answer(request, &claims(&session_key()));
        Ok(Reply::new(200, format!("{}\n", body.trim_matches('"'))))
    });
    run.ready();
}

#[test]
fn a_service_account_token_that_is_of_no_use_is_not_sent() {
    for (token, code) in [
        (service_account_token(NOW), "EXPIRED"),
        (service_account_token(0), "EXPIRED"),
        (String::new(), "INVALID_TOKEN"),
        ("no-jwt-but-something-opaque".into(), "INVALID_TOKEN"),
        (format!("{}\r\nx: y", service_account_token(NOW + 1)), "INVALID_TOKEN"),
    ] {
        let run = run(world::workload(&token), |request| panic!("{request:?}"));
        assert_eq!(run.error().code(), code);
        let call = "POST https://10.96.0.1:12250/resourcePrincipalSessionTokens";
        assert_eq!(run.error().call, call);
        if !token.is_empty() {
            crate::drive::assert_hidden(&format!("{:?} {}", run.error(), run.error()), &[token]);
        }
    }
}

#[test]
fn a_session_is_refreshed_under_its_own_token_and_key() {
    let old = token(&claims(&session_key()));
    let key = Arc::new(ocisign_core::RsaKey::new(&private_key(&SESSION_KEY)).unwrap());
    for given in [old.clone(), format!("\u{feff} ST${old}\r\n")] {
        let refresh = SessionRefresh::new(&format!("{AUTH}/"), &given, key.clone());
        let exchange = Exchange::session_refresh(refresh, world::keys(), ENTROPY);
        let run = run(exchange, answer);
        let [request] = &run.requests[..] else { panic!("{:?}", run.calls()) };
        assert_eq!(call(request), format!("POST {AUTH}/v1/authentication/refresh"));
        assert_eq!(body(request), json!({ "currentToken": old }));
        assert_eq!(key_id(request), format!("ST${old}"));
        assert_eq!(names(request), SIGNED_POST);
        assert_signed(request, &SESSION_KEY);
    }
}

#[test]
fn a_session_is_made_by_an_api_key_for_5_to_60_minutes() {
    let key = ocisign_core::RsaKey::new(&private_key(&OTHER_KEY)).unwrap();
    let print = public_key(&OTHER_KEY).fingerprint();
    let api_key = Arc::new(Credential::api_key("tenancy", "user", &print, key).unwrap());
    for (minutes, sent) in [(0, 5), (5, 5), (30, 30), (60, 60), (u16::MAX, 60)] {
        let session = UserSession::new(AUTH, api_key.clone(), minutes);
        let run = run(Exchange::user_session(session, world::keys(), ENTROPY), answer);
        let [request] = &run.requests[..] else { panic!("{:?}", run.calls()) };
        assert_eq!(call(request), format!("POST {AUTH}/v1/token/upst/actions/GenerateUpst"));
        let public = vector_key("test-key.pub.pem");
        let expected = json!({ "publicKey": public, "sessionExpirationInMinutes": sent });
        assert_eq!(body(request), expected);
        assert_eq!(key_id(request), format!("tenancy/user/{print}"));
        assert_signed(request, &OTHER_KEY);
    }
}

#[test]
fn a_domain_is_asked_for_a_user_or_a_resource_by_a_secret() {
    let upst = TokenExchange::new(&format!("{DOMAIN}/"), &subject_token(), secret_client());
    let rpst = |seconds| {
        TokenExchange::new(DOMAIN, &subject_token(), secret_client()).resource("a type", seconds)
    };
    for (exchange, kind, more) in [
        (upst, "oci-upst", &[][..]),
        (rpst(None), "oci-rpst", &[("res_type", "a type")]),
        (rpst(Some(900)), "oci-rpst", &[("res_type", "a type"), ("rpst_exp", "900")]),
    ] {
        let run = run(Exchange::token_exchange(exchange, world::keys(), ENTROPY), answer);
        let [request] = &run.requests[..] else { panic!("{:?}", run.calls()) };
        assert_eq!(call(request), format!("POST {DOMAIN}/oauth2/v1/token"));
        let basic = STANDARD.encode(format!("client:{CLIENT_SECRET}"));
        assert_eq!(
            headers(request),
            [
                ("content-type", "application/x-www-form-urlencoded"),
                ("authorization", &*format!("Basic {basic}")),
            ]
        );
        assert_form(request, kind, more);
    }
}

#[test]
fn a_domain_is_asked_by_a_signed_form_of_a_signer_or_of_the_instance() {
    let key = ocisign_core::RsaKey::new(&private_key(&OTHER_KEY)).unwrap();
    let print = public_key(&OTHER_KEY).fingerprint();
    let signer = Credential::api_key("tenancy", "user", &print, key).unwrap();
    let instance = token(&claims(&session_key()));
    for (client, before, key, id) in [
        (
            DomainClient::Signer(Arc::new(signer)),
            vec![],
            &*OTHER_KEY,
            format!("tenancy/user/{print}"),
        ),
        (
            DomainClient::Instance(InstancePrincipal::new()),
            instance_calls(AUTH),
            &*SESSION_KEY,
            format!("ST${instance}"),
        ),
    ] {
        let exchange = TokenExchange::new(DOMAIN, &subject_token(), client);
        let exchange = Exchange::token_exchange(exchange, Arc::new(RealKeys), ENTROPY);
        let run = run(exchange, answer);
        assert_eq!(run.calls()[..before.len()], before);
        let [request] = &run.requests[before.len()..] else { panic!("{:?}", run.calls()) };
        assert_eq!(call(request), format!("POST {DOMAIN}/oauth2/v1/token"));
        assert_eq!(names(request), SIGNED_POST);
        let kind = request.header("content-type");
        assert_eq!(kind, Some("application/x-www-form-urlencoded"));
        assert_eq!(key_id(request), id);
        assert_signed(request, key);
        assert_form(request, "oci-upst", &[]);
    }
}

#[test]
fn an_address_that_is_none_is_an_invalid_url_and_is_not_shown() {
    let password = "a-password-of-somebody";
    let bad = format!("https://user:{password}@auth.example.com");
    let instance = |url: &str| InstancePrincipal::new().region(world::phoenix()).metadata(url);
    let exchanges = [
        Exchange::instance_principal(instance(&bad), world::keys(), ENTROPY),
        Exchange::instance_principal(instance(""), world::keys(), ENTROPY),
        Exchange::user_session(UserSession::new(&bad, world::api_key(), 5), world::keys(), ENTROPY),
        Exchange::workload_identity(
            WorkloadIdentity::new("10.0.0.1 ", "").port(1),
            world::keys(),
            ENTROPY,
        ),
        Exchange::workload_identity(
            WorkloadIdentity::new("two words", &service_account_token(NOW + 1)),
            world::keys(),
            ENTROPY,
        ),
        Exchange::token_exchange(
            TokenExchange::new(&bad, "a.b.c", secret_client()),
            world::keys(),
            ENTROPY,
        ),
    ];
    for exchange in exchanges {
        let run = run(exchange, |request| panic!("{request:?}"));
        let error = run.error();
        assert!(matches!(error.code(), "INVALID_URL" | "INVALID_TOKEN"), "{error}");
        assert!(!format!("{error} {error:?}").contains(password));
    }
}

const SIGNED_POST: [&str; 6] =
    ["date", "host", "content-length", "content-type", "x-content-sha256", "authorization"];

fn instance_calls(auth: &str) -> Vec<String> {
    let metadata = ["instance/regionInfo", "identity/cert.pem", "identity/key.pem"];
    let metadata = metadata.into_iter().chain(["identity/intermediate.pem"]);
    let mut calls: Vec<String> =
        metadata.map(|path| format!("GET {}/{path}", world::METADATA)).collect();
    calls.push(format!("POST {auth}/v1/x509"));
    calls
}

fn real(variables: &std::collections::BTreeMap<String, String>) -> Exchange {
    let resource = resource_principal(variables).unwrap();
    Exchange::resource_principal(resource, Arc::new(RealKeys), ENTROPY)
}

fn headers(request: &HttpRequest) -> Vec<(&str, &str)> {
    request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn names(request: &HttpRequest) -> Vec<&str> {
    request.headers.iter().map(|(name, _)| *name).collect()
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn key_id(request: &HttpRequest) -> &str {
    let authorization = request.header("authorization").unwrap();
    authorization.split("keyId=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// The base64 of the session key's public half.
fn spki() -> String {
    STANDARD.encode(session_key().spki_der())
}

fn assert_session_body(request: &HttpRequest, key: &ocisign_core::PublicKey) {
    let mut expected: Value = serde_json::from_str(&world::resource_tokens()).unwrap();
    expected["sessionPublicKey"] = json!(STANDARD.encode(key.spki_der()));
    assert_eq!(body(request), expected);
}

fn assert_form(request: &HttpRequest, kind: &str, more: &[(&str, &str)]) {
    let form: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
    let kind = format!("urn:oci:token-type:{kind}");
    let (subject, key) = (subject_token(), spki());
    let mut expected = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", &*kind),
        ("subject_token", &*subject),
        ("subject_token_type", "jwt"),
        ("public_key", &*key),
    ];
    expected.extend(more);
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(form, expected);
}

/// As a receiver judges it.
fn assert_signed(request: &HttpRequest, key: &str) {
    let headers = headers(request);
    let body = if request.body.is_empty() { Body::Empty } else { Body::Bytes(&request.body) };
    let received = Request::new(request.method, &request.url).headers(&headers).body(body);
    let host = request.url.split('/').nth(2).unwrap();
    let options = VerifyOptions::new().expected_host(host);
    let key = RsaVerifyingKey::new(&public_key(key)).unwrap();
    assert_eq!(verify(&received, &key, &options, NOW), Ok(()), "{}", call(request));
}
