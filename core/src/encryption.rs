//! Private keys under a passphrase. The ciphers and derivations are RustCrypto's.

use alloc::vec::Vec;

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use md5::{Digest, Md5};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::pkcs5::{self, EncryptionScheme};
use zeroize::Zeroizing;

use crate::error::KeyError;

/// Decrypt what an `EncryptedPrivateKeyInfo` holds (RFC 8018, PBES2).
pub(crate) fn decrypt_pkcs8(
    scheme: &EncryptionScheme,
    ciphertext: &[u8],
    passphrase: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let EncryptionScheme::Pbes2(parameters) = scheme else { return Err(KeyError::Unsupported) };
    check_cost(&parameters.kdf)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = match parameters.decrypt_in_place(passphrase, &mut buffer) {
        Ok(plaintext) => plaintext.len(),
        Err(pkcs5::Error::DecryptFailed) => return Err(KeyError::PassphraseWrong),
        Err(_) => return Err(KeyError::Unsupported),
    };
    buffer.truncate(length);
    Ok(buffer)
}

/// A hostile file must not buy an hour of work, or all memory, for a few bytes.
fn check_cost(kdf: &Kdf) -> Result<(), KeyError> {
    let fits = match kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MAX_ITERATIONS,
        Kdf::Scrypt(scrypt) => {
            // RFC 7914: 128 * r bytes, N times over; p times as much work.
            let block = 128 * u64::from(scrypt.block_size);
            let memory = u64::from(scrypt.cost_parameter).saturating_mul(block);
            memory <= MAX_SCRYPT_MEMORY && scrypt.parallelization <= MAX_SCRYPT_PARALLELIZATION
        }
        _ => return Err(KeyError::Unsupported),
    };
    if fits { Ok(()) } else { Err(KeyError::TooLarge) }
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
    let decrypt = match cipher.trim() {
        "AES-128-CBC" => decrypt::<Decryptor<Aes128>>,
        "AES-192-CBC" => decrypt::<Decryptor<Aes192>>,
        "AES-256-CBC" => decrypt::<Decryptor<Aes256>>,
        "DES-EDE3-CBC" => decrypt::<Decryptor<TdesEde3>>,
        _ => return Err(KeyError::Unsupported),
    };
    decrypt(&iv, ciphertext, passphrase)
}

fn decrypt<Cipher: KeyIvInit + BlockModeDecrypt>(
    iv: &[u8],
    ciphertext: &[u8],
    passphrase: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let key = bytes_to_key(passphrase, iv.get(..8).ok_or(KeyError::Malformed)?);
    let key = key.get(..Cipher::key_size()).ok_or(KeyError::Unsupported)?;
    let cipher = Cipher::new_from_slices(key, iv).map_err(|_| KeyError::Malformed)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = cipher
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .map_err(|_| KeyError::PassphraseWrong)?
        .len();
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
