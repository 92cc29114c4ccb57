//! Where credentials come from: one file per source, and `chain.rs` picks.

use std::sync::Arc;

use ocisign_core::{Credential, Region};

mod chain;
mod config;
mod environment;
mod error;
mod instance;
mod profile;
mod resource;
mod session;
mod value;
mod workload;

pub use chain::Chain;
pub use config::ConfigSource;
pub use environment::EnvironmentSource;
pub use error::{PassedOver, SourceError};
pub use instance::InstanceSource;
pub use profile::ProfileSource;
pub use resource::ResourceSource;
pub use value::{FnSource, ValueSource};
pub use workload::WorkloadSource;

use crate::context::Context;

/// Gives a credential, each time it is asked: reads files, runs an exchange, calls a function.
///
/// It may block, and is asked by one thread at a time. What it gave before stays in use until
/// it gives something new, and where it fails.
pub trait Source: Send + Sync {
    /// Fetch a credential now.
    ///
    /// # Errors
    ///
    /// A [`SourceError`], which names the file, variable or endpoint and never a secret.
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError>;

    /// Whether a credential that does not expire may be another one the next time.
    fn may_change(&self) -> bool {
        true
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError> {
        (**self).fetch(context)
    }

    fn may_change(&self) -> bool {
        (**self).may_change()
    }
}

/// What a source gave.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What signs.
    pub credential: Arc<Credential>,
    /// The region, where the source knows it.
    pub region: Option<Region>,
    /// What kind of identity it is.
    pub kind: Kind,
    /// Where it was found, as a sentence would say it: `profile "DEFAULT" of /home/…`.
    pub origin: String,
    /// What a chain looked at first, and why it went on.
    pub passed_over: Vec<PassedOver>,
}

impl Fetched {
    /// A credential of this kind, found there.
    #[must_use]
    pub fn new(
        credential: impl Into<Arc<Credential>>,
        kind: Kind,
        origin: impl Into<String>,
    ) -> Self {
        let (credential, origin) = (credential.into(), origin.into());
        Self { credential, region: None, kind, origin, passed_over: Vec::new() }
    }

    /// The same, in this region.
    #[must_use]
    pub fn region(mut self, region: Option<Region>) -> Self {
        self.region = region;
        self
    }
}

/// A kind of identity, by OCI's name for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A user by an API key.
    ApiKey,
    /// A compute instance by its certificates.
    InstancePrincipal,
    /// One that the program brought.
    Other,
    /// A resource, such as a function.
    ResourcePrincipal,
    /// A user by a session token.
    SessionToken,
    /// A pod of a Kubernetes cluster of OCI.
    WorkloadIdentity,
}

impl Kind {
    /// The name, as `authentication_type` and the command line have it.
    ///
    /// ```
    /// assert_eq!(ocisign::Kind::ResourcePrincipal.name(), "resource_principal");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::InstancePrincipal => "instance_principal",
            Self::Other => "other",
            Self::ResourcePrincipal => "resource_principal",
            Self::SessionToken => "security_token",
            Self::WorkloadIdentity => "oke_workload_identity",
        }
    }
}
