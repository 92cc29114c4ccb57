//! What can be said of a signer before it is made.

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock, Time};
use crate::environment::Environment;
use crate::keeper::{Keeper, Parts};
use crate::signer::{Refreshed, Signer};
use crate::source::Source;
use crate::transport::{HttpTransport, Transport};

/// What can be said of a signer before it is made.
pub struct SignerBuilder {
    background: bool,
    clock: Time,
    environment: Environment,
    on_refresh: Option<OnRefresh>,
    source: Box<dyn Source>,
    transport: Option<Box<dyn Transport>>,
}

pub(crate) type OnRefresh = Box<dyn Fn(&Refreshed<'_>) + Send + Sync>;

impl SignerBuilder {
    pub(crate) fn new(source: impl Source + 'static) -> Self {
        Self {
            background: true,
            clock: Time::new(SystemClock),
            environment: Environment::process(),
            on_refresh: None,
            source: Box::new(source),
            transport: None,
        }
    }

    /// Without it no refresh runs beside a signature: what is due is fetched by
    /// [`Signer::refresh`], or by the signature that finds nothing valid. Only the asynchronous
    /// methods start threads then, where they have to wait.
    #[must_use]
    pub fn background(mut self, background: bool) -> Self {
        self.background = background;
        self
    }

    /// Another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Time::new(clock);
        self
    }

    /// Another environment than the process's.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Call this after each refresh, on the thread that made it: for logs, metrics and alarms.
    #[must_use]
    pub fn on_refresh(mut self, tell: impl Fn(&Refreshed<'_>) + Send + Sync + 'static) -> Self {
        self.on_refresh = Some(Box::new(tell));
        self
    }

    /// Another way to send the requests of exchanges than over the network.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// The signer. Nothing is opened yet.
    #[must_use]
    pub fn build(self) -> Signer {
        let transport =
            self.transport.unwrap_or_else(|| Box::new(HttpTransport::new(&self.environment)));
        let parts = Parts {
            background: self.background,
            environment: self.environment,
            on_refresh: self.on_refresh,
            source: self.source,
            time: self.clock,
            transport,
        };
        Signer { keeper: Arc::new(Keeper::new(parts)) }
    }
}

impl fmt::Debug for SignerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerBuilder")
            .field("background", &self.background)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
