//! Signing with keys of 1,024 to 2,047 bits.

use aws_lc_rs::digest::{SHA256, digest};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use ocisign_core::{KeyError, PrivateKeyDer, SigningFailed, VerifyingKey};
use pkcs1::RsaPrivateKeyRef;
use pkcs1::der::Decode;
use zeroize::Zeroizing;

use crate::key::NativeVerifyingKey;

/// A private key too short for AWS-LC, which refuses to sign with it.
///
/// It exists for one reason: Oracle's documentation prints its example
/// signatures with a key of 1,024 bits, and whoever checks a signer starts with
/// those. The crate `rsa` would do, but RUSTSEC-2023-0071 keeps it out of native
/// programs. The power is constant-time, by `crypto-bigint`; each signature is
/// verified by AWS-LC before it is given out, so that a fault gives nothing away.
pub(crate) struct WeakKey {
    modulus: BoxedMontyParams,
    private_exponent: Zeroizing<BoxedUint>,
    signature_length: usize,
    verifying_key: NativeVerifyingKey,
}

impl WeakKey {
    pub(crate) fn new(der: &PrivateKeyDer) -> Result<Self, KeyError> {
        let key =
            RsaPrivateKeyRef::from_der(der.secret_pkcs1_der()).map_err(|_| KeyError::Malformed)?;
        let public_key = der.public_key();
        let modulus = BoxedUint::from_be_slice_vartime(public_key.modulus());
        let private_exponent =
            BoxedUint::from_be_slice(key.private_exponent.as_bytes(), modulus.bits_precision())
                .map_err(|_| KeyError::Malformed)?;
        let modulus = Option::from(Odd::new(modulus)).ok_or(KeyError::Malformed)?;
        let key = Self {
            modulus: BoxedMontyParams::new_vartime(modulus), // varies with the modulus, which is public
            private_exponent: Zeroizing::new(private_exponent),
            signature_length: public_key.modulus().len(),
            verifying_key: NativeVerifyingKey::new(public_key)?,
        };
        // Numbers that do not fit each other sign nothing that verifies.
        key.sign(b"").map_err(|SigningFailed| KeyError::Malformed)?;
        Ok(key)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256: RFC 8017, sections 8.2.1 and 9.2.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        // 9.2: "Apply the hash function to the message M to produce a hash value H".
        let hash = digest(&SHA256, message);
        // 9.2: "Generate an octet string PS consisting of emLen - tLen - 3 octets with
        // hexadecimal value 0xff."
        let padding = self
            .signature_length
            .checked_sub(DIGEST_INFO.len() + hash.as_ref().len() + 3)
            .ok_or(SigningFailed)?;
        // 9.2: "EM = 0x00 || 0x01 || PS || 0x00 || T."
        let encoded =
            [&[0, 1][..], &vec![0xff; padding], &[0], &DIGEST_INFO, hash.as_ref()].concat();
        // 5.2.1: "If the first form (n, d) of K is used, let s = m^d mod n."
        let representative = BoxedUint::from_be_slice(&encoded, self.modulus.bits_precision())
            .map_err(|_| SigningFailed)?;
        let power = BoxedMontyForm::new(representative, &self.modulus).pow(&self.private_exponent);
        // 8.2.1: "Convert the signature representative s to a signature S of length k octets".
        let bytes = power.retrieve().to_be_bytes();
        let start = bytes.len().checked_sub(self.signature_length).ok_or(SigningFailed)?;
        let signature = bytes.get(start..).ok_or(SigningFailed)?.to_vec();
        if self.verifying_key.verify(message, &signature) {
            Ok(signature)
        } else {
            Err(SigningFailed)
        }
    }
}

/// RFC 8017, section 9.2, note 1: "SHA-256: (0x)30 31 30 0d 06 09 60 86 48 01 65 03 04 02 01 05
/// 00 04 20 || H."
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use super::WeakKey;
    use crate::key::NativeKey;
    use ocisign_core::{KeyOptions, PrivateKeyDer, SigningFailed, SigningKey};

    fn weak_key() -> WeakKey {
        let pem = include_str!("../../vectors/keys/oracle-docs-1024.pem");
        let options = KeyOptions::new().danger_allow_weak_key(true);
        WeakKey::new(&PrivateKeyDer::from_pem(pem, &options).unwrap()).unwrap()
    }

    #[test]
    fn a_wrong_signature_is_not_given_out() {
        let mut key = weak_key();
        assert!(key.sign(b"message").is_ok());
        key.private_exponent.as_mut_words()[0] ^= 2;
        assert_eq!(key.sign(b"message"), Err(SigningFailed));
    }

    #[test]
    fn a_stronger_key_signs_the_same_here_as_in_aws_lc() {
        let pem = include_str!("../../vectors/keys/test-key.pem");
        let der = PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap();
        for message in [&b""[..], b"message", &[0xff; 1000]] {
            assert_eq!(
                WeakKey::new(&der).unwrap().sign(message),
                NativeKey::new(&der).unwrap().sign(message)
            );
        }
    }
}
