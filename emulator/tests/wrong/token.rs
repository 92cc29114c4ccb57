//! Tokens: of another time, another issuer, another key, another tenancy.

use ocisign::{Body, NativeKey, SigningKey};
use ring::hmac;
use serde_json::{Value, json};

use crate::client::{Identity, changed, decode, foreign_key, jwk, own_key, token, with_parameter};
use crate::wire::Wire;
use crate::wrong::federation::tokens_to_exchange;
use crate::{Case, NOW, Stage};

/// The requests are signed by the token's key; all that is wrong is the token.
pub(super) fn tokens(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for (who, other) in [(&stage.session, &stage.resource), (&stage.resource, &stage.session)] {
        let requests = [
            who.request(&stage.host, "GET", "/20160918/regions", Body::Empty),
            who.request(&stage.host, "POST", "/echo", Body::Bytes(crate::BODY)),
        ];
        let forged = [misdated(who), forged(who), rebound(who, other), mangled(who)].concat();
        for (name, token, reason) in forged {
            for request in &requests {
                let name = format!("{} {} {name}", who.name, request.method);
                let request = with_parameter(request, "keyId", &format!("ST${token}"));
                cases.push(Case::new(name, request, reason));
            }
        }
        cases.extend(others(stage, who));
    }
    // Bound to the resource's key, which is that of its token too.
    let request = stage.resource.request(&stage.host, "GET", "/20160918/regions", Body::Empty);
    for token in tokens_to_exchange(stage) {
        let kind = decode(&token).1["ptype"].as_str().unwrap().to_owned();
        let request = with_parameter(&request, "keyId", &format!("ST${token}"));
        cases.push(Case::new(format!("{kind} token not exchanged"), request, ""));
    }
    cases
}

type Forged = (&'static str, String, &'static str);

/// Of the right issuer, at another time.
fn misdated(who: &Identity) -> Vec<Forged> {
    let no_expiry = "the token has no expiry";
    [
        ("expired", "exp", json!(NOW - 1), "the token has expired"),
        ("expired long ago", "exp", json!(0), "the token has expired"),
        ("expired before there was time", "exp", json!(-1), "the token has expired"),
        ("expiring never", "exp", Value::Null, no_expiry),
        ("expiring at a text", "exp", json!((NOW + 3_600).to_string()), no_expiry),
        ("expiring at a list", "exp", json!([NOW + 3_600]), no_expiry),
        ("expiring at once", "exp", json!(true), no_expiry),
        ("not yet valid", "nbf", json!(NOW + 600), "the token is not valid yet"),
    ]
    .map(|(name, claim, value, reason)| (name, issued(who, claim, value), reason))
    .to_vec()
}

/// Of another issuer, or of none.
fn forged(who: &Identity) -> Vec<Forged> {
    let (header, claims) = decode(who.token());
    let authority = own_key("authority.pem");
    let by = |key: &NativeKey, header: &Value| token(header, &claims, |it| key.sign(it).unwrap());
    let with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let hmac_of = |secret: &[u8], name: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        token(&with("alg", json!(name)), &claims, |it| hmac::sign(&key, it).as_ref().to_vec())
    };
    let spki = authority.public_key().spki_der();
    let pem = pem_rfc7468::encode_string("PUBLIC KEY", pem_rfc7468::LineEnding::LF, &spki).unwrap();
    let issuers = "the token's signature is not its issuer's";
    let algorithm = "the token's algorithm is not RS256";
    let key = "the token's key is not known";
    vec![
        ("signed by its own key", by(&who.key, &header), issuers),
        ("signed by a stranger", by(&foreign_key("other-key.pem"), &header), issuers),
        ("signed by the root", by(&own_key("root.pem"), &header), issuers),
        ("not signed", token(&header, &claims, |_| Vec::new()), issuers),
        ("signed with zeros", token(&header, &claims, |_| vec![0; 256]), issuers),
        ("alg none", token(&with("alg", json!("none")), &claims, |_| Vec::new()), algorithm),
        ("alg none, signed", by(&authority, &with("alg", json!("none"))), algorithm),
        ("alg NONE", token(&with("alg", json!("NONE")), &claims, |_| Vec::new()), algorithm),
        ("alg null", by(&authority, &with("alg", Value::Null)), algorithm),
        ("alg a list", by(&authority, &with("alg", json!(["RS256"]))), algorithm),
        ("alg rs256", by(&authority, &with("alg", json!("rs256"))), algorithm),
        ("alg RS384", by(&authority, &with("alg", json!("RS384"))), algorithm),
        ("alg PS256", by(&authority, &with("alg", json!("PS256"))), algorithm),
        ("HS256 with the public key in PEM", hmac_of(pem.as_bytes(), "HS256"), algorithm),
        ("HS256 with the public key in DER", hmac_of(&spki, "HS256"), algorithm),
        ("HS256 called RS256", hmac_of(pem.as_bytes(), "RS256"), issuers),
        ("of another kid", by(&authority, &with("kid", json!("asw_oc1_other"))), key),
        ("of an empty kid", by(&authority, &with("kid", json!(""))), key),
        ("of no kid", by(&authority, &with("kid", Value::Null)), key),
        ("of a kid that is a number", by(&authority, &with("kid", json!(1))), key),
        ("of a stranger's kid", by(&foreign_key("other-key.pem"), &with("kid", json!("x"))), key),
    ]
}

/// Of the right issuer, for another key or for nobody.
fn rebound(who: &Identity, other: &Identity) -> Vec<Forged> {
    let no_rsa = "the key in the token is no RSA key of 2,048 bits or more";
    let no_kind = "the token is of no kind of principal that may call";
    let tenancy = "the caller is of another tenancy";
    let own: Value = serde_json::from_str(&jwk(&who.key)).unwrap();
    let with = |name: &str, value: &str| {
        let mut jwk = own.clone();
        jwk[name] = json!(value);
        json!(jwk.to_string())
    };
    [
        ("for another key", "jwk", json!(jwk(&other.key)), "not by this key"),
        ("for no key", "jwk", Value::Null, "the token names no key"),
        ("for an object", "jwk", own.clone(), "the token names no key"),
        ("for an empty key", "jwk", json!(""), no_rsa),
        ("for a key that is no JSON", "jwk", json!("{"), no_rsa),
        ("for an EC key", "jwk", with("kty", "EC"), no_rsa),
        ("for a secret", "jwk", json!(r#"{"kty":"oct","k":"AAAA"}"#), no_rsa),
        ("for a key without a modulus", "jwk", with("n", ""), no_rsa),
        ("for a key that is no base64", "jwk", with("n", "*"), no_rsa),
        ("for a key without an exponent", "jwk", with("e", ""), "not by this key"),
        ("for a key with exponent 1", "jwk", with("e", "AQ"), "not by this key"),
        ("of another tenancy", "tenant", json!("ocid1.tenancy.oc1..aaaaaaaaother"), tenancy),
        ("of no tenancy", "tenant", Value::Null, tenancy),
        ("of a service", "ptype", json!("service"), no_kind),
        ("of an unknown kind", "ptype", json!("admin"), no_kind),
        ("of no kind", "ptype", Value::Null, no_kind),
    ]
    .map(|(name, claim, value, reason)| (name, issued(who, claim, value), reason))
    .to_vec()
}

/// The right token, broken.
fn mangled(who: &Identity) -> Vec<Forged> {
    let right = who.token();
    let parts: Vec<&str> = right.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{right}") };
    let (_, mut other_claims) = decode(right);
    other_claims["sub"] = json!("ocid1.user.oc1..aaaaaaaaothersubject");
    let other = token(&json!({}), &other_claims, |_| Vec::new());
    let other = other.split('.').nth(1).unwrap();
    let issuers = "the token's signature is not its issuer's";
    let no_jwt = "the token is no JWT";
    let no_json = "the token's header is no JSON";
    let end = right.len();
    vec![
        ("truncated by a byte", right[..end - 1].to_owned(), ""),
        ("truncated by four bytes", right[..end - 4].to_owned(), ""),
        ("truncated in its claims", right[..header.len() + 40].to_owned(), no_jwt),
        ("truncated in its header", right[..10].to_owned(), no_jwt),
        ("truncated by half", right[..end / 2].to_owned(), ""),
        ("without a signature", format!("{header}.{claims}"), no_jwt),
        ("with an empty signature", format!("{header}.{claims}."), issuers),
        ("without claims", format!("{header}..{signature}"), issuers),
        ("without a header", format!(".{claims}.{signature}"), no_json),
        ("with a part more", format!("{right}.{signature}"), issuers),
        ("with a part more in front", format!("{header}.{right}"), issuers),
        ("with padding", format!("{right}=="), no_jwt),
        ("extended", format!("{right}AAAA"), issuers),
        ("twice", format!("{right}.{right}"), issuers),
        ("with other claims", format!("{header}.{other}.{signature}"), issuers),
        ("with a header that is no JSON", format!("AAAA.{claims}.{signature}"), no_json),
        ("changed in its header", changed(right, 4), ""),
        ("changed in its kid", changed(right, header.len() / 2), ""),
        ("changed in its claims", changed(right, header.len() + 20), issuers),
        ("changed at the end of its claims", changed(right, end - signature.len() - 3), issuers),
        ("changed in its signature", changed(right, end - signature.len()), issuers),
        ("changed late in its signature", changed(right, end - 20), issuers),
        ("changed in its last digit", changed(right, end - 1), no_jwt),
    ]
}

/// Tokens of the issuer that are for something else, and one of a key that is too short.
fn others(stage: &Stage, who: &Identity) -> Vec<Case> {
    let pod = std::fs::read_to_string(stage.emulator.file("kubernetes/token")).unwrap();
    let request = who.request(&stage.host, "GET", "/20160918/regions", Body::Empty);
    let request = with_parameter(&request, "keyId", &format!("ST${pod}"));
    let account = Case::new(
        format!("{} with a service account token", who.name),
        request,
        "the token names no key",
    );

    let weak = || foreign_key("oracle-docs-1024.pem");
    let token = issued(who, "jwk", json!(jwk(&weak())));
    let weak = Identity::new("weak", &format!("ST${token}"), weak);
    let request = weak.request(&stage.host, "GET", "/20160918/regions", Body::Empty);
    let reason = "the key in the token is no RSA key of 2,048 bits or more";
    vec![account, Case::new(format!("{} with a key of 1,024 bits", who.name), request, reason)]
}

/// The token, issued again with this claim, or without it where the value is null.
fn issued(who: &Identity, claim: &str, value: Value) -> String {
    let (header, mut claims) = decode(who.token());
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(claim);
    } else {
        claims[claim] = value;
    }
    let authority = own_key("authority.pem");
    token(&header, &claims, |signed| authority.sign(signed).unwrap())
}

/// That a token issued by the test is one: what is wrong with the others is wrong with them.
pub(super) fn equal(stage: &Stage) -> Vec<(String, Wire)> {
    let mut equal = Vec::new();
    for who in [&stage.session, &stage.resource] {
        let request = who.request(&stage.host, "GET", "/20160918/regions", Body::Empty);
        for (name, claim, value) in [
            ("as it is", "nbf", Value::Null),
            ("since now", "nbf", json!(NOW)),
            ("for its last minute", "exp", json!(NOW + 60)),
            ("for its key", "jwk", json!(jwk(&who.key))),
        ] {
            let key_id = format!("ST${}", issued(who, claim, value));
            let request = with_parameter(&request, "keyId", &key_id);
            equal.push((format!("{} with a token issued again, {name}", who.name), request));
        }
    }
    equal
}
