//! What each service answers to whoever asks as OCI's clients do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::{Body, SecurityToken, SigningKey};
use ocisign_emulator::Emulator;
use plain::{
    CLUSTER, COMPARTMENT, Caller, Connection, Digest, FUNCTION, INSTANCE, Identity, OTHER_PEM,
    RESOURCE_PEM, Reply, SECRET, SESSION_PEM, TENANCY, USER, VAULT, bare, call, claims, der,
    function, instance, key, last, metadata, now, owned, pod, proxymux, public, reason, sign_only,
    start, start_toml, unwrap_proxymux,
};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, X509Certificate};

const OBJECTS: &str = "/n/examplenamespace/b/example/o";
const BEARER: [(&str, &str); 1] = [("authorization", "Bearer Oracle")];

// The metadata service.

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

fn session(emulator: &Emulator) -> (Caller, String) {
    let token = fs::read_to_string(emulator.file("session/token")).unwrap();
    (Caller::token(&emulator.url(), &token, SESSION_PEM), token)
}

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

// Keys.

#[test]
fn tokens_are_signed_by_the_key_that_is_published() {
    let emulator = start();
    let url = emulator.url();
    let set = call(&url, "GET", "/admin/v1/SigningCert/jwk", &[], &[]).with(200).json();
    let jwk = &set["keys"][0];
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    let kid = jwk["kid"].as_str().unwrap();
    let path = format!("/v1/keys/{kid}");
    call(&url, "GET", &path, &[], &[]).with(401);
    let user = Caller::user(&url);
    assert_eq!(&user.get(&path).with(200).json(), jwk);
    user.get("/v1/keys/other").with(404);

    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let number = |name: &str| decode(jwk[name].as_str().unwrap());
    let key = ring::rsa::PublicKeyComponents { n: number("n"), e: number("e") };
    let (_, token) = session(&emulator);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let algorithm = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
    key.verify(algorithm, signed.as_bytes(), &decode(signature)).unwrap();
    let header: Value = serde_json::from_slice(&decode(signed.split('.').next().unwrap())).unwrap();
    assert_eq!((&header["kid"], &header["alg"]), (&json!(kid), &json!("RS256")));
}

// Who a caller's caller is.

/// A request that somebody received, as it is handed on.
fn received(headers: &[(String, String)], target: &str) -> Value {
    let mut all = serde_json::Map::new();
    for (name, value) in headers {
        all.insert(name.clone(), json!([value]));
    }
    all.insert("(request-target)".to_owned(), json!([target]));
    json!({ "requestHeaders": all })
}

#[test]
fn a_request_that_is_handed_on_is_known_by_its_signature() {
    let emulator = start();
    let url = emulator.url();
    let service = Caller::user(&url);
    let path = "/v1/authentication/authenticateClient";
    let resource = function(&emulator);
    for (caller, id) in
        [(&resource, FUNCTION), (&instance(&url), INSTANCE), (&pod(&emulator), CLUSTER)]
    {
        let body = b"{}";
        let headers = caller.headers("POST", "/login", &[], Body::Bytes(body));
        let reply = service.post(path, &received(&headers, "post /login")).with(200).json();
        assert_eq!(reply["principal"]["subjectId"], id, "{reply}");
        assert_eq!(reply["principal"]["tenantId"], TENANCY);
        let claims = reply["principal"]["claims"].as_array().unwrap();
        assert!(claims.iter().any(|claim| claim["key"] == "ptype"));
        for wrong in ["post /logout", "get /login", "post", ""] {
            let reply = service.post(path, &received(&headers, wrong)).with(200).json();
            assert_eq!(reply["principal"], Value::Null, "{wrong}");
            assert!(!reply["errorMessage"].as_str().unwrap().is_empty());
        }
        let mut changed = headers.clone();
        let date = changed.iter_mut().find(|(name, _)| name == "host").unwrap();
        date.1 = "example.com".to_owned();
        let reply = service.post(path, &received(&changed, "post /login")).with(200).json();
        assert_eq!(reply["principal"], Value::Null);
    }
    let body = received(&[], "get /").to_string();
    call(&url, "POST", path, &[], body.as_bytes()).with(401);
    service.post(path, &json!({})).with(400);
}

#[test]
fn of_the_groups_that_are_asked_those_are_told_that_a_principal_is_in() {
    let emulator = start_toml(&format!(
        "policies = ['Allow any-user to manage all-resources in tenancy']\n\
         [[users]]\ngroups = ['Administrators', 'Auditors']\n\
         [[dynamic_groups]]\nname = 'functions'\nid = 'ocid1.dynamicgroup.oc1..a'\n\
         rule = \"resource.type = 'fnfunc'\"\n\
         [[dynamic_groups]]\nname = 'instances'\nid = 'ocid1.dynamicgroup.oc1..b'\n\
         rule = \"instance.compartment.id = '{COMPARTMENT}'\""
    ));
    let url = emulator.url();
    let user = Caller::user(&url);
    let all = [
        "ocid1.dynamicgroup.oc1..a",
        "ocid1.dynamicgroup.oc1..b",
        "ocid1.group.oc1..administrators",
        "ocid1.group.oc1..auditors",
        "ocid1.group.oc1..others",
    ];
    let ask = |principal: &Value, groups: &[&str]| {
        let body = json!({ "principal": principal, "groupIds": groups });
        let reply = user.post("/v1/filterGroupMembership", &body).with(200).json();
        assert_eq!(reply["principal"]["subjectId"], principal["subjectId"]);
        serde_json::from_value::<Vec<String>>(reply["groupIds"].clone()).unwrap()
    };
    // A principal as `authenticateClient` tells of it.
    let of = |caller: &Caller| {
        let headers = caller.headers("GET", "/", &[], Body::Empty);
        let path = "/v1/authentication/authenticateClient";
        user.post(path, &received(&headers, "get /")).with(200).json()["principal"].clone()
    };
    assert_eq!(ask(&of(&function(&emulator)), &all), all[..1]);
    assert_eq!(ask(&of(&instance(&url)), &all), all[1..2]);
    assert_eq!(ask(&of(&Caller::user(&url)), &all), all[2..4]);
    assert_eq!(ask(&of(&Caller::user(&url)), &all[3..]), all[3..4]);
    let stranger = json!({ "tenantId": TENANCY, "subjectId": "nobody" });
    assert_eq!(ask(&stranger, &all), [""; 0]);
}

// Services to call.

#[test]
fn identity_knows_its_tenancy_its_region_and_its_networks() {
    let emulator = start();
    let url = emulator.url();
    let user = Caller::user(&url);
    let tenancy = user.get(&format!("/20160918/tenancies/{TENANCY}")).with(200).json();
    assert_eq!((&tenancy["id"], &tenancy["name"]), (&json!(TENANCY), &json!("example")));
    assert_eq!(tenancy["homeRegionKey"], "IAD");
    user.get("/20160918/tenancies/other").with(404);
    let regions = user.get("/20160918/regions").with(200).json();
    assert_eq!(regions, json!([{ "key": "IAD", "name": "us-ashburn-1" }]));
    for compartment in [TENANCY, COMPARTMENT] {
        let path = format!("/20160918/vcns?limit=1&compartmentId={compartment}");
        let vcns = user.get(&path).with(200).json();
        assert_eq!(vcns[0]["compartmentId"], compartment);
    }
    user.get("/20160918/vcns").with(400);
    assert_eq!(
        user.get("/20160918/vcns?compartmentId=a").code(),
        (404, "NotAuthorizedOrNotFound".to_owned())
    );
    for path in ["/20160918/regions", "/20160918/vcns", "/20160918/tenancies/other"] {
        let reply = call(&url, "GET", path, &[], &[]);
        assert_eq!(reply.code(), (401, "NotAuthenticated".to_owned()));
    }
}

#[test]
fn object_storage_tells_its_namespace_and_its_bucket() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    for path in ["/n", "/n/", "/n?compartmentId=a", "/n/?a=b"] {
        assert_eq!(user.get(path).with(200).json(), "examplenamespace", "{path}");
    }
    let bucket = user.get("/n/examplenamespace/b/example").with(200).json();
    assert_eq!(
        (&bucket["name"], &bucket["compartmentId"]),
        (&json!("example"), &json!(COMPARTMENT))
    );
    let reply = user.get("/n/examplenamespace/b/other");
    assert_eq!(reply.code(), (404, "BucketNotFound".to_owned()));
    user.get("/n/other/b/example").with(404);
    user.send("DELETE", "/n/examplenamespace/b/example", &[], &[]).with(404);
}

#[test]
fn an_object_is_put_read_listed_overwritten_and_deleted() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    let path = format!("{OBJECTS}/a/b%2Fc%20d");
    assert_eq!(user.get(&path).code(), (404, "ObjectNotFound".to_owned()));
    let types = [("content-type", "text/plain")];
    let first = user.send("PUT", &path, &types, b"first").with(200);
    let etag = first.header("etag").unwrap().to_owned();
    let read = user.get(&path).with(200);
    assert_eq!((read.text(), read.header("content-type")), ("first", Some("text/plain")));
    assert_eq!(read.header("etag"), Some(etag.as_str()));
    assert!(read.header("last-modified").unwrap().ends_with(" GMT"));

    let head = user.send("HEAD", &path, &[], &[]).with(200);
    assert_eq!(head.header("content-length"), Some("5"));
    assert_eq!(head.header("etag"), Some(etag.as_str()));

    user.send("PUT", &path, &[], b"second").with(200);
    let read = user.get(&path).with(200);
    assert_eq!(read.text(), "second");
    assert_ne!(read.header("etag"), Some(etag.as_str()));

    user.send("PUT", &format!("{OBJECTS}/z"), &[], b"").with(200);
    let names = |query: &str| {
        let list = user.get(&format!("{OBJECTS}{query}")).with(200).json();
        let objects = list["objects"].as_array().unwrap().clone();
        objects.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["a/b/c d", "z"]);
    assert_eq!(names("?prefix=a%2Fb"), ["a/b/c d"]);
    assert_eq!(names("?prefix=x"), [""; 0]);

    user.send("DELETE", &path, &[], &[]).with(204);
    user.send("DELETE", &path, &[], &[]).with(404);
    user.send("HEAD", &path, &[], &[]).with(404);
    assert_eq!(names(""), ["z"]);
}

#[test]
fn an_object_of_any_bytes_comes_back_as_it_was() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    let body: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
    let path = format!("{OBJECTS}/bytes");
    user.send("PUT", &path, &[("content-type", "application/octet-stream")], &body).with(200);
    assert_eq!(user.get(&path).with(200).body, body);
}

#[test]
fn an_upload_need_not_sign_its_body_and_nothing_else_may_do_so() {
    let emulator = start();
    let url = emulator.url();
    let user = Caller::user(&url);
    let path = format!("{OBJECTS}/unsigned");
    let headers = user.headers("PUT", &path, &[], Body::Unsigned);
    assert!(!headers.iter().any(|(name, _)| name == "x-content-sha256"));
    let mut connection = Connection::open(&url);
    connection.exchange("PUT", &path, &headers, b"any").unwrap().with(200);
    assert_eq!(user.get(&path).with(200).text(), "any");

    let headers = user.headers("PUT", "/echo", &[], Body::Unsigned);
    connection.exchange("PUT", "/echo", &headers, b"any").unwrap().with(401);
    // What is signed has to be true, needed or not.
    let headers = user.headers("PUT", &path, &[], Body::Bytes(b"other"));
    connection.exchange("PUT", &path, &headers, b"wrong").unwrap().with(401);
    assert!(reason(&emulator).contains("x-content-sha256"));
}

#[test]
fn an_object_without_a_name_is_not_stored() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    for path in [OBJECTS.to_owned(), format!("{OBJECTS}/")] {
        let reply = user.send("PUT", &path, &[], b"a");
        assert!((400..500).contains(&reply.status), "{path}: {reply:?}");
    }
    assert_eq!(user.get(OBJECTS).with(200).json()["objects"], json!([]));
}

#[test]
fn a_secret_is_found_by_id_name_version_and_stage() {
    let emulator = start_toml(&format!(
        "[[secrets]]\nid = '{SECRET}'\nname = 'example'\nvault = '{VAULT}'\n\
         versions = ['one', 'two', 'three']"
    ));
    let user = Caller::user(&emulator.url());
    let path = format!("/20190301/secretbundles/{SECRET}");
    let read = |bundle: &Value| {
        let content = bundle["secretBundleContent"]["content"].as_str().unwrap();
        assert_eq!(bundle["secretBundleContent"]["contentType"], "BASE64");
        String::from_utf8(STANDARD.decode(content).unwrap()).unwrap()
    };
    for (query, text, number) in [
        ("", "three", 3),
        ("?stage=CURRENT", "three", 3),
        ("?stage=LATEST", "three", 3),
        ("?stage=PREVIOUS", "two", 2),
        ("?versionNumber=1", "one", 1),
        ("?versionNumber=3", "three", 3),
    ] {
        let bundle = user.get(&format!("{path}{query}")).with(200).json();
        assert_eq!((read(&bundle).as_str(), &bundle["versionNumber"]), (text, &json!(number)));
        assert_eq!(bundle["secretId"], SECRET);
        let by_name = format!(
            "/20190301/secretbundles/actions/getByName?secretName=example&vaultId={VAULT}{}",
            query.replace('?', "&")
        );
        assert_eq!(user.send("POST", &by_name, &[], &[]).with(200).json(), bundle, "{query}");
    }
    for query in ["?versionNumber=0", "?versionNumber=4", "?stage=PENDING", "?stage=current"] {
        user.get(&format!("{path}{query}")).with(404);
    }
    for number in ["-1", "a", "99999999999999999999"] {
        user.get(&format!("{path}?versionNumber={number}")).with(400);
    }
    let versions = user.get(&format!("{path}/versions")).with(200).json();
    let numbers: Vec<_> =
        versions.as_array().unwrap().iter().map(|it| &it["versionNumber"]).collect();
    assert_eq!(numbers, [&json!(3), &json!(2), &json!(1)]);
    assert_eq!(versions[1]["stages"], json!(["PREVIOUS"]));
    assert!(!versions.to_string().contains("secretBundleContent"));

    user.get("/20190301/secretbundles/other").with(404);
    user.get("/20190301/secretbundles/other/versions").with(404);
    let by_name = "/20190301/secretbundles/actions/getByName";
    user.send("POST", by_name, &[], &[]).with(400);
    user.send("POST", &format!("{by_name}?secretName=example"), &[], &[]).with(400);
    let wrong = format!("{by_name}?secretName=other&vaultId={VAULT}");
    user.send("POST", &wrong, &[], &[]).with(404);
}

#[test]
fn a_secret_of_one_version_has_no_previous_one() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    let path = format!("/20190301/secretbundles/{SECRET}");
    user.get(&path).with(200);
    user.get(&format!("{path}?stage=PREVIOUS")).with(404);
}

#[test]
fn echo_gives_what_it_received_and_no_signature() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    let target = "/echo/a%2Fb//c?d=e&d=%20f";
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET"] {
        let body: &[u8] = if method.starts_with('P') { b"b\xc3\xb6dy" } else { b"" };
        let echoed = user.send(method, target, &[("x-own", "value")], body).with(200).json();
        assert_eq!((&echoed["method"], &echoed["target"]), (&json!(method), &json!(target)));
        assert_eq!(echoed["body"].as_str().unwrap().as_bytes(), body);
        let headers = echoed["headers"].as_array().unwrap();
        assert!(headers.contains(&json!(["x-own", "value"])));
        assert!(!headers.iter().any(|header| header[0] == "authorization"));
    }
    user.send("HEAD", target, &[], &[]).with(200);
    user.get("/echoes").with(404);
}

// Browsers and ids.

#[test]
fn without_an_origin_that_is_allowed_there_is_nothing_for_browsers() {
    let emulator = start();
    let url = emulator.url();
    let path = "/admin/v1/SigningCert/jwk";
    let origin = ("origin", "https://example.com");
    let reply = call(&url, "GET", path, &[origin], &[]).with(200);
    assert!(!reply.headers.iter().any(|(name, _)| name.starts_with("access-control")));
    let asking = [origin, ("access-control-request-method", "GET")];
    let reply = call(&url, "OPTIONS", path, &asking, &[]).with(401);
    assert!(!reply.headers.iter().any(|(name, _)| name.starts_with("access-control")));
}

#[test]
fn an_origin_that_is_allowed_may_call_and_read_and_no_other() {
    let emulator = start_toml("cors = ['https://example.com']");
    let url = emulator.url();
    let asking = |origin| {
        [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "authorization, x-date"),
        ]
    };
    let own = "https://example.com";
    let reply = call(&url, "OPTIONS", "/echo", &asking(own), &[]).with(204);
    assert_eq!(reply.header("access-control-allow-origin"), Some(own));
    assert_eq!(reply.header("access-control-allow-headers"), Some("authorization, x-date"));
    assert!(reply.header("access-control-allow-methods").unwrap().contains("PUT"));
    for other in ["http://example.com", "https://example.com:444", "https://a.example.com", "null"]
    {
        let reply = call(&url, "OPTIONS", "/echo", &asking(other), &[]).with(401);
        assert_eq!(reply.header("access-control-allow-origin"), None, "{other}");
    }
    let user = Caller::user(&url);
    for (method, path, status) in [("GET", "/echo", 200), ("GET", "/nothing", 404)] {
        let reply = user.send(method, path, &[("origin", own)], &[]).with(status);
        assert_eq!(reply.header("access-control-allow-origin"), Some(own));
        assert!(reply.header("access-control-expose-headers").unwrap().contains("opc-request-id"));
        assert_eq!(reply.header("vary"), Some("origin"));
    }
    call(&url, "OPTIONS", "/emulator/log", &asking(own), &[]).with(403);
}

#[test]
fn every_answer_has_a_request_id_that_starts_with_the_callers() {
    let emulator = start();
    let url = emulator.url();
    let user = Caller::user(&url);
    for (path, status) in [("/echo", 200), ("/nothing", 404)] {
        let reply = user.send("GET", path, &[("opc-request-id", "my-id")], &[]).with(status);
        let id = reply.header("opc-request-id").unwrap();
        assert!(id.starts_with("my-id/"), "{id}");
        assert_eq!(last(&emulator).request_id, id);
    }
    let id = call(&url, "GET", "/echo", &[("opc-request-id", "b")], &[]).with(401);
    assert!(id.header("opc-request-id").unwrap().starts_with("b/"));
    let long = "a".repeat(99);
    let reply = user.send("GET", "/echo", &[("opc-request-id", &long)], &[]).with(200);
    assert!(!reply.header("opc-request-id").unwrap().contains(&long));
    let ids: Vec<_> =
        (0..2).map(|_| user.get("/echo").header("opc-request-id").unwrap().to_owned()).collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_date_out_of_the_window_is_refused_with_the_window() {
    let emulator = start();
    let url = emulator.url();
    for (off, status) in [(-290, 200), (290, 200), (-310, 401), (310, 401)] {
        let at = now().checked_add_signed(off).unwrap();
        let reply = Caller::user(&url).at(at).get("/echo").with(status);
        if status == 401 {
            assert!(reply.text().contains("is not within allowed clock skew"));
        }
    }
}

#[test]
fn the_log_holds_neither_tokens_nor_signatures() {
    let emulator = start();
    let url = emulator.url();
    let (caller, token) = session(&emulator);
    let headers = caller.headers("GET", "/echo?secret=query", &[], Body::Empty);
    let authorization = headers.iter().find(|(name, _)| name == "authorization").unwrap();
    let mut connection = Connection::open(&url);
    connection.exchange("GET", "/echo?secret=query", &headers, &[]).unwrap().with(200);
    caller.post("/v1/authentication/refresh", &json!({ "currentToken": token })).with(200);
    let only = sign_only(&["date"], "a/b/c", SESSION_PEM, "GET", &format!("{url}/echo"), &[]);
    connection.exchange("GET", "/echo", &owned(&[]), &[]).unwrap().with(401);
    connection.exchange("GET", "/echo", &only, &[]).unwrap().with(401);
    let log = call(&url, "GET", "/emulator/log", &[], &[]).with(200).json();
    let text = log.to_string();
    assert!(text.contains("/echo") && !text.contains("secret=query"));
    let signature = authorization.1.rsplit_once("signature=\"").unwrap().1;
    for secret in [signature, &token, token.rsplit_once('.').unwrap().1] {
        assert!(!text.contains(secret.trim_end_matches('"')));
    }
    assert_eq!(log.as_array().unwrap().len(), 4);
}
