//! Credentials.

use std::path::PathBuf;
use std::sync::Arc;

use ocisign::{
    ConfigSource, Credential as Native, KeyId, KeyOptions, NativeKey, PrivateKeyDer, Signer,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::error::{Failure, wrong_type};
use crate::request::text;

/// A private key, and the name by which the server knows it.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Credential(pub(crate) Arc<Native>);

#[pymethods]
impl Credential {
    #[new]
    #[pyo3(signature = (key_id, private_key, *, passphrase=None, expires=None,
                        delegation_token=None, danger_allow_weak_key=false))]
    fn new(
        key_id: &Bound<'_, PyAny>,
        private_key: &Bound<'_, PyAny>,
        passphrase: Option<&Bound<'_, PyAny>>,
        expires: Option<u64>,
        delegation_token: Option<&Bound<'_, PyAny>>,
        danger_allow_weak_key: bool,
    ) -> Result<Self, Failure> {
        let key_id = text("key_id", key_id)?;
        let key = key(private_key, passphrase, danger_allow_weak_key)?;
        // A token is checked to be one, and to be that of the key.
        let mut credential = match key_id.strip_prefix("ST$") {
            Some(token) => Native::security_token(token, key)?,
            None => Native::new(KeyId::new(&key_id)?, key),
        };
        if let Some(expires) = expires {
            credential = credential.with_expiry(expires);
        }
        if let Some(token) = delegation_token {
            credential = credential.with_delegation_token(&text("delegation_token", token)?)?;
        }
        Ok(Self(Arc::new(credential)))
    }

    #[staticmethod]
    #[pyo3(signature = (tenancy, user, fingerprint, private_key, *, passphrase=None,
                        danger_allow_weak_key=false))]
    fn api_key(
        tenancy: &Bound<'_, PyAny>,
        user: &Bound<'_, PyAny>,
        fingerprint: &Bound<'_, PyAny>,
        private_key: &Bound<'_, PyAny>,
        passphrase: Option<&Bound<'_, PyAny>>,
        danger_allow_weak_key: bool,
    ) -> Result<Self, Failure> {
        let (tenancy, user) = (text("tenancy", tenancy)?, text("user", user)?);
        let fingerprint = text("fingerprint", fingerprint)?;
        let key = key(private_key, passphrase, danger_allow_weak_key)?;
        Ok(Self(Arc::new(Native::api_key(&tenancy, &user, &fingerprint, key)?)))
    }

    #[staticmethod]
    #[pyo3(signature = (token, private_key, *, passphrase=None))]
    fn security_token(
        token: &Bound<'_, PyAny>,
        private_key: &Bound<'_, PyAny>,
        passphrase: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self, Failure> {
        let token = text("token", token)?;
        let key = key(private_key, passphrase, false)?;
        Ok(Self(Arc::new(Native::security_token(&token, key)?)))
    }

    #[staticmethod]
    #[pyo3(signature = (name=None, *, path=None))]
    fn from_profile(
        py: Python<'_>,
        name: Option<String>,
        path: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let mut source = ConfigSource::new();
        if let Some(name) = name {
            source = source.profile(name);
        }
        if let Some(path) = path {
            source = source.path(path);
        }
        let fetched = py.detach(|| Signer::builder(source).build().identity())?;
        Ok(Self(fetched.credential.clone()))
    }

    #[getter]
    fn key_id(&self) -> &str {
        self.0.key_id().as_str()
    }

    #[getter]
    fn expires(&self) -> Option<u64> {
        self.0.expires()
    }

    #[getter]
    fn binding_checked(&self) -> bool {
        self.0.binding_checked()
    }

    #[getter]
    fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint()
    }

    #[getter]
    fn tenancy(&self) -> Option<String> {
        self.0.tenancy()
    }

    /// Nothing of the key, nor of a token.
    fn __repr__(&self) -> String {
        format!("Credential(fingerprint='{}')", self.0.public_key().fingerprint())
    }
}

fn key(
    private_key: &Bound<'_, PyAny>,
    passphrase: Option<&Bound<'_, PyAny>>,
    danger_allow_weak_key: bool,
) -> Result<NativeKey, Failure> {
    let pem = text("private_key", private_key)?;
    let passphrase = passphrase.map(self::passphrase).transpose()?;
    let mut options = KeyOptions::new().danger_allow_weak_key(danger_allow_weak_key);
    if let Some(passphrase) = &passphrase {
        options = options.passphrase(passphrase);
    }
    // A key under a passphrase takes long to open.
    let read = || NativeKey::new(&PrivateKeyDer::from_pem(&pem, &options)?);
    Ok(private_key.py().detach(read)?)
}

/// Text, or bytes where it is in no UTF-8.
fn passphrase(value: &Bound<'_, PyAny>) -> PyResult<Zeroizing<Vec<u8>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Zeroizing::new(bytes.as_bytes().to_vec()));
    }
    if value.is_instance_of::<pyo3::types::PyString>() {
        return Ok(Zeroizing::new(text("passphrase", value)?.as_bytes().to_vec()));
    }
    Err(wrong_type("passphrase", "str or bytes", value))
}
