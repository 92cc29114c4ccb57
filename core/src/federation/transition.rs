//! What every exchange asks, and what follows from the answers: one `match`.
//!
//! ```text
//! instance   RegionInfo ─404→ RegionName
//!                 └────────────┴→ Leaf → LeafKey → Intermediate → Federate → (token)
//!                                  ↑__ they do not fit, 3 times ___|
//! resource   1.1: instance, then [InstanceId →] ResourceToken → ResourceSession → (token)
//!            2.1: ResourceToken → ResourceSession → (token)      2.2: (token)
//!            3.0: any of these, then for each parent ResourceToken → ResourceSession
//! workload   Workload → (token)      refresh    Refresh → (token)
//! session    User → (token)          exchange   [instance, then] Domain → (token)
//! ```

use alloc::string::String;
use alloc::sync::Arc;
use core::{fmt, mem};

use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::credential::Credential;
use crate::error::{KeyError, SignError};
use crate::federation::Exchange;
use crate::federation::call::{self, Draft};
use crate::federation::error::{ExchangeError, ExchangeFault};
use crate::federation::http::{Endpoint, HttpAnswer, HttpRequest, TransportFault, is_https};
use crate::federation::instance::{self, Identity, InstancePrincipal};
use crate::federation::resource::{self, Leaf, Parent, Pem, ResourcePrincipal};
use crate::federation::session::{DomainClient, SessionRefresh, TokenExchange, UserSession};
use crate::federation::workload::{self, WorkloadIdentity};
use crate::key_id::KeyId;
use crate::key_options::KeyOptions;
use crate::private_key::PrivateKeyDer;
use crate::region::Region;
use crate::signing_key::SigningKey;
use crate::time::UnixTime;

/// What an exchange is for. It does not change.
#[derive(Debug)]
pub(crate) enum Plan {
    Domain(TokenExchange),
    Instance(InstancePrincipal),
    Refresh(SessionRefresh),
    Resource(ResourcePrincipal),
    User(UserSession),
    Workload(WorkloadIdentity),
}

impl Plan {
    pub(crate) fn region(&self) -> Option<&Region> {
        match self {
            Self::Instance(instance) => instance.region.as_ref(),
            Self::Resource(resource) => resource.region(),
            Self::Workload(workload) => workload.region.as_ref(),
            Self::Domain(_) | Self::Refresh(_) | Self::User(_) => None,
        }
    }

    /// Whether the token is none that a server gave just now.
    pub(crate) fn brings_its_token(&self) -> bool {
        matches!(self, Self::Resource(known)
            if known.parent.is_none() && matches!(known.leaf, Leaf::Token { .. }))
    }

    /// The instance that has to prove itself first, if one has to.
    fn instance(&self) -> Option<&InstancePrincipal> {
        match self {
            Self::Instance(instance) => Some(instance),
            Self::Resource(resource) => match &resource.leaf {
                Leaf::Instance { instance, .. } => Some(instance),
                Leaf::Key { .. } | Leaf::Token { .. } => None,
            },
            Self::Domain(exchange) => match &exchange.client {
                DomainClient::Instance(instance) => Some(instance),
                DomainClient::Secret { .. } | DomainClient::Signer(_) => None,
            },
            Self::Refresh(_) | Self::User(_) | Self::Workload(_) => None,
        }
    }
}

/// What is being waited for, and all that is known by then.
pub(crate) enum State {
    Begin,
    RegionInfo,
    RegionName,
    Leaf,
    LeafKey { leaf: Certificate },
    Intermediate { leaf: Certificate, key: Arc<dyn SigningKey> },
    Federate(Identity),
    InstanceId { signer: Arc<Credential> },
    ResourceToken(Hop),
    ResourceSession { hop: Hop, tokens: ResourceTokens },
    Domain { signer: Option<Arc<Credential>> },
    Refresh,
    User,
    Workload,
    Ready(Arc<Credential>),
    Failed(ExchangeError),
}

/// One resource that is to become a principal, asked for by the one before it.
pub(crate) struct Hop {
    signer: Arc<Credential>,
    /// The key of the session token; the signer's own where that has no session yet.
    session_key: Arc<dyn SigningKey>,
    rpt_url: String,
    rpst_endpoint: String,
    context: Option<String>,
}

/// What a resource's service says of it.
pub(crate) struct ResourceTokens {
    resource: Zeroizing<String>,
    service: Zeroizing<String>,
    /// Where the resource within which it is has its tokens.
    parent: Option<String>,
}

/// What an answer means before it is read.
enum Heard<'a> {
    Good(&'a HttpAnswer<'a>),
    NotThere,
}

impl Exchange {
    /// The first thing to be waited for.
    pub(crate) fn begin(&mut self) {
        let begun = match &self.plan {
            plan if plan.instance().is_some() => Ok(self.identify()),
            Plan::Resource(resource) => match &resource.leaf {
                Leaf::Key { pair, key_id, rpt_url, rpst_endpoint, context } => {
                    self.load(pair).and_then(|key| {
                        let key_id = KeyId::new(key_id).map_err(ExchangeFault::Credential)?;
                        Ok(State::ResourceToken(Hop {
                            signer: Arc::new(Credential::new(key_id, key.clone())),
                            session_key: key,
                            rpt_url: rpt_url.clone(),
                            rpst_endpoint: rpst_endpoint.clone(),
                            context: context.clone(),
                        }))
                    })
                }
                Leaf::Token { token, pair } => self
                    .load(pair)
                    .and_then(|key| {
                        let credential = Credential::security_token(token, key);
                        Ok(Arc::new(credential.map_err(ExchangeFault::Credential)?))
                    })
                    .and_then(|credential| self.rise(credential, None)),
                Leaf::Instance { .. } => Ok(State::Begin),
            },
            Plan::Refresh(_) => Ok(State::Refresh),
            Plan::User(_) => self.make_session_key().map(|()| State::User),
            Plan::Workload(_) => self.make_session_key().map(|()| State::Workload),
            Plan::Domain(_) | Plan::Instance(_) => {
                self.make_session_key().map(|()| State::Domain { signer: None })
            }
        };
        self.state = begun.unwrap_or_else(|fault| {
            let call = match &self.plan {
                Plan::Resource(resource) => resource.given(&fault),
                _ => String::new(),
            };
            State::Failed(ExchangeError { call, fault })
        });
    }

    /// The request of the present state.
    pub(crate) fn request(&self, now: UnixTime) -> Result<HttpRequest, ExchangeError> {
        let draft = self.draft()?;
        let call = name(&draft.request);
        if let Plan::Workload(workload) = &self.plan {
            workload.check(now).map_err(|fault| ExchangeError { call: call.clone(), fault })?;
        }
        draft
            .sign(now)
            .map_err(|error| ExchangeError { call, fault: ExchangeFault::Credential(error) })
    }

    fn draft(&self) -> Result<Draft<'_>, ExchangeError> {
        let ask = |path: &str| self.plan.instance().map(|instance| instance.ask(path));
        let key = self.session_key.as_deref();
        let draft = match (&self.state, &self.plan) {
            (State::RegionInfo, _) => ask("instance/regionInfo"),
            (State::RegionName, _) => ask("instance/region"),
            (State::Leaf, _) => ask("identity/cert.pem"),
            (State::LeafKey { .. }, _) => ask("identity/key.pem"),
            (State::Intermediate { .. }, _) => ask("identity/intermediate.pem"),
            (State::InstanceId { .. }, _) => ask("instance/id"),
            (State::Federate(identity), plan) => {
                let auth = plan.instance().map(|instance| instance.auth(self.region.as_ref()));
                key.zip(auth).map(|(key, auth)| identity.federate(&auth, key))
            }
            (State::ResourceToken(hop), _) => Some(hop.ask_tokens()),
            (State::ResourceSession { hop, tokens }, _) => Some(hop.ask_session(tokens)),
            (State::Domain { signer }, Plan::Domain(exchange)) => {
                key.map(|key| exchange.request(key, signer.as_deref()))
            }
            (State::Refresh, Plan::Refresh(refresh)) => Some(refresh.request()),
            (State::User, Plan::User(session)) => key.map(|key| session.request(key)),
            (State::Workload, Plan::Workload(workload)) => {
                key.map(|key| workload.request(key, &self.jitter.request_id()))
            }
            _ => None,
        };
        // Never: each state is entered from the one plan that has it, with its key made.
        draft.ok_or(ExchangeError {
            call: String::new(),
            fault: ExchangeFault::Credential(SignError::SigningFailed),
        })
    }

    /// Take an answer: stay and ask again, go on, or fail.
    pub(crate) fn advance(
        &mut self,
        answer: Result<HttpAnswer<'_>, TransportFault>,
        now: UnixTime,
    ) {
        let call = match self.draft() {
            Ok(draft) => draft.request,
            Err(error) => {
                self.state = State::Failed(error);
                return;
            }
        };
        self.retry_after = answer.ok().and_then(|answer| answer.retry_after());
        let (fault, again) = match &answer {
            Err(fault) => (ExchangeFault::Unreachable(*fault), is_passing(*fault)),
            Ok(answer) => match self.hear(&call, answer, now) {
                Err(refused) => refused,
                Ok(heard) => {
                    // The server's time, where it is known, is the one that tokens are made by.
                    let now = call::server_time(&call, answer).unwrap_or(now);
                    let state = mem::replace(&mut self.state, State::Begin);
                    match self.transition(state, &heard, now) {
                        Err(fault) => (fault, false),
                        Ok(state) => {
                            self.state = state;
                            (self.attempts, self.redated) = (0, false);
                            return;
                        }
                    }
                }
            },
        };
        self.attempts += 1;
        let pause = match fault {
            // With the right time at once, however far that lies from this one.
            ExchangeFault::Refused { status: 401, .. } => {
                self.redated = true;
                Some(0)
            }
            _ => self.jitter.pause(self.attempts, self.retry_after),
        };
        match pause.filter(|_| again && self.attempts < MAX_ATTEMPTS) {
            Some(0) => self.wait_until = 0,
            Some(pause) => self.wait_until = now.saturating_add(pause),
            // Or the server wants to be left alone for longer: that is for the next exchange.
            None => self.state = State::Failed(ExchangeError { call: name(&call), fault }),
        }
    }

    /// Sort an answer by its status. A fault comes with whether to ask again.
    fn hear<'a>(
        &self,
        call: &HttpRequest,
        answer: &'a HttpAnswer<'a>,
        now: UnixTime,
    ) -> Result<Heard<'a>, (ExchangeFault, bool)> {
        let status = answer.status;
        let again = match status {
            200..=299 => return Ok(Heard::Good(answer)),
            404 if matches!(self.state, State::RegionInfo) => return Ok(Heard::NotThere),
            // An instance that has just booted may have no certificate yet.
            404 if call.endpoint == Endpoint::Metadata => true,
            408 | 429 | 500..=599 => true,
            // The clock was wrong. Whoever drives this may have learnt the server's by now.
            401 => {
                !self.redated
                    && call::server_time(call, answer)
                        .is_some_and(|server| server.abs_diff(now) >= call::MAX_SKEW)
            }
            _ => false,
        };
        let fault = match &self.plan {
            Plan::Workload(workload) if status == 401 && !again => workload.of_no_use(Some(status)),
            _ => ExchangeFault::Refused { status, code: call::refusal_code(answer.body) },
        };
        Err((fault, again))
    }

    /// The one `match`: from a state and an answer to the next state.
    fn transition(
        &mut self,
        state: State,
        heard: &Heard<'_>,
        now: UnixTime,
    ) -> Result<State, ExchangeFault> {
        Ok(match (state, heard) {
            (State::RegionInfo, Heard::NotThere) => State::RegionName,
            (State::RegionInfo, Heard::Good(answer)) => {
                self.region = Some(instance::region_info(call::text(answer)?)?);
                State::Leaf
            }
            (State::RegionName, Heard::Good(answer)) => {
                self.region = Some(instance::region(call::text(answer)?)?);
                State::Leaf
            }
            (State::Leaf, Heard::Good(answer)) => {
                State::LeafKey { leaf: instance::leaf(call::text(answer)?, now)? }
            }
            (State::LeafKey { leaf }, Heard::Good(answer)) => State::Intermediate {
                leaf,
                key: instance::key(call::text(answer)?, &*self.keys)
                    .map_err(|error| ExchangeFault::Credential(error.into()))?,
            },
            (State::Intermediate { leaf, key }, Heard::Good(answer)) => {
                let intermediate = instance::certificate(call::text(answer)?, now)?;
                let identity = Identity { leaf, key, intermediate };
                if identity.fits() {
                    self.make_session_key()?;
                    State::Federate(identity)
                } else if self.rereads < MAX_REREADS {
                    self.rereads += 1;
                    State::Leaf
                } else {
                    return Err(ExchangeFault::Certificate(
                        "certificate, key and intermediate do not belong together",
                    ));
                }
            }
            (State::Federate(identity), Heard::Good(answer)) => {
                let token = call::member(answer.body, "token");
                let key = self.shared_session_key()?;
                let token = call::credential(token, key, identity.leaf.tenancy(), now)?;
                self.proven(Arc::new(token))?
            }
            (State::InstanceId { signer }, Heard::Good(answer)) => {
                let id = call::text(answer)?.trim();
                // It goes into a path: what else a path may hold must not come from outside.
                let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                if id.is_empty() || id.len() > MAX_OCID || !id.bytes().all(legal) {
                    return Err(ExchangeFault::InvalidAnswer("the OCID of an instance"));
                }
                self.ask_as_instance(signer, id)?
            }
            (State::ResourceToken(hop), Heard::Good(answer)) => {
                let member = |name, what| {
                    call::member(answer.body, name).ok_or(ExchangeFault::InvalidAnswer(what))
                };
                let tokens = ResourceTokens {
                    resource: member("resourcePrincipalToken", TOKENS)?,
                    service: member("servicePrincipalSessionToken", TOKENS)?,
                    parent: answer
                        .header("opc-parent-rpt-url")
                        .filter(|url| !url.is_empty())
                        .map(Into::into),
                };
                State::ResourceSession { hop, tokens }
            }
            (State::ResourceSession { hop, tokens }, Heard::Good(answer)) => {
                let token = call::member(answer.body, "token");
                let token = call::credential(token, hop.session_key, None, now)?;
                self.rise(Arc::new(token), tokens.parent)?
            }
            (State::Domain { .. } | State::User, Heard::Good(answer)) => {
                let token = call::member(answer.body, "token");
                let key = self.shared_session_key()?;
                State::Ready(Arc::new(call::credential(token, key, None, now)?))
            }
            (State::Refresh, Heard::Good(answer)) => {
                let Plan::Refresh(refresh) = &self.plan else { return Ok(State::Begin) };
                let token = call::member(answer.body, "token");
                State::Ready(Arc::new(call::credential(token, refresh.key.clone(), None, now)?))
            }
            (State::Workload, Heard::Good(answer)) => {
                let token = workload::token(answer.body)
                    .ok_or(ExchangeFault::InvalidAnswer("base64 of JSON with a `token`"))?;
                let key = self.shared_session_key()?;
                State::Ready(Arc::new(call::credential(Some(token), key, None, now)?))
            }
            // Only a region may be missing, and nothing is received in the other states.
            (state, _) => state,
        })
    }

    /// Where the identity of an instance begins.
    fn identify(&self) -> State {
        if self.region.is_some() { State::Leaf } else { State::RegionInfo }
    }

    /// An instance has its token: what was it wanted for?
    fn proven(&mut self, token: Arc<Credential>) -> Result<State, ExchangeFault> {
        Ok(match &self.plan {
            Plan::Domain(_) => State::Domain { signer: Some(token) },
            Plan::Resource(ResourcePrincipal { leaf: Leaf::Instance { id, .. }, .. }) => {
                match id.clone() {
                    Some(id) => self.ask_as_instance(token, &id)?,
                    None => State::InstanceId { signer: token },
                }
            }
            _ => State::Ready(token),
        })
    }

    /// Version 1.1: the instance asks for the token of the resource with this id.
    fn ask_as_instance(&self, signer: Arc<Credential>, id: &str) -> Result<State, ExchangeFault> {
        let Plan::Resource(ResourcePrincipal {
            leaf: Leaf::Instance { instance, rpt_endpoint, rpt_path, rpst_endpoint, .. },
            ..
        }) = &self.plan
        else {
            return Ok(State::Ready(signer));
        };
        Ok(State::ResourceToken(Hop {
            signer,
            session_key: self.shared_session_key()?,
            rpt_url: resource::rpt_url(rpt_endpoint, rpt_path, id),
            rpst_endpoint: rpst_endpoint
                .clone()
                .unwrap_or_else(|| instance.auth(self.region.as_ref())),
            context: None,
        }))
    }

    /// A resource has its token. In version 3.0 it asks for that of its parent: the one that
    /// the environment names, then those that the answers name, until one names none.
    fn rise(
        &mut self,
        token: Arc<Credential>,
        named: Option<String>,
    ) -> Result<State, ExchangeFault> {
        let Plan::Resource(ResourcePrincipal {
            parent: Some(Parent { rpt_url, rpst_endpoint }),
            ..
        }) = &self.plan
        else {
            return Ok(State::Ready(token));
        };
        let rpt_url = match named {
            _ if self.visited.is_empty() => rpt_url.clone(),
            Some(url) if is_downgrade(rpt_url, &url) => {
                return Err(ExchangeFault::InvalidAnswer("a parent's URL over https"));
            }
            Some(url) => url,
            None => return Ok(State::Ready(token)),
        };
        let rpst_endpoint = rpst_endpoint.clone();
        if self.visited.contains(&rpt_url) || self.visited.len() == MAX_PARENTS {
            return Err(ExchangeFault::Parents);
        }
        self.visited.push(rpt_url.clone());
        self.make_session_key()?;
        let session_key = self.shared_session_key()?;
        Ok(State::ResourceToken(Hop {
            signer: token,
            session_key,
            rpt_url,
            rpst_endpoint,
            context: None,
        }))
    }

    fn load(&self, pair: &Pem) -> Result<Arc<dyn SigningKey>, ExchangeFault> {
        let mut options = KeyOptions::new();
        if let Some(passphrase) = &pair.passphrase {
            options = options.passphrase(passphrase.as_bytes());
        }
        let read = || -> Result<_, KeyError> {
            self.keys.load(&PrivateKeyDer::from_pem(&pair.text, &options)?)
        };
        read().map_err(|error| ExchangeFault::Credential(error.into()))
    }

    fn make_session_key(&mut self) -> Result<(), ExchangeFault> {
        if self.session_key.is_none() {
            let key = self.keys.session_key();
            self.session_key = Some(key.map_err(|error| ExchangeFault::Credential(error.into()))?);
        }
        Ok(())
    }

    fn shared_session_key(&self) -> Result<Arc<dyn SigningKey>, ExchangeFault> {
        self.session_key.clone().ok_or(ExchangeFault::Credential(SignError::SigningFailed))
    }
}

impl Hop {
    /// GET what the resource's service says of it.
    fn ask_tokens(&self) -> Draft<'_> {
        let mut draft = call::draft(Endpoint::Service, "GET", self.rpt_url.clone());
        if let Some(context) = &self.context {
            draft = draft.header("security-context", context);
        }
        draft.signed_with(&self.signer)
    }

    /// POST that, with a public key, for a session token.
    fn ask_session(&self, tokens: &ResourceTokens) -> Draft<'_> {
        let body = serde_json::json!({
            "resourcePrincipalToken": *tokens.resource,
            "servicePrincipalSessionToken": *tokens.service,
            "sessionPublicKey": call::spki(&*self.session_key),
        });
        let url = [&self.rpst_endpoint, "/v1/resourcePrincipalSessionToken"].concat();
        call::draft(Endpoint::Service, "POST", url).json(&body).signed_with(&self.signer)
    }
}

/// Whether what was asked over TLS is to go on without it.
fn is_downgrade(from: &str, to: &str) -> bool {
    let plain = to.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("http:"));
    plain && is_https(from)
}

/// Whether the same request may get an answer a moment later.
fn is_passing(fault: TransportFault) -> bool {
    matches!(fault, TransportFault::Connection | TransportFault::Dns | TransportFault::Timeout)
}

/// Method and URL as an error names them.
fn name(call: &HttpRequest) -> String {
    [call.method, " ", call.shown_url()].concat().trim_end().into()
}

/// Its name, as the diagram has it.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "Begin",
            Self::RegionInfo => "RegionInfo",
            Self::RegionName => "RegionName",
            Self::Leaf => "Leaf",
            Self::LeafKey { .. } => "LeafKey",
            Self::Intermediate { .. } => "Intermediate",
            Self::Federate(_) => "Federate",
            Self::InstanceId { .. } => "InstanceId",
            Self::ResourceToken(_) => "ResourceToken",
            Self::ResourceSession { .. } => "ResourceSession",
            Self::Domain { .. } => "Domain",
            Self::Refresh => "Refresh",
            Self::User => "User",
            Self::Workload => "Workload",
            Self::Ready(_) => "Ready",
            Self::Failed(_) => "Failed",
        })
    }
}

/// How often a call is made in all.
const MAX_ATTEMPTS: u32 = 3;
/// How often the certificates are read again.
const MAX_REREADS: u32 = 3;
/// Oracle's documentation, "Oracle Cloud IDs": an OCID has at most 255 characters.
const MAX_OCID: usize = 255;
const MAX_PARENTS: usize = 10;
const TOKENS: &str =
    "a JSON object with `resourcePrincipalToken` and `servicePrincipalSessionToken`";
