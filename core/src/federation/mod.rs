//! Exchanges: from what a platform gives to a credential, without any I/O.
//!
//! What is asked of whom is in `transition.rs`, with one `match`; a diagram of each
//! exchange is in `docs/federation.md`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::backoff::Jitter;
use crate::credential::Credential;
use crate::error::KeyError;
use crate::private_key::PrivateKeyDer;
use crate::region::Region;
use crate::signing_key::SigningKey;
use crate::time::UnixTime;

mod call;
mod error;
mod http;
mod instance;
mod resource;
mod session;
mod transition;
mod variables;
mod workload;

pub use error::{ExchangeError, ExchangeFault};
pub use http::{Endpoint, HttpAnswer, HttpRequest, TransportFault};
pub use instance::InstancePrincipal;
pub use resource::ResourcePrincipal;
pub use session::{DomainClient, SessionRefresh, TokenExchange, UserSession};
pub use variables::{VariableError, VariableFault};
pub use workload::WorkloadIdentity;

use transition::{Plan, State};

/// Reads and makes the keys of an exchange.
///
/// It is the caller's, because it knows which RSA is fast and where randomness comes from.
pub trait KeyBackend: Send + Sync {
    /// A private key that signs.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] when it is none.
    fn load(&self, key: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError>;

    /// A new key for a session: RSA, 2,048 bits, exponent 65,537. It is asked for at most
    /// once in an exchange.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] when none can be made.
    fn session_key(&self) -> Result<Arc<dyn SigningKey>, KeyError>;
}

/// One exchange, from its first request to its credential.
///
/// [`next_step`](Self::next_step) reads: asking twice changes nothing, though a request that
/// is signed at another time is another one. [`receive`](Self::receive) is the only thing
/// that changes it. What fails for a moment is asked again, three times in all, after waits
/// with jitter; what fails for good, or wants to be left alone for more than ten seconds, is
/// the error of every further `next_step`.
///
/// The whole driving loop, with whatever sends requests and tells the time:
///
/// ```
/// # use std::sync::Arc;
/// use ocisign_core::{
///     Credential, Exchange, ExchangeError, HttpAnswer, HttpRequest, InstancePrincipal, KeyBackend,
///     Step, TransportFault,
/// };
///
/// # struct Response { status: u16, headers: Vec<(String, String)>, body: Vec<u8> }
/// fn run(
///     mut exchange: Exchange,
///     send: impl Fn(&HttpRequest) -> Result<Response, TransportFault>,
///     now: impl Fn() -> u64,
///     sleep_until: impl Fn(u64),
/// ) -> Result<Arc<Credential>, ExchangeError> {
///     loop {
///         match exchange.next_step(now())? {
///             Step::Send(request) => match send(&request) {
///                 Ok(response) => {
///                     let headers: Vec<(&str, &str)> =
///                         response.headers.iter().map(|(n, v)| (&**n, &**v)).collect();
///                     let answer = HttpAnswer {
///                         status: response.status, headers: &headers, body: &response.body,
///                     };
///                     exchange.receive(Ok(answer), now());
///                 }
///                 Err(fault) => exchange.receive(Err(fault), now()),
///             },
///             Step::Wait(until) => sleep_until(until),
///             Step::Ready(credential) => break Ok(credential),
///         }
///     }
/// }
/// # use ocisign_core::{KeyError, PrivateKeyDer, SigningKey};
/// # struct NoKeys;
/// # impl KeyBackend for NoKeys {
/// #     fn load(&self, _: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError> { Err(KeyError::Unsupported) }
/// #     fn session_key(&self) -> Result<Arc<dyn SigningKey>, KeyError> { Err(KeyError::Unsupported) }
/// # }
/// # let keys = Arc::new(NoKeys);
///
/// let entropy = [7; 32]; // 32 random bytes
/// let exchange = Exchange::instance_principal(InstancePrincipal::new(), keys, entropy);
/// let nobody = |_: &HttpRequest| Err(TransportFault::Connection);
/// let error = run(exchange, nobody, || 1_700_000_000 + tick(), |_| ()).unwrap_err();
/// assert_eq!(error.code(), "EXCHANGE_UNREACHABLE");
/// # fn tick() -> u64 {
/// #     use std::sync::atomic::{AtomicU64, Ordering};
/// #     static TICKS: AtomicU64 = AtomicU64::new(0);
/// #     TICKS.fetch_add(1, Ordering::Relaxed)
/// # }
/// ```
pub struct Exchange {
    attempts: u32,
    jitter: Jitter,
    keys: Arc<dyn KeyBackend>,
    plan: Plan,
    region: Option<Region>,
    /// The present call was asked again for the sake of its date.
    redated: bool,
    rereads: u32,
    retry_after: Option<Duration>,
    session_key: Option<Arc<dyn SigningKey>>,
    state: State,
    visited: alloc::vec::Vec<String>,
    wait_until: UnixTime,
}

/// What has to happen next. Every case has to be handled.
#[derive(Debug)]
pub enum Step {
    /// It is over: sign with this.
    Ready(Arc<Credential>),
    /// Send this, and give what came back to [`Exchange::receive`].
    Send(HttpRequest),
    /// Ask again at this time.
    Wait(UnixTime),
}

impl Exchange {
    /// As the compute instance on which the program runs.
    #[must_use]
    pub fn instance_principal(
        instance: InstancePrincipal,
        keys: Arc<dyn KeyBackend>,
        entropy: [u8; 32],
    ) -> Self {
        Self::new(Plan::Instance(instance), keys, entropy)
    }

    /// As the resource as which the program runs, of any version. That of version 2.2 is
    /// ready at once: it sends nothing.
    #[must_use]
    pub fn resource_principal(
        resource: ResourcePrincipal,
        keys: Arc<dyn KeyBackend>,
        entropy: [u8; 32],
    ) -> Self {
        Self::new(Plan::Resource(resource), keys, entropy)
    }

    /// As the workload of a Kubernetes cluster in which the program runs.
    #[must_use]
    pub fn workload_identity(
        workload: WorkloadIdentity,
        keys: Arc<dyn KeyBackend>,
        entropy: [u8; 32],
    ) -> Self {
        Self::new(Plan::Workload(workload), keys, entropy)
    }

    /// A session token for one that lives longer.
    #[must_use]
    pub fn session_refresh(
        refresh: SessionRefresh,
        keys: Arc<dyn KeyBackend>,
        entropy: [u8; 32],
    ) -> Self {
        Self::new(Plan::Refresh(refresh), keys, entropy)
    }

    /// An API key for a session token.
    #[must_use]
    pub fn user_session(
        session: UserSession,
        keys: Arc<dyn KeyBackend>,
        entropy: [u8; 32],
    ) -> Self {
        Self::new(Plan::User(session), keys, entropy)
    }

    /// A token of another issuer for one of OCI.
    #[must_use]
    pub fn token_exchange(
        exchange: TokenExchange,
        keys: Arc<dyn KeyBackend>,
        entropy: [u8; 32],
    ) -> Self {
        Self::new(Plan::Domain(exchange), keys, entropy)
    }

    fn new(plan: Plan, keys: Arc<dyn KeyBackend>, entropy: [u8; 32]) -> Self {
        let mut exchange = Self {
            attempts: 0,
            jitter: Jitter::new(entropy),
            keys,
            region: plan.region().cloned(),
            plan,
            redated: false,
            rereads: 0,
            retry_after: None,
            session_key: None,
            state: State::Begin,
            visited: alloc::vec::Vec::new(),
            wait_until: 0,
        };
        exchange.begin();
        exchange
    }

    /// What has to happen next. Asking twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]: the same from the moment at which it failed for good. What is wrong
    /// with the next request itself, such as an expired token to sign it with, is found anew
    /// each time.
    pub fn next_step(&self, now: UnixTime) -> Result<Step, ExchangeError> {
        match &self.state {
            State::Failed(error) => Err(error.clone()),
            State::Ready(credential) => match credential.check_expiry(now) {
                Err(error) if self.plan.brings_its_token() => Err(ExchangeError {
                    call: String::new(),
                    fault: ExchangeFault::Credential(error),
                }),
                _ => Ok(Step::Ready(credential.clone())),
            },
            _ if self.is_waiting(now) => Ok(Step::Wait(self.wait_until)),
            _ => self.request(now).map(Step::Send),
        }
    }

    /// Take the answer to the request of the last [`next_step`](Self::next_step), or why
    /// there is none. An answer to nothing is passed over.
    pub fn receive(&mut self, answer: Result<HttpAnswer<'_>, TransportFault>, now: UnixTime) {
        let over = matches!(self.state, State::Failed(_) | State::Ready(_));
        if !over && !self.is_waiting(now) {
            self.advance(answer, now);
        }
    }

    /// What lies further off than any wait is a clock that was set back meanwhile.
    fn is_waiting(&self, now: UnixTime) -> bool {
        (1..=MAX_WAIT).contains(&self.wait_until.saturating_sub(now))
    }

    /// The region, once it is known.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// For how long the server that refused last asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// In seconds, more than any pause.
const MAX_WAIT: u64 = 20;

/// Where it stands, and nothing of keys and tokens.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("plan", &self.plan)
            .field("state", &format!("{}", self.state))
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
