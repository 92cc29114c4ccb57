//! What may be assumed when a key is read.

use core::fmt;

use crate::error::KeyError;

/// What may be assumed when a key is read.
///
/// ```
/// use ocisign_core::KeyOptions;
///
/// let options = KeyOptions::new().passphrase(b"correct horse");
/// assert!(options.has_passphrase());
/// ```
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct KeyOptions<'a> {
    pub(crate) passphrase: Option<&'a [u8]>,
    danger_allow_weak_key: bool,
}

impl<'a> KeyOptions<'a> {
    /// No passphrase, and keys of at least 2,048 bits.
    #[must_use]
    pub const fn new() -> Self {
        Self { passphrase: None, danger_allow_weak_key: false }
    }

    /// The passphrase of an encrypted key. A key that is not encrypted ignores it.
    #[must_use]
    pub const fn passphrase(mut self, passphrase: &'a [u8]) -> Self {
        self.passphrase = Some(passphrase);
        self
    }

    /// Take keys from 1,024 bits on.
    ///
    /// Such keys can be broken. OCI refuses to register them; only the example
    /// in Oracle's documentation needs one.
    #[must_use]
    pub const fn danger_allow_weak_key(mut self, allow: bool) -> Self {
        self.danger_allow_weak_key = allow;
        self
    }

    /// Whether there is a passphrase.
    #[must_use]
    pub const fn has_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    pub(crate) fn check_length(&self, bits: usize) -> Result<(), KeyError> {
        let least = if self.danger_allow_weak_key { 1_024 } else { 2_048 };
        match bits {
            bits if bits < least => Err(KeyError::TooShort(bits)),
            bits if bits > MAX_BITS => Err(KeyError::TooLarge),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for KeyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyOptions")
            .field("passphrase", &self.has_passphrase())
            .field("danger_allow_weak_key", &self.danger_allow_weak_key)
            .finish()
    }
}

/// Ten times an encrypted key of 8,192 bits, in characters of PEM.
pub(crate) const MAX_TEXT: usize = 65_536;
const MAX_BITS: usize = 8_192;
