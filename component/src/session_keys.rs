//! The keys of one exchange: what signs, and what is given out at its end.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use ocisign_core::{
    KeyBackend, KeyError, KeyOptions, PrivateKeyDer, PublicKey, RsaKey, SigningKey,
};
use sha2::{Digest, Sha256};
use spin::Mutex;
use zeroize::Zeroizing;

use crate::bindings::types::{Error, ErrorCode};
use crate::convert;

/// The keys of one exchange, each with its text.
///
/// An instance has one thread, so the lock is never waited for.
pub(crate) struct SessionKeys {
    entropy: Zeroizing<Vec<u8>>,
    given: Option<Arc<dyn SigningKey>>,
    known: Mutex<Vec<(PublicKey, Zeroizing<String>)>>,
}

impl SessionKeys {
    /// With the session key that the host gives, or else one of this entropy.
    pub(crate) fn new(session_key: Option<String>, entropy: String) -> Result<Self, Error> {
        let (entropy, session_key) = (Zeroizing::new(entropy), session_key.map(Zeroizing::new));
        let entropy = Zeroizing::new(convert::decode(&entropy)?);
        if entropy.len() < 32 {
            return Err(Error::new(
                ErrorCode::InvalidEncoding,
                "the entropy has fewer than 32 bytes",
            ));
        }
        let mut keys = Self { entropy, given: None, known: Mutex::default() };
        if let Some(pem) = session_key {
            keys.given = Some(keys.keep(&PrivateKeyDer::from_pem(&pem, &KeyOptions::new())?)?);
        }
        Ok(keys)
    }

    /// What of the entropy is for this use.
    pub(crate) fn entropy(&self, purpose: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(purpose).chain_update(&*self.entropy).finalize().into()
    }

    /// A key that signs, and whose text is kept.
    pub(crate) fn keep(&self, der: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError> {
        let blinding = Zeroizing::new(self.entropy(b"ocisign blinding"));
        let key = RsaKey::new(der)?.with_seed(&*blinding);
        let text = der.secret_pkcs8_pem()?;
        self.known.lock().push((der.public_key().clone(), text));
        Ok(Arc::new(key))
    }

    /// The text of the key with this public half.
    pub(crate) fn text(&self, key: &PublicKey) -> Option<String> {
        let known = self.known.lock();
        known.iter().find(|known| known.0 == *key).map(|known| (*known.1).clone())
    }
}

impl KeyBackend for SessionKeys {
    fn load(&self, key: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError> {
        self.keep(key)
    }

    fn session_key(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        if let Some(key) = &self.given {
            return Ok(key.clone());
        }
        let seed = Zeroizing::new(self.entropy(b"ocisign session key"));
        self.keep(&PrivateKeyDer::generate(&seed)?)
    }
}
