//! What each service answers to whoever asks as OCI's clients do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::Body;
use plain::{
    CLUSTER, COMPARTMENT, Caller, Connection, FUNCTION, INSTANCE, SECRET, SESSION_PEM, TENANCY,
    VAULT, call, function, instance, last, now, owned, pod, reason, session, sign_only, start,
    start_toml,
};
use serde_json::{Value, json};

const OBJECTS: &str = "/n/examplenamespace/b/example/o";

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
