//! Texts of every kind, where any text may be given: never a panic.

use std::fmt::{Debug, Display};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{
    Body, KeyId, KeyOptions, PrivateKeyDer, Profile, PublicKey, Region, RegionSources, Request,
    RsaKey, RsaVerifyingKey, SecurityToken, Service, VerifyOptions, VerifyingKey, examine, prepare,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::keys::Fake;
use crate::{DATE, NOW, cases};

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn no_text_makes_signing_or_verifying_panic(
        method in any::<String>(),
        url in any::<String>(),
        headers in vec((wild_name(), any::<String>()), 0..8),
        key_id in any::<String>(),
        host in any::<String>(),
        bytes: Vec<u8>,
        length: u64,
        window: u64,
        now: u64,
        signature: Vec<u8>,
    ) {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let digest = Body::Digest { sha256: [7; 32], length };
        for method in [&*method, "get", "POST"] {
            for url in [&*url, "https://h/"] {
                for body in [Body::Empty, Body::Bytes(&bytes), digest, Body::Unsigned] {
                    let request = Request::new(method, url).headers(&headers).body(body);
                    let _ = format!("{request:?}");
                    for key_id in [&*key_id, "t/u/f"] {
                        let Ok(key_id) = KeyId::new(key_id) else { continue };
                        let key_id = key_id.clone().with_delegation_token(&host).unwrap_or(key_id);
                        match prepare(&request, &key_id, now) {
                            Ok(prepared) => drop(prepared.finish(&signature)),
                            Err(error) => drop(printed(&error)),
                        }
                    }
                    let mut options = VerifyOptions::new().expected_host(&host);
                    options.window = window;
                    match examine(&request, &options, now) {
                        Ok(examined) => drop(examined.verify(&Fake::new())),
                        Err(error) => drop(printed(&error)),
                    }
                }
            }
        }
    }

    #[test]
    fn no_authorization_makes_examining_panic(
        value in prop_oneof![
            any::<String>(),
            "Signature ([a-zA-Z]{0,9}=?\"?[ -~]{0,20}\"?,? ?){0,6}",
            "[Ss]ignature( ?(version|keyId|algorithm|headers|signature)=\"[a-z0-9+/ =-]{0,12}\",?){0,7}",
        ],
        url in url_like(),
    ) {
        let headers = [("date", DATE), ("host", "h"), ("authorization", &value)];
        let request = Request::new("GET", &url).headers(&headers);
        match examine(&request, &VerifyOptions::new(), NOW) {
            Ok(examined) => prop_assert_eq!(examined.signing_string().is_empty(), false),
            Err(error) => drop(printed(&error)),
        }
    }

    #[test]
    fn no_text_makes_reading_panic(
        text in any::<String>(),
        other in any::<String>(),
        pem in pem_like(),
        lines in config_like(),
        passphrase in option::of(any::<Vec<u8>>()),
        weak: bool,
    ) {
        let mut options = KeyOptions::new().danger_allow_weak_key(weak);
        if let Some(passphrase) = &passphrase {
            options = options.passphrase(passphrase);
        }
        for text in [&text, &pem] {
            drop(PrivateKeyDer::from_pem(text, &options).and_then(|der| RsaKey::new(&der)).map_err(|e| printed(&e)));
            drop(PublicKey::from_pem(text, &options).and_then(|key| RsaVerifyingKey::new(&key)));
        }
        for text in [&text, &lines] {
            for name in [&*other, "DEFAULT", "a"] {
                if let Ok(profile) = Profile::parse(text, name) {
                    let _ = (profile.passphrase(), profile.require("user"));
                    for key in profile.keys() {
                        prop_assert!(profile.get(key).is_some());
                    }
                }
            }
        }
        drop(KeyId::api_key(&text, &other, &pem));
        drop(SecurityToken::parse(&text).map_err(|error| printed(&error)));
        let mut sources = RegionSources::default();
        drop(Region::lookup(&text, &sources).map_err(|error| error.to_string()));
        sources.region_metadata = Some(&text);
        sources.regions_config = Some(&other);
        sources.default_domain = Some(&lines);
        drop(Region::lookup(&other, &sources));
    }

    #[test]
    fn no_numbers_make_a_public_key_panic(
        modulus in vec(any::<u8>(), 0..300),
        exponent in vec(any::<u8>(), 0..12),
        signature: Vec<u8>,
    ) {
        let key = PublicKey::from_components(&modulus, &exponent);
        let _ = (key.fingerprint(), key.spki_der(), key.pkcs1_der(), format!("{key:?}"));
        prop_assert!(key.bits() <= modulus.len() * 8);
        if let Ok(verifies) = RsaVerifyingKey::new(&key) {
            prop_assert!(!verifies.verify(b"message", &signature));
        }
    }

    #[test]
    fn a_region_is_in_every_endpoint_and_nothing_but_a_host_is(name in "[a-zA-Z0-9._-]{1,40}", wild: String) {
        for name in [&name, &wild] {
            if let Ok(region) = Region::lookup(name, &RegionSources::default()) {
                let endpoint = region.endpoint(Service::Auth);
                let host = endpoint.strip_prefix("https://").unwrap();
                prop_assert!(host.contains(region.id()));
                prop_assert!(host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte)));
            }
        }
    }
}

pub(crate) fn printed(error: &(impl Debug + Display)) -> String {
    format!("{error} {error:?}")
}
fn wild_name() -> impl Strategy<Value = String> {
    let known = &[
        "authorization",
        "Content-Length",
        "content-type",
        "DATE",
        "host",
        "opc-obo-token",
        "x-content-sha256",
        "x-date",
    ];
    prop_oneof![any::<String>(), select(&known[..]).prop_map(str::to_owned), "[a-z-]{1,9}"]
}

fn url_like() -> impl Strategy<Value = String> {
    prop_oneof!["https?://[ -~]{0,20}", any::<String>(), "https://h/[!-~]{0,20}"]
}

fn pem_like() -> impl Strategy<Value = String> {
    let label = "(RSA |ENCRYPTED |EC |OPENSSH )?(PRIVATE|PUBLIC) KEY";
    let head = "(Proc-Type: 4,ENCRYPTED\n)?(DEK-Info: [A-Z0-9-]{0,12},?[0-9A-F]{0,33}\n\n?)?";
    (label, head, vec(any::<u8>(), 0..200), any::<bool>()).prop_map(
        |(label, head, bytes, escape)| {
            let text = format!(
                "-----BEGIN {label}-----\n{head}{}\n-----END {label}-----\n",
                STANDARD.encode(bytes)
            );
            if escape { text.replace('\n', "\\n") } else { text }
        },
    )
}

fn config_like() -> impl Strategy<Value = String> {
    "(\u{feff})?(\\[?[a-zA-Z ]{0,6}\\]?[=:#;]?[ -~]{0,8}\r?\n){0,12}"
}
