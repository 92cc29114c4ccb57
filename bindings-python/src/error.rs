//! Errors, as exceptions: the one place where they are turned into them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// What Python is told: one of ours, or an exception that Python itself raised.
pub(crate) enum Failure {
    Ours { code: &'static str, message: String, reason: Option<&'static str> },
    Python(PyErr),
}

impl Failure {
    /// Of the codes that are this package's own.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::Ours { code, message: message.into(), reason: None }
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Ours { code, message, reason } => Python::attach(|py| {
                let made = exception(py).and_then(|make| make.call1((code, message, reason)));
                made.map_or_else(|error| error, PyErr::from_value)
            }),
        }
    }
}

/// What makes the exception of a code: Python's, because it knows who inherits from whom.
fn exception(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.get_or_try_init(py, || {
        py.import("ocisign._errors")?.getattr("error_of").map(Bound::unbind)
    })?;
    Ok(make.bind(py))
}

/// The argument of this name has another type.
pub(crate) fn wrong_type(name: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let given = value.get_type().name().map(|name| name.to_string());
    let given = given.unwrap_or_else(|_| "something else".into());
    PyTypeError::new_err(format!("{name}: expected {expected}, not {given}"))
}

macro_rules! from {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error.to_string())
            }
        }
    )*};
}

from!(
    ocisign::ExchangeError,
    ocisign::FileError,
    ocisign::ProfileError,
    ocisign::RegionError,
    ocisign::SignerError,
    ocisign::SourceError,
    ocisign::VariableError,
    ocisign::VerifyError
);

impl From<ocisign::KeyError> for Failure {
    fn from(error: ocisign::KeyError) -> Self {
        Self::Ours { code: "INVALID_KEY", message: error.to_string(), reason: Some(error.reason()) }
    }
}

impl From<ocisign::SignError> for Failure {
    fn from(error: ocisign::SignError) -> Self {
        match error {
            ocisign::SignError::InvalidKey(error) => error.into(),
            error => Self::new(error.code(), error.to_string()),
        }
    }
}
