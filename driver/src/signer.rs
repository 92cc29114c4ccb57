//! Signs requests with an identity that stays fresh.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ocisign_core::{
    Credential, Generation, Rejection, Request, SignError, SignedHeaders, UnixTime,
    parse_clock_skew, parse_http_date,
};

use crate::builder::SignerBuilder;
use crate::keeper::{Keeper, Next};
use crate::source::{
    Chain, ConfigSource, Fetched, FnSource, InstanceSource, ResourceSource, Source, SourceError,
    ValueSource, WorkloadSource,
};

/// Signs requests with an identity that stays fresh.
///
/// Nothing is opened until the first signature, or [`warm`](Self::warm). From then on
/// [`sign`](Self::sign) waits for nobody while there is a valid credential: a refresh that is
/// due runs beside it, on a thread of its own that ends with it. A refresh that fails leaves
/// what is valid in use, and is tried again, by the rules of [`Rotation`](ocisign_core::Rotation).
///
/// Only a credential that is about to end, in its last minute or last quarter, is worth one wait:
/// what is signed with it may arrive too late. That happens to programs that were idle for half of
/// its life; where the refresh fails, it signs.
///
/// Cheap to clone; clones share the credential and its refresh. It may be made before a
/// `fork` and used on both sides.
///
/// ```
/// use ocisign::{Environment, Request, Signer};
///
/// // In a function: `Signer::resource_principal()`, and the platform sets these.
/// let environment = Environment::of([
///     ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2"),
///     ("OCI_RESOURCE_PRINCIPAL_RPST", "e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln"),
///     ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", include_str!("../../vectors/keys/test-key.pem")),
/// ]);
/// let signer = Signer::builder(ocisign::ResourceSource::new()).environment(environment).build();
///
/// let request = Request::new("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns");
/// for (name, value) in signer.sign(&request)? {
///     println!("{name}: {value}"); // set these on the request, and change nothing else
/// }
/// # Ok::<(), ocisign::SignerError>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    pub(crate) keeper: Arc<Keeper>,
}

impl Signer {
    /// With the identity that the surroundings give: [`Chain`] says how it is picked.
    ///
    /// ```no_run
    /// let signer = ocisign::Signer::from_default();
    /// println!("{}", signer.identity()?.origin);
    /// # Ok::<(), ocisign::SignerError>(())
    /// ```
    #[must_use]
    pub fn from_default() -> Self {
        Self::builder(Chain::new()).build()
    }

    /// With the identity that variables give: as [`from_default`](Self::from_default), without
    /// looking for a configuration file or a metadata service. `OCI_CLI_AUTH` may ask for them.
    #[must_use]
    pub fn from_env() -> Self {
        Self::builder(Chain::environment_only()).build()
    }

    /// With a profile of the configuration file, by its name.
    #[must_use]
    pub fn from_profile(name: &str) -> Self {
        Self::builder(ConfigSource::new().profile(name)).build()
    }

    /// With a profile of this configuration file.
    #[must_use]
    pub fn from_config(path: &Path, name: &str) -> Self {
        Self::builder(ConfigSource::new().path(path).profile(name)).build()
    }

    /// As the resource as which the program runs, such as a function.
    #[must_use]
    pub fn resource_principal() -> Self {
        Self::builder(ResourceSource::new()).build()
    }

    /// As the compute instance on which the program runs.
    #[must_use]
    pub fn instance_principal() -> Self {
        Self::builder(InstanceSource::new()).build()
    }

    /// As the workload of a Kubernetes cluster of OCI.
    #[must_use]
    pub fn workload_identity() -> Self {
        Self::builder(WorkloadSource::new()).build()
    }

    /// With this credential, until it expires.
    #[must_use]
    pub fn from_credential(credential: impl Into<Arc<Credential>>) -> Self {
        Self::builder(ValueSource::new(credential)).build()
    }

    /// With what a function gives, asked anew whenever a refresh is due.
    ///
    /// ```
    /// use ocisign::{Credential, KeyOptions, NativeKey, PrivateKeyDer, SignError, Signer};
    ///
    /// let signer = Signer::from_fn(|| -> Result<Credential, SignError> {
    ///     let pem = include_str!("../../vectors/keys/test-key.pem"); // ask your vault
    ///     let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
    ///     Credential::security_token("e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln", key)
    /// });
    /// signer.warm()?;
    /// # Ok::<(), ocisign::SignerError>(())
    /// ```
    #[must_use]
    pub fn from_fn<F, E>(function: F) -> Self
    where
        F: Fn() -> Result<Credential, E> + Send + Sync + 'static,
        E: ToString + 'static,
    {
        Self::builder(FnSource::new(function)).build()
    }

    /// With any source, and more to be said.
    #[must_use]
    pub fn builder(source: impl Source + 'static) -> SignerBuilder {
        SignerBuilder::new(source)
    }

    /// The headers to set on `request`, as [`sign`](ocisign_core::sign) has them.
    ///
    /// It blocks only where there is no valid credential: for one refresh, its own or another's.
    ///
    /// # Errors
    ///
    /// [`SignerError`]: the request cannot be signed, or there is nothing to sign with.
    pub fn sign(&self, request: &Request<'_>) -> Result<Signed, SignerError> {
        self.ready()?.sign(request)
    }

    /// The same without blocking: where there is no valid credential, it waits for a refresh
    /// on another thread. It needs no runtime.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    ///
    /// ```
    /// # use ocisign::{Credential, KeyOptions, NativeKey, PrivateKeyDer, Request, Signer};
    /// # let pem = include_str!("../../vectors/keys/test-key.pem");
    /// # let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
    /// # let signer = Signer::from_credential(Credential::security_token("e30.e30.c2ln", key)?);
    /// let request = Request::new("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns");
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let signed = signer.sign_async(&request).await?;
    /// assert!(signed.headers().get("authorization").is_some());
    /// # Ok::<(), ocisign::SignerError>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn sign_async(&self, request: &Request<'_>) -> Result<Signed, SignerError> {
        self.ready_async().await?.sign(request)
    }

    /// The same without waiting: `None` where there is no valid credential, and a refresh, on
    /// another thread, is on its way to one. For event loops that are not Rust's.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    ///
    /// ```
    /// # use ocisign::{Credential, KeyOptions, NativeKey, PrivateKeyDer, Request, Signer};
    /// # let pem = include_str!("../../vectors/keys/test-key.pem");
    /// # let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new())?)?;
    /// # let signer = Signer::from_credential(Credential::security_token("e30.e30.c2ln", key)?);
    /// let request = Request::new("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns");
    /// let signed = loop {
    ///     match signer.try_sign(&request)? {
    ///         Some(signed) => break signed,
    ///         None => signer.warm()?, // where waiting does no harm
    ///     }
    /// };
    /// assert_eq!(signed.generation(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_sign(&self, request: &Request<'_>) -> Result<Option<Signed>, SignerError> {
        match self.next()? {
            (Next::Sign(generation), reading) => {
                Ready { generation, reading }.sign(request).map(Some)
            }
            (Next::Lead(refresh), _) => {
                refresh.beside();
                Ok(None)
            }
            (Next::Follow(_), _) => Ok(None),
        }
    }

    /// Fetch the first credential now, or see that there is a valid one.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn warm(&self) -> Result<(), SignerError> {
        self.ready().map(drop)
    }

    /// The same without blocking.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn warm_async(&self) -> Result<(), SignerError> {
        self.ready_async().await.map(drop)
    }

    /// Fetch a credential now, though none may be due; a refresh in flight counts.
    ///
    /// For programs that have switched the background off, or know of a change.
    ///
    /// # Errors
    ///
    /// Why nothing came. What is valid stays in use.
    pub fn refresh(&self) -> Result<(), Arc<SourceError>> {
        loop {
            let ended = match self.keeper.force(self.keeper.time().now()) {
                Next::Lead(refresh) => {
                    refresh.run();
                    true
                }
                Next::Follow(end) => end.wait(),
                Next::Sign(_) => true,
            };
            if ended {
                break;
            }
        }
        self.keeper.report().last_error.map_or(Ok(()), Err)
    }

    /// What to do when a server answered a signed request with 401: `true` means to sign again,
    /// and send again what can be sent again, once.
    ///
    /// If the server's clock, proven by TLS, is not this machine's, dates are corrected from
    /// now on. Else the credential is refreshed, once for all who ask, and not more than once
    /// in ten seconds. It blocks for that refresh.
    ///
    /// ```no_run
    /// # fn send(_: &ocisign::Signed) -> (u16, String) { (401, String::new()) }
    /// use ocisign::{Refusal, Request, Signer};
    ///
    /// let signer = Signer::from_default();
    /// let request = Request::new("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns");
    /// let mut signed = signer.sign(&request)?;
    /// let (mut status, mut date) = send(&signed);
    /// if status == 401 && signer.on_unauthorized(&signed, &Refusal::new(Some(&date), b"").over_tls()) {
    ///     signed = signer.sign(&request)?;
    ///     (status, date) = send(&signed);
    /// }
    /// # Ok::<(), ocisign::SignerError>(())
    /// ```
    #[must_use]
    pub fn on_unauthorized(&self, signed: &Signed, refusal: &Refusal<'_>) -> bool {
        self.redated(signed, refusal) || self.replaced(signed, Rejection::Unauthorized)
    }

    /// The same without blocking.
    pub async fn on_unauthorized_async(&self, signed: &Signed, refusal: &Refusal<'_>) -> bool {
        self.redated(signed, refusal) || self.replaced_async(signed, Rejection::Unauthorized).await
    }

    /// What to do when a server answered 404 `NotAuthorizedOrNotFound`: `true` means to sign
    /// and send again, once.
    ///
    /// A policy or a dynamic group that changed may reach only a token that was made after the
    /// change. So a credential of more than fifteen minutes is refreshed; a younger one is not.
    /// It blocks for that refresh.
    #[must_use]
    pub fn on_not_found(&self, signed: &Signed) -> bool {
        self.replaced(signed, Rejection::NotFound)
    }

    /// The same without blocking.
    pub async fn on_not_found_async(&self, signed: &Signed) -> bool {
        self.replaced_async(signed, Rejection::NotFound).await
    }

    /// Who signs, where that was found, and why it was picked. It warms the signer.
    ///
    /// # Errors
    ///
    /// Why there is nobody.
    pub fn identity(&self) -> Result<Arc<Fetched>, SignerError> {
        self.warm()?;
        let about = self.keeper.report().about;
        about.ok_or_else(|| SignerError::NoCredential(Arc::new(SourceError::Stopped)))
    }

    /// How it stands. It opens nothing.
    #[must_use]
    pub fn status(&self) -> Status {
        let report = self.keeper.report();
        let now = self.keeper.time().now();
        Status {
            clock_offset: self.keeper.time().offset(),
            failures: report.failures,
            generation: report.generation.as_ref().map_or(0, |known| known.number()),
            last_error: report.last_error,
            remaining: report
                .generation
                .as_ref()
                .and_then(|known| known.expires())
                .map(|at| at.saturating_sub(now.uptime)),
            valid: report.generation.is_some_and(|known| known.is_valid(now)),
        }
    }

    /// What to do to sign now, and by which reading of the clock.
    fn next(&self) -> Result<(Next, Reading), SignerError> {
        let (now, offset) = self.keeper.time().now_and_offset();
        let next = match self.keeper.quiet(now) {
            Some(generation) => Next::Sign(generation),
            None => self.keeper.next(now)?,
        };
        Ok((next, Reading { now: now.time, offset }))
    }

    fn ready(&self) -> Result<Ready, SignerError> {
        loop {
            match self.next()? {
                (Next::Sign(generation), reading) => return Ok(Ready { generation, reading }),
                (Next::Lead(refresh), _) => refresh.run(),
                (Next::Follow(end), _) => {
                    end.wait();
                }
            }
        }
    }

    async fn ready_async(&self) -> Result<Ready, SignerError> {
        loop {
            match self.next()? {
                (Next::Sign(generation), reading) => return Ok(Ready { generation, reading }),
                (Next::Lead(refresh), _) => {
                    refresh.run_elsewhere().heard().await;
                }
                (Next::Follow(end), _) => {
                    end.heard().await;
                }
            }
        }
    }

    /// Whether dates are others now than when this was signed, by this refusal or another's.
    fn redated(&self, signed: &Signed, refusal: &Refusal<'_>) -> bool {
        let server = refusal.date.and_then(parse_http_date);
        let server = server.or_else(|| parse_clock_skew(refusal.body)).filter(|_| refusal.tls);
        if let Some(server) = server {
            self.keeper.time().learn(server);
        }
        self.keeper.time().corrected_since(signed.offset)
    }

    fn rejected(&self, signed: &Signed, rejection: Rejection) -> Option<Next> {
        self.keeper.rejected(signed.generation, rejection, self.keeper.time().now())
    }

    fn replaced(&self, signed: &Signed, rejection: Rejection) -> bool {
        loop {
            let ended = match self.rejected(signed, rejection) {
                None => return false,
                Some(Next::Sign(_)) => return true,
                Some(Next::Lead(refresh)) => {
                    refresh.run();
                    true
                }
                Some(Next::Follow(end)) => end.wait(),
            };
            if ended {
                return self.is_newer(signed);
            }
        }
    }

    async fn replaced_async(&self, signed: &Signed, rejection: Rejection) -> bool {
        loop {
            let end = match self.rejected(signed, rejection) {
                None => return false,
                Some(Next::Sign(_)) => return true,
                Some(Next::Lead(refresh)) => refresh.run_elsewhere(),
                Some(Next::Follow(end)) => end,
            };
            if end.heard().await {
                return self.is_newer(signed);
            }
        }
    }

    fn is_newer(&self, signed: &Signed) -> bool {
        let known = self.keeper.report().generation;
        known.is_some_and(|known| known.number() > signed.generation)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("keeper", &self.keeper).finish()
    }
}

/// What signs, and by which reading of the clock.
struct Ready {
    generation: Arc<Generation>,
    reading: Reading,
}

#[derive(Clone, Copy)]
struct Reading {
    now: UnixTime,
    /// The correction of the clock.
    offset: i64,
}

impl Ready {
    fn sign(&self, request: &Request<'_>) -> Result<Signed, SignerError> {
        let Self { generation, reading: Reading { now, offset } } = self;
        let headers = generation.sign(request, *now)?;
        Ok(Signed { headers, generation: generation.number(), offset: *offset })
    }
}

/// The headers to set on a request, and which generation of the credential signed.
#[derive(Debug)]
pub struct Signed {
    headers: SignedHeaders,
    generation: u64,
    /// The correction of the clock by which its date was written.
    offset: i64,
}

impl Signed {
    /// The headers to set.
    #[must_use]
    pub fn headers(&self) -> &SignedHeaders {
        &self.headers
    }

    /// Which generation signed, counted from 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl IntoIterator for Signed {
    type Item = (&'static str, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.headers.into_iter()
    }
}

/// What a server said with a 401, as far as it bears on the clock.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    date: Option<&'a str>,
    body: &'a [u8],
    tls: bool,
}

impl<'a> Refusal<'a> {
    /// The header `date` of the answer, and its body or nothing.
    #[must_use]
    pub const fn new(date: Option<&'a str>, body: &'a [u8]) -> Self {
        Self { date, body, tls: false }
    }

    /// It came over TLS from a server that proved its name. Without that its time is nothing.
    #[must_use]
    pub const fn over_tls(mut self) -> Self {
        self.tls = true;
        self
    }
}

/// How a signer stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// By how many seconds dates are corrected, after what servers said.
    pub clock_offset: i64,
    /// How many refreshes failed since the last one that did not.
    pub failures: u32,
    /// Which generation signs, counted from 1; 0 before the first.
    pub generation: u64,
    /// Why the last refresh failed, if it did.
    pub last_error: Option<Arc<SourceError>>,
    /// How long the credential lives, where it says so.
    pub remaining: Option<Duration>,
    /// Whether there is a credential that may sign.
    pub valid: bool,
}

/// How a refresh ended. Every case has to be handled.
#[derive(Debug)]
pub enum Refreshed<'a> {
    /// It failed; what is valid stays in use.
    Failed(&'a SourceError),
    /// This generation signs from now on.
    New(&'a Generation),
    /// The source has the same credential as before.
    Unchanged,
}

/// Why a request was not signed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignerError {
    /// The last credential has expired, and no refresh has brought another.
    Expired {
        /// When it expired.
        since: UnixTime,
        /// Why the last refresh failed.
        last_error: Arc<SourceError>,
    },
    /// There has been no credential yet.
    NoCredential(Arc<SourceError>),
    /// The request cannot be signed.
    Sign(SignError),
}

impl SignerError {
    /// The stable code, equal in all languages: `EXPIRED`, or that of the error within.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "EXPIRED",
            Self::NoCredential(error) => error.code(),
            Self::Sign(error) => error.code(),
        }
    }
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { since, last_error } => write!(
                f,
                "the credential expired at {since} (seconds since 1970), and no refresh brought \
                 another: {last_error}"
            ),
            Self::NoCredential(error) => error.fmt(f),
            Self::Sign(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SignerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Expired { last_error, .. } => Some(last_error),
            Self::NoCredential(_) | Self::Sign(_) => None,
        }
    }
}

impl From<SignError> for SignerError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}
