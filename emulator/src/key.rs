//! RSA keys: those that the emulator starts with, those it makes, and those of callers.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use md5::{Digest, Md5};
use pem_rfc7468::LineEnding;
use pkcs8::PrivateKeyInfoRef;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use signature::Keypair;
use x509_cert::der::Document;
use x509_cert::der::Encode;
use x509_cert::der::asn1::{Any, BitString, ObjectIdentifier, UintRef};
use x509_cert::spki::{
    self, AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, EncodePublicKey,
    SubjectPublicKeyInfoOwned,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey as ParsedKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

/// A private key of 2,048 bits or more, as PKCS#1.
pub(crate) struct Key {
    der: Vec<u8>,
    pair: KeyPair,
}

impl Key {
    /// A new key. Takes a tenth of a second, or three: not for a thread that serves.
    pub(crate) fn make() -> Result<Self, String> {
        let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| "the random source gave nothing")?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| "the key made has no encoding")?;
        Self::from_der("PRIVATE KEY", der.as_ref())
    }

    /// A key in PEM, PKCS#1 or PKCS#8, not encrypted.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, String> {
        let (label, der) = pem_rfc7468::decode_vec(pem.trim().as_bytes())
            .map_err(|error| format!("no private key in PEM: {error}"))?;
        Self::from_der(label, &der)
    }

    fn from_der(label: &str, der: &[u8]) -> Result<Self, String> {
        let der = match label {
            "RSA PRIVATE KEY" => der.to_vec(),
            "PRIVATE KEY" => PrivateKeyInfoRef::try_from(der)
                .map_err(|error| format!("no PKCS#8: {error}"))?
                .private_key
                .as_bytes()
                .to_vec(),
            other => return Err(format!("a private key is wanted, not `{other}`")),
        };
        let pair = KeyPair::from_der(&der)
            .map_err(|error| format!("no RSA key of 2,048 to 4,096 bits: {error}"))?;
        Ok(Self { der, pair })
    }

    /// PKCS#1 in PEM, as the metadata service and Functions give it.
    pub(crate) fn pem(&self) -> String {
        pem_rfc7468::encode_string("RSA PRIVATE KEY", LineEnding::LF, &self.der).unwrap_or_default()
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        match self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => signature,
            // The random source is gone: what nobody can verify.
            Err(_) => Vec::new(),
        }
    }

    /// The MD5 of the public half, by which OCI names an API key.
    pub(crate) fn fingerprint(&self) -> String {
        colons(&hex(&Md5::digest(self.public().der())))
    }

    pub(crate) fn public(&self) -> PublicKey {
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::from(self.pair.public());
        PublicKey { n, e }
    }
}

/// Nothing of the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// What a certificate is signed with, in the terms of `x509-cert`.
impl Keypair for Key {
    type VerifyingKey = Spki;

    fn verifying_key(&self) -> Spki {
        Spki(self.pair.public().as_ref().to_vec())
    }
}

impl DynSignatureAlgorithmIdentifier for Key {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        // RFC 4055, section 5: sha256WithRSAEncryption, its parameters NULL.
        let oid = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
        Ok(AlgorithmIdentifierOwned { oid, parameters: Some(Any::null()) })
    }
}

/// An `RSAPublicKey` of RFC 8017, to be put in a `SubjectPublicKeyInfo`.
#[derive(Clone)]
pub(crate) struct Spki(Vec<u8>);

impl EncodePublicKey for Spki {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        // RFC 4055, section 1.2: rsaEncryption, its parameters NULL.
        let oid = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        let algorithm = AlgorithmIdentifierOwned { oid, parameters: Some(Any::null()) };
        let subject_public_key = BitString::from_bytes(&self.0)?;
        Document::try_from(SubjectPublicKeyInfoOwned { algorithm, subject_public_key })
    }
}

/// A public RSA key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PublicKey {
    n: Vec<u8>,
    e: Vec<u8>,
}

/// How a signature was padded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Padding {
    Pkcs1,
    Pss,
}

impl PublicKey {
    /// A key in PEM, or in base64 of its DER `SubjectPublicKeyInfo`, as SDKs send it.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let der = match pem_rfc7468::decode_vec(text.trim().as_bytes()) {
            Ok((_, der)) => der,
            Err(_) => decode_base64(&text.split_whitespace().collect::<String>())?,
        };
        let (rest, info) = SubjectPublicKeyInfo::from_der(&der).ok()?;
        if rest.is_empty() { Self::from_info(&info) } else { None }
    }

    /// The key of a certificate.
    pub(crate) fn from_info(info: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        match info.parsed().ok()? {
            ParsedKey::RSA(RSAPublicKey { modulus, exponent }) => Self::new(modulus, exponent),
            _ => None,
        }
    }

    /// The key in the claim `jwk`: a string that holds JSON, its numbers in base64url
    /// or, as has been seen, in base64.
    pub(crate) fn from_jwk(text: &str) -> Option<Self> {
        let jwk: Value = serde_json::from_str(text).ok()?;
        let number = |name: &str| decode_base64(jwk.get(name)?.as_str()?);
        if jwk.get("kty")?.as_str()? != "RSA" {
            return None;
        }
        Self::new(&number("n")?, &number("e")?)
    }

    fn new(n: &[u8], e: &[u8]) -> Option<Self> {
        let strip = |bytes: &[u8]| {
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            bytes.get(zeros..).map(<[u8]>::to_vec)
        };
        let key = Self { n: strip(n)?, e: strip(e)? };
        (256..=1024).contains(&key.n.len()).then_some(key)
    }

    /// `SubjectPublicKeyInfo`.
    fn der(&self) -> Vec<u8> {
        let number = |bytes| UintRef::new(bytes).ok();
        let key = number(&self.n).zip(number(&self.e));
        let key =
            key.map(|(modulus, public_exponent)| pkcs1::RsaPublicKey { modulus, public_exponent });
        let key = key.and_then(|key| key.to_der().ok()).unwrap_or_default();
        Spki(key).to_public_key_der().map(Document::into_vec).unwrap_or_default()
    }

    pub(crate) fn pem(&self) -> String {
        pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &self.der()).unwrap_or_default()
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let number = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kid": kid, "n": number(&self.n), "e": number(&self.e),
            "kty": "RSA", "alg": "RS256", "use": "sig",
        })
    }

    pub(crate) fn verify(&self, padding: Padding, message: &[u8], signature: &[u8]) -> bool {
        let parameters = match padding {
            Padding::Pkcs1 => &RSA_PKCS1_2048_8192_SHA256,
            Padding::Pss => &RSA_PSS_2048_8192_SHA256,
        };
        let key = RsaPublicKeyComponents { n: &self.n, e: &self.e };
        key.verify(parameters, message, signature).is_ok()
    }
}

/// Base64 or base64url, padded or not.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}

pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// The SHA-1 or the SHA-256 of a certificate, in hex without colons, lower case.
pub(crate) fn fingerprints(certificate: &[u8]) -> [String; 2] {
    [&SHA1_FOR_LEGACY_USE_ONLY, &SHA256]
        .map(|algorithm| hex(digest(algorithm, certificate).as_ref()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]).collect()
}

/// A colon after each byte but the last.
pub(crate) fn colons(hex: &str) -> String {
    let pairs: Vec<&str> = (0..hex.len()).step_by(2).filter_map(|at| hex.get(at..at + 2)).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::{Key, Padding, PublicKey, encode_base64};

    const PEM: &str = include_str!("../keys/session.pem");

    #[test]
    fn a_key_verifies_what_it_signed_and_nothing_else() {
        let key = Key::from_pem(PEM).unwrap();
        let signature = key.sign(b"message");
        assert!(key.public().verify(Padding::Pkcs1, b"message", &signature));
        assert!(!key.public().verify(Padding::Pkcs1, b"massage", &signature));
        assert!(!key.public().verify(Padding::Pss, b"message", &signature));
    }

    #[test]
    fn a_key_survives_pem_and_jwk() {
        let key = Key::make().unwrap();
        assert_eq!(Key::from_pem(&key.pem()).unwrap().public(), key.public());
        let jwk = key.public().jwk("a").to_string();
        assert_eq!(PublicKey::from_jwk(&jwk), Some(key.public()));
    }

    #[test]
    fn what_is_no_rsa_key_is_refused() {
        for text in ["", "AAAA", "-----BEGIN PUBLIC KEY-----", &encode_base64(&[0x30, 0x80])] {
            assert_eq!(PublicKey::from_text(text), None, "{text}");
            assert!(Key::from_pem(text).is_err(), "{text}");
        }
        assert_eq!(PublicKey::from_jwk(r#"{"kty":"EC","n":"AQAB","e":"AQAB"}"#), None);
    }

    #[test]
    fn debug_shows_nothing_of_a_key() {
        assert_eq!(format!("{:?}", Key::from_pem(PEM).unwrap()), "Key { .. }");
    }
}
