//! Reading a private key: PEM in, DER out, for every backend alike.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Encode, Reader, SliceReader};
use pem_rfc7468::LineEnding;
use pkcs1::RsaPrivateKeyRef;
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use crate::encryption;
use crate::error::KeyError;
use crate::key_options::{KeyOptions, MAX_TEXT};
use crate::pem::{self, Section};
use crate::public_key::PublicKey;

/// An RSA private key as DER, wiped on drop.
///
/// This is how a key gets from text to whatever signs with it: a backend takes
/// the DER, checks its numbers and keeps its own form.
///
/// ```
/// use ocisign_core::{KeyOptions, PrivateKeyDer};
///
/// let pem = include_str!("../../vectors/keys/test-key.pkcs8-enc.pem");
/// let options = KeyOptions::new().passphrase(b"test-passphrase");
/// let key = PrivateKeyDer::from_pem(pem, &options)?;
/// assert_eq!(key.public_key().bits(), 2048);
/// assert_eq!(format!("{key:?}").matches("30").count(), 0); // no DER in it
/// # Ok::<(), ocisign_core::KeyError>(())
/// ```
pub struct PrivateKeyDer {
    pkcs1: Zeroizing<Vec<u8>>,
    public_key: PublicKey,
}

impl PrivateKeyDer {
    /// Read PEM, at most 65,536 bytes: PKCS#1 or PKCS#8, plain or encrypted
    /// with PBES2 (scrypt, or PBKDF2 with HMAC-SHA-1 or HMAC-SHA-256) or in the legacy
    /// way (`Proc-Type: 4,ENCRYPTED`), both with AES-CBC or DES-EDE3-CBC.
    ///
    /// The first private key counts; text, certificates and public keys around
    /// it are passed over. Lines may end in LF, CRLF or the two characters `\n`.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what the text is instead.
    pub fn from_pem(text: &str, options: &KeyOptions<'_>) -> Result<Self, KeyError> {
        if text.len() > MAX_TEXT {
            return Err(KeyError::TooLarge);
        }
        let given = text;
        let text = pem::unescape(given);
        let mut instead = None;
        for section in pem::sections(&text) {
            let section = section?;
            match section.label {
                "RSA PRIVATE KEY" if section.header("Proc-Type").is_some() => {
                    return Self::from_legacy(&section, options);
                }
                "RSA PRIVATE KEY" => return Self::from_pkcs1(section.decode()?, options),
                "PRIVATE KEY" => return Self::from_pkcs8(&section.decode()?, options),
                "ENCRYPTED PRIVATE KEY" => {
                    return Self::from_encrypted(&section.decode()?, options);
                }
                "EC PRIVATE KEY" | "DSA PRIVATE KEY" => return Err(KeyError::NotRsa),
                label if label.ends_with("PRIVATE KEY") => return Err(KeyError::Unsupported),
                label if label.ends_with("PUBLIC KEY") => instead = Some(KeyError::PublicKey),
                label if label.ends_with("CERTIFICATE") => instead = Some(KeyError::Certificate),
                _ => instead = instead.or(Some(KeyError::Unsupported)),
            }
        }
        Err(instead.unwrap_or_else(|| pem::nothing_in(given)))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The DER of the `RSAPrivateKey` (RFC 8017, appendix A.1.2): the secret itself.
    #[must_use]
    pub fn secret_pkcs1_der(&self) -> &[u8] {
        &self.pkcs1
    }

    /// Unencrypted PKCS#8 in PEM (RFC 5958; RFC 7468, section 10): the secret itself, as
    /// every library reads it. `WebCrypto` reads no other.
    ///
    /// # Errors
    ///
    /// [`KeyError::TooLarge`] for what no DER can hold, which no key is.
    ///
    /// ```
    /// use ocisign_core::{KeyOptions, PrivateKeyDer};
    ///
    /// let pem = include_str!("../../vectors/keys/test-key.pem");
    /// let key = PrivateKeyDer::from_pem(pem, &KeyOptions::new())?;
    /// let again = PrivateKeyDer::from_pem(&key.secret_pkcs8_pem()?, &KeyOptions::new())?;
    /// assert_eq!(again.secret_pkcs1_der(), key.secret_pkcs1_der());
    /// # Ok::<(), ocisign_core::KeyError>(())
    /// ```
    pub fn secret_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        // RFC 8017, appendix A.1: the parameters of rsaEncryption are NULL.
        let algorithm =
            AlgorithmIdentifierRef { oid: pkcs1::ALGORITHM_OID, parameters: Some(AnyRef::NULL) };
        let too_large = |_| KeyError::TooLarge;
        let key = OctetStringRef::new(&self.pkcs1).map_err(too_large)?;
        let der = PrivateKeyInfoRef::new(algorithm, key).to_der().map_err(too_large)?;
        let der = Zeroizing::new(der);
        pem_rfc7468::encode_string("PRIVATE KEY", LineEnding::LF, &der)
            .map(Zeroizing::new)
            .map_err(|_| KeyError::TooLarge)
    }

    pub(crate) fn from_pkcs1(
        pkcs1: Zeroizing<Vec<u8>>,
        options: &KeyOptions<'_>,
    ) -> Result<Self, KeyError> {
        let key = RsaPrivateKeyRef::from_der(&pkcs1).map_err(|_| KeyError::Malformed)?;
        if key.other_prime_infos.is_some() {
            return Err(KeyError::Unsupported);
        }
        let public_key =
            PublicKey::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes());
        options.check_length(public_key.bits())?;
        Ok(Self { pkcs1, public_key })
    }

    fn from_pkcs8(der: &[u8], options: &KeyOptions<'_>) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyError::Malformed)?;
        if info.algorithm.oid != pkcs1::ALGORITHM_OID {
            return Err(KeyError::NotRsa);
        }
        Self::from_pkcs1(Zeroizing::new(info.private_key.as_bytes().to_vec()), options)
    }

    fn from_encrypted(der: &[u8], options: &KeyOptions<'_>) -> Result<Self, KeyError> {
        let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| {
            // The scheme is read with the structure: either may be what is not known.
            if is_encrypted_info(der).is_ok() { KeyError::Unsupported } else { KeyError::Malformed }
        })?;
        let passphrase = options.passphrase.ok_or(KeyError::PassphraseMissing)?;
        let decrypted = encryption::decrypt_pkcs8(
            &info.encryption_algorithm,
            info.encrypted_data.as_bytes(),
            passphrase,
        )?;
        Self::from_pkcs8(&decrypted, options).map_err(blame_passphrase)
    }

    fn from_legacy(section: &Section<'_>, options: &KeyOptions<'_>) -> Result<Self, KeyError> {
        let dek_info = section.header("DEK-Info").ok_or(KeyError::Malformed)?;
        let ciphertext = section.decode()?;
        let passphrase = options.passphrase.ok_or(KeyError::PassphraseMissing)?;
        let decrypted = encryption::decrypt_legacy(dek_info, &ciphertext, passphrase)?;
        Self::from_pkcs1(decrypted, options).map_err(blame_passphrase)
    }
}

/// RFC 5958, section 3: `SEQUENCE { AlgorithmIdentifier, OCTET STRING }`.
fn is_encrypted_info(der: &[u8]) -> der::Result<()> {
    let mut reader = SliceReader::new(der)?;
    reader.sequence(|reader| -> der::Result<()> {
        AlgorithmIdentifierRef::decode(reader)?;
        <&OctetStringRef>::decode(reader)?;
        Ok(())
    })?;
    reader.finish()
}

/// A wrong passphrase leaves well-formed padding once in 256 times, and then garbage.
fn blame_passphrase(error: KeyError) -> KeyError {
    if error == KeyError::Malformed { KeyError::PassphraseWrong } else { error }
}

/// Nothing of the private half.
impl fmt::Debug for PrivateKeyDer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKeyDer")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}
