//! Signing and verifying with AWS-LC, as fast as OpenSSL.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaParameters,
    RsaPublicKeyComponents,
};
use ocisign_core::{KeyError, PrivateKeyDer, PublicKey, SigningFailed, SigningKey, VerifyingKey};

use pkcs1::RsaPublicKeyRef;
use pkcs1::der::Decode;

use crate::weak_key::WeakKey;

/// A private key that signs natively.
///
/// AWS-LC blinds every signature, with randomness of its own, and wipes the key
/// when it is dropped. Not `Clone`: share it by reference or in an `Arc`.
///
/// ```
/// use ocisign::{KeyOptions, NativeKey, NativeVerifyingKey, PrivateKeyDer, SigningKey, VerifyingKey};
///
/// let pem = include_str!("../../vectors/keys/test-key.pem");
/// let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
/// let signature = key.sign(b"message").unwrap();
/// assert!(NativeVerifyingKey::new(key.public_key())?.verify(b"message", &signature));
/// # Ok::<(), ocisign::KeyError>(())
/// ```
pub struct NativeKey {
    backend: Backend,
    public_key: PublicKey,
}

enum Backend {
    AwsLc(RsaKeyPair),
    /// AWS-LC refuses to sign with keys under 2,048 bits.
    Weak(WeakKey),
}

impl NativeKey {
    /// Check the key's numbers, and precompute what each signature needs.
    ///
    /// Whether a key under 2,048 bits is allowed was decided when it was read;
    /// see [`KeyOptions::danger_allow_weak_key`](crate::KeyOptions::danger_allow_weak_key).
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] when the numbers are not those of one RSA key.
    pub fn new(der: &PrivateKeyDer) -> Result<Self, KeyError> {
        let backend = if der.public_key().bits() < LEAST_BITS {
            Backend::Weak(WeakKey::new(der)?)
        } else {
            let pair = RsaKeyPair::from_der(der.secret_pkcs1_der());
            Backend::AwsLc(pair.map_err(|_| KeyError::Malformed)?)
        };
        Ok(Self { backend, public_key: der.public_key().clone() })
    }

    /// A key that AWS-LC made: it never leaves it.
    pub(crate) fn generated(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let key = RsaPublicKeyRef::from_der(pair.public_key().as_ref());
        let key = key.map_err(|_| KeyError::Malformed)?;
        let public_key =
            PublicKey::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes());
        Ok(Self { backend: Backend::AwsLc(pair), public_key })
    }
}

impl SigningKey for NativeKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        match &self.backend {
            Backend::AwsLc(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SigningFailed)?;
                Ok(signature)
            }
            Backend::Weak(key) => key.sign(message),
        }
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// Nothing of the private half.
impl fmt::Debug for NativeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

/// A public key that verifies natively. [`NativeKey`] shows one.
pub struct NativeVerifyingKey(ParsedPublicKey);

impl NativeVerifyingKey {
    /// Check the key's numbers, and keep them in the form that verifies.
    ///
    /// Whether a key under 2,048 bits is allowed was decided when it was read.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] when they are not those of an RSA key.
    pub fn new(key: &PublicKey) -> Result<Self, KeyError> {
        let parameters: &'static RsaParameters = if key.bits() < LEAST_BITS {
            &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        } else {
            &RSA_PKCS1_2048_8192_SHA256
        };
        RsaPublicKeyComponents { n: key.modulus(), e: key.exponent() }
            .to_parsed_public_key(parameters)
            .map(Self)
            .map_err(|_| KeyError::Malformed)
    }
}

impl VerifyingKey for NativeVerifyingKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for NativeVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeVerifyingKey").finish_non_exhaustive()
    }
}

/// What AWS-LC signs with, and what OCI registers.
const LEAST_BITS: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::{NativeKey, NativeVerifyingKey};
    use ocisign_core::{KeyOptions, PrivateKeyDer, PublicKey, SigningKey, VerifyingKey};

    fn der(pem: &str) -> PrivateKeyDer {
        PrivateKeyDer::from_pem(pem, &KeyOptions::new().danger_allow_weak_key(true)).unwrap()
    }

    #[test]
    fn keys_of_every_length_sign_what_they_verify_and_nothing_else() {
        for (pem, bytes) in [
            (include_str!("../../vectors/keys/oracle-docs-1024.pem"), 128),
            (include_str!("../../vectors/keys/test-key.pem"), 256),
            (include_str!("../../vectors/keys/rsa-3072.pem"), 384),
            (include_str!("../../vectors/keys/rsa-4096.pem"), 512),
        ] {
            let key = NativeKey::new(&der(pem)).unwrap();
            let mut signature = key.sign(b"message").unwrap();
            assert_eq!(signature.len(), bytes);
            let verifying = NativeVerifyingKey::new(key.public_key()).unwrap();
            assert!(verifying.verify(b"message", &signature));
            assert!(!verifying.verify(b"another", &signature));
            signature[0] ^= 1;
            assert!(!verifying.verify(b"message", &signature));
            assert!(!verifying.verify(b"message", &signature[1..]));
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_private_key() {
        let pem = include_str!("../../vectors/keys/test-key.pem");
        let text = format!("{:?}", NativeKey::new(&der(pem)).unwrap());
        assert_eq!(
            text,
            "NativeKey { public_key: PublicKey { bits: 2048, fingerprint: \
             \"e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee\" }, .. }"
        );
    }

    #[test]
    fn numbers_that_are_no_public_key_are_refused_or_verify_nothing() {
        for (modulus, exponent) in [
            (&[][..], &[1, 0, 1][..]),
            (&[0x80; 256], &[]),
            (&[0x80; 256], &[2]),
            (&[0x80; 64], &[1, 0, 1]),
            (&[0xff; 2048], &[1, 0, 1]),
        ] {
            let key = PublicKey::from_components(modulus, exponent);
            let verifies = NativeVerifyingKey::new(&key)
                .is_ok_and(|key| key.verify(b"message", &vec![1; modulus.len()]));
            assert!(!verifies);
        }
    }
}
