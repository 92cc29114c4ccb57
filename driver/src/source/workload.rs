//! The workload of a Kubernetes cluster of OCI (OKE).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocisign_core::{Exchange, VariableError, WorkloadIdentity};

use crate::context::{Context, NativeKeys, entropy};
use crate::file::read_text;
use crate::source::{Fetched, Kind, Source, SourceError};

/// OKE workload identity: by the pod's service account token, which is read anew each time.
///
/// `KUBERNETES_SERVICE_HOST` says where the proxymux is, `KUBERNETES_SERVICE_PORT_PROXYMUX`
/// on which port (12250), `OCI_RESOURCE_PRINCIPAL_REGION` in which region.
#[derive(Clone, Debug)]
pub struct WorkloadSource {
    token_file: PathBuf,
}

impl WorkloadSource {
    /// By the token at its usual place.
    #[must_use]
    pub fn new() -> Self {
        Self { token_file: TOKEN.into() }
    }

    /// By the token in this file, such as a projected volume.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = path.into();
        self
    }
}

impl Default for WorkloadSource {
    fn default() -> Self {
        Self::new()
    }
}

impl Source for WorkloadSource {
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError> {
        let variable = |name: &str| context.environment().variable(name);
        // Outside of a cluster there is no token either, which would be the lesser news.
        variable(HOST).ok_or_else(|| VariableError::missing(HOST))?;
        let token = read_text(&self.token_file)?;
        let workload = context.with_region_sources(|regions| {
            WorkloadIdentity::from_variables(&variable, &token, regions)
        })?;
        let origin = format!("the service account token {}", self.token_file.display());
        let exchange = Exchange::workload_identity(workload, Arc::new(NativeKeys), entropy());
        let (credential, region) = context.run(exchange)?;
        Ok(Fetched::new(credential, Kind::WorkloadIdentity, origin).region(region))
    }
}

/// Whether the pod has a service account token at its usual place.
pub(crate) fn has_token() -> bool {
    Path::new(TOKEN).exists()
}

const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
pub(crate) const HOST: &str = "KUBERNETES_SERVICE_HOST";
pub(crate) const REGION: &str = "OCI_RESOURCE_PRINCIPAL_REGION";
