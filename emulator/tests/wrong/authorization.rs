//! The header `authorization`: its parameters, the signature, the key id.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{Body, SigningKey};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding};

use crate::client::{Identity, Parameters, changed, hex, own_pair, with_parameter};
use crate::wire::Wire;
use crate::{Base, Case, Stage};

/// All but `version`, which may be left out, and unknown ones.
pub(super) fn parameters(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        let own = Parameters::of(&base.request);
        for (parameter, missing) in [
            ("keyId", "there is no keyId"),
            ("algorithm", "the algorithm is not rsa-sha256"),
            ("headers", "is not signed"),
            ("signature", "the signature is no base64"),
        ] {
            let value = own.get(parameter);
            let twice = "authorization has a parameter twice";
            let mut renamed = own.clone();
            renamed.0.iter_mut().filter(|it| it.0 == parameter).for_each(|it| it.0.push('x'));
            let mut dropped = own.clone();
            dropped.0.retain(|it| it.0 != parameter);
            let more = |at: usize, value: &str| {
                let mut parameters = own.clone();
                parameters.0.insert(at, (parameter.to_owned(), value.to_owned()));
                parameters.put(&base.request)
            };
            let end = own.0.len();
            let open = base.request.header("authorization");
            let open = open.replace(&format!("{value}\""), value);
            for (name, request, reason) in [
                ("dropped", dropped.put(&base.request), missing),
                ("renamed", renamed.put(&base.request), missing),
                ("emptied", with_parameter(&base.request, parameter, ""), missing),
                ("twice", more(end, value), twice),
                ("and another", more(end, "other"), twice),
                ("after another", more(0, "other"), twice),
                ("with an open quote", base.request.clone().set("authorization", open), "quote"),
            ] {
                cases.push(Case::new(format!("{} {parameter} {name}", base.name), request, reason));
            }
            for at in [0, value.len() / 3, value.len() / 2, value.len() - 1] {
                let request = with_parameter(&base.request, parameter, &changed(value, at));
                cases.push(Case::new(format!("{} {parameter} at {at}", base.name), request, ""));
            }
        }
        for version in ["2", "0", "1.0", "1.1", "", "one"] {
            let request = with_parameter(&base.request, "version", version);
            let name = format!("{} version `{version}`", base.name);
            cases.push(Case::new(name, request, "the version of the signature is not 1"));
        }
    }
    cases
}

pub(super) fn schemes(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        let right = base.request.header("authorization");
        let (_, parameters) = right.split_once(' ').unwrap();
        let (no_signature, malformed) =
            ("authorization is no Signature", "authorization is malformed");
        for (name, value, reason) in [
            ("empty", String::new(), no_signature),
            ("without a scheme", parameters.to_owned(), no_signature),
            ("only the scheme", "Signature".to_owned(), no_signature),
            ("Bearer", format!("Bearer {parameters}"), no_signature),
            ("Basic", format!("Basic {parameters}"), no_signature),
            ("Signatures", format!("Signatures {parameters}"), no_signature),
            ("Bearer Oracle", "Bearer Oracle".to_owned(), no_signature),
            ("without the blank", right.replacen(' ', "", 1), no_signature),
            ("nothing after the scheme", "Signature x".to_owned(), malformed),
            ("a comma at the end", format!("{right},"), malformed),
            ("two commas", right.replacen(',', ",,", 1), malformed),
            ("semicolons", right.replace("\",", "\";"), ""),
        ] {
            let request = base.request.clone().set("authorization", value);
            cases.push(Case::new(format!("{} {name}", base.name), request, reason));
        }
    }
    cases
}

pub(super) fn algorithms(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        for algorithm in [
            "rsa-sha1",
            "rsa-sha512",
            "rsa-sha-256",
            "RS256",
            "hmac-sha256",
            "ecdsa-sha256",
            "ed25519",
            "hs2019",
            "none",
            "rsa-sha256 ",
            "rsa-sha256;rsa-sha1",
        ] {
            let request = with_parameter(&base.request, "algorithm", algorithm);
            let name = format!("{} {algorithm}", base.name);
            cases.push(Case::new(name, request, "the algorithm is not rsa-sha256"));
        }
        let request = with_parameter(&base.request, "algorithm", "rsa-pss-sha256");
        let name = format!("{} rsa-pss-sha256 of PKCS#1", base.name);
        cases.push(Case::new(name, request, "the signature is not over this request"));
    }
    cases
}

pub(super) fn signatures(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    let (not_over, no_base64) =
        ("the signature is not over this request", "the signature is no base64");
    for base in stage.bases() {
        let parameters = Parameters::of(&base.request);
        let right = parameters.get("signature");
        let raw = STANDARD.decode(right).unwrap();
        let put = |value: &str| with_parameter(&base.request, "signature", value);
        // The last byte is spread over two digits: the second has bits that mean nothing.
        for at in (0..right.len() - 3).step_by(31) {
            let request = put(&changed(right, at));
            cases.push(Case::new(format!("{} at {at}", base.name), request, not_over));
        }
        let reversed: Vec<u8> = raw.iter().rev().copied().collect();
        let leading: Vec<u8> = [&[0], raw.as_slice()].concat();
        for (name, bytes) in [
            ("of zeros", vec![0; 256]),
            ("of ones", vec![0xff; 256]),
            ("backwards", reversed),
            ("with a zero in front", leading),
            ("without its last byte", raw[..255].to_vec()),
            ("with a byte more", [raw.as_slice(), &[0]].concat()),
            ("of one byte", vec![1]),
            ("of a kilobyte", vec![1; 1024]),
            ("by another key", stage.other.key.sign(b"anything").unwrap()),
            ("over nothing", base.who.key.sign(b"").unwrap()),
            ("over another request", base.who.key.sign(b"date: x").unwrap()),
        ] {
            let request = put(&STANDARD.encode(bytes));
            cases.push(Case::new(format!("{} {name}", base.name), request, not_over));
        }
        let hex = hex(&raw);
        for (name, value) in [
            ("without padding", right.trim_end_matches('=').to_owned()),
            ("with too much padding", format!("{right}=")),
            ("with a blank", format!("{} {}", &right[..100], &right[100..])),
            ("with bits that mean nothing", changed(right, right.len() - 3)),
            ("in base64url", format!("-_{}", &right[2..])),
            ("no base64", "*".repeat(344)),
        ] {
            cases.push(Case::new(format!("{} {name}", base.name), put(&value), no_base64));
        }
        cases.push(Case::new(format!("{} in hex", base.name), put(&hex), not_over));
        for (name, padding) in [
            ("padded as PSS", &RSA_PSS_SHA256 as &dyn RsaEncoding),
            ("of SHA-512", &RSA_PKCS1_SHA512),
        ] {
            let value = STANDARD.encode(signed_otherwise(&base, padding));
            cases.push(Case::new(format!("{} {name}", base.name), put(&value), not_over));
        }
    }
    cases
}

/// What the base signs, signed by its key in another way.
fn signed_otherwise(base: &Base<'_>, padding: &'static dyn RsaEncoding) -> Vec<u8> {
    let pair = own_pair(&format!("{}.pem", base.who.name));
    let lines: Vec<String> = base
        .names()
        .iter()
        .map(|name| match name.as_str() {
            "(request-target)" => {
                let method = base.request.method.to_lowercase();
                format!("{name}: {method} {}", base.request.target)
            }
            _ => format!("{name}: {}", base.request.header(name)),
        })
        .collect();
    let mut signature = vec![0; pair.public().modulus_len()];
    let message = lines.join("\n");
    pair.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    signature
}

/// The signature stays, and is right for the key that signed.
pub(super) fn key_ids(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    let unknown = "the API key is not known";
    let not_over = "the signature is not over this request";
    let (tenancy, resource) = (&stage.tenancy, "ocid1.fnfunc.oc1.iad.aaaaaaaaexamplefunction");
    let user = stage.user.key_id().to_owned();
    let parts: Vec<&str> = user.split('/').collect();
    let (id, fingerprint) = (parts[1], parts[2]);
    let bare = fingerprint.replace(':', "");
    for base in stage.bases().iter().filter(|base| base.request.target != "/v1/x509") {
        let others = [&stage.user, &stage.session, &stage.resource, &stage.other];
        for other in others.iter().filter(|other| other.name != base.who.name) {
            let request = with_parameter(&base.request, "keyId", other.key_id());
            cases.push(Case::new(format!("{} of {}", base.name, other.name), request, not_over));
        }
        let token = |who: &Identity| who.token().to_owned();
        let (session, rpst) = (token(&stage.session), token(&stage.resource));
        let own = if base.who.name == "resource" { &rpst } else { &session };
        for (key_id, reason) in [
            (String::new(), "there is no keyId"),
            (" ".to_owned(), unknown),
            (format!("{user} "), unknown),
            (format!("{user}/"), unknown),
            (format!("/{user}"), unknown),
            (format!("{tenancy}/{id}"), unknown),
            (format!("{tenancy}//{fingerprint}"), unknown),
            (format!("{id}/{tenancy}/{fingerprint}"), unknown),
            (format!("{tenancy}/{id}/{bare}"), unknown),
            (format!("{tenancy}/{id}/{}", changed(fingerprint, 0)), unknown),
            (format!("{tenancy}/{id}/{}", changed(fingerprint, 46)), unknown),
            (format!("{tenancy}/ocid1.user.oc1..aaaaaaaaunknownuser/{fingerprint}"), unknown),
            (format!("ocid1.tenancy.oc1..aaaaaaaaothertenancy/{id}/{fingerprint}"), unknown),
            (format!("resource/v2.1/{resource}"), unknown),
            (format!("resource/v2.1.1/{tenancy}/{resource}"), unknown),
            (format!("resource/v2.1.2/{tenancy}/{resource}"), unknown),
            (stage.instance.key_id().to_owned(), unknown),
            (stage.instance.key_id().replace("fed-x509", "fed-x509-sha256"), unknown),
            ("ST$".to_owned(), "the token is no JWT"),
            ("ST$garbage".to_owned(), "the token is no JWT"),
            ("ST$..".to_owned(), "the token's header is no JSON"),
            ("ST$e30.e30.".to_owned(), "the token's algorithm is not RS256"),
            ("ST$e30.e30.AAAA".to_owned(), "the token's algorithm is not RS256"),
            (format!("ST$ST${own}"), "the token's header is no JSON"),
            (format!("st${own}"), unknown),
            (format!(" ST${own}"), unknown),
            (own.clone(), unknown),
            (format!("ST$ {own}"), "the token's header is no JSON"),
        ] {
            let request = with_parameter(&base.request, "keyId", &key_id);
            let shown: String = key_id.chars().take(60).collect();
            cases.push(Case::new(format!("{} `{shown}`", base.name), request, reason));
        }
    }
    cases
}

pub(super) fn equal(stage: &Stage) -> Vec<(String, Wire)> {
    let mut equal = Vec::new();
    for base in stage.bases() {
        let own = Parameters::of(&base.request);
        let mut put = |what: &str, parameters: &Parameters| {
            equal.push((format!("{} {what}", base.name), parameters.put(&base.request)));
        };
        let mut reversed = own.clone();
        reversed.0.reverse();
        put("with parameters in another order", &reversed);
        let mut more = own.clone();
        more.0.push(("other".into(), "value".into()));
        put("with an unknown parameter", &more);
        let mut without = own.clone();
        without.0.retain(|parameter| parameter.0 != "version");
        put("without a version", &without);
        let mut upper = own.clone();
        for parameter in &mut upper.0 {
            parameter.0 = parameter.0.to_uppercase();
        }
        put("with parameters in upper case", &upper);
        let mut names = own.clone();
        names.set("headers", &own.get("headers").to_uppercase());
        put("with names of what is signed in upper case", &names);

        let text = base.request.header("authorization");
        for (what, text) in [
            ("with blanks", text.replace("\",", "\" , ")),
            ("with an unquoted parameter", text.replace("\"rsa-sha256\"", "rsa-sha256")),
            ("with a scheme in lower case", text.replacen("Signature", "signature", 1)),
        ] {
            let request = base.request.clone().set("authorization", text);
            equal.push((format!("{} {what}", base.name), request));
        }
        let pss = STANDARD.encode(signed_otherwise(&base, &RSA_PSS_SHA256));
        let mut parameters = own;
        parameters.set("algorithm", "rsa-pss-sha256");
        parameters.set("signature", &pss);
        equal.push((format!("{} as PSS", base.name), parameters.put(&base.request)));
    }
    let request = stage.other.request(&stage.host, "GET", "/20160918/regions", Body::Empty);
    equal.push(("another user".into(), request));
    equal
}
