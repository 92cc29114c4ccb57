//! A profile of the configuration file, found as Oracle's SDKs find it.

use std::path::PathBuf;
use std::sync::Arc;

use ocisign_core::{Profile, Region};

use crate::context::Context;
use crate::environment::Environment;
use crate::file::{expand_home, read_text};
use crate::source::resource::token_file_expired;
use crate::source::session::Session;
use crate::source::{
    Fetched, InstanceSource, Kind, ProfileSource, ResourceSource, Source, SourceError,
    WorkloadSource,
};

/// A profile of the configuration file, read anew each time with all that it names.
///
/// - The file: the one given, else `OCI_CLI_CONFIG_FILE`, else `~/.oci/config`, and only where
///   that is not there `OCI_CONFIG_FILE`, else `~/.oraclebmc/config`.
/// - The profile: the one given, else `OCI_CLI_PROFILE`, else `DEFAULT`.
/// - The region: `OCI_CLI_REGION`, else the profile's, else `OCI_REGION`.
/// - `authentication_type` may be `api_key`, `security_token`, `instance_principal` (with
///   `delegation_token_file` on behalf of a user), `resource_principal` and
///   `oke_workload_identity`; without it, `security_token_file` makes it a session.
/// - A session token is refreshed in memory from half of its life on, where the file has no
///   newer one.
///
/// Source: Oracle's documentation, "SDK and CLI Configuration File", and its SDKs.
#[derive(Debug, Default)]
pub struct ConfigSource {
    path: Option<PathBuf>,
    profile: Option<String>,
    session: Session,
}

impl ConfigSource {
    /// The profile and file that the environment says.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This file.
    #[must_use]
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// This profile.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// The file that would be read; it need not be there.
    ///
    /// # Errors
    ///
    /// [`FileFault::NoHome`](crate::FileFault::NoHome) when it is below a home that is not known.
    pub fn file(&self, environment: &Environment) -> Result<PathBuf, SourceError> {
        let home = environment.home();
        let expand = |path: &str| expand_home(path, home.as_deref());
        if let Some(path) = &self.path {
            return Ok(expand(&path.to_string_lossy())?);
        }
        if let Some(path) = environment.variable("OCI_CLI_CONFIG_FILE") {
            return Ok(expand(&path)?);
        }
        let usual = expand("~/.oci/config");
        if usual.as_ref().is_ok_and(|path| path.exists()) {
            return Ok(usual?);
        }
        if let Some(path) = environment.variable("OCI_CONFIG_FILE") {
            return Ok(expand(&path)?);
        }
        let old = expand("~/.oraclebmc/config").ok().filter(|path| path.exists());
        Ok(old.map_or(usual, Ok)?)
    }

    fn name(&self, environment: &Environment) -> String {
        let name = self.profile.clone().or_else(|| environment.variable("OCI_CLI_PROFILE"));
        name.unwrap_or_else(|| "DEFAULT".to_owned())
    }
}

impl Source for ConfigSource {
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError> {
        let environment = context.environment();
        let file = self.file(environment)?;
        let name = self.name(environment);
        let profile = Profile::parse(&read_text(&file)?, &name)?;
        let home = environment.home();
        let mut source = ProfileSource::new(&profile);
        if let Some(home) = &home {
            source = source.home(home);
        }
        let set = |key| profile.get(key).filter(|value| !value.is_empty());
        let region = region(context, set("region"))?;
        let origin = format!("profile {name:?} of {}", file.display());
        let delegation = set("delegation_token_file");
        let fetched = match set("authentication_type") {
            Some("instance_principal") => {
                InstanceSource::new().on_behalf(delegation.map(Into::into)).fetch(context)
            }
            Some("instance_obo_user") => InstanceSource::new()
                .delegation_token_file(profile.require("delegation_token_file")?)
                .fetch(context),
            Some("resource_principal") => ResourceSource::new().fetch(context),
            Some("oke_workload_identity") => WorkloadSource::new().fetch(context),
            kind => {
                let session = match kind {
                    Some(kind) => kind == "security_token",
                    None => set("security_token_file").is_some(),
                };
                if session && delegation.is_none() {
                    self.session(context, &source, region.as_ref())
                } else {
                    let kind = if session { Kind::SessionToken } else { Kind::ApiKey };
                    Ok(Fetched::new(source.credential()?, kind, ""))
                }
            }
        }?;
        Ok(Fetched {
            region: region.or(fetched.region),
            origin: match fetched.origin.as_str() {
                "" => origin,
                further => format!("{origin}: {further}"),
            },
            ..fetched
        })
    }
}

impl ConfigSource {
    fn session(
        &self,
        context: &Context<'_>,
        source: &ProfileSource<'_>,
        region: Option<&Region>,
    ) -> Result<Fetched, SourceError> {
        let (token, key) = (source.token()?, Arc::new(source.key()?));
        let credential = self.session.credential(context, &token, key, region)?;
        if let Some(expired) = credential.expires().filter(|&at| context.is_over(at)) {
            return Err(token_file_expired(source.token_path()?, expired));
        }
        Ok(Fetched::new(credential, Kind::SessionToken, ""))
    }
}

/// The region that the environment or the profile says.
pub(crate) fn region(
    context: &Context<'_>,
    profile: Option<&str>,
) -> Result<Option<Region>, SourceError> {
    let variable = |name| context.environment().variable(name).map(|value| (name, value));
    variable("OCI_CLI_REGION")
        .or_else(|| profile.map(|value| ("region", value.to_owned())))
        .or_else(|| variable("OCI_REGION"))
        .map(|(setting, name)| context.region(setting, &name))
        .transpose()
}
