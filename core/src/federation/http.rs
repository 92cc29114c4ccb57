//! Requests that an exchange wants sent, and the answers to them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

use crate::url;

/// A whole request, to be sent as it is: nothing added, no redirect followed.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// Whom it goes to, and so by which way and with which patience.
    pub endpoint: Endpoint,
    /// The method, in capitals.
    pub method: &'static str,
    /// The absolute URL.
    pub url: String,
    /// Names in lower case, with values that may hold tokens.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// The body; empty for GET.
    pub body: Zeroizing<Vec<u8>>,
    /// How long to wait for the whole answer.
    pub time_limit: Duration,
}

impl HttpRequest {
    /// The value of the header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    /// Whether it goes over TLS, so that the answer is the server's own.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        is_https(&self.url)
    }

    /// The URL as it may be shown: without its query, and nothing of one that is none, which
    /// may hold a password.
    pub(crate) fn shown_url(&self) -> &str {
        shown(&self.url)
    }
}

pub(crate) fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

/// A URL as it may be shown: see [`HttpRequest::shown_url`].
pub(crate) fn shown(text: &str) -> &str {
    let known = url::parse(text).ok().and_then(|_| text.split(['?', '#']).next());
    known.unwrap_or_default()
}

/// No query, no value of a header, and nothing of the body.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("endpoint", &self.endpoint)
            .field("method", &self.method)
            .field("url", &self.shown_url())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Whom a request goes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// The metadata service of an instance: never through a proxy.
    Metadata,
    /// A service of OCI or an identity domain: over TLS, through a proxy where one is set.
    Service,
    /// The proxymux of a Kubernetes cluster: TLS with the cluster's own authority, never
    /// through a proxy.
    Workload,
}

impl Endpoint {
    /// How long to wait for a whole answer, usually.
    pub(crate) const fn time_limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Metadata => 3,
            Self::Service | Self::Workload => 10,
        })
    }

    /// How many bytes of a body to read; what is longer is [`TransportFault::TooLarge`].
    #[must_use]
    pub const fn size_limit(self) -> usize {
        65_536
    }
}

/// What came back.
#[derive(Clone, Copy)]
pub struct HttpAnswer<'a> {
    /// The status.
    pub status: u16,
    /// Names in any case, with their values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> HttpAnswer<'a> {
    /// The value of the header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|header| header.0.eq_ignore_ascii_case(name));
        found.map(|header| header.1.trim())
    }

    /// RFC 9110, section 10.2.3: `Retry-After` in seconds; dates are passed over.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.parse().ok().map(Duration::from_secs)
    }
}

/// Status and length only: the body may hold a key or a token.
impl fmt::Debug for HttpAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer")
            .field("status", &self.status)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TransportFault {
    /// The certificate authorities that were configured could not be read.
    Authorities,
    /// The connection was refused, or ended before the answer did.
    Connection,
    /// The name of the host is not known.
    Dns,
    /// Another reason.
    Other,
    /// What came back is not HTTP.
    Protocol,
    /// The proxy that was configured cannot be used.
    Proxy,
    /// No whole answer came in time.
    Timeout,
    /// The server did not prove who it is.
    Tls,
    /// The answer is larger than it may be.
    TooLarge,
}

impl fmt::Display for TransportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorities => {
                "the authorities of OCI_DEFAULT_CERTS_PATH, or of the cluster, could not be read"
            }
            Self::Connection => "the connection was refused or broken",
            Self::Dns => "the name of the host could not be resolved",
            Self::Other => "the request could not be sent",
            Self::Protocol => "what came back is not HTTP",
            Self::Proxy => "HTTPS_PROXY or ALL_PROXY is not the URL of an HTTP proxy",
            Self::Timeout => "no whole answer came in time",
            Self::Tls => "the server did not prove by TLS who it is",
            Self::TooLarge => "the answer is larger than 65,536 bytes",
        })
    }
}
