//! What a key has to do, whoever holds it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::public_key::PublicKey;

/// An RSA private key that signs.
///
/// Implementations wipe the key when they are dropped, print nothing of it, and
/// hold whatever randomness they need: a signature is a function of the message.
pub trait SigningKey: Send + Sync {
    /// The RSASSA-PKCS1-v1_5 signature over the SHA-256 of this message (RFC 8017, section 8.2.1).
    ///
    /// It has as many bytes as the modulus.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed>;

    /// The public half.
    fn public_key(&self) -> &PublicKey;
}

/// A key that several credentials share.
impl<K: SigningKey + ?Sized> SigningKey for Arc<K> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        (**self).sign(message)
    }

    fn public_key(&self) -> &PublicKey {
        (**self).public_key()
    }
}

/// An RSA public key that verifies.
pub trait VerifyingKey {
    /// Whether this is the RSASSA-PKCS1-v1_5 signature of this key over the
    /// SHA-256 of this message (RFC 8017, section 8.2.2).
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// A key did not sign. Its holder knows why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SigningFailed;

impl fmt::Display for SigningFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the private key did not sign")
    }
}

impl core::error::Error for SigningFailed {}
