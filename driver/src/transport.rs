//! Sending requests, with ureq.

use std::env;
use std::fmt;
use std::io::ErrorKind;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ocisign_core::{
    Endpoint, HttpAnswer, HttpRequest, TransportFault, VariableError, VariableFault,
};
use rustls_native_certs::{load_certs_from_paths, load_native_certs};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Proxy, ProxyProtocol};
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::file::{FileError, read_text};
use crate::source::SourceError;

/// Sends the requests of exchanges. [`HttpTransport`] does it over the network; a program
/// that has an HTTP client already can give its own.
pub trait Transport: Send + Sync {
    /// Send a request as it is, follow no redirect, and give the whole answer: within
    /// [`HttpRequest::time_limit`] and [`Endpoint::size_limit`].
    ///
    /// # Errors
    ///
    /// Why there is no whole answer.
    fn send(&self, request: &HttpRequest) -> Result<Response, TransportFault>;
}

/// A whole answer.
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, wiped on drop: it may hold a token or a key.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The answer as an exchange takes it.
    pub(crate) fn with_answer<T>(&self, take: impl FnOnce(HttpAnswer<'_>) -> T) -> T {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        take(HttpAnswer { status: self.status, headers: &headers, body: &self.body })
    }

    /// The value of a header, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Status and length only.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// HTTP/1.1 over TCP and rustls, blocking.
///
/// - TLS 1.2 and 1.3, by AWS-LC. Host names are always checked. The authorities are those of
///   `OCI_DEFAULT_CERTS_PATH` (a file, or a folder of `.pem` and `.crt` files), else of
///   `SSL_CERT_FILE` and `SSL_CERT_DIR`, else those of the system, else Mozilla's.
/// - `HTTPS_PROXY`, else `ALL_PROXY`, but for the hosts of `NO_PROXY` and all below them, also in
///   lower case, for services of OCI; never for the metadata service or within a cluster.
/// - No redirect is followed. Nothing is opened before the first request.
///
/// At level `trace`, and there only, the `ureq_proto` below it logs every byte that it sends and
/// receives, keys and tokens too: a program that logs that deeply has to leave it out.
///
/// It keeps nothing between two requests, neither connections nor certificates: requests are
/// minutes apart, authorities are replaced in between, and a child of `fork` shares nothing.
pub struct HttpTransport {
    certificates: Option<PathBuf>,
    environment: Environment,
    workload_certificates: PathBuf,
}

impl HttpTransport {
    /// As the environment says.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        let workload = environment.variable("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH");
        Self {
            certificates: environment.variable(CERTIFICATES).map(Into::into),
            environment: environment.clone(),
            workload_certificates: workload.unwrap_or_else(|| WORKLOAD_CA.into()).into(),
        }
    }

    /// A client for services of OCI, also for requests that are not of an exchange.
    ///
    /// # Errors
    ///
    /// When `OCI_DEFAULT_CERTS_PATH` cannot be read, or the proxy's variable is no URL of one.
    pub fn client(&self) -> Result<Agent, SourceError> {
        let roots = match &self.certificates {
            Some(path) => certificates_at(path).map_err(|error| {
                let unreadable = VariableFault::Unreadable(error.to_string());
                VariableError::new(CERTIFICATES, unreadable)
            })?,
            None => system_certificates(&self.environment),
        };
        Ok(agent(roots, proxy(&self.environment)?))
    }

    /// What a failure of that client comes to.
    #[must_use]
    pub fn fault(error: &ureq::Error) -> TransportFault {
        fault(error)
    }

    fn agent(&self, endpoint: Endpoint, secure: bool) -> Result<Agent, SourceError> {
        match endpoint {
            Endpoint::Service if secure => self.client(),
            Endpoint::Service => Ok(agent(RootCerts::WebPki, proxy(&self.environment)?)),
            Endpoint::Metadata => Ok(agent(RootCerts::WebPki, None)),
            Endpoint::Workload => Ok(agent(certificates_at(&self.workload_certificates)?, None)),
        }
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: &HttpRequest) -> Result<Response, TransportFault> {
        let mut builder = ureq::http::Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.as_str());
        }
        let limit = request.endpoint.size_limit();
        let agent = self.agent(request.endpoint, request.is_secure());
        let agent = agent.map_err(|error| match error {
            SourceError::Variable(error) if error.name != CERTIFICATES => TransportFault::Proxy,
            _ => TransportFault::Authorities,
        })?;
        let body: &[u8] = &request.body;
        let built = builder.body(body).map_err(|_| TransportFault::Other)?;
        let configured =
            agent.configure_request(built).timeout_global(Some(request.time_limit)).build();
        let mut response = agent.run(configured).map_err(|error| fault(&error))?;
        let headers = response.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let body = response.body_mut().with_config().limit(limit as u64).read_to_vec();
        Ok(Response {
            status: response.status().as_u16(),
            headers,
            body: Zeroizing::new(body.map_err(|error| fault(&error))?),
        })
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

fn agent(roots: RootCerts, proxy: Option<Proxy>) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(roots)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("ocisign/", env!("CARGO_PKG_VERSION")))
        .accept("application/json, */*;q=0.1")
        .timeout_connect(Some(CONNECT))
        .max_idle_connections(0)
        .build()
        .new_agent()
}

/// The certificates of a PEM file, or of all in a folder.
fn certificates_at(path: &Path) -> Result<RootCerts, FileError> {
    let mut found = Vec::new();
    if path.is_dir() {
        let entries = path.read_dir().map_err(|error| FileError::from_io(path, &error))?;
        for entry in entries.flatten().map(|entry| entry.path()) {
            let kind = entry.extension().and_then(|kind| kind.to_str());
            if kind.is_some_and(|kind| ["pem", "crt", "cer"].contains(&kind)) {
                found.extend(certificates(&read_text(&entry)?));
            }
        }
    } else {
        found = certificates(&read_text(path)?);
    }
    Ok(RootCerts::from(found))
}

fn certificates(pem: &str) -> Vec<Certificate<'static>> {
    let items = parse_pem(pem.as_bytes()).filter_map(Result::ok);
    let certificates = items.filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    certificates.collect()
}

/// Those of the variables that OpenSSL has, and no others where one is set; else the system's,
/// which an image without a system has not.
fn system_certificates(environment: &Environment) -> RootCerts {
    let file = environment.variable("SSL_CERT_FILE").map(PathBuf::from);
    let folders = environment.variable("SSL_CERT_DIR");
    let mut found = Vec::new();
    if file.is_some() || folders.is_some() {
        found.extend(load_certs_from_paths(file.as_deref(), None).certs);
        for folder in env::split_paths(&folders.unwrap_or_default()) {
            found.extend(load_certs_from_paths(None, Some(&folder)).certs);
        }
    } else {
        found = load_native_certs().certs;
        if found.is_empty() {
            return RootCerts::WebPki;
        }
    }
    RootCerts::from(found.iter().map(|der| Certificate::from_der(der).to_owned()))
}

/// The proxy that the environment says. Nothing goes around one that cannot be used.
fn proxy(environment: &Environment) -> Result<Option<Proxy>, VariableError> {
    let variable = |name: &'static str| {
        let either = [name.to_owned(), name.to_ascii_lowercase()];
        either.iter().find_map(|name| environment.variable(name))
    };
    let named = |name| variable(name).map(|url| (name, url));
    let Some((name, url)) = named("HTTPS_PROXY").or_else(|| named("ALL_PROXY")) else {
        return Ok(None);
    };
    let invalid = || VariableError::new(name, VariableFault::Expected("the URL of an HTTP proxy"));
    let given = Proxy::new(url.trim()).map_err(|_| invalid())?;
    // Without its own code for another, the library would go around it.
    if !matches!(given.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
        return Err(invalid());
    }
    let mut proxy = Proxy::builder(given.protocol()).host(given.host()).port(given.port());
    if let Some(name) = given.username() {
        proxy = proxy.username(name);
    }
    if let Some(password) = given.password() {
        proxy = proxy.password(password);
    }
    for host in variable("NO_PROXY").unwrap_or_default().split(',').map(str::trim) {
        // URLs have such an address in brackets, and the variable has not.
        let address = host.parse::<Ipv6Addr>().map(|address| format!("[{address}]"));
        proxy = proxy.no_proxy(address.as_deref().unwrap_or(host));
        if !host.is_empty() && !host.starts_with(['*', '.']) {
            proxy = proxy.no_proxy(&format!(".{host}"));
        }
    }
    Ok(Some(proxy.build().map_err(|_| invalid())?))
}

fn fault(error: &ureq::Error) -> TransportFault {
    match error {
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
            TransportFault::TooLarge
        }
        ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => {
            TransportFault::Connection
        }
        ureq::Error::HostNotFound => TransportFault::Dns,
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => TransportFault::Timeout,
            // rustls wraps its own errors so.
            ErrorKind::InvalidData => TransportFault::Tls,
            // It has no kind of its own that can be named.
            _ if error.to_string().starts_with("failed to lookup address") => TransportFault::Dns,
            _ => TransportFault::Connection,
        },
        ureq::Error::Protocol(_) => TransportFault::Protocol,
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => TransportFault::Tls,
        ureq::Error::Timeout(_) => TransportFault::Timeout,
        _ => TransportFault::Other,
    }
}

const CERTIFICATES: &str = "OCI_DEFAULT_CERTS_PATH";
const CONNECT: Duration = Duration::from_secs(3);
const WORKLOAD_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
