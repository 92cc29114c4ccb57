//! The other direction: is a received request signed as it should be?

use ocisign::{KeyOptions, NativeVerifyingKey, VerifyOptions};
use pyo3::prelude::*;

use crate::error::Failure;
use crate::request::{Given, object, text, time};

/// A public key that verifies.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct PublicKey {
    key: NativeVerifyingKey,
    numbers: ocisign::PublicKey,
}

#[pymethods]
impl PublicKey {
    #[new]
    #[pyo3(signature = (pem, *, danger_allow_weak_key=false))]
    fn new(pem: &Bound<'_, PyAny>, danger_allow_weak_key: bool) -> Result<Self, Failure> {
        let options = KeyOptions::new().danger_allow_weak_key(danger_allow_weak_key);
        let numbers = ocisign::PublicKey::from_pem(&text("pem", pem)?, &options)?;
        Ok(Self { key: NativeVerifyingKey::new(&numbers)?, numbers })
    }

    #[getter]
    fn fingerprint(&self) -> String {
        self.numbers.fingerprint()
    }

    fn __repr__(&self) -> String {
        format!("PublicKey(fingerprint='{}')", self.numbers.fingerprint())
    }
}

/// Check a received request in full.
#[pyfunction]
#[pyo3(signature = (method, url, public_key, *, headers, body=None, expected_host=None,
                    window=300, now=None))]
pub(crate) fn verify(
    method: &Bound<'_, PyAny>,
    url: &Bound<'_, PyAny>,
    public_key: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    body: Option<&Bound<'_, PyAny>>,
    expected_host: Option<&Bound<'_, PyAny>>,
    window: u64,
    now: Option<&Bound<'_, PyAny>>,
) -> Result<(), Failure> {
    examine(method, url, headers, body, expected_host, window, now)?.verify(public_key)
}

/// Check all of a received request but the signature itself.
#[pyfunction]
#[pyo3(signature = (method, url, *, headers, body=None, expected_host=None, window=300,
                    now=None))]
pub(crate) fn examine(
    method: &Bound<'_, PyAny>,
    url: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    body: Option<&Bound<'_, PyAny>>,
    expected_host: Option<&Bound<'_, PyAny>>,
    window: u64,
    now: Option<&Bound<'_, PyAny>>,
) -> Result<Examined, Failure> {
    let request = Given::read(method, url, Some(headers), body)?;
    let host = expected_host.map(|host| text("expected_host", host)).transpose()?;
    let now = time(now)?;
    let mut options = VerifyOptions::new();
    options.expected_host = host.as_deref();
    options.window = window;
    let examine = || request.with(|request| ocisign::examine(request, &options, now));
    Ok(Examined(method.py().detach(examine)?))
}

/// A request of which all but the signature is checked.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Examined(ocisign::Examined);

#[pymethods]
impl Examined {
    #[getter]
    fn key_id(&self) -> &str {
        self.0.key_id()
    }

    #[getter]
    fn signing_string(&self) -> &str {
        self.0.signing_string()
    }

    fn verify(&self, public_key: &Bound<'_, PyAny>) -> Result<(), Failure> {
        let key = &object::<PublicKey>("public_key", "a PublicKey", public_key)?.get().key;
        Ok(public_key.py().detach(|| self.0.verify(key))?)
    }
}
