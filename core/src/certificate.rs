//! What an instance's certificate says, read by `x509-cert`.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use der::{Decode, Encode};
use pkcs1::RsaPublicKeyRef;
use sha2::{Digest, Sha256};
use x509_cert::Certificate as X509;
use x509_cert::name::RelativeDistinguishedName;

use crate::pem;
use crate::public_key::PublicKey;
use crate::time::UnixTime;

/// What an instance's certificate says.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// The base64 as it stands in the PEM, without lines: it goes out as it came in.
    pub(crate) base64: String,
    pub(crate) public_key: PublicKey,
    /// SHA-256 of the DER, in lower-case hex with colons.
    pub(crate) fingerprint: String,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    valid: core::ops::RangeInclusive<UnixTime>,
    tenancy: Option<String>,
}

impl Certificate {
    /// The first certificate of a PEM text, if it is one and has an RSA key.
    pub(crate) fn from_pem(text: &str) -> Option<Self> {
        let section = pem::sections(text)
            .find_map(|section| section.ok().filter(|section| section.label == "CERTIFICATE"))?;
        let der = section.decode().ok()?;
        let certificate = X509::from_der(&der).ok()?;
        let tbs = certificate.tbs_certificate();
        let key = tbs.subject_public_key_info();
        if key.algorithm.oid != pkcs1::ALGORITHM_OID {
            return None;
        }
        let key = RsaPublicKeyRef::from_der(key.subject_public_key.raw_bytes()).ok()?;
        let time = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
        let names = tbs.subject().iter_rdn().flat_map(RelativeDistinguishedName::iter);
        let values: Vec<&str> =
            names.filter_map(|name| core::str::from_utf8(name.value.value()).ok()).collect();
        // Instances have the first, services of OCI's own the second.
        let tenancy = ["opc-tenant:", "opc-identity:"]
            .iter()
            .find_map(|prefix| values.iter().find_map(|value| value.strip_prefix(prefix)))
            .filter(|tenancy| !tenancy.is_empty());
        Some(Self {
            base64: section.base64(),
            public_key: PublicKey::from_components(
                key.modulus.as_bytes(),
                key.public_exponent.as_bytes(),
            ),
            fingerprint: fingerprint(&der),
            subject: tbs.subject().to_der().ok()?,
            issuer: tbs.issuer().to_der().ok()?,
            valid: time(tbs.validity().not_before)..=time(tbs.validity().not_after),
            tenancy: tenancy.map(Into::into),
        })
    }

    /// The tenancy that its subject names.
    pub(crate) fn tenancy(&self) -> Option<&str> {
        self.tenancy.as_deref()
    }

    /// Whether its issuer bears the name of this certificate.
    pub(crate) fn is_issued_by(&self, issuer: &Self) -> bool {
        self.issuer == issuer.subject
    }

    /// Whether its time has passed.
    pub(crate) fn has_expired(&self, now: UnixTime) -> bool {
        now > *self.valid.end()
    }
}

fn fingerprint(der: &[u8]) -> String {
    let mut text = String::with_capacity(95);
    for byte in Sha256::digest(der) {
        if !text.is_empty() {
            text.push(':');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Certificate;

    #[test]
    fn a_key_is_no_certificate_and_neither_is_nothing() {
        assert!(Certificate::from_pem("").is_none());
        assert!(Certificate::from_pem(include_str!("../../vectors/keys/test-key.pem")).is_none());
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert!(Certificate::from_pem(broken).is_none());
    }
}
