//! The public half of an RSA key.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use der::asn1::{BitStringRef, UintRef};
use der::{Decode, Encode};
use md5::{Digest, Md5};
use pkcs1::RsaPublicKeyRef;
use pkcs8::spki::SubjectPublicKeyInfoRef;

use crate::error::KeyError;
use crate::key_options::{KeyOptions, MAX_TEXT};
use crate::pem;

/// The public half of an RSA key: its modulus and exponent.
///
/// ```
/// use ocisign_core::{KeyOptions, PublicKey};
///
/// let pem = include_str!("../../vectors/keys/test-key.pub.pem");
/// let key = PublicKey::from_pem(pem, &KeyOptions::new())?;
/// assert_eq!(key.bits(), 2048);
/// assert_eq!(key.fingerprint(), "e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee");
/// # Ok::<(), ocisign_core::KeyError>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    /// A key from its numbers, big-endian; leading zeros are dropped.
    ///
    /// ```
    /// use ocisign_core::PublicKey;
    ///
    /// let key = PublicKey::from_components(&[0, 0x80, 0, 1], &[1, 0, 1]);
    /// assert_eq!((key.modulus(), key.bits()), (&[0x80, 0, 1][..], 24));
    /// ```
    #[must_use]
    pub fn from_components(modulus: &[u8], exponent: &[u8]) -> Self {
        let trim = |number: &[u8]| {
            number.iter().copied().skip_while(|&byte| byte == 0).collect::<Vec<u8>>()
        };
        Self { modulus: trim(modulus), exponent: trim(exponent) }
    }

    /// A key from PEM: `PUBLIC KEY` (RFC 5280) or `RSA PUBLIC KEY` (RFC 8017).
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what the text is instead.
    ///
    /// ```
    /// use ocisign_core::{KeyError, KeyOptions, PublicKey};
    ///
    /// let private = include_str!("../../vectors/keys/test-key.pem");
    /// let error = PublicKey::from_pem(private, &KeyOptions::new()).unwrap_err();
    /// assert_eq!(error, KeyError::PrivateKey);
    /// ```
    pub fn from_pem(text: &str, options: &KeyOptions<'_>) -> Result<Self, KeyError> {
        if text.len() > MAX_TEXT {
            return Err(KeyError::TooLarge);
        }
        let given = text;
        let text = pem::unescape(given);
        let mut instead = None;
        for section in pem::sections(&text) {
            let section = section?;
            let key = match section.label {
                "PUBLIC KEY" => {
                    let der = section.decode()?;
                    let info =
                        SubjectPublicKeyInfoRef::from_der(&der).map_err(|_| KeyError::Malformed)?;
                    if info.algorithm.oid != pkcs1::ALGORITHM_OID {
                        return Err(KeyError::NotRsa);
                    }
                    Self::from_pkcs1(info.subject_public_key.raw_bytes())?
                }
                "RSA PUBLIC KEY" => Self::from_pkcs1(&section.decode()?)?,
                label => {
                    instead = Some(match label {
                        _ if label.ends_with("PRIVATE KEY") => KeyError::PrivateKey,
                        _ if label.ends_with("CERTIFICATE") => KeyError::Certificate,
                        _ => KeyError::Unsupported,
                    });
                    continue;
                }
            };
            options.check_length(key.bits())?;
            return Ok(key);
        }
        Err(instead.unwrap_or_else(|| pem::nothing_in(given)))
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let key = RsaPublicKeyRef::from_der(der).map_err(|_| KeyError::Malformed)?;
        Ok(Self::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes()))
    }

    /// The modulus, big-endian, without leading zeros.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent, big-endian, without leading zeros.
    #[must_use]
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// The length of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        let first = self.modulus.first().map_or(0, |byte| byte.leading_zeros());
        self.modulus.len() * 8 - first as usize
    }

    /// The fingerprint under which OCI lists an API key: MD5 of the
    /// `SubjectPublicKeyInfo`, in lower-case hex with colons.
    ///
    /// Source: Oracle's documentation, "Required Keys and OCIDs".
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut text = String::with_capacity(47);
        for byte in Md5::digest(self.spki_der()) {
            if !text.is_empty() {
                text.push(':');
            }
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The DER of its `SubjectPublicKeyInfo` (RFC 5280); empty for a key of no use.
    #[must_use]
    pub fn spki_der(&self) -> Vec<u8> {
        self.encode().unwrap_or_default()
    }

    /// The DER of its `RSAPublicKey` (RFC 8017); empty for a key of no use.
    #[must_use]
    pub fn pkcs1_der(&self) -> Vec<u8> {
        self.encode_pkcs1().unwrap_or_default()
    }

    fn encode_pkcs1(&self) -> der::Result<Vec<u8>> {
        RsaPublicKeyRef {
            modulus: UintRef::new(&self.modulus)?,
            public_exponent: UintRef::new(&self.exponent)?,
        }
        .to_der()
    }

    fn encode(&self) -> der::Result<Vec<u8>> {
        let key = self.encode_pkcs1()?;
        SubjectPublicKeyInfoRef {
            algorithm: pkcs1::ALGORITHM_ID,
            subject_public_key: BitStringRef::from_bytes(&key)?,
        }
        .to_der()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("bits", &self.bits())
            .field("fingerprint", &self.fingerprint())
            .finish()
    }
}
