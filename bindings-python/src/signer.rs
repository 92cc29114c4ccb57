//! Signers: identities that stay fresh.

use std::path::PathBuf;
use std::sync::Arc;

use ocisign::{
    Chain, ConfigSource, Context, Credential as Native, Environment, Fetched, InstanceSource, Kind,
    Refreshed, Refusal, ResourceSource, Source, SourceError, ValueSource, WorkloadSource,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::credential::Credential;
use crate::error::{Failure, wrong_type};
use crate::request::{Given, object, text};
use crate::sign::dict;

/// Signs with an identity that stays fresh.
#[pyclass(frozen, weakref, module = "ocisign")]
pub(crate) struct Signer(ocisign::Signer);

#[pymethods]
impl Signer {
    #[staticmethod]
    #[pyo3(signature = (*, environment=None, on_refresh=None))]
    fn default(
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Self::build(Chain::new(), environment, on_refresh)
    }

    #[staticmethod]
    #[pyo3(signature = (*, environment=None, on_refresh=None))]
    fn from_env(
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Self::build(Chain::environment_only(), environment, on_refresh)
    }

    #[staticmethod]
    #[pyo3(signature = (profile=None, *, path=None, environment=None, on_refresh=None))]
    fn from_config(
        profile: Option<String>,
        path: Option<PathBuf>,
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut source = ConfigSource::new();
        if let Some(profile) = profile {
            source = source.profile(profile);
        }
        if let Some(path) = path {
            source = source.path(path);
        }
        Self::build(source, environment, on_refresh)
    }

    /// The same, by the name under which Oracle's tools have it.
    #[staticmethod]
    #[pyo3(signature = (profile=None, *, path=None, environment=None, on_refresh=None))]
    fn session_token(
        profile: Option<String>,
        path: Option<PathBuf>,
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Self::from_config(profile, path, environment, on_refresh)
    }

    #[staticmethod]
    #[pyo3(signature = (*, environment=None, on_refresh=None))]
    fn resource_principal(
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Self::build(ResourceSource::new(), environment, on_refresh)
    }

    #[staticmethod]
    #[pyo3(signature = (*, delegation_token_file=None, environment=None, on_refresh=None))]
    fn instance_principal(
        delegation_token_file: Option<String>,
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut source = InstanceSource::new();
        if let Some(path) = delegation_token_file {
            source = source.delegation_token_file(path);
        }
        Self::build(source, environment, on_refresh)
    }

    #[staticmethod]
    #[pyo3(signature = (*, token_file=None, environment=None, on_refresh=None))]
    fn oke_workload_identity(
        token_file: Option<PathBuf>,
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut source = WorkloadSource::new();
        if let Some(path) = token_file {
            source = source.token_file(path);
        }
        Self::build(source, environment, on_refresh)
    }

    #[staticmethod]
    fn from_credential(credential: &Bound<'_, PyAny>) -> PyResult<Self> {
        let credential = object::<Credential>("credential", "a Credential", credential)?;
        Self::build(ValueSource::new(credential.get().0.clone()), None, None)
    }

    #[staticmethod]
    #[pyo3(signature = (source, *, on_refresh=None))]
    fn from_callable(
        source: &Bound<'_, PyAny>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let function = callable("source", source)?;
        Self::build(Callable(function), None, on_refresh)
    }

    #[pyo3(signature = (method, url, *, headers=None, body=None, date_header="date"))]
    fn sign(
        &self,
        py: Python<'_>,
        method: &Bound<'_, PyAny>,
        url: &Bound<'_, PyAny>,
        headers: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
        date_header: &str,
    ) -> Result<Signed, Failure> {
        let request = Given::read(method, url, headers, body)?.dated(date_header)?;
        let signed = py.detach(|| request.with(|request| self.0.sign(request)))?;
        Ok(Signed::new(py, signed)?)
    }

    #[pyo3(signature = (method, url, *, headers=None, body=None, date_header="date"))]
    fn try_sign(
        &self,
        py: Python<'_>,
        method: &Bound<'_, PyAny>,
        url: &Bound<'_, PyAny>,
        headers: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
        date_header: &str,
    ) -> Result<Option<Signed>, Failure> {
        let request = Given::read(method, url, headers, body)?.dated(date_header)?;
        let signed = py.detach(|| request.with(|request| self.0.try_sign(request)))?;
        Ok(signed.map(|signed| Signed::new(py, signed)).transpose()?)
    }

    fn warm(&self, py: Python<'_>) -> Result<(), Failure> {
        Ok(py.detach(|| self.0.warm())?)
    }

    fn refresh(&self, py: Python<'_>) -> Result<(), Failure> {
        py.detach(|| self.0.refresh()).map_err(|error| (*error).clone().into())
    }

    #[pyo3(signature = (signed, *, date=None, body=None, tls=false))]
    fn on_unauthorized(
        &self,
        py: Python<'_>,
        signed: &Bound<'_, PyAny>,
        date: Option<&str>,
        body: Option<&[u8]>,
        tls: bool,
    ) -> PyResult<bool> {
        let signed = object::<Signed>("signed", "a Signed", signed)?;
        let mut refusal = Refusal::new(date, body.unwrap_or_default());
        if tls {
            refusal = refusal.over_tls();
        }
        let signed = &signed.get().signed;
        Ok(py.detach(|| self.0.on_unauthorized(signed, &refusal)))
    }

    fn on_not_found(&self, py: Python<'_>, signed: &Bound<'_, PyAny>) -> PyResult<bool> {
        let signed = &object::<Signed>("signed", "a Signed", signed)?.get().signed;
        Ok(py.detach(|| self.0.on_not_found(signed)))
    }

    fn identity(&self, py: Python<'_>) -> Result<Identity, Failure> {
        Ok(Identity(py.detach(|| self.0.identity())?))
    }

    fn status(&self, py: Python<'_>) -> Status {
        let status = py.detach(|| self.0.status());
        Status {
            clock_offset: status.clock_offset,
            failures: status.failures,
            generation: status.generation,
            last_error: status.last_error.map(|error| error.to_string()),
            remaining: status.remaining.map(|left| left.as_secs_f64()),
            valid: status.valid,
        }
    }

    fn __repr__(&self) -> String {
        let status = self.0.status();
        format!("Signer(generation={}, failures={})", status.generation, status.failures)
    }
}

impl Signer {
    fn build(
        source: impl Source + 'static,
        environment: Option<&Bound<'_, PyAny>>,
        on_refresh: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut builder = ocisign::Signer::builder(source);
        if let Some(environment) = environment {
            builder = builder.environment(variables(environment)?);
        }
        if let Some(tell) = on_refresh {
            let tell = callable("on_refresh", tell)?;
            builder = builder.on_refresh(move |ended| report(&tell, ended));
        }
        Ok(Self(builder.build()))
    }
}

pub(crate) fn variables(given: &Bound<'_, PyAny>) -> PyResult<Environment> {
    let pairs = object::<PyMapping>("environment", "a mapping", given)?.items()?;
    let pairs = pairs.iter().map(|item| {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let (name, value) = (text("environment", &name)?, text("environment", &value)?);
        Ok((name.to_string(), value.to_string()))
    });
    Ok(Environment::of(pairs.collect::<PyResult<Vec<_>>>()?))
}

fn callable(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if value.is_callable() {
        Ok(value.clone().unbind())
    } else {
        Err(wrong_type(name, "a callable", value))
    }
}

/// Call `on_refresh(generation, error)`. What it raises goes where Python shows what nobody can
/// catch.
fn report(tell: &Py<PyAny>, ended: &Refreshed<'_>) {
    let (generation, error) = match ended {
        Refreshed::Failed(error) => (None, Some(Failure::from((*error).clone()))),
        Refreshed::New(generation) => (Some(generation.number()), None),
        Refreshed::Unchanged => return,
    };
    // An interpreter that ends is told nothing more.
    Python::try_attach(|py| {
        let error = error.map(|error| PyErr::from(error).into_value(py));
        if let Err(error) = tell.call1(py, (generation, error)) {
            error.write_unraisable(py, Some(tell.bind(py)));
        }
    });
}

/// What a callable of Python's gives.
struct Callable(Py<PyAny>);

impl Source for Callable {
    fn fetch(&self, _: &Context<'_>) -> Result<Fetched, SourceError> {
        let given = Python::try_attach(|py| -> PyResult<Arc<Native>> {
            let given = self.0.bind(py).call0()?;
            let credential = object::<Credential>("source", "a Credential", &given)?;
            Ok(credential.get().0.clone())
        });
        match given {
            Some(Ok(credential)) => {
                Ok(Fetched::new(credential, Kind::Other, "a callable of the program"))
            }
            // As Python would say it, in one line and without a traceback.
            Some(Err(error)) => Err(SourceError::Other(error.to_string())),
            None => Err(SourceError::Stopped),
        }
    }
}

/// The headers to set on a request, and which generation of the credential signed.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Signed {
    #[pyo3(get)]
    headers: Py<PyDict>,
    signed: ocisign::Signed,
}

impl Signed {
    fn new(py: Python<'_>, signed: ocisign::Signed) -> PyResult<Self> {
        Ok(Self { headers: dict(py, signed.headers().headers())?.unbind(), signed })
    }
}

#[pymethods]
impl Signed {
    #[getter]
    fn generation(&self) -> u64 {
        self.signed.generation()
    }

    fn __repr__(&self) -> String {
        format!("Signed(generation={})", self.signed.generation())
    }
}

/// Who signs, where that was found, and why it was picked.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Identity(Arc<Fetched>);

#[pymethods]
impl Identity {
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.name()
    }

    #[getter]
    fn origin(&self) -> &str {
        &self.0.origin
    }

    #[getter]
    fn passed_over(&self) -> Vec<(&'static str, &str)> {
        let passed_over = self.0.passed_over.iter();
        passed_over.map(|over| (over.kind.name(), over.reason.as_str())).collect()
    }

    #[getter]
    fn credential(&self) -> Credential {
        Credential(self.0.credential.clone())
    }

    #[getter]
    fn region(&self) -> Option<&str> {
        self.0.region.as_ref().map(ocisign::Region::id)
    }

    #[getter]
    fn tenancy(&self) -> Option<String> {
        self.0.credential.tenancy()
    }

    #[getter]
    fn compartment(&self) -> Option<String> {
        let token = self.0.credential.key_id().as_str().strip_prefix("ST$")?;
        ocisign::SecurityToken::parse(token).ok()?.compartment()
    }

    fn __repr__(&self) -> String {
        format!("Identity(kind='{}', origin={:?})", self.0.kind.name(), self.0.origin)
    }
}

/// How a signer stands.
#[pyclass(frozen, get_all, module = "ocisign")]
pub(crate) struct Status {
    clock_offset: i64,
    failures: u32,
    generation: u64,
    last_error: Option<String>,
    remaining: Option<f64>,
    valid: bool,
}
