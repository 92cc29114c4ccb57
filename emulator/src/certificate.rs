//! The instance's certificates: made, and judged when they come back.

use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use pem_rfc7468::LineEnding;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder, CertificateBuilder};
use x509_cert::der::asn1::BitString;
use x509_cert::der::{self, Encode};
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{EncodePublicKey, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};
use x509_cert::{TbsCertificate, certificate};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::key::{Key, PublicKey, decode_base64, fingerprints};
use signature::Keypair;

/// A certificate in DER.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Certificate(pub(crate) Vec<u8>);

/// Who is certified, and by whom.
pub(crate) struct Subject<'a> {
    /// RFC 4514, the last part first.
    pub(crate) name: &'a str,
    pub(crate) issuer: &'a str,
    /// Whether it may certify others.
    pub(crate) authority: bool,
    /// From and until, in seconds since 1970.
    pub(crate) validity: (i64, i64),
}

impl Certificate {
    /// Certify `key` with the key of the issuer.
    pub(crate) fn make(subject: &Subject<'_>, key: &Key, issuer: &Key) -> Result<Self, String> {
        Self::build(subject, key, issuer).map_err(|error| error.to_string())
    }

    fn build(subject: &Subject<'_>, key: &Key, issuer: &Key) -> builder::Result<Self> {
        let profile = Profile {
            subject: Name::from_str(subject.name)?,
            issuer: Name::from_str(subject.issuer)?,
            authority: subject.authority,
        };
        let (from, until) = subject.validity;
        let validity = Validity::new(time(from)?, time(until)?);
        let public = key.verifying_key().to_public_key_der()?;
        let info: SubjectPublicKeyInfoOwned = public.decode_msg()?;
        let serial = SerialNumber::<certificate::Rfc5280>::new(&serial())?;
        let mut builder = CertificateBuilder::new(profile, serial, validity, info)?;
        let signature = issuer.sign(&builder.finalize(issuer)?);
        let made = builder.assemble(BitString::from_bytes(&signature)?, issuer)?;
        Ok(Self(made.to_der()?))
    }

    /// A certificate in PEM, or the base64 of one, as SDKs send it.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let der = match pem_rfc7468::decode_vec(text.trim().as_bytes()) {
            Ok((_, der)) => der,
            Err(_) => decode_base64(&text.split_whitespace().collect::<String>())?,
        };
        X509Certificate::from_der(&der).ok().filter(|(rest, _)| rest.is_empty())?;
        Some(Self(der))
    }

    pub(crate) fn pem(&self) -> String {
        pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, &self.0).unwrap_or_default()
    }

    /// What the certificate says, if it is valid now and `issuer` has signed it.
    pub(crate) fn check(&self, issuer: &Self, now: i64) -> Result<Certified, &'static str> {
        let parse = |der| X509Certificate::from_der(der).map_err(|_| "no certificate");
        let (_, leaf) = parse(&self.0)?;
        let (_, issuer) = parse(&issuer.0)?;
        if leaf.issuer() != issuer.subject() {
            return Err("the certificate is of another issuer");
        }
        if leaf.verify_signature(Some(issuer.public_key())).is_err() {
            return Err("the certificate's signature is not its issuer's");
        }
        let now = ASN1Time::from_timestamp(now).map_err(|_| "the time cannot be written")?;
        if !leaf.validity().is_valid_at(now) || !issuer.validity().is_valid_at(now) {
            return Err("the certificate is not valid now");
        }
        let key = PublicKey::from_info(leaf.public_key())
            .ok_or("the certificate's key is no RSA key of 2,048 bits or more")?;
        let names = leaf.subject().iter_organizational_unit();
        let units = names.filter_map(|unit| unit.as_str().ok()).map(str::to_owned).collect();
        Ok(Certified { key, units, fingerprints: fingerprints(&self.0) })
    }
}

/// What a certificate says.
#[derive(Debug)]
pub(crate) struct Certified {
    pub(crate) key: PublicKey,
    units: Vec<String>,
    /// SHA-1 and SHA-256 in hex, without colons, lower case.
    pub(crate) fingerprints: [String; 2],
}

impl Certified {
    /// What follows `opc-tenant:` and the like in its subject.
    pub(crate) fn unit(&self, prefix: &str) -> Option<&str> {
        self.units.iter().find_map(|unit| unit.strip_prefix(prefix)?.strip_prefix(':'))
    }
}

struct Profile {
    subject: Name,
    issuer: Name,
    authority: bool,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let constraints = BasicConstraints { ca: self.authority, path_len_constraint: None };
        Ok(vec![constraints.to_extension(tbs.subject(), &[])?])
    }
}

fn time(at: i64) -> der::Result<Time> {
    let since = Duration::from_secs(u64::try_from(at).unwrap_or_default());
    Time::try_from(UNIX_EPOCH + since)
}

/// Sixteen random bytes, which RFC 5280 wants positive.
fn serial() -> [u8; 16] {
    let mut bytes = crate::random::bytes::<16>();
    bytes[0] = bytes[0] & 0x3f | 0x40;
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Certificate, Subject};
    use crate::key::Key;

    fn make(issuer_key: &Key) -> Certificate {
        let leaf = Key::from_pem(include_str!("../keys/instance.pem")).unwrap();
        let name = "OU=opc-tenant:ocid1.tenancy.oc1..a,OU=opc-instance:b,CN=b";
        let subject =
            Subject { name, issuer: "CN=issuer", authority: false, validity: (1000, 2000) };
        Certificate::make(&subject, &leaf, issuer_key).unwrap()
    }

    fn authority() -> (Key, Certificate) {
        let key = Key::from_pem(include_str!("../keys/root.pem")).unwrap();
        let subject = Subject {
            name: "CN=issuer",
            issuer: "CN=issuer",
            authority: true,
            validity: (0, 9000),
        };
        let certificate = Certificate::make(&subject, &key, &key).unwrap();
        (key, certificate)
    }

    #[test]
    fn a_certificate_says_who_it_is_while_it_is_valid() {
        let (key, issuer) = authority();
        let leaf = make(&key);
        let certified = leaf.check(&issuer, 1500).unwrap();
        assert_eq!(certified.unit("opc-tenant"), Some("ocid1.tenancy.oc1..a"));
        assert_eq!(certified.unit("opc-instance"), Some("b"));
        assert_eq!(certified.unit("opc-compartment"), None);
        for now in [999, 2001] {
            assert_eq!(leaf.check(&issuer, now).unwrap_err(), "the certificate is not valid now");
        }
        assert_eq!(Certificate::from_text(&leaf.pem()), Some(leaf));
    }

    #[test]
    fn a_certificate_that_another_key_signed_is_refused() {
        let (_, issuer) = authority();
        let leaf = make(&Key::from_pem(include_str!("../keys/user.pem")).unwrap());
        let error = leaf.check(&issuer, 1500).unwrap_err();
        assert_eq!(error, "the certificate's signature is not its issuer's");
    }
}
