//! A private key, and the name by which the server knows it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::SignError;
use crate::key_id::KeyId;
use crate::public_key::PublicKey;
use crate::security_token::SecurityToken;
use crate::signing_key::SigningKey;
use crate::time::UnixTime;

/// A private key, and the name by which the server knows it.
///
/// Not `Clone`: share it by reference or in an `Arc`.
pub struct Credential {
    key_id: KeyId,
    key: Box<dyn SigningKey>,
    expires: Option<UnixTime>,
    binding_checked: bool,
}

impl Credential {
    /// A credential as it stands; nothing about it is checked.
    ///
    /// [`sign`](crate::sign) shows one.
    #[must_use]
    pub fn new(key_id: KeyId, key: impl SigningKey + 'static) -> Self {
        Self { key_id, key: Box::new(key), expires: None, binding_checked: false }
    }

    /// The API key of a user.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyMismatch`] when the fingerprint is not this key's;
    /// [`SignError::InvalidKeyId`] as [`KeyId::api_key`].
    #[cfg_attr(feature = "rsa", doc = "```")]
    #[cfg_attr(not(feature = "rsa"), doc = "```ignore")]
    /// use ocisign_core::{Credential, KeyOptions, PrivateKeyDer, RsaKey};
    ///
    /// let pem = include_str!("../../vectors/keys/test-key.pem");
    /// let key = RsaKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
    /// let wrong = "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34";
    /// let error = Credential::api_key("tenancy", "user", wrong, key).unwrap_err();
    /// assert_eq!(error.code(), "KEY_MISMATCH");
    /// # Ok::<(), ocisign_core::SignError>(())
    /// ```
    pub fn api_key(
        tenancy: &str,
        user: &str,
        fingerprint: &str,
        key: impl SigningKey + 'static,
    ) -> Result<Self, SignError> {
        let own = key.public_key().fingerprint();
        let key_id = KeyId::api_key(tenancy, user, &own)?;
        if !own.eq_ignore_ascii_case(fingerprint) {
            return Err(SignError::KeyMismatch);
        }
        Ok(Self { binding_checked: true, ..Self::new(key_id, key) })
    }

    /// A session or resource principal token with its private key.
    ///
    /// The token is trimmed of blanks, line ends, a byte order mark and an `ST$`
    /// in front. Its claims are read and not verified: `exp` becomes
    /// [`expires`](Self::expires), and `jwk` has to be the public half of the
    /// key. A token without `jwk` is accepted, and [`binding_checked`](Self::binding_checked)
    /// is `false` then.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyMismatch`] when `jwk` is another key;
    /// [`SignError::InvalidToken`] when the token cannot be read.
    #[cfg_attr(feature = "rsa", doc = "```")]
    #[cfg_attr(not(feature = "rsa"), doc = "```ignore")]
    /// use ocisign_core::{Credential, KeyOptions, PrivateKeyDer, RsaKey};
    ///
    /// let pem = include_str!("../../vectors/keys/test-key.pem");
    /// let key = RsaKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
    /// let credential = Credential::security_token("e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln\n", key)?;
    /// assert_eq!(credential.expires(), Some(1_700_000_000));
    /// assert!(!credential.binding_checked());
    /// # Ok::<(), ocisign_core::SignError>(())
    /// ```
    pub fn security_token(token: &str, key: impl SigningKey + 'static) -> Result<Self, SignError> {
        let token = SecurityToken::parse(token)?;
        if token.session_key().is_some_and(|session_key| session_key != key.public_key()) {
            return Err(SignError::KeyMismatch);
        }
        Ok(Self {
            binding_checked: token.session_key().is_some(),
            expires: token.expires(),
            ..Self::new(token.key_id()?, key)
        })
    }

    /// The same credential, refused from this time on, or from an earlier one
    /// that its token says.
    #[must_use]
    pub fn with_expiry(mut self, expires: UnixTime) -> Self {
        self.expires = Some(self.expires.map_or(expires, |known| known.min(expires)));
        self
    }

    /// The same credential, used on behalf of the user to whom this token belongs.
    ///
    /// # Errors
    ///
    /// As [`KeyId::with_delegation_token`].
    pub fn with_delegation_token(mut self, token: &str) -> Result<Self, SignError> {
        self.key_id = self.key_id.with_delegation_token(token)?;
        Ok(self)
    }

    /// The name by which the server knows the key.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The public half of the key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// When the server stops accepting it, where that is known.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// Whether the key was checked to be the one that the key id names: by the
    /// fingerprint of an API key, by the claim `jwk` of a token.
    #[must_use]
    pub fn binding_checked(&self) -> bool {
        self.binding_checked
    }

    /// The tenancy: from the token's claims, or the first part of an API key's id.
    #[must_use]
    pub fn tenancy(&self) -> Option<String> {
        let id = self.key_id.as_str();
        if id.starts_with("ST$") {
            return SecurityToken::parse(id).ok()?.tenancy();
        }
        id.split_once('/').map(|(tenancy, _)| tenancy.into())
    }

    pub(crate) fn check_expiry(&self, now: UnixTime) -> Result<(), SignError> {
        match self.expires {
            Some(expires) if now >= expires => Err(SignError::Expired(expires)),
            _ => Ok(()),
        }
    }

    pub(crate) fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self.key.sign(message) {
            Ok(signature) if signature.len() == self.public_key().modulus().len() => Ok(signature),
            _ => Err(SignError::SigningFailed),
        }
    }
}

/// Nothing of the key.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("key_id", &self.key_id)
            .field("expires", &self.expires)
            .field("binding_checked", &self.binding_checked)
            .finish_non_exhaustive()
    }
}
