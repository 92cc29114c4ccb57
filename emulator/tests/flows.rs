//! What the official Python SDK sent to a stub, sent to the emulator: it is answered as it was
//! there.
#![allow(clippy::unwrap_used, clippy::panic)]

mod wire;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::{KeyOptions, NativeKey, PrivateKeyDer, SigningKey};
use ocisign_emulator::{
    AuthorityConfig, CompartmentConfig, Config, Emulator, Entry, InstanceConfig, ResourceConfig,
    TenancyConfig,
};
use ocisign_vectors::vectors;
use ring::digest::{SHA256, digest};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use wire::{Answer, Wire};

#[test]
fn every_recorded_exchange_is_answered_as_it_was_recorded() {
    let stage = Stage::start();
    let mut replayed = 0;
    for flow in flows() {
        let mut tokens = json!({});
        for exchange in flow["exchanges"].as_array().unwrap() {
            let place = format!("{}: {} {}", flow["name"], exchange["method"], exchange["target"]);
            let answer = stage.replay(exchange, &mut tokens, &place);
            let entry = stage.logged(&answer);
            assert_eq!(caller_kind(&entry), expected_caller(exchange), "{place}: {entry}");
            replayed += 1;
        }
    }
    assert_eq!(replayed, 48);
}

#[test]
fn the_flows_without_exchanges_are_those_in_which_the_sdk_failed() {
    let flows = flows();
    let empty = flows.iter().filter(|flow| flow["exchanges"] == json!([]));
    let names: Vec<&str> = empty.map(|flow| flow["name"].as_str().unwrap()).collect();
    assert_eq!(names, FAILED_IN_THE_SDK);
    for flow in &flows {
        let failed = FAILED_IN_THE_SDK.contains(&flow["name"].as_str().unwrap());
        assert_eq!(flow.get("error").is_some(), failed, "{}", flow["name"]);
    }
}

#[test]
fn a_token_that_is_not_the_emulators_own_is_refused_after_its_bearer_is_known() {
    let stage = Stage::start();
    let mut refused = 0;
    for flow in flows() {
        for exchange in flow["exchanges"].as_array().unwrap().iter().filter(|it| is_opaque(it)) {
            refused += 1;
            let entry = stage.logged(&stage.send(exchange, &recorded(exchange)));
            let place = format!("{}: {entry}", flow["name"]);
            let reason = Some("the token's header is no JSON");
            assert_eq!((entry.status, entry.reason.as_deref()), (401, reason), "{place}");
            assert_eq!(caller_kind(&entry), expected_caller(exchange), "{place}");
        }
    }
    assert_eq!(refused, 4);
}

#[test]
fn a_service_account_token_of_another_issuer_is_refused() {
    let stage = Stage::start();
    let flows = flows();
    let all = flows.iter().flat_map(|flow| flow["exchanges"].as_array().unwrap());
    let calls: Vec<&Value> = all.filter(|exchange| is_workload(exchange)).collect();
    assert_eq!(calls.len(), 1);
    for exchange in calls {
        let entry = stage.logged(&stage.send(exchange, &recorded(exchange)));
        let reason = Some("the token's algorithm is not RS256");
        assert_eq!((entry.status, entry.reason.as_deref(), entry.caller), (401, reason, None));
    }
}

/// An emulator with the keys and the names of the recording.
struct Stage {
    emulator: Emulator,
    tls: Arc<ClientConfig>,
    key: NativeKey,
}

impl Stage {
    fn start() -> Self {
        let key = |name: &str| Some(vectors().join("keys").join(name));
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let compartment = "ocid1.compartment.oc1..aaaaaaaatestcompartment".to_owned();
        let resource = |id: &str| ResourceConfig {
            id: id.to_owned(),
            compartment: compartment.clone(),
            key_file: key("test-key.pem"),
            ..ResourceConfig::default()
        };
        let emulator = Emulator::start(Config {
            listen: any,
            tls_listen: any,
            // June 2024: the certificates are valid since January, the tokens since 2023. The
            // requests are of 2014.
            time: Some(1_717_200_000),
            skew: 400_000_000,
            hosts: vec!["127.0.0.1:39471".into(), "127.0.0.1:12250".into()],
            tenancy: TenancyConfig {
                id: "ocid1.tenancy.oc1..aaaaaaaatesttenancy".into(),
                ..TenancyConfig::default()
            },
            compartments: vec![CompartmentConfig {
                id: compartment.clone(),
                ..CompartmentConfig::default()
            }],
            authority: AuthorityConfig {
                kid: "asw_oc1_test0001".into(),
                key_file: key("fake-auth-service-key.pem"),
            },
            instance: InstanceConfig {
                id: "ocid1.instance.oc1.iad.anuwtesttestinstance".into(),
                compartment: compartment.clone(),
                certificate_file: key("ip-leaf-cert.pem"),
                key_file: key("ip-leaf-key.pem"),
                intermediate_file: key("ip-intermediate-cert.pem"),
                ..InstanceConfig::default()
            },
            resources: vec![
                resource("ocid1.fnfunc.oc1.iad.aaaaaaaatestfn"),
                resource("ocid1.resource.oc1..env"),
            ],
            ..Config::default()
        })
        .unwrap();

        let ca = fs::read_to_string(emulator.ca_file()).unwrap();
        let (_, ca) = pem_rfc7468::decode_vec(ca.trim().as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(ca)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let pem = fs::read_to_string(key("test-key.pem").unwrap()).unwrap();
        let key = PrivateKeyDer::from_pem(&pem, &KeyOptions::new()).unwrap();
        Self { emulator, tls: Arc::new(tls), key: NativeKey::new(&key).unwrap() }
    }

    /// Send it, and compare the answer with the recorded one. `tokens` is what the flow was
    /// given for its resource last.
    fn replay(&self, exchange: &Value, tokens: &mut Value, place: &str) -> Answer {
        let answer = self.send(exchange, &self.current(exchange, tokens));
        if exchange["target"] == "/20160918/x" {
            // A path that only the stub had: whoever calls it is known, and finds nothing.
            assert_eq!(answer.status, 404, "{place}");
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(body["code"], "NotAuthorizedOrNotFound", "{place}");
            return answer;
        }
        let body = exchange["response"]["body"].as_str().unwrap();
        assert_eq!(json!(answer.status), exchange["response"]["status"], "{place}: {answer:?}");
        assert_eq!(Shape::of(&answer.body), Shape::of(body), "{place}");
        if exchange["target"].as_str().unwrap().starts_with("/20180711/") {
            *tokens = serde_json::from_str(&answer.body).unwrap();
        }
        answer
    }

    fn send(&self, exchange: &Value, request: &Wire) -> Answer {
        let (url, tls_url) = (self.emulator.url(), self.emulator.tls_url());
        if exchange["scheme"] == "http" {
            return wire::send(url.trim_start_matches("http://"), request);
        }
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let client = ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        let stream = wire::connect(tls_url.trim_start_matches("https://"));
        wire::exchange(StreamOwned::new(client, stream), request)
    }

    /// The recorded request, with tokens of the emulator where the stub's were no tokens at all,
    /// and with its service account token, since the recorded one is of another issuer (HS256).
    fn current(&self, exchange: &Value, tokens: &Value) -> Wire {
        let request = recorded(exchange);
        if is_workload(exchange) {
            let token = fs::read_to_string(self.emulator.file("kubernetes/token")).unwrap();
            return request.set("authorization", format!("Bearer {token}"));
        }
        if !is_opaque(exchange) {
            return request;
        }
        let mut body: Value = serde_json::from_slice(&request.body).unwrap();
        for name in ["resourcePrincipalToken", "servicePrincipalSessionToken"] {
            body[name] = tokens[name].clone();
        }
        self.sign_again(request, body.to_string().into_bytes())
    }

    /// The same request with another body: the same headers signed in the same order, by the
    /// session's key, which is the resource's too.
    fn sign_again(&self, request: Wire, body: Vec<u8>) -> Wire {
        let recorded = signature_of(&request);
        let request = Wire { body, ..request };
        let length = request.body.len().to_string();
        let digest = STANDARD.encode(digest(&SHA256, &request.body));
        let request = request.set("content-length", length).set("x-content-sha256", digest);
        let lines: Vec<String> = recorded
            .headers
            .split(' ')
            .map(|name| match name {
                "(request-target)" => {
                    let method = request.method.to_ascii_lowercase();
                    format!("{name}: {method} {}", request.target)
                }
                name => format!("{name}: {}", request.header(name)),
            })
            .collect();
        let signature = STANDARD.encode(self.key.sign(lines.join("\n").as_bytes()).unwrap());
        let authorization =
            request.header("authorization").replace(&recorded.signature, &signature);
        request.set("authorization", authorization)
    }

    /// What the log says about the request that was answered so.
    fn logged(&self, answer: &Answer) -> Entry {
        let id = answer.header("opc-request-id").unwrap();
        self.emulator.log().into_iter().find(|entry| entry.request_id == id).unwrap()
    }
}

struct Signature {
    headers: String,
    signature: String,
}

fn signature_of(request: &Wire) -> Signature {
    let authorization = request.header("authorization");
    let value = |name: &str| {
        let (_, rest) = authorization.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    Signature { headers: value("headers"), signature: value("signature") }
}

fn flows() -> Vec<Value> {
    let text = fs::read_to_string(vectors().join("flows/python.json")).unwrap();
    let mut recording: Value = serde_json::from_str(&text).unwrap();
    match recording["flows"].take() {
        Value::Array(flows) => flows,
        other => panic!("not an array: {other}"),
    }
}

fn recorded(exchange: &Value) -> Wire {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = exchange["headers"].as_array().unwrap().iter();
    Wire {
        method: text(&exchange["method"]),
        target: text(&exchange["target"]),
        headers: headers.map(|header| (text(&header[0]), text(&header[1]))).collect(),
        body: text(&exchange["body"]).into_bytes(),
    }
}

/// Whether it brings what the stub gave in place of tokens: `RPT.BLOB.X`.
fn is_opaque(exchange: &Value) -> bool {
    exchange["target"] == "/v1/resourcePrincipalSessionToken"
}

fn is_workload(exchange: &Value) -> bool {
    exchange["target"] == "/resourcePrincipalSessionTokens"
}

fn caller_kind(entry: &Entry) -> Option<&str> {
    entry.caller.as_deref()?.split(' ').next()
}

/// Who signed it: what the key id says, and for a token its claim `ptype`.
fn expected_caller(exchange: &Value) -> Option<&'static str> {
    if is_workload(exchange) {
        return Some("pod");
    }
    let authorization = recorded(exchange).header("authorization").to_owned();
    let (_, key_id) = authorization.split_once("keyId=\"")?;
    if key_id.starts_with("resource/") {
        return Some("resource");
    }
    if key_id.contains("/fed-x509/") {
        return Some("instance");
    }
    let claims = key_id.strip_prefix("ST$").unwrap().split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    match claims["ptype"].as_str() {
        Some("instance") => Some("instance"),
        Some("resource") => Some("resource"),
        other => panic!("{other:?}"),
    }
}

/// What programs see of a body: which keys and which types, but not which values.
#[derive(Debug, Eq, PartialEq)]
enum Shape {
    /// Text, the labels of its PEM blocks.
    Text(Vec<String>),
    Json(Value),
}

impl Shape {
    fn of(body: &str) -> Self {
        match serde_json::from_str(body) {
            Ok(value) => Self::Json(shape(&value)),
            Err(_) => Self::Text(
                body.lines()
                    .filter_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
                    .map(str::to_owned)
                    .collect(),
            ),
        }
    }
}

/// The same with the name of its type in place of each value. A list is as its elements, which
/// are alike; of an empty one that is not known, and the stub's lists are empty. Text may be
/// JSON in base64, as the proxymux answers.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::Array(_) => json!("list"),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::String(text) => {
            let wrapped = STANDARD.decode(text).ok();
            let wrapped = wrapped.and_then(|text| serde_json::from_slice(&text).ok());
            wrapped.map_or(json!("string"), |wrapped: Value| json!([shape(&wrapped)]))
        }
    }
}

/// What the SDK could not do with its own settings, before it sent anything.
const FAILED_IN_THE_SDK: [&str; 7] = [
    "rp-2.2-file-token-with-newline",
    "rp-2.2-file-enc-key-file-pass",
    "rp-2.2-file-enc-key-literal-pass",
    "rp-2.1.2-no-security-context",
    "rp-3.0-leaf-2.2",
    "rp-3.0-leaf-2.2-two-levels",
    "rp-3.0-leaf-2.1",
];
