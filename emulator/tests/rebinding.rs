//! What one principal has been given is of no use to another.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::Body;
use ocisign_emulator::{Config, Emulator};
use plain::{
    Caller, FUNCTION, OTHER_PEM, RESOURCE_PEM, SESSION_PEM, TENANCY, call, public, start,
    start_toml,
};
use serde_json::json;

const APPLICATION: &str = "ocid1.fnapp.oc1.iad.aaaaaaaaexampleapplication";

#[test]
fn a_token_that_is_bound_to_a_key_is_not_exchanged_for_one_of_another_key() {
    let emulator = start();
    let url = emulator.url();
    for file in ["resource_principal/rpst", "session/token"] {
        let subject = fs::read_to_string(emulator.file(file)).unwrap();
        let key = public(OTHER_PEM).replace('+', "%2B");
        let form = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=jwt\
             &requested_token_type=urn:oci:token-type:oci-upst&subject_token={subject}\
             &public_key={key}"
        );
        let client = format!("Basic {}", STANDARD.encode("example-client:example-secret"));
        let headers = [("authorization", client.as_str())];
        let reply = call(&url, "POST", "/oauth2/v1/token", &headers, form.as_bytes()).with(400);
        assert_eq!(reply.json()["error"], "invalid_grant", "{file}");
    }
}

#[test]
fn the_tokens_of_a_resource_are_exchanged_by_it_or_its_instance_alone() {
    let emulator = start();
    let url = emulator.url();
    let key_id = format!("resource/v2.1/{FUNCTION}");
    let function = Caller::new(&url, &key_id, RESOURCE_PEM);
    let path = format!("/20180711/resourcePrincipalTokenV2/{FUNCTION}");
    let mut both = function.get(&path).with(200).json();
    both["sessionPublicKey"] = json!(public(OTHER_PEM));
    let path = "/v1/resourcePrincipalSessionToken";
    Caller::user(&url).post(path, &both).with(404);
    let log = emulator.log();
    let reason = log.last().unwrap().reason.as_deref();
    assert_eq!(reason, Some("the caller does not live in this resource"));
    function.post(path, &both).with(200);
}

#[test]
fn no_two_principals_have_the_same_key() {
    let emulator = start();
    let url = emulator.url();
    let path = format!("/20180711/resourcePrincipalTokenV2/{APPLICATION}");
    for key_id in
        [format!("resource/v2.1/{APPLICATION}"), format!("resource/v2.1.1/{TENANCY}/{APPLICATION}")]
    {
        Caller::new(&url, &key_id, RESOURCE_PEM).get(&path).with(401);
    }
    for (text, key) in [
        ("[[users]]\nid = 'a'\n[[users]]\nid = 'b'", "users[1].key_file"),
        (
            "[[resources]]\nid='a'\n[[resources]]\nid='b'\n[[resources]]\nid='c'",
            "resources[2].key_file",
        ),
    ] {
        let mut config = Config::from_toml(text).unwrap();
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.tls_listen = config.listen;
        let error = Emulator::start(config).unwrap_err();
        assert!(error.to_string().starts_with(key), "{error}");
    }
}

#[test]
fn a_session_is_refreshed_by_itself_and_made_by_an_api_key() {
    let emulator = start();
    let url = emulator.url();
    let read = |file: &str| fs::read_to_string(emulator.file(file)).unwrap();
    let (session, pod) = (read("session/token"), read("kubernetes/token"));
    let path = "/v1/authentication/refresh";
    let refresh = |token: &str| json!({ "currentToken": token });
    Caller::user(&url).post(path, &refresh(&pod)).with(401);
    Caller::user(&url).post(path, &refresh(&session)).with(401);
    let caller = Caller::token(&url, &session, SESSION_PEM);
    caller.post(path, &refresh(&session)).with(200);
    let path = "/v1/token/upst/actions/GenerateUpst";
    let details = json!({ "publicKey": public(OTHER_PEM), "sessionExpirationInMinutes": 5 });
    caller.post(path, &details).with(401);
    Caller::user(&url).post(path, &details).with(200);
}

#[test]
fn a_blank_that_is_none_of_http_is_not_trimmed() {
    let emulator = start_toml("");
    let user = Caller::user(&emulator.url());
    let headers = user.headers("GET", "/echo", &[], Body::Empty);
    for blank in ["\u{a0}", "\u{3000}"] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "date" => (name.as_str(), format!("{value}{blank}")),
                name => (name, value.clone()),
            })
            .collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        call(&emulator.url(), "GET", "/echo", &headers, &[]).with(401);
    }
}

#[test]
fn what_a_body_holds_is_not_quoted_when_it_is_refused() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    let body = json!({ "currentToken": { "a": "eyJsecret" } });
    let reply = user.post("/v1/authentication/refresh", &body).with(400);
    assert!(!reply.text().contains("eyJsecret"), "{}", reply.text());
    let body = json!({ "requestHeaders": "Signature keyId=\"ST$eyJsecret\"" });
    let reply = user.post("/v1/authentication/authenticateClient", &body).with(400);
    assert!(!reply.text().contains("eyJsecret"), "{}", reply.text());
    assert!(!format!("{:?}", emulator.log()).contains("eyJsecret"));
}
