//! The identity that the command line and the surroundings say.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ocisign::{
    Chain, Clock, ConfigSource, Environment, Fetched, Moment, Request, Service, Signed, Signer,
    SignerError, SourceError, SystemClock, UnixTime,
};

use crate::args::IdentityArgs;
use crate::failure::Failure;
use crate::output::quoted;

/// Who signs. Nothing is opened before the first question.
pub(crate) struct Identity {
    pub(crate) environment: Environment,
    pub(crate) signer: Signer,
    /// The configuration file, where it alone is asked.
    config: Option<ConfigSource>,
}

impl Identity {
    /// As the arguments say, by the machine's clock or one that stands still.
    pub(crate) fn new(args: &IdentityArgs, now: Option<UnixTime>) -> Self {
        let environment = environment(args);
        let by_file = args.profile.is_some() || args.config.is_some();
        let builder =
            if by_file { Signer::builder(config(args)) } else { Signer::builder(Chain::new()) };
        // One signature or two: nothing has to be kept fresh.
        let mut builder = builder.background(false).environment(environment.clone());
        if let Some(now) = now {
            builder = builder.clock(Standing(now));
        }
        Self { environment, signer: builder.build(), config: by_file.then(|| config(args)) }
    }

    /// Who it is.
    pub(crate) fn fetched(&self) -> Result<Arc<Fetched>, Failure> {
        self.signer.identity().map_err(|error| self.failure(&error))
    }

    /// The headers to set on a request.
    pub(crate) fn sign(&self, request: &Request<'_>) -> Result<Signed, Failure> {
        self.signer.sign(request).map_err(|error| self.failure(&error))
    }

    /// Where a service answers: there, else where `OCI_CLI_ENDPOINT` says, else in the region.
    pub(crate) fn endpoint(
        &self,
        given: Option<&str>,
        service: Option<Service>,
    ) -> Result<String, Failure> {
        let given = given.map(ToOwned::to_owned);
        if let Some(url) = given.or_else(|| self.environment.variable("OCI_CLI_ENDPOINT")) {
            return Ok(url.trim().trim_end_matches('/').to_owned());
        }
        let service = service.ok_or_else(|| Failure::Refused {
            code: "INVALID_URL",
            message: "a path alone needs --service, --endpoint or OCI_CLI_ENDPOINT".to_owned(),
        })?;
        let fetched = self.fetched()?;
        let region = fetched.region.as_ref().ok_or_else(|| Failure::Refused {
            code: "REGION_UNKNOWN",
            message: format!("{} says no region, and no endpoint is given", fetched.origin),
        })?;
        Ok(region.endpoint(service))
    }

    /// Why there is nobody, with the file that it is about.
    fn failure(&self, error: &SignerError) -> Failure {
        let failure = Failure::from(error.clone());
        let SignerError::NoCredential(source) = error else { return failure };
        let of_profile = match **source {
            SourceError::Profile(_) => true,
            SourceError::Credential(_) | SourceError::UnsupportedAuthentication(_) => {
                self.config.is_some()
            }
            _ => false,
        };
        let of_chain = ConfigSource::new();
        let file = self.config.as_ref().unwrap_or(&of_chain).file(&self.environment);
        match file {
            Ok(file) if of_profile => failure.about(quoted(&file)),
            _ => failure,
        }
    }
}

/// The configuration file that would be read.
pub(crate) fn config_file(args: &IdentityArgs) -> Result<PathBuf, Failure> {
    Ok(config(args).file(&environment(args))?)
}

fn config(args: &IdentityArgs) -> ConfigSource {
    let mut config = ConfigSource::new();
    if let Some(path) = &args.config {
        config = config.path(path);
    }
    if let Some(name) = &args.profile {
        config = config.profile(name);
    }
    config
}

/// The process's, with what `--auth` says in it.
fn environment(args: &IdentityArgs) -> Environment {
    let process = Environment::process();
    let Some(kind) = &args.auth else { return process };
    let variables = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let home = process.home().and_then(|home| home.into_os_string().into_string().ok());
    let home = home.map(|home| ("HOME".to_owned(), home));
    let auth = ("OCI_CLI_AUTH".to_owned(), kind.clone());
    Environment::of(variables.chain(home).chain([auth]))
}

/// Always the same time of day.
struct Standing(UnixTime);

impl Clock for Standing {
    fn now(&self) -> Moment {
        Moment { time: self.0, ..SystemClock.now() }
    }

    fn sleep(&self, time: Duration) {
        SystemClock.sleep(time);
    }
}
