//! What becomes a token: certificates, resources, pods, sessions, tokens of other issuers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{Body, SecurityToken, SigningKey};
use plain::{
    CLUSTER, Caller, Connection, Digest, FUNCTION, INSTANCE, Identity, OTHER_PEM, RESOURCE_PEM,
    Reply, SESSION_PEM, TENANCY, USER, bare, call, claims, function, instance, key, last, now, pod,
    proxymux, public, reason, session, start, start_toml, unwrap_proxymux,
};
use serde_json::{Value, json};

// Federation.

#[test]
fn an_instance_federates_with_either_fingerprint_with_and_without_host() {
    let emulator = start();
    let url = emulator.url();
    let identity = Identity::of(&url);
    for by in [Digest::Sha1, Digest::Sha256] {
        for signs_host in [true, false] {
            let reply = identity.federate_as(&url, SESSION_PEM, by, signs_host);
            let token = reply.field("token");
            assert_eq!(last(&emulator).caller, Some(format!("instance {INSTANCE}")));
            let claims = claims(&token);
            assert_eq!((&claims["ptype"], &claims["sub"]), (&json!("instance"), &json!(INSTANCE)));
            assert_eq!(claims["opc-tenant"], TENANCY);
            let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
            assert_eq!(life, 1_200);
            let echoed = Caller::token(&url, &token, SESSION_PEM).get("/echo").with(200).json();
            assert_eq!(echoed["principal"]["id"], INSTANCE);
            Caller::token(&url, &token, OTHER_PEM).get("/echo").with(401);
        }
    }
}

#[test]
fn the_token_of_a_federation_reads_as_the_driver_reads_it() {
    let emulator = start();
    let url = emulator.url();
    let token = Identity::of(&url).federate(&url, SESSION_PEM).field("token");
    let token = SecurityToken::parse(&token).unwrap();
    assert_eq!(token.session_key(), Some(key(SESSION_PEM).public_key()));
    assert!(token.expires().unwrap() > now());
}

#[test]
fn a_federation_whose_parts_do_not_belong_together_is_refused() {
    let emulator = start();
    let url = emulator.url();
    let identity = Identity::of(&url);
    let root = Caller::user(&url).get("/v1/instancePrincipalRootCACertificates").with(200).json();
    let root = root["certificates"][0].as_str().unwrap().to_owned();
    emulator.rotate_certificate().unwrap();
    let other = Identity::of(&url);
    let whole = identity.details(SESSION_PEM);
    for (field, value, status, word) in [
        ("certificate", json!(bare(&other.certificate)), 401, "fingerprint"),
        ("certificate", json!("AAAA"), 401, "no certificate"),
        ("certificate", json!(root), 401, "another issuer"),
        ("intermediateCertificates", json!([]), 401, "intermediate"),
        ("intermediateCertificates", json!([root]), 401, "intermediate"),
        ("publicKey", json!("AAAA"), 400, "publicKey"),
        ("publicKey", json!(7), 400, "body"),
    ] {
        let mut details = whole.clone();
        details[field] = value;
        let key_id = identity.key_id(Digest::Sha256);
        let caller = Caller::new(&url, &key_id, &identity.key);
        caller.post("/v1/x509", &details).with(status);
        assert!(reason(&emulator).contains(word), "{field}: {}", reason(&emulator));
        assert!(status == 400 || last(&emulator).caller.is_none());
    }
    for (key_id, pem) in [
        (identity.key_id(Digest::Sha256), other.key.as_str()),
        (other.key_id(Digest::Sha256), identity.key.as_str()),
        (identity.key_id(Digest::Sha1).replace("fed-x509/", "fed-x509-sha256/"), &identity.key),
        (identity.key_id(Digest::Sha1).replace(TENANCY, "ocid1.tenancy.oc1..b"), &identity.key),
        ("a/b/c".to_owned(), &identity.key),
    ] {
        Caller::new(&url, &key_id, pem).post("/v1/x509", &whole).with(401);
    }
    Caller::new(&url, &identity.key_id(Digest::Sha256), &identity.key)
        .post("/v1/x509", &whole)
        .with(200);
}

// Resource principals.

/// Both tokens, exchanged for one.
fn exchange(caller: &Caller, both: &Value, session_pem: &str) -> Reply {
    let details = json!({
        "resourcePrincipalToken": both["resourcePrincipalToken"],
        "servicePrincipalSessionToken": both["servicePrincipalSessionToken"],
        "sessionPublicKey": public(session_pem),
    });
    caller.post("/v1/resourcePrincipalSessionToken", &details)
}

fn echoed_id(caller: &Caller) -> String {
    caller.get("/echo").with(200).json()["principal"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_resource_of_each_version_2_1_exchanges_its_tokens() {
    let emulator = start();
    let url = emulator.url();
    for (key_id, path, headers) in [
        (format!("resource/v2.1/{FUNCTION}"), "resourcePrincipalTokenV2", &[][..]),
        (format!("resource/v2.1.1/{TENANCY}/{FUNCTION}"), "resourcePrincipalTokenV2", &[]),
        (
            format!("resource/v2.1.2/{TENANCY}/{FUNCTION}"),
            "resourcePrincipalTokenV212",
            &[("security-context", "example")],
        ),
    ] {
        let own = Caller::new(&url, &key_id, RESOURCE_PEM);
        let path = format!("/20180711/{path}/{FUNCTION}");
        let both = own.send("GET", &path, headers, &[]).with(200).json();
        assert_eq!(last(&emulator).caller, Some(format!("resource {FUNCTION}")));
        let token = exchange(&own, &both, SESSION_PEM).field("token");
        assert_eq!(echoed_id(&Caller::token(&url, &token, SESSION_PEM)), FUNCTION, "{key_id}");
        assert_eq!(claims(&token)["res_type"], "fnfunc");
    }
}

#[test]
fn a_resource_is_refused_with_another_version_tenancy_key_or_name() {
    let emulator = start();
    let url = emulator.url();
    for (key_id, path, pem, status, word) in [
        (format!("resource/v2.1.2/{TENANCY}/{FUNCTION}"), "V2", RESOURCE_PEM, 401, "version"),
        (format!("resource/v2.1/{FUNCTION}"), "V212", RESOURCE_PEM, 401, "version"),
        (format!("resource/v2.1/{FUNCTION}"), "", RESOURCE_PEM, 401, "version"),
        (format!("resource/v2.1.1/other/{FUNCTION}"), "V2", RESOURCE_PEM, 401, "tenancy"),
        (format!("resource/v2.1/{FUNCTION}/a"), "V2", RESOURCE_PEM, 401, "resource"),
        ("resource/v2.1/unknown".to_owned(), "V2", RESOURCE_PEM, 401, "no such resource"),
        (format!("resource/v2.1/{FUNCTION}"), "V2", OTHER_PEM, 401, "signature"),
    ] {
        let caller = Caller::new(&url, &key_id, pem);
        let path = format!("/20180711/resourcePrincipalToken{path}/{FUNCTION}");
        caller.get(&path).with(status);
        assert!(reason(&emulator).contains(word), "{key_id}: {}", reason(&emulator));
    }
    let own = Caller::new(&url, &format!("resource/v2.1/{FUNCTION}"), RESOURCE_PEM);
    own.get("/20180711/resourcePrincipalTokenV2/other").with(404);
    own.get(&format!("/20180711/resourcePrincipalTokenV3/{FUNCTION}")).with(401);
}

#[test]
fn the_log_names_no_caller_that_is_not_proved() {
    let emulator = start();
    let url = emulator.url();
    let path = format!("/20180711/resourcePrincipalTokenV2/{FUNCTION}");
    Caller::new(&url, &format!("resource/v2.1/{FUNCTION}"), OTHER_PEM).get(&path).with(401);
    assert_eq!(last(&emulator).caller, None);
}

#[test]
fn a_security_context_that_is_named_has_to_be_given() {
    let emulator = start_toml(&format!("[[resources]]\nid = '{FUNCTION}'\nsecurity_context = 'a'"));
    let url = emulator.url();
    let own = Caller::new(&url, &format!("resource/v2.1.2/{TENANCY}/{FUNCTION}"), RESOURCE_PEM);
    let path = format!("/20180711/resourcePrincipalTokenV212/{FUNCTION}");
    own.get(&path).with(404);
    own.send("GET", &path, &[("security-context", "b")], &[]).with(404);
    assert!(reason(&emulator).contains("security-context"));
    own.send("GET", &path, &[("security-context", "a")], &[]).with(200);
}

#[test]
fn an_instance_asks_for_the_tokens_of_a_resource_on_it() {
    let emulator = start();
    let url = emulator.url();
    let path = format!("/20180711/resourcePrincipalToken/{FUNCTION}");
    Caller::user(&url).get(&path).with(404);
    let instance = instance(&url);
    let both = instance.get(&path).with(200).json();
    let token = exchange(&instance, &both, OTHER_PEM).field("token");
    assert_eq!(echoed_id(&Caller::token(&url, &token, OTHER_PEM)), FUNCTION);
    instance.get("/20180711/resourcePrincipalToken/other").with(404);
}

#[test]
fn a_nested_resource_climbs_to_its_parents() {
    let emulator = start_toml(
        "[[resources]]\nid = 'leaf'\nparent = 'middle'\n\
         [[resources]]\nid = 'middle'\ntype = 'fnapp'\nparent = 'top'\n\
         [[resources]]\nid = 'top'\ntype = 'fnfarm'\nkey_file = 'keys/workload.pem'",
    );
    let url = emulator.url();
    let leaf = function(&emulator);
    assert_eq!(echoed_id(&leaf), "leaf");
    leaf.get("/20180711/resourcePrincipalToken/top").with(404);
    let reply = leaf.get("/20180711/resourcePrincipalToken/middle").with(200);
    let next = format!("{url}/20180711/resourcePrincipalToken/top");
    assert_eq!(reply.header("opc-parent-rpt-url"), Some(next.as_str()));
    let token = exchange(&leaf, &reply.json(), SESSION_PEM).field("token");
    let middle = Caller::token(&url, &token, SESSION_PEM);
    assert_eq!(echoed_id(&middle), "middle");

    let path = next.strip_prefix(&url).unwrap();
    let reply = middle.get(path).with(200);
    assert_eq!(reply.header("opc-parent-rpt-url"), None);
    let token = exchange(&middle, &reply.json(), OTHER_PEM).field("token");
    let top = Caller::token(&url, &token, OTHER_PEM);
    assert_eq!(echoed_id(&top), "top");
    assert_eq!(claims(&token)["res_type"], "fnfarm");
    top.get("/20180711/resourcePrincipalToken/middle").with(404);
}

#[test]
fn tokens_that_are_exchanged_have_to_be_those_of_the_resource() {
    let emulator = start();
    let url = emulator.url();
    let own = Caller::new(&url, &format!("resource/v2.1/{FUNCTION}"), RESOURCE_PEM);
    let path = format!("/20180711/resourcePrincipalTokenV2/{FUNCTION}");
    let both = own.get(&path).with(200).json();
    let session = exchange(&own, &both, SESSION_PEM).field("token");
    let swapped = json!({
        "resourcePrincipalToken": both["servicePrincipalSessionToken"],
        "servicePrincipalSessionToken": both["resourcePrincipalToken"],
    });
    exchange(&own, &swapped, SESSION_PEM).with(401);
    let mut used = both.clone();
    used["resourcePrincipalToken"] = json!(session);
    exchange(&own, &used, SESSION_PEM).with(401);
    let mut forged = both.clone();
    forged["resourcePrincipalToken"] = json!("a.b.c");
    exchange(&own, &forged, SESSION_PEM).with(401);
    // What is bound to the resource's key for the exchange is no token to call with.
    for name in ["resourcePrincipalToken", "servicePrincipalSessionToken"] {
        let token = both[name].as_str().unwrap();
        let status = Caller::token(&url, token, RESOURCE_PEM).get("/echo").status;
        assert_eq!(status, 401, "{name}");
    }
    exchange(&own, &json!({}), SESSION_PEM).with(400);
}

// OKE.

#[test]
fn a_pod_has_its_token_for_its_own_key() {
    let emulator = start();
    let echoed = pod(&emulator).get("/echo").with(200).json();
    assert_eq!(echoed["principal"]["type"], "workload");
    assert_eq!(echoed["principal"]["id"], CLUSTER);
}

#[test]
fn a_pod_has_token_and_key_from_the_server_with_caching() {
    let emulator = start();
    let bearer = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let details = json!({ "podKey": public(SESSION_PEM) });
    let path = "/resourcePrincipalSessionTokensWithCaching";
    let given = unwrap_proxymux(proxymux(&emulator, path, &bearer, &details));
    let decode = |name: &str| {
        String::from_utf8(STANDARD.decode(given[name].as_str().unwrap()).unwrap()).unwrap()
    };
    let token = given["token"].as_str().unwrap();
    assert!(token.starts_with("ST$"));
    let private = decode("privateKey");
    assert_eq!(bare(&decode("publicKey")), public(&private));
    Caller::token(&emulator.url(), token, &private).get("/echo").with(200);
    Caller::token(&emulator.url(), token, SESSION_PEM).get("/echo").with(401);
}

#[test]
fn a_pod_of_a_basic_cluster_is_told_that_it_is_one() {
    let emulator = start_toml("[workload]\nenhanced = false");
    let bearer = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let details = json!({ "podKey": public(SESSION_PEM) });
    for path in ["/resourcePrincipalSessionTokens", "/resourcePrincipalSessionTokensWithCaching"] {
        let reply = proxymux(&emulator, path, &bearer, &details).with(403);
        assert!(reply.text().contains("enhanced"));
        proxymux(&emulator, path, "a.b.c", &details).with(401);
    }
}

#[test]
fn a_pod_without_a_service_account_token_is_refused() {
    let emulator = start();
    let path = "/resourcePrincipalSessionTokens";
    let details = json!({ "podKey": public(SESSION_PEM) });
    let session = fs::read_to_string(emulator.file("session/token")).unwrap();
    for bearer in ["", "a.b.c", &session] {
        proxymux(&emulator, path, bearer, &details).with(401);
    }
    let bearer = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    proxymux(&emulator, path, &bearer, &json!({ "podKey": "AAAA" })).with(400);
    proxymux(&emulator, path, &bearer, &json!({})).with(400);
    // And a service account token is none to call with.
    Caller::token(&emulator.url(), &bearer, SESSION_PEM).get("/echo").with(401);
}

#[test]
fn tls_is_of_the_authority_in_the_file_and_of_no_other() {
    let (emulator, other) = (start(), start());
    let target = "/admin/v1/SigningCert/jwk";
    let url = emulator.tls_url();
    let mut connection = Connection::open_tls(&url, &emulator.ca_file()).unwrap();
    connection.exchange("GET", target, &[], &[]).unwrap().with(200);
    let reply = Connection::open_tls(&url, &other.ca_file())
        .and_then(|mut connection| connection.exchange("GET", target, &[], &[]));
    let error = reply.unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
    // In the clear there is nothing on this port.
    assert!(plain::try_call(&url, "GET", target, &[], &[]).is_err());
}

#[test]
fn a_signature_is_good_over_tls_too() {
    let emulator = start();
    let url = emulator.tls_url();
    let headers = Caller::user(&url).headers("GET", "/echo", &[], Body::Empty);
    let mut connection = Connection::open_tls(&url, &emulator.ca_file()).unwrap();
    connection.exchange("GET", "/echo", &headers, &[]).unwrap().with(200);
}

// Sessions.

#[test]
fn a_session_is_refreshed_for_its_own_key_or_a_new_one() {
    let emulator = start();
    let url = emulator.url();
    let (caller, token) = session(&emulator);
    let path = "/v1/authentication/refresh";
    for current in [token.clone(), format!("ST${token}"), format!("{token}\n")] {
        let new = caller.post(path, &json!({ "currentToken": current })).field("token");
        assert_ne!(new, token);
        assert_ne!(claims(&new)["jti"], claims(&token)["jti"]);
        assert_eq!(echoed_id(&Caller::token(&url, &new, SESSION_PEM)), USER);
    }
    let details = json!({ "currentToken": token, "newPublicKey": public(OTHER_PEM) });
    let new = caller.post(path, &details).field("token");
    assert_eq!(echoed_id(&Caller::token(&url, &new, OTHER_PEM)), USER);
    Caller::token(&url, &new, SESSION_PEM).get("/echo").with(401);
    // Who has been refreshed can be refreshed again.
    let again = Caller::token(&url, &new, OTHER_PEM);
    again.post(path, &json!({ "currentToken": new })).with(200);
}

#[test]
fn a_session_is_refreshed_by_nobody_but_itself() {
    let emulator = start();
    let url = emulator.url();
    let (caller, token) = session(&emulator);
    let path = "/v1/authentication/refresh";
    let details = json!({ "currentToken": token });
    Caller::user(&url).post(path, &details).with(401);
    function(&emulator).post(path, &details).with(401);
    let new = caller.post(path, &details).field("token");
    caller.post(path, &json!({ "currentToken": new })).with(401);
    caller.post(path, &json!({ "currentToken": "a.b.c" })).with(401);
    caller.post(path, &json!({})).with(400);
    let details = json!({ "currentToken": token, "newPublicKey": "AAAA" });
    caller.post(path, &details).with(400);
    emulator.set_time(i64::try_from(now() + 3_700).unwrap());
    let late = session(&emulator).0.at(now() + 3_700);
    late.post(path, &json!({ "currentToken": token })).with(401);
    assert_eq!(reason(&emulator), "the token has expired");
}

#[test]
fn a_session_without_a_browser_lasts_from_five_minutes_to_an_hour() {
    let emulator = start();
    let url = emulator.url();
    let user = Caller::user(&url);
    let path = "/v1/token/upst/actions/GenerateUpst";
    let details =
        |minutes| json!({ "publicKey": public(OTHER_PEM), "sessionExpirationInMinutes": minutes });
    for (minutes, seconds) in [(json!(5), 300), (json!(60), 3_600), (Value::Null, 3_600)] {
        let token = user.post(path, &details(minutes)).field("token");
        let claims = claims(&token);
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), seconds);
        assert_eq!(echoed_id(&Caller::token(&url, &token, OTHER_PEM)), USER);
    }
    for minutes in [json!(4), json!(61), json!(-5), json!(0), json!("5"), json!(i64::MAX)] {
        user.post(path, &details(minutes)).with(400);
    }
    function(&emulator).post(path, &details(json!(5))).with(401);
    user.post(path, &json!({ "publicKey": "AAAA" })).with(400);
}

// The identity domain.

fn form(fields: &[(&str, &str)]) -> String {
    let escape =
        |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn domain(url: &str, client: &str, fields: &[(&str, &str)]) -> Reply {
    let basic = format!("Basic {}", STANDARD.encode(client));
    let headers = [("authorization", basic.as_str())];
    call(url, "POST", "/oauth2/v1/token", &headers, form(fields).as_bytes())
}

const CLIENT: &str = "example-client:example-secret";
const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const UPST: (&str, &str) = ("requested_token_type", "urn:oci:token-type:oci-upst");
const RPST: (&str, &str) = ("requested_token_type", "urn:oci:token-type:oci-rpst");
const JWT: (&str, &str) = ("subject_token_type", "jwt");

#[test]
fn a_domain_exchanges_a_token_for_a_users() {
    let emulator = start();
    let url = emulator.url();
    let subject = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let key = public(SESSION_PEM);
    let fields = [GRANT, UPST, JWT, ("subject_token", &subject), ("public_key", &key)];
    let token = domain(&url, CLIENT, &fields).field("token");
    assert_eq!(last(&emulator).caller.as_deref(), Some("client example-client"));
    let echoed = Caller::token(&url, &token, SESSION_PEM).get("/echo").with(200).json();
    assert_eq!(echoed["principal"]["type"], "user");
    assert_eq!(echoed["principal"]["id"], "system:serviceaccount:default:example");
}

#[test]
fn a_domain_exchanges_a_token_for_a_resources_for_as_long_as_is_asked() {
    let emulator = start();
    let url = emulator.url();
    let subject = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let key = public(SESSION_PEM);
    let fields = [
        GRANT,
        RPST,
        JWT,
        ("subject_token", &subject),
        ("public_key", &key),
        ("res_type", "github"),
        ("rpst_exp", "5"),
    ];
    let token = domain(&url, CLIENT, &fields).field("token");
    let claims = claims(&token);
    assert_eq!(claims["res_type"], "github");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
    Caller::token(&url, &token, SESSION_PEM).get("/echo").with(200);
    domain(&url, CLIENT, &fields[..5]).with(400);
    assert!(reason(&emulator).contains("res_type"));
}

#[test]
fn a_domain_refuses_the_wrong_client_grant_and_token() {
    let emulator = start();
    let url = emulator.url();
    let subject = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let key = public(SESSION_PEM);
    let good = [GRANT, UPST, JWT, ("subject_token", &subject), ("public_key", &key)];
    for client in ["example-client:wrong", "other:example-secret", "example-client", ":"] {
        let reply = domain(&url, client, &good).with(401);
        assert_eq!(reply.json()["error"], "invalid_client");
    }
    call(&url, "POST", "/oauth2/v1/token", &[], form(&good).as_bytes()).with(401);
    for (index, field, error) in [
        (0, ("grant_type", "client_credentials"), "unsupported_grant_type"),
        (1, ("requested_token_type", "a"), "invalid_request"),
        (2, ("subject_token_type", "saml"), "invalid_request"),
        (3, ("subject_token", "a.b.c"), "invalid_grant"),
        (4, ("public_key", "AAAA"), "invalid_request"),
    ] {
        let mut fields = good;
        fields[index] = field;
        let reply = domain(&url, CLIENT, &fields).with(400).json();
        assert_eq!(reply["error"], error, "{field:?}");
        assert!(!reply["error_description"].as_str().unwrap().is_empty());
    }
    domain(&url, CLIENT, &good).with(200);
}

#[test]
fn an_instance_can_be_the_client_of_a_domain() {
    let emulator = start();
    let url = emulator.url();
    let subject = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let key = public(OTHER_PEM);
    let body = form(&[GRANT, UPST, JWT, ("subject_token", &subject), ("public_key", &key)]);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let send = |caller: &Caller| caller.send("POST", "/oauth2/v1/token", &headers, body.as_bytes());
    let token = send(&instance(&url)).field("token");
    Caller::token(&url, &token, OTHER_PEM).get("/echo").with(200);
    send(&function(&emulator)).with(200);
    send(&Caller::user(&url)).with(401);
}
