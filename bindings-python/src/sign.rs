//! Signing without anything that refreshes.

use ocisign::KeyId;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::credential::Credential;
use crate::error::Failure;
use crate::request::{Given, object, text, time};

/// The headers to set so that the server will accept the request.
#[pyfunction]
#[pyo3(signature = (method, url, credential, *, headers=None, body=None, now=None,
                    date_header="date"))]
pub(crate) fn sign<'py>(
    py: Python<'py>,
    method: &Bound<'_, PyAny>,
    url: &Bound<'_, PyAny>,
    credential: &Bound<'_, PyAny>,
    headers: Option<&Bound<'_, PyAny>>,
    body: Option<&Bound<'_, PyAny>>,
    now: Option<&Bound<'_, PyAny>>,
    date_header: &str,
) -> Result<Bound<'py, PyDict>, Failure> {
    let request = Given::read(method, url, headers, body)?.dated(date_header)?;
    let credential = object::<Credential>("credential", "a Credential", credential)?;
    let (now, credential) = (time(now)?, &credential.get().0);
    let signed = py.detach(|| request.with(|request| ocisign::sign(request, credential, now)))?;
    Ok(dict(py, signed.headers())?)
}

/// As much of a signature as needs no key.
#[pyfunction]
#[pyo3(signature = (method, url, key_id, *, headers=None, body=None, now=None,
                    date_header="date"))]
pub(crate) fn prepare(
    py: Python<'_>,
    method: &Bound<'_, PyAny>,
    url: &Bound<'_, PyAny>,
    key_id: &Bound<'_, PyAny>,
    headers: Option<&Bound<'_, PyAny>>,
    body: Option<&Bound<'_, PyAny>>,
    now: Option<&Bound<'_, PyAny>>,
    date_header: &str,
) -> Result<Prepared, Failure> {
    let request = Given::read(method, url, headers, body)?.dated(date_header)?;
    let (now, key_id) = (time(now)?, KeyId::new(&text("key_id", key_id)?)?);
    let prepared = py.detach(|| request.with(|request| ocisign::prepare(request, &key_id, now)))?;
    Ok(Prepared(prepared))
}

/// A request that waits for its signature.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Prepared(ocisign::Prepared);

#[pymethods]
impl Prepared {
    #[getter]
    fn signing_string(&self) -> &str {
        self.0.signing_string()
    }

    fn finish<'py>(&self, py: Python<'py>, signature: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        dict(py, self.0.clone().finish(signature).headers())
    }
}

/// The headers as Python has them.
pub(crate) fn dict<'py>(
    py: Python<'py>,
    headers: &[(&'static str, String)],
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in headers {
        dict.set_item(PyString::intern(py, name), value)?;
    }
    Ok(dict)
}
