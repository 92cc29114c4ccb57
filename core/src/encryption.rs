//! Private keys under a passphrase. The ciphers and derivations are RustCrypto's.

use alloc::vec::Vec;

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use md5::{Digest, Md5};
use pbkdf2::pbkdf2_hmac;
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{self, Kdf, Pbkdf2Params, Pbkdf2Prf};
use scrypt::scrypt;
use sha1::Sha1;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::error::KeyError;

/// Decrypt what an `EncryptedPrivateKeyInfo` holds (RFC 8018, section 6.2: PBES2).
///
/// `pkcs5` reads the parameters. Its own decryption would bring AES-GCM and
/// SHA-512 along, a tenth of the component, for keys that nobody has.
pub(crate) fn decrypt_pkcs8(
    scheme: &EncryptionScheme,
    ciphertext: &[u8],
    passphrase: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let EncryptionScheme::Pbes2(parameters) = scheme else { return Err(KeyError::Unsupported) };
    let (decrypt, iv): (Decrypt, &[u8]) = match &parameters.encryption {
        pbes2::EncryptionScheme::Aes128Cbc { iv } => (decrypt::<Decryptor<Aes128>>, iv),
        pbes2::EncryptionScheme::Aes192Cbc { iv } => (decrypt::<Decryptor<Aes192>>, iv),
        pbes2::EncryptionScheme::Aes256Cbc { iv } => (decrypt::<Decryptor<Aes256>>, iv),
        pbes2::EncryptionScheme::DesEde3Cbc { iv } => (decrypt::<Decryptor<TdesEde3>>, iv),
        _ => return Err(KeyError::Unsupported),
    };
    let key = derive_key(&parameters.kdf, passphrase)?;
    let plaintext = decrypt(&*key, iv, ciphertext);
    wipe_stack();
    plaintext
}

/// The longest key that any cipher here takes: a shorter one is its beginning.
fn derive_key(kdf: &Kdf, passphrase: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    match kdf {
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count > MAX_ITERATIONS => {
            return Err(KeyError::TooLarge);
        }
        Kdf::Pbkdf2(Pbkdf2Params { salt, iteration_count, prf, .. }) => {
            let derive = match prf {
                Pbkdf2Prf::HmacWithSha1 => pbkdf2_hmac::<Sha1>,
                Pbkdf2Prf::HmacWithSha256 => pbkdf2_hmac::<Sha256>,
                _ => return Err(KeyError::Unsupported),
            };
            derive(passphrase, salt.as_ref(), *iteration_count, &mut *key);
        }
        Kdf::Scrypt(parameters) => {
            // RFC 7914, section 2: N blocks of 128 * r bytes; p times as much work.
            let block = 128 * u64::from(parameters.block_size);
            let memory = parameters.cost_parameter.saturating_mul(block);
            if memory > MAX_SCRYPT_MEMORY || parameters.parallelization > MAX_SCRYPT_PARALLELIZATION
            {
                return Err(KeyError::TooLarge);
            }
            // `pkcs5` 0.8.1 panics at it.
            if parameters.cost_parameter == 0 {
                return Err(KeyError::Malformed);
            }
            let cost = scrypt::Params::try_from(parameters).map_err(|_| KeyError::Malformed)?;
            scrypt(passphrase, parameters.salt.as_ref(), &cost, &mut *key)
                .map_err(|_| KeyError::Malformed)?;
        }
        _ => return Err(KeyError::Unsupported),
    }
    Ok(key)
}

/// Decrypt the legacy way (RFC 1421 headers, OpenSSL's key derivation):
/// `dek_info` is `AES-128-CBC,<IV in hex>`.
pub(crate) fn decrypt_legacy(
    dek_info: &str,
    ciphertext: &[u8],
    passphrase: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (cipher, iv) = dek_info.split_once(',').ok_or(KeyError::Malformed)?;
    let iv = hex(iv.trim()).ok_or(KeyError::Malformed)?;
    let decrypt: Decrypt = match cipher.trim() {
        "AES-128-CBC" => decrypt::<Decryptor<Aes128>>,
        "AES-192-CBC" => decrypt::<Decryptor<Aes192>>,
        "AES-256-CBC" => decrypt::<Decryptor<Aes256>>,
        "DES-EDE3-CBC" => decrypt::<Decryptor<TdesEde3>>,
        _ => return Err(KeyError::Unsupported),
    };
    let key = bytes_to_key(passphrase, iv.get(..8).ok_or(KeyError::Malformed)?);
    let plaintext = decrypt(&*key, &iv, ciphertext);
    wipe_stack();
    plaintext
}

/// Key, initialisation vector and ciphertext to plaintext.
type Decrypt = fn(&[u8], &[u8], &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>;

fn decrypt<Cipher: KeyIvInit + BlockModeDecrypt>(
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let key = key.get(..Cipher::key_size()).ok_or(KeyError::Unsupported)?;
    let cipher = Cipher::new_from_slices(key, iv).map_err(|_| KeyError::Malformed)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length =
        cipher.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| KeyError::PassphraseWrong)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round: `D_i = MD5(D_(i-1) || passphrase || salt)`.
fn bytes_to_key(passphrase: &[u8], salt: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let (first, second) = key.split_at_mut(16);
    first.copy_from_slice(&Md5::new().chain_update(passphrase).chain_update(salt).finalize());
    let next = Md5::new().chain_update(&*first).chain_update(passphrase).chain_update(salt);
    second.copy_from_slice(&next.finalize());
    key
}

/// Overwrite the stack below: the ciphers copy blocks of the key to it, and leave them.
#[inline(never)]
fn wipe_stack() {
    core::hint::black_box(&mut [0_u8; USED_STACK]).zeroize();
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// Three times what is recommended today (OWASP 2023: 600,000).
const MAX_ITERATIONS: u32 = 2_000_000;
/// Four times what OpenSSL's default takes (N = 16,384, r = 8).
const MAX_SCRYPT_MEMORY: u64 = 64 << 20;
const MAX_SCRYPT_PARALLELIZATION: u16 = 4;
/// Twice what is used without optimization; tests/memory.rs looks.
const USED_STACK: usize = 16 << 10;
