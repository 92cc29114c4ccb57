//! Keys: one that is quick, and one that is real.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{
    KeyOptions, PrivateKeyDer, PublicKey, RsaKey, RsaVerifyingKey, SigningFailed, SigningKey,
    VerifyingKey,
};
use proptest::prelude::*;
use proptest::sample::Index;
use sha2::{Digest, Sha256};

use crate::cases;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_real_key_signs_what_its_public_half_verifies_and_no_changed_byte(
        message: Vec<u8>,
        seed: Vec<u8>,
        at: Index,
        flip in 1_u8..,
    ) {
        let key = &*REAL;
        let mut signature = key.signing.sign(&message).unwrap();
        prop_assert!(key.verifying.verify(&message, &signature));
        let seeded = RsaKey::new(&key.der).unwrap().with_seed(&seed);
        prop_assert_eq!(&seeded.sign(&message).unwrap(), &signature);
        let position = at.index(signature.len());
        signature[position] ^= flip;
        prop_assert!(!key.verifying.verify(&message, &signature));
        prop_assert!(!key.verifying.verify(&message, &signature[1..]));
        prop_assert!(!key.verifying.verify(&message, &[&[0], &*signature].concat()));
    }

    #[test]
    fn a_key_with_any_byte_changed_is_refused_or_signs_rightly_and_never_panics(at: Index, flip in 1_u8..) {
        let key = &*REAL;
        let mut der = key.der.secret_pkcs1_der().to_vec();
        let position = at.index(der.len());
        der[position] ^= flip;
        let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", STANDARD.encode(&der));
        let changed = PrivateKeyDer::from_pem(&pem, &KeyOptions::new()).and_then(|der| RsaKey::new(&der));
        if let Ok(changed) = changed
            && let Ok(signature) = changed.sign(b"message")
        {
            let verifying = RsaVerifyingKey::new(changed.public_key()).unwrap();
            prop_assert!(verifying.verify(b"message", &signature));
        }
    }
}

/// A key whose signature is the message's digest: quick, and as sensitive to every bit.
pub(crate) struct Fake(PublicKey);

impl Fake {
    pub(crate) fn new() -> Self {
        Self(PublicKey::from_components(&[0x80; 256], &[1, 0, 1]))
    }
}

impl SigningKey for Fake {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(Sha256::digest(message).repeat(8))
    }

    fn public_key(&self) -> &PublicKey {
        &self.0
    }
}

impl VerifyingKey for Fake {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.sign(message).unwrap() == signature
    }
}

/// The key of the vectors.
pub(crate) struct Real {
    pub(crate) text: String,
    pub(crate) der: PrivateKeyDer,
    pub(crate) signing: RsaKey,
    pub(crate) verifying: RsaVerifyingKey,
}

pub(crate) static REAL: LazyLock<Real> = LazyLock::new(|| {
    let text = include_str!("../../../vectors/keys/test-key.pem").to_owned();
    let der = PrivateKeyDer::from_pem(&text, &KeyOptions::new()).unwrap();
    let signing = RsaKey::new(&der).unwrap();
    let verifying = RsaVerifyingKey::new(der.public_key()).unwrap();
    Real { text, der, signing, verifying }
});
