//! The compute instance on which the program runs.

use std::sync::Arc;

use ocisign_core::{Exchange, InstancePrincipal, VariableError};

use crate::context::{Context, NativeKeys, entropy};
use crate::file::{expand_home, read_text};
use crate::source::{Fetched, Kind, Source, SourceError};

/// The instance principal: by the metadata service and federation.
///
/// `OCI_METADATA_BASE_URL` and `OCI_SDK_AUTH_CLIENT_REGION_URL` replace the two addresses.
#[derive(Clone, Debug, Default)]
pub struct InstanceSource {
    delegation_token_file: Option<String>,
}

impl InstanceSource {
    /// The instance itself.
    #[must_use]
    pub const fn new() -> Self {
        Self { delegation_token_file: None }
    }

    /// On behalf of the user whose delegation token is in this file, read anew each time.
    #[must_use]
    pub fn delegation_token_file(self, path: impl Into<String>) -> Self {
        self.on_behalf(Some(path.into()))
    }

    /// The same, where there is such a file.
    pub(crate) fn on_behalf(mut self, delegation_token_file: Option<String>) -> Self {
        self.delegation_token_file = delegation_token_file;
        self
    }
}

impl Source for InstanceSource {
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError> {
        let instance = instance(context)?;
        let origin = format!("the metadata service at {}", instance.metadata_url());
        let exchange = Exchange::instance_principal(instance, Arc::new(NativeKeys), entropy());
        let (mut credential, region) = context.run(exchange)?;
        if let Some(path) = &self.delegation_token_file {
            let path = expand_home(path, context.environment().home().as_deref())?;
            credential = delegated(credential, &read_text(&path)?)?;
        }
        Ok(Fetched::new(credential, Kind::InstancePrincipal, origin).region(region))
    }
}

/// A credential that came from an exchange, used on behalf of a user.
pub(crate) fn delegated(
    credential: Arc<ocisign_core::Credential>,
    token: &str,
) -> Result<Arc<ocisign_core::Credential>, SourceError> {
    // Nobody else has it: the exchange has ended.
    let own = Arc::into_inner(credential).ok_or(SourceError::Stopped)?;
    Ok(Arc::new(own.with_delegation_token(token)?))
}

/// How to act as the instance, as the environment says.
pub(crate) fn instance(context: &Context<'_>) -> Result<InstancePrincipal, VariableError> {
    InstancePrincipal::from_variables(&|name| context.environment().variable(name))
}
