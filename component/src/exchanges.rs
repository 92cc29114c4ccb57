//! Exchanges: the host sends, waits and reads; what and when is decided in core.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use ocisign_core::{
    DomainClient, Endpoint, Exchange, ExchangeError, ExchangeFault, HttpAnswer, HttpRequest,
    InstancePrincipal, KeyBackend, RegionError, RegionSources, ResourcePrincipal, SecurityToken,
    SessionRefresh, SignError, Step, TokenExchange, TransportFault, UnixTime, UserSession,
    VariableError, WorkloadIdentity,
};
use zeroize::Zeroizing;

use crate::Component;
use crate::bindings::exports::ocisign::signing::exchanges::{
    self as wit, DomainResource, Environment, Guest, GuestExchange, HttpAnswer as Answer,
};
use crate::bindings::exports::ocisign::signing::reading::Region;
use crate::bindings::types::{Error, Header, KeyMaterial};
use crate::session_keys::SessionKeys;
use crate::{material, reading};

/// An exchange, and the texts of its keys.
pub(crate) struct Running {
    // No function of the host is called while it is borrowed: there is none.
    exchange: RefCell<Exchange>,
    keys: Arc<SessionKeys>,
}

impl Guest for Component {
    type Exchange = Running;

    fn paths_in(variables: Vec<(String, String)>) -> Result<Vec<String>, Error> {
        let paths = RefCell::new(Vec::new());
        let read = |path: &str| {
            paths.borrow_mut().push(path.to_string());
            // The one text that is looked at is that of a region.
            Ok(Zeroizing::new("us-phoenix-1".into()))
        };
        let instance = InstancePrincipal::new();
        let variable = |name: &str| {
            let value = find(&variables, name)?;
            // Which region it is does not matter here, and what knows it may be in a file.
            let region = name.contains("_PRINCIPAL_REGION") && !value.trim().starts_with('/');
            Some(if region { "us-phoenix-1".into() } else { value.into() })
        };
        ResourcePrincipal::from_variables(&variable, &read, instance, &RegionSources::default())?;
        Ok(paths.into_inner())
    }
}

impl GuestExchange for Running {
    fn instance_principal(
        environment: Environment,
        session_key: Option<String>,
        entropy: String,
    ) -> Result<wit::Exchange, Error> {
        let keys = SessionKeys::new(session_key, entropy)?;
        let instance = environment.instance()?;
        Ok(begin(keys, |keys, seed| Exchange::instance_principal(instance, keys, seed)))
    }

    fn resource_principal(
        environment: Environment,
        session_key: Option<String>,
        entropy: String,
    ) -> Result<wit::Exchange, Error> {
        let keys = SessionKeys::new(session_key, entropy)?;
        let read = |path: &str| match find(&environment.files, path) {
            Some(text) => Ok(Zeroizing::new(text.into())),
            None => Err("the host gave no such file".into()),
        };
        let resource = ResourcePrincipal::from_variables(
            &|name| environment.variable(name).map(Into::into),
            &read,
            environment.instance()?,
            &environment.region_sources(),
        )?;
        Ok(begin(keys, |keys, seed| Exchange::resource_principal(resource, keys, seed)))
    }

    fn workload_identity(
        service_account_token: String,
        environment: Environment,
        session_key: Option<String>,
        entropy: String,
    ) -> Result<wit::Exchange, Error> {
        let keys = SessionKeys::new(session_key, entropy)?;
        let token = Zeroizing::new(service_account_token);
        let workload = WorkloadIdentity::from_variables(
            &|name| environment.variable(name).map(Into::into),
            &token,
            &environment.region_sources(),
        )?;
        Ok(begin(keys, |keys, seed| Exchange::workload_identity(workload, keys, seed)))
    }

    fn session_refresh(
        endpoint: String,
        session: KeyMaterial,
        entropy: String,
    ) -> Result<wit::Exchange, Error> {
        let keys = SessionKeys::new(None, entropy)?;
        // Checked to be a token, and that of the key, before it goes anywhere.
        SecurityToken::parse(&session.key_id)?;
        let credential = material::read(&session)?;
        let key = keys.keep(&material::der(&session)?)?;
        let refresh = SessionRefresh::new(&endpoint, credential.key_id().as_str(), key);
        Ok(begin(keys, |keys, seed| Exchange::session_refresh(refresh, keys, seed)))
    }

    fn user_session(
        endpoint: String,
        api_key: KeyMaterial,
        minutes: u16,
        session_key: Option<String>,
        entropy: String,
    ) -> Result<wit::Exchange, Error> {
        let keys = SessionKeys::new(session_key, entropy)?;
        let session = UserSession::new(&endpoint, Arc::new(material::read(&api_key)?), minutes);
        Ok(begin(keys, |keys, seed| Exchange::user_session(session, keys, seed)))
    }

    fn token_exchange(
        domain: String,
        subject_token: String,
        client: wit::DomainClient,
        as_resource: Option<DomainResource>,
        session_key: Option<String>,
        entropy: String,
    ) -> Result<wit::Exchange, Error> {
        let keys = SessionKeys::new(session_key, entropy)?;
        let client = match client {
            wit::DomainClient::Application(application) => DomainClient::Secret {
                id: application.id,
                secret: Zeroizing::new(application.secret),
            },
            wit::DomainClient::Instance(environment) => {
                DomainClient::Instance(environment.instance()?)
            }
            wit::DomainClient::Key(key) => DomainClient::Signer(Arc::new(material::read(&key)?)),
        };
        let mut exchange = TokenExchange::new(&domain, &Zeroizing::new(subject_token), client);
        if let Some(resource) = as_resource {
            exchange = exchange.resource(&resource.resource_type, resource.expires_in);
        }
        Ok(begin(keys, |keys, seed| Exchange::token_exchange(exchange, keys, seed)))
    }

    fn next_step(&self, now: UnixTime) -> Result<wit::Step, Error> {
        Ok(match self.exchange.borrow().next_step(now)? {
            Step::Ready(credential) => {
                let text = self.keys.text(credential.public_key());
                wit::Step::Ready(KeyMaterial {
                    key_id: credential.key_id().as_str().into(),
                    // Never none: each key of an exchange is one that was read or made here.
                    private_key: text.ok_or(SignError::SigningFailed)?,
                    passphrase: None,
                    delegation_token: None,
                    expires: credential.expires(),
                    blinding_seed: None,
                    danger_allow_weak_key: false,
                })
            }
            Step::Send(request) => wit::Step::Send(request_of(request)),
            Step::Wait(until) => wit::Step::Wait(until),
        })
    }

    fn receive(&self, answer: Result<Answer, wit::TransportFault>, now: UnixTime) {
        let answer = answer.map_err(fault);
        let headers: Vec<(&str, &str)> = answer
            .iter()
            .flat_map(|answer| &answer.headers)
            .map(|header| (&*header.name, &*header.value))
            .collect();
        let answer = match &answer {
            Err(fault) => Err(*fault),
            // Of the one size that all have: the host should not have read so far.
            Ok(answer) if answer.body.len() > Endpoint::Service.size_limit() => {
                Err(TransportFault::TooLarge)
            }
            Ok(answer) => Ok(HttpAnswer {
                status: answer.status,
                headers: &headers,
                body: answer.body.as_bytes(),
            }),
        };
        self.exchange.borrow_mut().receive(answer, now);
    }

    fn region(&self) -> Option<Region> {
        self.exchange.borrow().region().map(reading::region_of)
    }

    fn retry_after(&self) -> Option<u64> {
        self.exchange.borrow().retry_after().map(|wait| wait.as_secs())
    }
}

fn begin(
    keys: SessionKeys,
    exchange: impl FnOnce(Arc<dyn KeyBackend>, [u8; 32]) -> Exchange,
) -> wit::Exchange {
    let keys = Arc::new(keys);
    let exchange = exchange(keys.clone(), keys.entropy(b"ocisign jitter"));
    wit::Exchange::new(Running { exchange: RefCell::new(exchange), keys })
}

impl Environment {
    /// The value of a variable that is set and not empty.
    fn variable(&self, name: &str) -> Option<&str> {
        find(&self.variables, name).filter(|value| !value.trim().is_empty())
    }

    /// How to reach what an instance proves itself by.
    fn instance(&self) -> Result<InstancePrincipal, VariableError> {
        InstancePrincipal::from_variables(&|name| self.variable(name).map(Into::into))
    }

    fn region_sources(&self) -> RegionSources<'_> {
        let mut sources = RegionSources::default();
        sources.regions_config = self.regions_config.as_deref();
        sources.region_metadata = self.variable("OCI_REGION_METADATA");
        sources.default_domain = self.variable("OCI_DEFAULT_REALM");
        sources
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.0 == name).map(|pair| &*pair.1)
}

fn request_of(mut request: HttpRequest) -> wit::HttpRequest {
    let body = core::mem::take(&mut *request.body);
    let limit = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    wit::HttpRequest {
        endpoint: match request.endpoint {
            Endpoint::Metadata => wit::Endpoint::Metadata,
            Endpoint::Service => wit::Endpoint::Service,
            Endpoint::Workload => wit::Endpoint::Workload,
        },
        method: request.method.into(),
        url: request.url,
        headers: request
            .headers
            .into_iter()
            .map(|(name, value)| Header { name: name.into(), value: (*value).clone() })
            .collect(),
        // What core writes is JSON and forms.
        body: Some(String::from_utf8(body).unwrap_or_default()).filter(|body| !body.is_empty()),
        time_limit: limit(request.time_limit.as_secs()),
        size_limit: limit(request.endpoint.size_limit() as u64),
    }
}

fn fault(fault: wit::TransportFault) -> TransportFault {
    match fault {
        wit::TransportFault::Connection => TransportFault::Connection,
        wit::TransportFault::Dns => TransportFault::Dns,
        wit::TransportFault::Other => TransportFault::Other,
        wit::TransportFault::Protocol => TransportFault::Protocol,
        wit::TransportFault::Timeout => TransportFault::Timeout,
        wit::TransportFault::Tls => TransportFault::Tls,
        wit::TransportFault::TooLarge => TransportFault::TooLarge,
    }
}

impl From<ExchangeError> for Error {
    fn from(error: ExchangeError) -> Self {
        let reason = match &error.fault {
            ExchangeFault::Credential(SignError::InvalidKey(error)) => Some(error.reason().into()),
            _ => None,
        };
        Self { reason, ..Self::from_core(error.code(), error.to_string()) }
    }
}

impl From<RegionError> for Error {
    fn from(error: RegionError) -> Self {
        Self::from_core(error.code(), error.to_string())
    }
}

impl From<VariableError> for Error {
    fn from(error: VariableError) -> Self {
        Self::from_core(error.code(), error.to_string())
    }
}
