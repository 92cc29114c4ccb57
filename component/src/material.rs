//! Reading the keys that a host gives.

use ocisign_core::{Credential, KeyId, KeyOptions, PrivateKeyDer, RsaKey};

use crate::bindings::types::{Error, KeyMaterial};

/// What signs as this key.
pub(crate) fn read(material: &KeyMaterial) -> Result<Credential, Error> {
    let mut key = RsaKey::new(&der(material)?)?;
    if let Some(seed) = &material.blinding_seed {
        key = key.with_seed(seed.as_bytes());
    }
    let mut credential = if is_token(&material.key_id) {
        Credential::security_token(&material.key_id, key)?
    } else {
        Credential::new(KeyId::new(&material.key_id)?, key)
    };
    if let Some(expires) = material.expires {
        credential = credential.with_expiry(expires);
    }
    if let Some(token) = &material.delegation_token {
        credential = credential.with_delegation_token(token)?;
    }
    Ok(credential)
}

/// The key itself.
pub(crate) fn der(material: &KeyMaterial) -> Result<PrivateKeyDer, Error> {
    let mut options = KeyOptions::new().danger_allow_weak_key(material.danger_allow_weak_key);
    if let Some(passphrase) = &material.passphrase {
        options = options.passphrase(passphrase.as_bytes());
    }
    Ok(PrivateKeyDer::from_pem(&material.private_key, &options)?)
}

/// Whether a key id is a token, which is trimmed when it is read.
pub(crate) fn is_token(key_id: &str) -> bool {
    key_id.trim_start_matches('\u{feff}').trim_start().starts_with("ST$")
}
