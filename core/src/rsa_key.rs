//! Signing and verifying in pure Rust, by the crate `rsa`, for WebAssembly.

use alloc::vec::Vec;
use core::fmt;

use chacha20::ChaCha20Rng;
use hmac::{Hmac, KeyInit, Mac};
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey};
use rsa::pkcs1v15::{self, Signature};
use rsa::rand_core::{CryptoRng, SeedableRng};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::key_options::KeyOptions;
use crate::private_key::PrivateKeyDer;
use crate::public_key::PublicKey;
use crate::signing_key::{SigningFailed, SigningKey, VerifyingKey};

/// A private key that signs in pure Rust. Native programs have faster ones.
///
/// Every signature is blinded: without a random source the crate `rsa` would
/// silently not blind, so one is always given, a ChaCha20 generator keyed by
/// the private key, the message and the host's seed, if there is one.
///
/// ```
/// use ocisign_core::{KeyOptions, PrivateKeyDer, RsaKey, RsaVerifyingKey, SigningKey, VerifyingKey};
///
/// let pem = include_str!("../../vectors/keys/test-key.pem");
/// let key = RsaKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
/// let signature = key.sign(b"message").unwrap();
/// assert!(RsaVerifyingKey::new(key.public_key())?.verify(b"message", &signature));
/// # Ok::<(), ocisign_core::KeyError>(())
/// ```
pub struct RsaKey {
    key: pkcs1v15::SigningKey<Sha256>,
    public_key: PublicKey,
    blinding: Zeroizing<[u8; 32]>,
}

impl RsaKey {
    /// Check the key's numbers, and precompute what each signature needs.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] when the numbers are not those of one RSA key.
    pub fn new(der: &PrivateKeyDer) -> Result<Self, KeyError> {
        let key = RsaPrivateKey::from_pkcs1_der(der.secret_pkcs1_der())
            .map_err(|_| KeyError::Malformed)?;
        Ok(Self {
            key: pkcs1v15::SigningKey::new(key),
            public_key: der.public_key().clone(),
            blinding: derive(b"ocisign blinding 1", der.secret_pkcs1_der()),
        })
    }

    /// The same key, with this randomness of the host's mixed into its blinding.
    ///
    /// It changes no signature. Give at least 32 random bytes.
    #[must_use]
    pub fn with_seed(mut self, seed: &[u8]) -> Self {
        self.blinding = derive(&*self.blinding, seed);
        self
    }

    fn blinding_rng(&self, message: &[u8]) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(*derive(&*self.blinding, message))
    }

    fn sign_with_rng(
        &self,
        rng: &mut impl CryptoRng,
        message: &[u8],
    ) -> Result<Vec<u8>, SigningFailed> {
        let signature = self.key.try_sign_with_rng(rng, message).map_err(|_| SigningFailed)?;
        Ok(signature.to_vec())
    }
}

impl SigningKey for RsaKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        self.sign_with_rng(&mut self.blinding_rng(message), message)
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// Nothing of the private half.
impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

impl PrivateKeyDer {
    /// A new key of 2,048 bits with the exponent 65,537, made of this seed and of nothing else.
    ///
    /// Who knows the seed has the key: give 32 bytes of the system's randomness, each time
    /// others. The crate `rsa` leaves pieces of it in memory that it frees: this is for
    /// guests, whose allocator wipes that.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] for numbers that are no key, which are not made.
    ///
    /// ```
    /// use ocisign_core::PrivateKeyDer;
    ///
    /// let key = PrivateKeyDer::generate(&[7; 32])?; // 32 random bytes
    /// assert_eq!((key.public_key().bits(), key.public_key().exponent()), (2048, &[1, 0, 1][..]));
    /// # Ok::<(), ocisign_core::KeyError>(())
    /// ```
    pub fn generate(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let mut rng = ChaCha20Rng::from_seed(*derive(b"ocisign session key 1", seed));
        let key = RsaPrivateKey::new(&mut rng, 2_048).map_err(|_| KeyError::Malformed)?;
        let der = key.to_pkcs1_der().map_err(|_| KeyError::Malformed)?;
        Self::from_pkcs1(Zeroizing::new(der.as_bytes().to_vec()), &KeyOptions::new())
    }
}

/// A public key that verifies in pure Rust. [`RsaKey`] shows one.
#[derive(Clone, Debug)]
pub struct RsaVerifyingKey(pkcs1v15::VerifyingKey<Sha256>);

impl RsaVerifyingKey {
    /// Check the key's numbers.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] when they are not those of an RSA key.
    pub fn new(key: &PublicKey) -> Result<Self, KeyError> {
        let key =
            RsaPublicKey::from_pkcs1_der(&key.pkcs1_der()).map_err(|_| KeyError::Malformed)?;
        Ok(Self(pkcs1v15::VerifyingKey::new(key)))
    }
}

impl VerifyingKey for RsaVerifyingKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::try_from(signature)
            .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

/// HMAC-SHA-256, as a key derivation.
fn derive(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => Zeroizing::new(mac.chain_update(message).finalize().into_bytes().into()),
        Err(never) => unreachable!("HMAC takes a key of any length: {never}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{RsaKey, RsaVerifyingKey};
    use crate::key_options::KeyOptions;
    use crate::private_key::PrivateKeyDer;
    use crate::signing_key::{SigningKey, VerifyingKey};
    use alloc::vec::Vec;
    use rsa::rand_core::{Infallible, TryCryptoRng, TryRng};

    /// Hands on what the generator gives, and remembers it.
    struct Recorder<R>(R, Vec<u8>);

    impl<R: TryRng<Error = Infallible>> TryRng for Recorder<R> {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let next = self.0.try_next_u32()?;
            self.1.extend(next.to_le_bytes());
            Ok(next)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let next = self.0.try_next_u64()?;
            self.1.extend(next.to_le_bytes());
            Ok(next)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            self.0.try_fill_bytes(bytes)?;
            self.1.extend_from_slice(bytes);
            Ok(())
        }
    }

    impl<R: TryCryptoRng<Error = Infallible>> TryCryptoRng for Recorder<R> {}

    fn key() -> RsaKey {
        let pem = include_str!("../../vectors/keys/test-key.pem");
        RsaKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap()).unwrap()
    }

    /// What a signature drew from the generator.
    fn drawn(key: &RsaKey, message: &[u8]) -> Vec<u8> {
        let mut recorder = Recorder(key.blinding_rng(message), Vec::new());
        let signature = key.sign_with_rng(&mut recorder, message).unwrap();
        assert_eq!(signature, key.sign(message).unwrap());
        recorder.1
    }

    #[test]
    fn every_signature_is_blinded_by_at_least_a_modulus_of_randomness() {
        assert!(drawn(&key(), b"message").len() >= 256);
    }

    #[test]
    fn blinding_differs_by_message_and_seed_and_changes_no_signature() {
        let (plain, seeded) = (key(), key().with_seed(&[7; 32]));
        assert_ne!(drawn(&plain, b"one"), drawn(&plain, b"two"));
        assert_ne!(drawn(&plain, b"one"), drawn(&seeded, b"one"));
        assert_eq!(drawn(&plain, b"one"), drawn(&plain, b"one"));
        assert_eq!(plain.sign(b"one"), seeded.sign(b"one"));
    }

    #[test]
    fn a_key_is_made_of_its_seed_alone_and_signs() {
        let made = |seed: u8| PrivateKeyDer::generate(&[seed; 32]).unwrap();
        let (key, other) = (made(1), made(2));
        assert_eq!(key.secret_pkcs1_der(), made(1).secret_pkcs1_der());
        assert_ne!(key.public_key(), other.public_key());
        for key in [key, other] {
            assert_eq!(key.public_key().bits(), 2_048);
            assert_eq!(key.public_key().exponent(), [1, 0, 1]);
            let pem = key.secret_pkcs8_pem().unwrap();
            assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
            let read = PrivateKeyDer::from_pem(&pem, &KeyOptions::new()).unwrap();
            let signature = RsaKey::new(&read).unwrap().sign(b"message").unwrap();
            let verifier = RsaVerifyingKey::new(key.public_key()).unwrap();
            assert!(verifier.verify(b"message", &signature));
            assert!(!verifier.verify(b"another", &signature));
        }
    }
}
