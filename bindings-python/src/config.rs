//! What configuration says: profiles and regions.

use ocisign::{Profile, RegionSources, Service};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Failure;
use crate::request;

/// A profile of the text of a configuration file.
#[pyfunction]
#[pyo3(signature = (text, name="DEFAULT"))]
pub(crate) fn read_profile<'py>(
    py: Python<'py>,
    text: &Bound<'_, PyAny>,
    name: &str,
) -> Result<Bound<'py, PyDict>, Failure> {
    let profile = Profile::parse(&request::text("text", text)?, name)?;
    let values = PyDict::new(py);
    for key in profile.keys() {
        values.set_item(key, profile.get(key))?;
    }
    Ok(values)
}

/// A region, and where its services are.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Region(ocisign::Region);

#[pymethods]
impl Region {
    #[new]
    #[pyo3(signature = (name, *, regions_config=None, region_metadata=None, default_domain=None))]
    fn new(
        name: &str,
        regions_config: Option<&str>,
        region_metadata: Option<&str>,
        default_domain: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut sources = RegionSources::default();
        sources.regions_config = regions_config;
        sources.region_metadata = region_metadata;
        sources.default_domain = default_domain;
        Ok(Self(ocisign::Region::lookup(name, &sources)?))
    }

    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }

    #[getter]
    fn realm(&self) -> Option<&str> {
        self.0.realm()
    }

    fn endpoint(&self, service: &str) -> PyResult<String> {
        let found = SERVICES.iter().find(|(name, _)| *name == service);
        let Some((_, service)) = found else {
            let names = SERVICES.map(|(name, _)| name).join(", ");
            return Err(PyValueError::new_err(format!("service: expected one of {names}")));
        };
        Ok(self.0.endpoint(*service))
    }

    fn __repr__(&self) -> String {
        format!("Region('{}')", self.0.id())
    }
}

const SERVICES: [(&str, Service); 5] = [
    ("auth", Service::Auth),
    ("iaas", Service::Iaas),
    ("identity", Service::Identity),
    ("objectstorage", Service::ObjectStorage),
    ("secrets", Service::Secrets),
];
