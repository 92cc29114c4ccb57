//! What the official SDK for Python sent and was answered: we send the same, and take the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ocisign_core::{
    Body, Exchange, HttpRequest, InstancePrincipal, PublicKey, Region, RegionSources, Request,
    ResourcePrincipal, RsaVerifyingKey, VariableError, VerifyOptions, WorkloadIdentity, verify,
};
use ocisign_vectors::vectors;
use serde_json::{Value, json};

use crate::drive::{Reply, Run, run_at};
use crate::made::{NOW, PASSPHRASE, RealKeys, TENANCY, public_key, vector_key};
use crate::world::ENTROPY;

#[test]
fn every_successful_flow_of_the_official_sdk_ends_in_the_recorded_token() {
    let mut replayed = Vec::new();
    for flow in flows().iter().filter(|flow| flow.get("error").is_none()) {
        let run = replay(flow);
        let credential = run.ready();
        assert_eq!(credential.key_id().as_str(), recorded_key_id(flow), "{}", flow["name"]);
        assert!(credential.binding_checked());
        assert_eq!(credential.tenancy().as_deref(), Some(TENANCY));
        let region = run.exchange.region().map(|region| region.id().to_owned());
        assert_eq!(json!(region), flow["result"]["region"], "{}", flow["name"]);
        replayed.push(flow["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        replayed,
        [
            "instance-principal",
            "instance-principal-delegation",
            "rp-2.2-literal",
            "rp-2.2-files",
            "rp-2.2-literal-enc-key",
            "rp-2.2-delegation",
            "rp-2.1",
            "rp-2.1.1",
            "rp-2.1.2",
            "rp-1.1-env-id",
            "oke-workload-identity",
        ]
    );
}

#[test]
fn what_the_official_sdk_could_not_read_is_read() {
    let flows = flows();
    for name in [
        "rp-2.2-file-token-with-newline",
        "rp-2.2-file-enc-key-file-pass",
        "rp-2.2-file-enc-key-literal-pass",
    ] {
        let flow = flows.iter().find(|flow| flow["name"] == name).unwrap();
        let run = run_at(exchange(flow), [SIGNED, NOW], |request| panic!("{request:?}"));
        assert_eq!(run.ready().key_id().as_str(), format!("ST${}", token_file()), "{name}");
    }
    // The SDK asks for a path only.
    let flow = flows.iter().find(|flow| flow["name"] == "rp-2.1.2-no-security-context").unwrap();
    let error = resource_principal(flow).unwrap_err();
    assert_eq!(
        (error.code(), &*error.name),
        ("MISSING_VARIABLE", "OCI_RESOURCE_PRINCIPAL_SECURITY_CONTEXT")
    );
}

/// Drive our exchange with the recorded answers. It is asked at the recorded date and told at
/// another, because the recorded tokens are younger than the recorded date.
fn replay(flow: &Value) -> Run {
    let recorded = flow["exchanges"].as_array().unwrap();
    let mut seen = Vec::new();
    let run = run_at(exchange(flow), [SIGNED, NOW], |request| {
        if request.url.ends_with("/instance/regionInfo") {
            // The SDK does not ask.
            return Ok(Reply::new(404, ""));
        }
        let found = recorded.iter().find(|recorded| target(recorded) == target_of(request));
        let found = found.unwrap_or_else(|| panic!("{}: {request:?}", flow["name"]));
        compare(request, found, &format!("{}: {request:?}", flow["name"]));
        seen.push(found["target"].as_str().unwrap().to_owned());
        let response = &found["response"];
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        Ok(Reply::new(status, response["body"].as_str().unwrap()))
    });
    // All that it sent but the signed calls that prove the SDK's signer.
    let mut expected: Vec<&str> =
        recorded.iter().map(|recorded| recorded["target"].as_str().unwrap()).collect();
    expected.retain(|target| !target.starts_with("/20160918/"));
    for target in expected {
        assert!(seen.iter().any(|seen| seen == target), "{}: {target}", flow["name"]);
    }
    run
}

fn compare(ours: &HttpRequest, recorded: &Value, place: &str) {
    assert_eq!(ours.method, recorded["method"], "{place}");
    assert!(ours.url.starts_with(recorded["scheme"].as_str().unwrap()), "{place}");
    for name in ["content-type", "security-context"] {
        // The SDK says a type of bodies that it does not send.
        if ours.method == "POST" || name == "security-context" {
            assert_eq!(ours.header(name), header(recorded, name), "{place}: {name}");
        }
    }
    let theirs: Option<Value> = serde_json::from_str(recorded["body"].as_str().unwrap()).ok();
    let mut body: Option<Value> = serde_json::from_slice(&ours.body).ok();
    let authorization = header(recorded, "authorization").unwrap();
    let own = ours.header("authorization").unwrap();
    let Some((_, key_id)) = authorization.split_once("keyId=\"") else {
        assert_eq!((own, &body), (authorization, &theirs), "{place}");
        return;
    };
    let key_id = key_id.split('"').next().unwrap();
    let (key_id, key) = if ours.url.ends_with("/v1/x509") {
        let body = body.as_mut().unwrap().as_object_mut().unwrap();
        assert_eq!(body.remove("fingerprintAlgorithm"), Some(json!("SHA256")), "{place}");
        assert_eq!(body.remove("purpose"), Some(json!("DEFAULT")), "{place}");
        let prints = &recording()["leaf_fingerprints"];
        let print = |name: &str| prints[name].as_str().unwrap().to_owned();
        let theirs = format!("fed-x509/{}", print("sha1_upper"));
        let ours = format!("fed-x509-sha256/{}", print("sha256_lower"));
        assert!(key_id.ends_with(&theirs), "{place}");
        (key_id.replace(&theirs, &ours), "ip-leaf-key.pem")
    } else {
        (key_id.to_owned(), "test-key.pem")
    };
    assert_eq!(body, theirs, "{place}");
    assert!(recorded["verified_with"].as_str().unwrap().starts_with(key), "{place}");
    assert!(own.contains(&format!("keyId=\"{key_id}\"")), "{place}");
    assert_verifies(ours, &public_key(&vector_key(key)), place);
}

/// As a receiver would judge it that knows the key, for the host of the URL.
fn assert_verifies(ours: &HttpRequest, key: &PublicKey, place: &str) {
    let headers: Vec<(&str, &str)> =
        ours.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = if ours.body.is_empty() { Body::Empty } else { Body::Bytes(&ours.body) };
    let received = Request::new(ours.method, &ours.url).headers(&headers).body(body);
    let options = VerifyOptions::new().expected_host("127.0.0.1:39471");
    let verified = verify(&received, &RsaVerifyingKey::new(key).unwrap(), &options, SIGNED);
    assert_eq!(verified, Ok(()), "{place}");
}

/// The exchange for a flow's environment.
fn exchange(flow: &Value) -> Exchange {
    let name = flow["name"].as_str().unwrap();
    let keys = Arc::new(RealKeys);
    if name.starts_with("rp-") {
        return Exchange::resource_principal(resource_principal(flow).unwrap(), keys, ENTROPY);
    }
    if name.starts_with("oke-") {
        let host = flow["env"]["KUBERNETES_SERVICE_HOST"].as_str().unwrap();
        let call = &flow["exchanges"][0];
        let token = header(call, "authorization").unwrap().strip_prefix("Bearer ").unwrap();
        let region = flow["env"]["OCI_RESOURCE_PRINCIPAL_REGION"].as_str().unwrap();
        let region = Region::lookup(region, &RegionSources::default()).unwrap();
        let workload = WorkloadIdentity::new(host, &format!("{token}\n")).region(region);
        return Exchange::workload_identity(workload, keys, ENTROPY);
    }
    Exchange::instance_principal(instance(flow), keys, ENTROPY)
}

fn instance(flow: &Value) -> InstancePrincipal {
    let metadata = flow["env"]["OCI_METADATA_BASE_URL"].as_str().unwrap_or_default();
    InstancePrincipal::new().metadata(metadata).federation("http://127.0.0.1:39471")
}

fn resource_principal(flow: &Value) -> Result<ResourcePrincipal, VariableError> {
    let variables: BTreeMap<&str, &str> = flow["env"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    // The recording says TMPDIR for the folder of its files.
    let variable = |name: &str| variables.get(name).map(|value| value.replace("TMPDIR", "/tmpdir"));
    let read = |path: &str| {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let text = match name {
            "rpst" => token_file(),
            "rpst_nl" => token_file() + "\n",
            "private.pem" => vector_key("test-key.pem"),
            "enc.pem" => vector_key("test-key.pkcs8-enc.pem"),
            "pass" => PASSPHRASE.into(),
            _ => return Err(format!("{path}: not found")),
        };
        Ok(text.into())
    };
    ResourcePrincipal::from_variables(&variable, &read, instance(flow), &RegionSources::default())
}

/// What the recording's token file held: the token of its flow with literals.
fn token_file() -> String {
    let flows = flows();
    let literal = flows.iter().find(|flow| flow["name"] == "rp-2.2-literal").unwrap();
    literal["env"]["OCI_RESOURCE_PRINCIPAL_RPST"].as_str().unwrap().to_owned()
}

/// The key id of the call that the SDK signed at last.
fn recorded_key_id(flow: &Value) -> String {
    let last = flow["exchanges"].as_array().unwrap().last().unwrap();
    let authorization = header(last, "authorization").unwrap();
    authorization.split("keyId=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn header<'a>(recorded: &'a Value, name: &str) -> Option<&'a str> {
    let headers = recorded["headers"].as_array().unwrap();
    let found =
        headers.iter().find(|header| header[0].as_str().unwrap().eq_ignore_ascii_case(name));
    found.map(|header| header[1].as_str().unwrap())
}

fn target(recorded: &Value) -> String {
    format!("{} {}", header(recorded, "host").unwrap(), recorded["target"].as_str().unwrap())
}

fn target_of(ours: &HttpRequest) -> String {
    let rest = ours.url.split_once("://").unwrap().1;
    let (host, path) = rest.split_once('/').unwrap();
    format!("{host} /{path}")
}

fn flows() -> Vec<Value> {
    recording()["flows"].as_array().unwrap().clone()
}

fn recording() -> Value {
    let text = fs::read_to_string(vectors().join("flows/python.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// `fixed_date` of the recording: Thu, 05 Jan 2014 21:31:40 GMT, which was a Sunday.
const SIGNED: u64 = 1_388_957_500;
