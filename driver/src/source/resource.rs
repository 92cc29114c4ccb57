//! The resource as which the program runs, such as a function.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ocisign_core::{Exchange, ExchangeFault, ResourcePrincipal, SignError, UnixTime};

use crate::context::{Context, NativeKeys, entropy};
use crate::file::read_text;
use crate::source::instance::instance;
use crate::source::{Fetched, Kind, Source, SourceError};

/// The resource principal of every version, by the variables `OCI_RESOURCE_PRINCIPAL_…`.
///
/// Files are read anew each time. Two that are replaced one after the other are caught in
/// between: the token says which key it belongs to, and a pair that does not is a failed fetch.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceSource;

impl ResourceSource {
    /// As the environment says.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Source for ResourceSource {
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError> {
        let variable = |name: &str| context.environment().variable(name);
        let read = |path: &str| read_text(Path::new(path)).map_err(|error| error.to_string());
        let instance = instance(context)?;
        let resource = context.with_region_sources(|regions| {
            ResourcePrincipal::from_variables(&variable, &read, instance, regions)
        })?;
        let version = variable("OCI_RESOURCE_PRINCIPAL_VERSION").unwrap_or_default();
        let origin = format!("OCI_RESOURCE_PRINCIPAL_VERSION is {}", version.trim());
        let exchange = Exchange::resource_principal(resource, Arc::new(NativeKeys), entropy());
        match context.run(exchange) {
            Ok((credential, region)) => match credential.expires() {
                Some(at) if context.is_over(at) => Err(expired_file(context, at)),
                _ => Ok(Fetched::new(credential, Kind::ResourcePrincipal, origin).region(region)),
            },
            // Without a call: what has expired is the token that was brought.
            Err(SourceError::Exchange { error, retry_after }) => Err(match error.fault {
                ExchangeFault::Credential(SignError::Expired(at)) if error.call.is_empty() => {
                    expired_file(context, at)
                }
                _ => SourceError::Exchange { error, retry_after },
            }),
            Err(error) => Err(error),
        }
    }
}

/// Where the expired token came from.
fn expired_file(context: &Context<'_>, expired: UnixTime) -> SourceError {
    let path = ["OCI_RESOURCE_PRINCIPAL_RPST", "OCI_RESOURCE_PRINCIPAL_RPST_FOR_LEAF_RESOURCE"]
        .iter()
        .find_map(|name| context.environment().variable(name))
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    match path {
        Some(path) => token_file_expired(path, expired),
        None => SignError::Expired(expired).into(),
    }
}

/// The token in this file has expired, at this time.
pub(crate) fn token_file_expired(path: PathBuf, expired: UnixTime) -> SourceError {
    SourceError::TokenFileExpired { modified: modified(&path), path, expired }
}

/// When a file was last written.
fn modified(path: &Path) -> Option<UnixTime> {
    let modified = path.metadata().ok()?.modified().ok()?;
    modified.duration_since(SystemTime::UNIX_EPOCH).ok().map(|time| time.as_secs())
}
