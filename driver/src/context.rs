//! What a source works with: the environment, a way out, the time, entropy and keys.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use ocisign_core::{
    Credential, Endpoint, Exchange, KeyBackend, KeyError, PrivateKeyDer, Region, RegionSources,
    SigningKey, Step,
};

use crate::clock::Time;
use crate::environment::Environment;
use crate::file::read_text;
use crate::key::NativeKey;
use crate::source::SourceError;
use crate::transport::Transport;

/// What a source works with. It is lent to [`Source::fetch`](crate::Source::fetch).
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) time: &'a Time,
    pub(crate) transport: &'a dyn Transport,
}

impl Context<'_> {
    /// The environment.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        self.environment
    }

    /// The time of day, corrected by what servers said.
    #[must_use]
    pub fn now(&self) -> ocisign_core::UnixTime {
        self.time.now().time
    }

    /// Whether a life that ends then is over: as [`Rotation`](ocisign_core::Rotation) judges
    /// it, to the next whole second.
    pub(crate) fn is_over(&self, expires: ocisign_core::UnixTime) -> bool {
        expires <= self.now().saturating_add(1)
    }

    /// Run an exchange to its end: send, wait, and learn the server's time on the way.
    ///
    /// # Errors
    ///
    /// The exchange's own, with how long the server asked to be left alone.
    pub fn run(
        &self,
        mut exchange: Exchange,
    ) -> Result<(Arc<Credential>, Option<Region>), SourceError> {
        loop {
            let now = self.now();
            match exchange.next_step(now) {
                Err(error) => {
                    let retry_after = exchange.retry_after();
                    return Err(SourceError::Exchange { error, retry_after });
                }
                Ok(Step::Ready(credential)) => return Ok((credential, exchange.region().cloned())),
                Ok(Step::Wait(until)) => {
                    self.time.sleep(Duration::from_secs(until.saturating_sub(now)));
                }
                Ok(Step::Send(request)) => match self.transport.send(&request) {
                    Err(fault) => exchange.receive(Err(fault), self.now()),
                    Ok(response) => {
                        response.with_answer(|answer| exchange.receive(Ok(answer), self.now()));
                        if request.endpoint != Endpoint::Metadata && request.is_secure() {
                            self.learn(response.header("date"));
                        }
                    }
                },
            }
        }
    }

    fn learn(&self, date: Option<&str>) {
        if let Some(server) = date.and_then(ocisign_core::parse_http_date) {
            self.time.learn(server);
        }
    }

    /// The region of a name, by the tables and what the environment adds to them; of what sets
    /// it, too, for the error.
    pub(crate) fn region(&self, setting: &'static str, name: &str) -> Result<Region, SourceError> {
        let region = self.with_region_sources(|sources| Region::lookup(name.trim(), sources));
        region.map_err(|error| SourceError::Region { setting, error })
    }

    pub(crate) fn with_region_sources<T>(&self, use_: impl FnOnce(&RegionSources<'_>) -> T) -> T {
        let file = self.environment.home().map(|home| home.join(".oci/regions-config.json"));
        let config = file.filter(|file| file.is_file()).and_then(|file| read_text(&file).ok());
        let metadata = self.environment.variable("OCI_REGION_METADATA");
        let domain = self.environment.variable("OCI_DEFAULT_REALM");
        let mut sources = RegionSources::default();
        sources.regions_config = config.as_ref().map(|text| text.as_str());
        sources.region_metadata = metadata.as_deref();
        sources.default_domain = domain.as_deref();
        use_(&sources)
    }
}

/// Reads and makes the keys of an [`Exchange`] with AWS-LC: for programs that send its requests
/// themselves. A [`Signer`](crate::Signer) does both.
///
/// ```
/// use std::sync::Arc;
/// use ocisign::{Exchange, InstancePrincipal, NativeKeys, Step};
///
/// let exchange = Exchange::instance_principal(
///     InstancePrincipal::new(),
///     Arc::new(NativeKeys),
///     [0; 32], // random bytes, for the waits between attempts
/// );
/// let Step::Send(request) = exchange.next_step(1_700_000_000)? else { panic!() };
/// assert_eq!(request.url, "http://169.254.169.254/opc/v2/instance/regionInfo");
/// # Ok::<(), ocisign::ExchangeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeKeys;

impl KeyBackend for NativeKeys {
    fn load(&self, key: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(Arc::new(NativeKey::new(key)?))
    }

    fn session_key(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Unsupported)?;
        Ok(Arc::new(NativeKey::generated(pair)?))
    }
}

/// 32 random bytes of the system, for an [`Exchange`].
///
/// ```
/// assert_ne!(ocisign::entropy(), ocisign::entropy());
/// ```
#[must_use]
pub fn entropy() -> [u8; 32] {
    let mut bytes = [0; 32];
    // Where the system gives none, clients are not kept apart; nothing secret comes of it.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}
