//! What the fuzz targets share.

use std::fmt::{Debug, Display};

use ocisign_core::{KeyId, PublicKey, SigningFailed, SigningKey, VerifyingKey};

/// Twelve o'clock; [`DATE`] says the same.
pub const NOW: u64 = 1_388_923_200;
pub const DATE: &str = "Sun, 05 Jan 2014 12:00:00 GMT";

/// An error in both its forms.
pub fn printed(error: &(impl Debug + Display)) -> String {
    format!("{error} {error:?}")
}

/// Check that no twelve bytes of this input are in what is printed.
///
/// Bytes such as keys, tokens and digests are made of: what stands between, the
/// fuzzer learns from the messages. So it does with their words, which is why
/// those that stand in the source are let pass.
pub fn hidden(text: &str, secret: &[u8]) {
    const SOURCE: [&str; 16] = [
        include_str!("../../core/src/certificate.rs"),
        include_str!("../../core/src/credential.rs"),
        include_str!("../../core/src/error.rs"),
        include_str!("../../core/src/federation/call.rs"),
        include_str!("../../core/src/federation/error.rs"),
        include_str!("../../core/src/federation/http.rs"),
        include_str!("../../core/src/federation/instance.rs"),
        include_str!("../../core/src/federation/mod.rs"),
        include_str!("../../core/src/federation/resource.rs"),
        include_str!("../../core/src/federation/transition.rs"),
        include_str!("../../core/src/key_id.rs"),
        include_str!("../../core/src/key_options.rs"),
        include_str!("../../core/src/private_key.rs"),
        include_str!("../../core/src/public_key.rs"),
        include_str!("../../core/src/security_token.rs"),
        include_str!("../../core/src/verify.rs"),
    ];
    for part in secret.windows(12) {
        let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_.$".contains(byte);
        if !part.iter().all(legal) {
            continue;
        }
        let part = std::str::from_utf8(part).expect("it is ASCII");
        let found = text.contains(part) && !SOURCE.iter().any(|source| source.contains(part));
        assert!(!found, "{part:?} is in {text:?}");
    }
}

pub fn key_id() -> KeyId {
    KeyId::new("tenancy/user/fingerprint").expect("it is one")
}

/// The header value that says that these names are signed.
pub fn authorization(key_id: &str, names: &str, signature: &str) -> String {
    format!(
        "Signature version=\"1\",keyId=\"{key_id}\",algorithm=\"rsa-sha256\",\
         headers=\"{names}\",signature=\"{signature}\""
    )
}

/// The names that a signing string has, in order.
pub fn names(signing_string: &str) -> Vec<&str> {
    signing_string.split('\n').map(|line| line.split_once(": ").expect("a line").0).collect()
}

/// A key whose signature is a digest of no strength: as quick as a key can be.
pub struct Fake(PublicKey);

impl Fake {
    pub fn new() -> Self {
        Self::of(PublicKey::from_components(&[0x80; 256], &[1, 0, 1]))
    }

    /// The same with this public half.
    pub fn of(public_key: PublicKey) -> Self {
        Self(public_key)
    }
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl SigningKey for Fake {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        // FNV-1a
        let digest = message.iter().fold(0xcbf2_9ce4_8422_2325_u64, |digest, &byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Ok(digest.to_be_bytes().repeat(32))
    }

    fn public_key(&self) -> &PublicKey {
        &self.0
    }
}

impl VerifyingKey for Fake {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.sign(message).is_ok_and(|expected| expected == signature)
    }
}
