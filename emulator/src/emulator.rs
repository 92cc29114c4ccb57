//! Starting, and what can be asked and told while it runs.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{error, fmt, io};

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::{interval, sleep};

use crate::config::{Config, ConfigError};
use crate::environment::{ResourcePrincipal, environment};
use crate::fault::{Fault, FaultPlan};
use crate::files::{FileError, Files};
use crate::log::{Entry, Log};
use crate::server::serve;
use crate::state::State;
use crate::tls::acceptor;

/// A running emulator. Dropping it stops it, and removes the folder that it made.
#[derive(Debug)]
pub struct Emulator {
    state: Arc<State>,
    files: Arc<Files>,
    http: SocketAddr,
    tls: SocketAddr,
    _runtime: Background,
    // Not before the runtime has been told to go.
    _temporary: Option<TempDir>,
}

impl Emulator {
    /// Start one, quietly.
    ///
    /// # Errors
    ///
    /// A [`StartError`] that names the key of the configuration, the address or the path.
    pub fn start(config: Config) -> Result<Self, StartError> {
        Self::start_with(config, Log::default())
    }

    /// Start one that prints a line for each request on standard error.
    ///
    /// # Errors
    ///
    /// As [`Emulator::start`].
    pub fn start_printing(config: Config) -> Result<Self, StartError> {
        Self::start_with(config, Log::printing())
    }

    fn start_with(config: Config, log: Log) -> Result<Self, StartError> {
        for address in [config.listen, config.tls_listen] {
            if !address.ip().is_loopback() && !config.danger_listen_beyond_loopback {
                return Err(StartError::NotLoopback(address));
            }
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map(|runtime| Background(Some(runtime)))
            .map_err(StartError::Runtime)?;
        let (http_listener, http) = bind(&runtime, "listen", config.listen)?;
        let (tls_listener, tls) = bind(&runtime, "tls_listen", config.tls_listen)?;
        let (acceptor, ca) = acceptor(tls.ip(), &config.hosts)
            .map_err(|error| ConfigError(format!("hosts: no certificate for them: {error}")))?;

        let temporary = if config.directory.is_none() { Some(temporary()?) } else { None };
        let made = temporary.as_ref().map(|made| made.path().to_owned());
        let directory = config.directory.clone().or(made).unwrap_or_default();
        let directory = std::path::absolute(&directory)
            .map_err(|error| StartError::Directory { path: directory, error })?;
        let hosts = Arc::new(hosts(&config, http, tls));
        let state = Arc::new(State::new(config, log)?);
        let files = Arc::new(Files::create(&directory, &state, &ca)?);

        let (plain, secure) = (Arc::clone(&hosts), hosts);
        runtime.spawn(serve(http_listener, None, Arc::clone(&state), plain));
        runtime.spawn(serve(tls_listener, Some(acceptor), Arc::clone(&state), secure));
        runtime.spawn(renew_certificates(Arc::clone(&state)));
        let half_life = state.config.lifetimes.resource.unsigned_abs().div_ceil(2);
        let every = state.config.files.rotate.unwrap_or(half_life);
        if every > 0 {
            let every = Duration::from_secs(every);
            runtime.spawn(rotate_files(Arc::clone(&state), Arc::clone(&files), every));
        }
        Ok(Self { state, files, http, tls, _runtime: runtime, _temporary: temporary })
    }

    /// The address of everything, over HTTP: `http://127.0.0.1:12200`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The same over TLS, with a certificate of [`Emulator::ca_file`].
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("https://{}", self.tls)
    }

    /// The certificate of the authority behind TLS, in PEM.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.files.path("ca.pem")
    }

    /// A file or folder of what a caller finds on its disk:
    ///
    /// | path | what |
    /// |---|---|
    /// | `config` | a configuration file with the profiles `DEFAULT` and `SESSION` |
    /// | `api_key.pem` | the key of `DEFAULT` |
    /// | `session/token`, `session/key.pem` | those of `SESSION` |
    /// | `resource_principal/rpst`, `…/private.pem` | the first resource's, version 2.2 |
    /// | `resource.pem` | the first resource's own key, versions 2.1 |
    /// | `kubernetes/token`, `kubernetes/ca.crt` | a pod's |
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.files.path(name)
    }

    /// The environment variables of a program that is to call the emulator as OCI's clients do.
    #[must_use]
    pub fn environment(&self, acting: Option<ResourcePrincipal>) -> Vec<(String, String)> {
        environment(&self.state.config, self, acting)
    }

    /// The last requests, at most 1,000, the oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.state.log.entries()
    }

    /// Misbehave like this from now on; an empty plan is none.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        *crate::lock(&self.state.faults) = FaultPlan::new(faults);
    }

    /// Set the time, in seconds since 1970; from there it runs on.
    pub fn set_time(&self, now: i64) {
        self.state.clock.set(now);
    }

    /// Judge callers by these dynamic groups and statements.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] that names the group or the statement; the old ones stay then.
    pub fn set_policies(
        &self,
        dynamic_groups: Vec<crate::DynamicGroupConfig>,
        policies: Vec<String>,
    ) -> Result<(), ConfigError> {
        self.state.set_policies(dynamic_groups, policies)
    }

    /// Give the instance a new key and certificate. Takes as long as a key takes to make.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when none can be made.
    pub fn rotate_certificate(&self) -> Result<(), ConfigError> {
        self.state.rotate_instance()
    }

    /// Give the resource principal's files a new key and token, in this way. Takes as long as
    /// a key takes to make, and a second more where one file is replaced after the other.
    ///
    /// # Errors
    ///
    /// [`StartError::Directory`] when a file cannot be written.
    pub fn rotate_files(&self, mode: crate::Rotation) -> Result<(), StartError> {
        Ok(self.files.rotate(&self.state, mode)?)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.state.log.flush();
    }
}

/// A runtime that is not waited for when it goes, which inside of another would be forbidden.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Background {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(task);
        }
    }

    fn enter(&self) -> Option<tokio::runtime::EnterGuard<'_>> {
        self.0.as_ref().map(Runtime::enter)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn bind(
    runtime: &Background,
    key: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let fail = |error| StartError::Listen { key, address, error };
    // Not waited for: whoever starts an emulator may be in another runtime.
    let listener = std::net::TcpListener::bind(address).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    let _inside = runtime.enter();
    Ok((TcpListener::from_std(listener).map_err(fail)?, bound))
}

fn temporary() -> Result<TempDir, StartError> {
    let fail = |error| StartError::Directory { path: std::env::temp_dir(), error };
    let mut builder = tempfile::Builder::new();
    builder.prefix("ocisign-emulator-");
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().map_err(fail)
}

/// The values of the header `host` that are the emulator's own.
fn hosts(config: &Config, http: SocketAddr, tls: SocketAddr) -> Vec<String> {
    let mut hosts = config.hosts.clone();
    for address in [http, tls] {
        hosts.push(address.to_string());
        if address.ip().is_loopback() || address.ip().is_unspecified() {
            let any =
                [IpAddr::from([127, 0, 0, 1]).to_string(), "localhost".into(), "[::1]".into()];
            hosts.extend(any.iter().map(|name| format!("{name}:{}", address.port())));
        }
    }
    hosts
}

async fn renew_certificates(state: Arc<State>) {
    let mut ticks = interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        if !state.instance().fresh.contains(&state.clock.now()) {
            let state = Arc::clone(&state);
            // Without a key the old certificate stays, and is tried again.
            let _ = tokio::task::spawn_blocking(move || state.rotate_instance()).await;
        }
    }
}

async fn rotate_files(state: Arc<State>, files: Arc<Files>, every: Duration) {
    loop {
        sleep(every).await;
        let (state, files) = (Arc::clone(&state), Arc::clone(&files));
        // What cannot be written now is tried again.
        let _ = tokio::task::spawn_blocking(move || files.rotate(&state, state.config.files.mode))
            .await;
    }
}

/// Why an emulator did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration contradicts itself, or names a file that is not as it should be.
    Config(ConfigError),
    /// A file or folder could not be written.
    Directory {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// An address could not be had: it is taken, or not this machine's.
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// Which one.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The address can be reached from other machines, and that was not asked for.
    NotLoopback(SocketAddr),
    /// The system gave no threads or no keys.
    Runtime(io::Error),
}

impl StartError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "INVALID_CONFIG",
            Self::Directory { .. } => "DIRECTORY_UNWRITABLE",
            Self::Listen { .. } | Self::NotLoopback(_) => "ADDRESS_UNAVAILABLE",
            Self::Runtime(_) => "START_FAILED",
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Directory { path, error } => write!(f, "{}: {error}", shown(path)),
            Self::Listen { key, address, error } => write!(f, "{key}: {address}: {error}"),
            Self::NotLoopback(address) => write!(
                f,
                "{address} is no loopback address; danger_listen_beyond_loopback allows it"
            ),
            Self::Runtime(error) => error.fmt(f),
        }
    }
}

impl error::Error for StartError {}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<FileError> for StartError {
    fn from(FileError { path, error }: FileError) -> Self {
        Self::Directory { path, error }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
