//! The identity that the surroundings give, the most specific one first.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use ocisign_core::InstancePrincipal;

use crate::context::Context;
use crate::source::error::word;
use crate::source::instance::instance;
use crate::source::workload::{HOST, REGION, has_token};
use crate::source::{
    ConfigSource, EnvironmentSource, Fetched, InstanceSource, Kind, PassedOver, ResourceSource,
    Source, SourceError, WorkloadSource,
};

/// The identity that the surroundings give, the most specific one first.
///
/// 1. what `OCI_CLI_AUTH` says, where it is set;
/// 2. the resource principal, where `OCI_RESOURCE_PRINCIPAL_VERSION` is set; as pods of OKE
///    have it too, without a token beside it, that is one of them;
/// 3. OKE workload identity, where `KUBERNETES_SERVICE_HOST` and
///    `OCI_RESOURCE_PRINCIPAL_REGION` are set and there is a service account token;
/// 4. an API key or session token in the variables `OCI_CLI_…`;
/// 5. the profile of the configuration file, where there is a file;
/// 6. the instance principal, where a metadata service answers within a second as OCI's does.
///    That there is none is remembered for five minutes.
///
/// What is found is what is used: where it is broken, that is an error, and nobody becomes
/// somebody else by it. Once a credential came, the choice stays.
#[derive(Debug, Default)]
pub struct Chain {
    config: ConfigSource,
    environment_only: bool,
    // No locks: in a child of `fork` they would stay locked, where the parent was choosing.
    chosen: ArcSwapOption<Choice>,
    /// The uptime until which there is no metadata service.
    nowhere: ArcSwapOption<(Duration, String)>,
}

#[derive(Debug)]
struct Choice {
    kind: Found,
    passed_over: Vec<PassedOver>,
}

#[derive(Clone, Copy, Debug)]
enum Found {
    Config,
    Environment,
    Instance,
    Resource,
    Workload,
}

impl Chain {
    /// All of it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What variables say, and nothing else: no configuration file and no metadata service is
    /// looked for, though `OCI_CLI_AUTH` may ask for one.
    #[must_use]
    pub fn environment_only() -> Self {
        Self { environment_only: true, ..Self::default() }
    }

    fn choose(&self, context: &Context<'_>) -> Result<Choice, SourceError> {
        let environment = context.environment();
        let variable = |name| environment.variable(name);
        let mut passed_over = Vec::new();
        let mut pass = |kind, reason: String| passed_over.push(PassedOver { kind, reason });
        let kind = 'found: {
            if let Some(kind) = variable("OCI_CLI_AUTH") {
                break 'found match kind.trim() {
                    "instance_principal" => Found::Instance,
                    "instance_obo_user" if variable(DELEGATION).is_some() => Found::Instance,
                    "resource_principal" => Found::Resource,
                    "oke_workload_identity" => Found::Workload,
                    "api_key" | "security_token"
                        if EnvironmentSource::evidence(environment).is_some() =>
                    {
                        Found::Environment
                    }
                    "api_key" | "instance_obo_user" | "security_token" => Found::Config,
                    other => return Err(SourceError::UnsupportedAuthentication(word(other))),
                };
            }
            let in_cluster = variable(HOST).is_some();
            if let Some(version) = variable("OCI_RESOURCE_PRINCIPAL_VERSION") {
                let has_token = variable("OCI_RESOURCE_PRINCIPAL_RPST").is_some();
                let is_pod = version.trim() == "2.2" && in_cluster && !has_token;
                break 'found if is_pod { Found::Workload } else { Found::Resource };
            }
            if HALF.iter().any(|name| variable(name).is_some()) {
                break 'found Found::Resource; // whose error names what is missing
            }
            pass(Kind::ResourcePrincipal, "OCI_RESOURCE_PRINCIPAL_VERSION is not set".into());
            if !in_cluster {
                pass(Kind::WorkloadIdentity, format!("{HOST} is not set"));
            } else if variable(REGION).is_none() {
                pass(
                    Kind::WorkloadIdentity,
                    format!("{HOST} is set, but not {REGION}: nothing says that this is OKE"),
                );
            } else if !has_token() {
                pass(Kind::WorkloadIdentity, "the pod has no service account token".into());
            } else {
                break 'found Found::Workload;
            }
            if EnvironmentSource::evidence(environment).is_some() {
                break 'found Found::Environment;
            }
            pass(Kind::ApiKey, "OCI_CLI_USER and OCI_CLI_KEY_CONTENT are not set".into());
            if self.environment_only {
                return Err(SourceError::NotFound(passed_over));
            }
            match self.config.file(environment) {
                // What cannot be looked at, or was named, is there until it turns out otherwise.
                Ok(path) if path.try_exists().unwrap_or(true) => break 'found Found::Config,
                _ if NAMED.iter().any(|name| variable(name).is_some()) => {
                    break 'found Found::Config;
                }
                Ok(path) => pass(Kind::ApiKey, format!("{} is not there", path.display())),
                Err(_) => pass(Kind::ApiKey, "the home directory is not known".into()),
            }
            match self.is_nowhere(context, &instance(context)?) {
                None => break 'found Found::Instance,
                Some(reason) => pass(Kind::InstancePrincipal, reason),
            }
            return Err(SourceError::NotFound(passed_over));
        };
        Ok(Choice { kind, passed_over })
    }

    /// Why this is no instance of OCI, if it is none.
    fn is_nowhere(&self, context: &Context<'_>, instance: &InstancePrincipal) -> Option<String> {
        let now = context.time.now().uptime;
        if let Some(known) = self.nowhere.load_full().filter(|known| now < known.0) {
            return Some(known.1.clone());
        }
        let url = instance.metadata_url();
        let reason = match context.transport.send(&instance.probe()) {
            Ok(answer) if answer.status == 200 && answer.body.starts_with(b"ocid1.") => None,
            Ok(answer) => Some(format!("what answers at {url} is not OCI's: {}", answer.status)),
            Err(fault) => Some(format!("nobody answers at {url}: {fault}")),
        };
        self.nowhere.store(reason.clone().map(|reason| Arc::new((now + REMEMBERED, reason))));
        reason
    }

    fn fetch_chosen(&self, choice: &Choice, context: &Context<'_>) -> Result<Fetched, SourceError> {
        let fetched = match choice.kind {
            Found::Config => self.config.fetch(context),
            Found::Environment => EnvironmentSource::new().fetch(context),
            Found::Instance => {
                let delegation = context.environment().variable(DELEGATION);
                InstanceSource::new().on_behalf(delegation).fetch(context)
            }
            Found::Resource => ResourceSource::new().fetch(context),
            Found::Workload => WorkloadSource::new().fetch(context),
        };
        fetched.map(|fetched| Fetched { passed_over: choice.passed_over.clone(), ..fetched })
    }
}

impl Source for Chain {
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError> {
        if let Some(chosen) = &*self.chosen.load() {
            return self.fetch_chosen(chosen, context);
        }
        let choice = self.choose(context)?;
        let fetched = self.fetch_chosen(&choice, context)?;
        // Another thread cannot have chosen meanwhile: one fetches at a time.
        self.chosen.store(Some(Arc::new(choice)));
        Ok(fetched)
    }
}

const DELEGATION: &str = "OCI_CLI_DELEGATION_TOKEN_FILE";
/// Without a version, half of a resource principal.
const HALF: [&str; 3] = [
    "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM",
    "OCI_RESOURCE_PRINCIPAL_RPST",
    "OCI_RESOURCE_PRINCIPAL_RPT_ENDPOINT",
];
/// A configuration that somebody asked for.
const NAMED: [&str; 3] = ["OCI_CLI_CONFIG_FILE", "OCI_CLI_PROFILE", "OCI_CONFIG_FILE"];
const REMEMBERED: Duration = Duration::from_mins(5);
