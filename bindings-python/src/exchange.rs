//! Exchanges, for programs that send requests themselves.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ocisign::{
    Endpoint, Environment, HttpAnswer, HttpRequest, InstancePrincipal, NativeKeys, RegionSources,
    ResourcePrincipal, Step, TransportFault, WorkloadIdentity, read_text,
};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::credential::Credential;
use crate::error::Failure;
use crate::request::{pairs, text, time};
use crate::signer::variables;

/// Trades an identity for a short-lived credential, without any I/O.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Exchange(Mutex<ocisign::Exchange>);

#[pymethods]
impl Exchange {
    #[staticmethod]
    #[pyo3(signature = (*, environment=None))]
    fn instance_principal(environment: Option<&Bound<'_, PyAny>>) -> Result<Self, Failure> {
        let environment = Surroundings::new(environment)?;
        let instance = environment.instance()?;
        Ok(Self::begin(|keys, entropy| {
            ocisign::Exchange::instance_principal(instance, keys, entropy)
        }))
    }

    #[staticmethod]
    #[pyo3(signature = (*, environment=None))]
    fn resource_principal(environment: Option<&Bound<'_, PyAny>>) -> Result<Self, Failure> {
        let environment = Surroundings::new(environment)?;
        let read = |path: &str| read_text(Path::new(path)).map_err(|error| error.to_string());
        let resource = environment.with_regions(|variable, regions| {
            let instance = InstancePrincipal::from_variables(variable)?;
            ResourcePrincipal::from_variables(variable, &read, instance, regions)
        })?;
        Ok(Self::begin(|keys, entropy| {
            ocisign::Exchange::resource_principal(resource, keys, entropy)
        }))
    }

    #[staticmethod]
    #[pyo3(signature = (service_account_token, *, environment=None))]
    fn oke_workload_identity(
        service_account_token: &Bound<'_, PyAny>,
        environment: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self, Failure> {
        let token = text("service_account_token", service_account_token)?;
        let workload = Surroundings::new(environment)?.with_regions(|variable, regions| {
            WorkloadIdentity::from_variables(variable, &token, regions)
        })?;
        Ok(Self::begin(|keys, entropy| {
            ocisign::Exchange::workload_identity(workload, keys, entropy)
        }))
    }

    #[pyo3(signature = (now=None))]
    fn next_step<'py>(
        &self,
        py: Python<'py>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<Bound<'py, PyAny>, Failure> {
        let now = time(now)?;
        // It may have a request to sign.
        let step = py.detach(|| self.with(|exchange| exchange.next_step(now)))?;
        Ok(match step {
            Step::Ready(credential) => {
                Ready { credential: Py::new(py, Credential(credential))? }.into_bound_py_any(py)?
            }
            Step::Send(request) => Send::new(py, &request)?.into_bound_py_any(py)?,
            Step::Wait(until) => Wait { until }.into_bound_py_any(py)?,
        })
    }

    #[pyo3(signature = (status, headers, body, now=None))]
    fn receive(
        &self,
        py: Python<'_>,
        status: u16,
        headers: &Bound<'_, PyAny>,
        body: &[u8],
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (headers, now) = (pairs(headers)?, time(now)?);
        // It may make a key, which takes long.
        py.detach(|| {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let answer = HttpAnswer { status, headers: &headers, body };
            self.with(|exchange| exchange.receive(Ok(answer), now));
        });
        Ok(())
    }

    #[pyo3(signature = (fault="other", now=None))]
    fn lost(&self, fault: &str, now: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let found = FAULTS.iter().find(|(name, _)| *name == fault);
        let Some((_, fault)) = found else {
            let names = FAULTS.map(|(name, _)| name).join(", ");
            return Err(PyValueError::new_err(format!("fault: expected one of {names}")));
        };
        let now = time(now)?;
        self.with(|exchange| exchange.receive(Err(*fault), now));
        Ok(())
    }

    #[getter]
    fn region(&self) -> Option<String> {
        self.with(|exchange| exchange.region().map(|region| region.id().to_owned()))
    }

    #[getter]
    fn retry_after(&self) -> Option<u64> {
        self.with(|exchange| exchange.retry_after().map(|wait| wait.as_secs()))
    }
}

impl Exchange {
    fn begin(make: impl FnOnce(Arc<NativeKeys>, [u8; 32]) -> ocisign::Exchange) -> Self {
        Self(Mutex::new(make(Arc::new(NativeKeys), ocisign::entropy())))
    }

    fn with<T>(&self, act: impl FnOnce(&mut ocisign::Exchange) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where the variables are that say who the program is.
struct Surroundings(Environment);

impl Surroundings {
    fn new(environment: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Ok(Self(environment.map_or(Ok(Environment::process()), variables)?))
    }

    fn instance(&self) -> Result<InstancePrincipal, ocisign::VariableError> {
        InstancePrincipal::from_variables(&|name| self.0.variable(name))
    }

    fn with_regions<T>(
        &self,
        read: impl FnOnce(&dyn Fn(&str) -> Option<String>, &RegionSources<'_>) -> T,
    ) -> T {
        let variable = |name: &str| self.0.variable(name);
        let metadata = variable("OCI_REGION_METADATA");
        let domain = variable("OCI_DEFAULT_REALM");
        let mut regions = RegionSources::default();
        regions.region_metadata = metadata.as_deref();
        regions.default_domain = domain.as_deref();
        read(&variable, &regions)
    }
}

/// A request to send as it is: nothing added, no redirect followed.
#[pyclass(frozen, get_all, module = "ocisign")]
pub(crate) struct Send {
    method: &'static str,
    url: String,
    headers: Py<PyDict>,
    body: Py<PyBytes>,
    time_limit: f64,
    endpoint: &'static str,
}

impl Send {
    fn new(py: Python<'_>, request: &HttpRequest) -> PyResult<Self> {
        let headers = PyDict::new(py);
        for (name, value) in &request.headers {
            headers.set_item(*name, value.as_str())?;
        }
        Ok(Self {
            method: request.method,
            url: request.url.clone(),
            headers: headers.unbind(),
            body: PyBytes::new(py, &request.body).unbind(),
            time_limit: request.time_limit.as_secs_f64(),
            endpoint: match request.endpoint {
                Endpoint::Metadata => "metadata",
                Endpoint::Service => "service",
                Endpoint::Workload => "workload",
            },
        })
    }
}

#[pymethods]
impl Send {
    /// Whom it goes to: the rest may hold tokens.
    fn __repr__(&self) -> String {
        format!("Send(method='{}', endpoint='{}')", self.method, self.endpoint)
    }
}

/// Nothing to do before this time.
#[pyclass(frozen, get_all, module = "ocisign")]
pub(crate) struct Wait {
    until: u64,
}

/// The exchange has ended well.
#[pyclass(frozen, get_all, module = "ocisign")]
pub(crate) struct Ready {
    credential: Py<Credential>,
}

const FAULTS: [(&str, TransportFault); 7] = [
    ("connection", TransportFault::Connection),
    ("dns", TransportFault::Dns),
    ("other", TransportFault::Other),
    ("protocol", TransportFault::Protocol),
    ("timeout", TransportFault::Timeout),
    ("tls", TransportFault::Tls),
    ("too-large", TransportFault::TooLarge),
];
