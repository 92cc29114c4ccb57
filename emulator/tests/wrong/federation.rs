//! Federation: certificates of instances, and resources with keys of their own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{Body, NativeKey, SigningKey};
use ocisign_vectors::vectors;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use serde_json::{Value, json};

use crate::client::{
    Identity, Parameters, certificate, changed, decode, fingerprint, foreign_key, own_key,
    with_body, with_parameter,
};
use crate::wire::Wire;
use crate::{Case, Stage};

/// What an instance sends.
pub(crate) fn body(certificate: &[u8], intermediate: &[u8]) -> Value {
    json!({
        "certificate": STANDARD.encode(certificate),
        "publicKey": public(&foreign_key("test-key.pem")),
        "intermediateCertificates": [STANDARD.encode(intermediate)],
        "purpose": "DEFAULT",
    })
}

fn public(key: &NativeKey) -> String {
    STANDARD.encode(key.public_key().spki_der())
}

pub(super) fn certificates(stage: &Stage) -> Vec<Case> {
    let mut cases = other_certificates(stage);
    cases.extend(other_key_ids(stage));
    cases.extend(other_bodies(stage));
    cases
}

/// Signed by the key of the certificate that is named, unless it says otherwise.
fn other_certificates(stage: &Stage) -> Vec<Case> {
    let Stage { tenancy, certificate: own, intermediate, .. } = stage;
    let pem = |name: &str| {
        certificate(&std::fs::read_to_string(vectors().join("keys").join(name)).unwrap())
    };
    let foreign = pem("ip-leaf-cert.pem");
    let foreign_intermediate = pem("ip-intermediate-cert.pem");
    let mut tampered = own.clone();
    *tampered.last_mut().unwrap() ^= 1;
    let longer = [own.as_slice(), &[0]].concat();
    let key_id = |certificate: &[u8]| {
        let fingerprint = fingerprint(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
        format!("{tenancy}/fed-x509/{fingerprint}")
    };
    let instance = || own_key("instance.pem");
    let stranger = || foreign_key("ip-leaf-key.pem");
    let by = |certificate: &[u8], key: &dyn Fn() -> NativeKey| {
        Identity::new("instance", &key_id(certificate), key)
    };
    let issuer = "the certificate is of another issuer";
    let not_given = "the intermediate certificate is not among those given";
    let no_certificate = "`certificate` is no certificate";
    let with = |name: &str, value: Value| {
        let mut body = body(own, intermediate);
        body[name] = value;
        body
    };
    [
        (
            "signed by another key",
            by(own, &stranger),
            body(own, intermediate),
            "the signature is not over this request",
        ),
        ("of a stranger", by(&foreign, &stranger), body(&foreign, intermediate), issuer),
        (
            "of a stranger, with their issuer",
            by(&foreign, &stranger),
            body(&foreign, &foreign_intermediate),
            not_given,
        ),
        (
            "of the issuer",
            by(intermediate, &|| own_key("intermediate.pem")),
            body(intermediate, intermediate),
            issuer,
        ),
        (
            "tampered with",
            by(&tampered, &instance),
            body(&tampered, intermediate),
            "the certificate's signature is not its issuer's",
        ),
        ("with a byte more", by(&longer, &instance), body(&longer, intermediate), no_certificate),
        (
            "cut short",
            by(own, &instance),
            body(&own[..own.len() - 1], intermediate),
            no_certificate,
        ),
        ("that is none", by(own, &instance), with("certificate", json!("garbage")), no_certificate),
        ("that is empty", by(own, &instance), with("certificate", json!("")), no_certificate),
        (
            "without its issuer",
            by(own, &instance),
            with("intermediateCertificates", json!([])),
            not_given,
        ),
        ("as its own issuer", by(own, &instance), body(own, own), not_given),
        (
            "with a stranger's issuer",
            by(own, &instance),
            body(own, &foreign_intermediate),
            not_given,
        ),
    ]
    .into_iter()
    .map(|(name, who, body, reason)| Case::new(name, post(stage, &who, &body), reason))
    .collect()
}

/// The certificate is right, and so is the signature; the key id is of something else.
fn other_key_ids(stage: &Stage) -> Vec<Case> {
    let Stage { tenancy, certificate: own, .. } = stage;
    let sha1 = fingerprint(&SHA1_FOR_LEGACY_USE_ONLY, own);
    let sha256 = fingerprint(&SHA256, own);
    let of_another = "the fingerprint is not the certificate's";
    let no_certificate = "the key id is not of a certificate";
    let request = post(stage, &stage.instance, &stage.federation_body());
    [
        (format!("{tenancy}/fed-x509/{sha256}"), of_another),
        (format!("{tenancy}/fed-x509-sha256/{sha1}"), of_another),
        (format!("{tenancy}/fed-x509/{}", changed(&sha1, 0)), of_another),
        (format!("{tenancy}/fed-x509/{}", &sha1[..56]), of_another),
        (format!("{tenancy}/fed-x509/"), of_another),
        (format!("{tenancy}/fed-x509/{sha1}/x"), of_another),
        (format!("{tenancy}/fed-x509"), no_certificate),
        (format!("fed-x509/{sha1}"), no_certificate),
        (format!("{tenancy}/fed-x510/{sha1}"), no_certificate),
        (format!("{tenancy}/FED-X509/{sha1}"), no_certificate),
        (stage.user.key_id().to_owned(), no_certificate),
        (stage.session.key_id().to_owned(), no_certificate),
        (format!("resource/v2.1/{}", subject(&stage.resource)), no_certificate),
        ("ST$garbage".to_owned(), no_certificate),
        (
            format!("ocid1.tenancy.oc1..aaaaaaaaothertenancy/fed-x509/{sha1}"),
            "the tenancy is not the certificate's, or not this one",
        ),
        (format!("/fed-x509/{sha1}"), "the tenancy is not the certificate's, or not this one"),
    ]
    .into_iter()
    .map(|(key_id, reason)| {
        let shown: String = key_id.chars().take(90).collect();
        Case::new(shown, with_parameter(&request, "keyId", &key_id), reason)
    })
    .collect()
}

fn other_bodies(stage: &Stage) -> Vec<Case> {
    let right = stage.federation_body();
    let request = post(stage, &stage.instance, &right);
    let text = std::str::from_utf8(&request.body).unwrap().to_owned();
    let digest = "x-content-sha256 is not the body's";
    let mut cases: Vec<Case> = [
        ("with a blank at the end", format!("{text} ")),
        ("of another purpose", text.replace("DEFAULT", "SERVICE")),
        (
            "for another key",
            text.replace(
                &public(&foreign_key("test-key.pem")),
                &public(&foreign_key("other-key.pem")),
            ),
        ),
    ]
    .into_iter()
    .map(|(name, body)| {
        let names = Parameters::of(&request).get("headers").to_owned();
        let request = stage.instance.sign_again(&with_body(&request, body), &names);
        Case::new(format!("body {name}"), request, digest)
    })
    .collect();
    // What cannot be read is said to be so, by whomever it was sent.
    let malformed = "the body ";
    for (name, body) in [
        ("cut short", text[..text.len() - 1].to_owned()),
        ("empty", String::new()),
        ("of nothing", "{}".to_owned()),
        ("that is no object", "[]".to_owned()),
        ("without a certificate", text.replace("certificate\":", "cert\":")),
        ("without a key", text.replace("publicKey", "privateKey")),
    ] {
        let case = Case::new(format!("body {name}"), with_body(&request, body), malformed);
        cases.push(case.with_status(400));
    }
    let no_key = "publicKey is no RSA key of 2,048 bits or more";
    for (name, key) in [
        ("of 1,024 bits", public(&foreign_key("oracle-docs-1024.pem"))),
        ("that is none", "garbage".to_owned()),
        ("that is empty", String::new()),
        ("that is private", STANDARD.encode("private")),
    ] {
        let mut body = right.clone();
        body["publicKey"] = json!(key);
        let request = post(stage, &stage.instance, &body);
        cases.push(Case::new(format!("a session key {name}"), request, no_key).with_status(400));
    }
    cases
}

/// A resource that asks for its tokens with a key of its own.
pub(super) fn own_keys(stage: &Stage) -> Vec<Case> {
    let (tenancy, id) = (&stage.tenancy, subject(&stage.resource));
    let resource = || own_key("resource.pem");
    let by = |key_id: &str| Identity::new("resource", key_id, resource);
    let v2_1 = by(&format!("resource/v2.1/{id}"));
    let path = format!("/20180711/resourcePrincipalTokenV2/{id}");
    let v2_1_2 = format!("/20180711/resourcePrincipalTokenV212/{id}");
    let get = |who: &Identity, path: &str| who.request(&stage.host, "GET", path, Body::Empty);
    let right = get(&v2_1, &path);
    let version = "the key id is of another version";
    let none = "the key id is not of a resource";
    let mut cases: Vec<Case> = [
        (format!("resource/v2.1.2/{tenancy}/{id}"), version),
        (
            "resource/v2.1/ocid1.fnfunc.oc1.iad.aaaaaaaaother".to_owned(),
            "there is no such resource",
        ),
        (
            format!("resource/v2.1.1/ocid1.tenancy.oc1..aaaaaaaaother/{id}"),
            "the key id is of another tenancy",
        ),
        (format!("resource/v2.1.1/{id}"), none),
        (format!("resource/v2.1/{tenancy}/{id}"), none),
        (format!("resource/v9/{id}"), none),
        (format!("resource/{id}"), none),
        ("resource/".to_owned(), none),
        (format!("Resource/v2.1/{id}"), "the API key is not known"),
    ]
    .into_iter()
    .map(|(key_id, reason)| {
        Case::new(key_id.clone(), with_parameter(&right, "keyId", &key_id), reason)
    })
    .collect();

    let not_over = "the signature is not over this request";
    let stranger = Identity::new("resource", v2_1.key_id(), || foreign_key("other-key.pem"));
    let other = format!("{path}x");
    for (name, request, reason) in [
        ("signed by another key", get(&stranger, &path), not_over),
        ("signed for another path", Wire { target: path.clone(), ..get(&v2_1, &other) }, not_over),
        ("of another date", right.clone().set("date", crate::http_date(crate::NOW + 1)), not_over),
        ("for the old path", get(&v2_1, &path.replace("V2", "")), version),
        ("for the new path", get(&v2_1, &v2_1_2), version),
    ] {
        cases.push(Case::new(name, request, reason));
    }
    let v2_1_2_id = by(&format!("resource/v2.1.2/{tenancy}/{id}"));
    for (name, request, reason) in [
        ("for another resource", get(&v2_1, &other), "the resource is another one than the caller"),
        ("without a context", get(&v2_1_2_id, &v2_1_2), "`security-context` is not the resource's"),
        ("by a user", get(&stage.user, &path), "the caller does not live in this resource"),
        ("by a session", get(&stage.session, &path), "the caller does not live in this resource"),
    ] {
        cases.push(Case::new(name, request, reason).with_status(404));
    }
    cases
}

/// The two tokens that a resource's own key is given, to be exchanged.
pub(super) fn tokens_to_exchange(stage: &Stage) -> [String; 2] {
    let id = subject(&stage.resource);
    let who = Identity::new("resource", &format!("resource/v2.1/{id}"), || own_key("resource.pem"));
    let path = format!("/20180711/resourcePrincipalTokenV2/{id}");
    let answer = stage.send(&who.request(&stage.host, "GET", &path, Body::Empty));
    let tokens: Value = serde_json::from_str(&answer.body).unwrap();
    ["resourcePrincipalToken", "servicePrincipalSessionToken"]
        .map(|name| tokens[name].as_str().unwrap().to_owned())
}

pub(super) fn equal(stage: &Stage) -> Vec<(String, Wire)> {
    let Stage { tenancy, certificate: own, .. } = stage;
    let base = post(stage, &stage.instance, &stage.federation_body());
    let sha1 = fingerprint(&SHA1_FOR_LEGACY_USE_ONLY, own);
    let sha256 = fingerprint(&SHA256, own);
    let mut equal: Vec<(String, Wire)> = [
        format!("{tenancy}/fed-x509/{}", sha1.to_lowercase()),
        format!("{tenancy}/fed-x509/{}", sha1.replace(':', "")),
        format!("{tenancy}/fed-x509-sha256/{sha256}"),
    ]
    .into_iter()
    .map(|key_id| (key_id.clone(), with_parameter(&base, "keyId", &key_id)))
    .collect();
    let names = "date (request-target) content-length content-type x-content-sha256";
    equal.push(("without the host signed".into(), stage.instance.sign_again(&base, names)));

    let id = subject(&stage.resource);
    for key_id in [format!("resource/v2.1/{id}"), format!("resource/v2.1.1/{tenancy}/{id}")] {
        let who = Identity::new("resource", &key_id, || own_key("resource.pem"));
        let path = format!("/20180711/resourcePrincipalTokenV2/{id}");
        equal.push((key_id, who.request(&stage.host, "GET", &path, Body::Empty)));
    }
    equal
}

fn post(stage: &Stage, who: &Identity, body: &Value) -> Wire {
    let body = body.to_string().into_bytes();
    who.request(&stage.host, "POST", "/v1/x509", Body::Bytes(&body))
}

fn subject(who: &Identity) -> String {
    decode(who.token()).1["sub"].as_str().unwrap().to_owned()
}
