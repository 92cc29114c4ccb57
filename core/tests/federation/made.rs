//! What tests are made of: keys, tokens and certificates, none of which anybody signed.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign_core::{
    KeyBackend, KeyError, KeyOptions, PrivateKeyDer, PublicKey, RsaKey, SigningFailed, SigningKey,
};
use ocisign_vectors::vectors;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// June 2024: the certificates of the vectors are valid since January.
pub(crate) const NOW: u64 = 1_717_200_000;
pub(crate) const TENANCY: &str = "ocid1.tenancy.oc1..aaaaaaaatesttenancy";
pub(crate) const PASSPHRASE: &str = "test-passphrase";

pub(crate) fn vector_key(name: &str) -> String {
    fs::read_to_string(vectors().join("keys").join(name)).unwrap()
}

pub(crate) static SESSION_KEY: LazyLock<String> = LazyLock::new(|| vector_key("test-key.pem"));
pub(crate) static OTHER_KEY: LazyLock<String> = LazyLock::new(|| vector_key("other-key.pem"));
pub(crate) static LEAF_KEY: LazyLock<String> = LazyLock::new(|| vector_key("ip-leaf-key.pem"));
pub(crate) static LEAF: LazyLock<String> = LazyLock::new(|| vector_key("ip-leaf-cert.pem"));
pub(crate) static INTERMEDIATE: LazyLock<String> =
    LazyLock::new(|| vector_key("ip-intermediate-cert.pem"));

pub(crate) fn private_key(pem: &str) -> PrivateKeyDer {
    PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap()
}

pub(crate) fn public_key(pem: &str) -> PublicKey {
    private_key(pem).public_key().clone()
}

/// The key that exchanges make for a session.
pub(crate) fn session_key() -> PublicKey {
    static KEY: LazyLock<PublicKey> = LazyLock::new(|| public_key(&SESSION_KEY));
    KEY.clone()
}

/// Keys of the crate `rsa`.
pub(crate) struct RealKeys;

impl KeyBackend for RealKeys {
    fn load(&self, key: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(Arc::new(RsaKey::new(key)?))
    }

    fn session_key(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        self.load(&private_key(&SESSION_KEY))
    }
}

/// Keys that sign quickly and not at all well, and how often one was made.
#[derive(Default)]
pub(crate) struct QuickKeys {
    pub(crate) made: AtomicU32,
}

impl KeyBackend for QuickKeys {
    fn load(&self, key: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(quick(key.public_key().clone()))
    }

    fn session_key(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        self.made.fetch_add(1, Ordering::Relaxed);
        Ok(quick(session_key()))
    }
}

pub(crate) fn quick(public_key: PublicKey) -> Arc<dyn SigningKey> {
    Arc::new(Quick(public_key))
}

struct Quick(PublicKey);

impl SigningKey for Quick {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(Sha256::digest(message).repeat(self.0.modulus().len() / 32))
    }

    fn public_key(&self) -> &PublicKey {
        &self.0
    }
}

/// The claims of a token that every exchange takes: bound to this key, valid for 20 minutes.
pub(crate) fn claims(key: &PublicKey) -> Value {
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({ "kty": "RSA", "n": number(key.modulus()), "e": number(key.exponent()) });
    json!({
        "exp": NOW + 1_200,
        "iat": NOW - 10,
        "jti": "3e1c1f2a-not-to-be-shown",
        "jwk": jwk.to_string(),
        "tenant": TENANCY,
    })
}

pub(crate) fn token(claims: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signature = part("a signature that nobody made and nobody may see");
    format!("{}.{}.{signature}", part(r#"{"alg":"RS256"}"#), part(&claims.to_string()))
}

/// A certificate with this in the subject, of this issuer, that was valid in those two years.
pub(crate) fn certificate(
    subject: &[&str],
    issuer: &[&str],
    years: [&str; 2],
    key: &PublicKey,
) -> String {
    let rsa = der(0x30, &[&der(6, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"]), &[5, 0]]);
    let date = |year: &str| der(0x17, &[year.as_bytes(), b"0101000000Z"]);
    let body = der(
        0x30,
        &[
            b"\xa0\x03\x02\x01\x02\x02\x01\x01",
            &rsa,
            &name(issuer),
            &der(0x30, &[&date(years[0]), &date(years[1])]),
            &name(subject),
            &key.spki_der(),
        ],
    );
    let signature = der(3, &[&[0; 257]]);
    pem("CERTIFICATE", &der(0x30, &[&body, &rsa, &signature]))
}

/// Organizational units, which is where OCI puts what it says of an instance.
fn name(units: &[&str]) -> Vec<u8> {
    let units = units.iter().map(|unit| {
        let text = der(0x0c, &[unit.as_bytes()]);
        der(0x31, &[&der(0x30, &[b"\x06\x03\x55\x04\x0b", &text])])
    });
    der(0x30, &[&units.collect::<Vec<_>>().concat()])
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..=127 => vec![tag, low],
        128..=255 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
