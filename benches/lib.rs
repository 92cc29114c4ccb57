//! What the benchmarks of ocisign have in common: two requests, and keys to sign them.

use ocisign::{
    Body, Credential, KeyError, KeyId, KeyOptions, NativeKey, PrivateKeyDer, PublicKey, Request,
    SignError, SigningFailed, SigningKey,
};

/// A key whose signature is a constant: what is left is everything but RSA.
pub struct ConstantKey(PublicKey);

impl Default for ConstantKey {
    fn default() -> Self {
        Self(PublicKey::from_components(&[0x80; 256], &[1, 0, 1]))
    }
}

impl SigningKey for ConstantKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(vec![0xa5; 256])
    }

    fn public_key(&self) -> &PublicKey {
        &self.0
    }
}

/// The GET that Oracle's documentation signs.
#[must_use]
pub fn get() -> Request<'static> {
    Request::new("GET", GET_URL)
}

/// A POST of a kibibyte of JSON.
#[must_use]
pub fn post() -> Request<'static> {
    Request::new("POST", POST_URL)
        .headers(&[("content-type", "application/json"), ("accept", "application/json")])
        .body(Body::Bytes(BODY.as_bytes()))
}

/// The private key of the vectors, 2,048 bits.
///
/// # Errors
///
/// Never.
pub fn der() -> Result<PrivateKeyDer, KeyError> {
    PrivateKeyDer::from_pem(PEM, &KeyOptions::new())
}

/// A credential with this key.
///
/// # Errors
///
/// Never.
pub fn credential(key: impl SigningKey + 'static) -> Result<Credential, SignError> {
    Ok(Credential::new(KeyId::new(KEY_ID)?, key))
}

/// The key as native programs have it.
///
/// # Errors
///
/// Never.
pub fn native_key() -> Result<NativeKey, KeyError> {
    NativeKey::new(&der()?)
}

/// Where the key is, for those who read it themselves.
pub const KEY_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/keys/test-key.pem");
/// The same as PKCS#8.
pub const PKCS8_FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/keys/test-key.pkcs8.pem");
/// The text of the key.
pub const PEM: &str = include_str!("../vectors/keys/test-key.pem");
/// An API key's.
pub const KEY_ID: &str = "ocid1.tenancy.oc1..aaaaaaaatesttenancy/ocid1.user.oc1..aaaaaaaatestuser/e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee";
/// The URL of [`get`].
pub const GET_URL: &str = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa&displayName=TeamXInstances&volumeId=ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q";
/// The URL of [`post`].
pub const POST_URL: &str = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/volumeAttachments";
/// The body of [`post`].
pub const BODY: &str = include_str!("body.json");
/// A time.
pub const NOW: u64 = 1_704_110_645;
