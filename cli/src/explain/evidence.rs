//! What is known of the request, of the answer and of the key.

use ocisign::{KeyError, PublicKey};

/// The request as it was sent.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) method: Option<String>,
    /// The URL that was meant, where it was given; else the one that the request says.
    pub(crate) url: Option<String>,
    /// What stands on the request line, where that was seen.
    pub(crate) target: Option<String>,
    /// Names and values in order, each value with the blanks after its colon.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: SentBody,
}

/// What is known of the request's body.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(crate) enum SentBody {
    Known {
        sha256: [u8; 32],
        length: u64,
    },
    /// It was said to be left out of the signature.
    LeftOut,
    #[default]
    Unknown,
}

impl Sent {
    /// The values of a header, as they stand.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(|(have, _)| have.trim().eq_ignore_ascii_case(name))
            .map(|h| &*h.1)
    }

    /// The first value of a header, without what is around it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().map(str::trim)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// POST, PUT and PATCH.
    pub(crate) fn has_body_method(&self) -> bool {
        let method = self.method.as_deref().unwrap_or("");
        ["POST", "PUT", "PATCH"].iter().any(|one| method.eq_ignore_ascii_case(one))
    }

    /// What is on the request line: seen, or what the URL comes to.
    pub(crate) fn target(&self) -> Option<String> {
        if let Some(target) = &self.target {
            let (_, after) = split_url(target);
            return Some(after.to_owned());
        }
        self.url
            .as_deref()
            .map(|url| target_of(url).to_owned())
            .map(|target| if target.starts_with('/') { target } else { format!("/{target}") })
    }

    /// The host, with its port: the header's, else the URL's.
    pub(crate) fn host(&self) -> Option<&str> {
        self.get("host").or_else(|| self.url.as_deref().and_then(|url| split_url(url).0))
    }

    /// Where Object Storage takes a body that is not signed.
    pub(crate) fn is_upload(&self) -> bool {
        let put = self.method.as_deref().is_some_and(|method| method.eq_ignore_ascii_case("PUT"));
        let target = self.target().unwrap_or_default();
        put && target.starts_with("/n/") && ["/o/", "/u/"].iter().any(|kind| target.contains(kind))
    }
}

/// The authority of a URL, and all that follows it but the fragment.
pub(crate) fn split_url(url: &str) -> (Option<&str>, &str) {
    let whole = url.split('#').next().unwrap_or(url);
    match whole.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            (rest.get(..end), rest.get(end..).unwrap_or(""))
        }
        _ => (None, whole),
    }
}

pub(crate) fn target_of(url: &str) -> &str {
    split_url(url).1
}

/// The answer that came.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// OCI's own code, where it is one.
    pub(crate) code: Option<String>,
}

impl Answer {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have.trim().eq_ignore_ascii_case(name))
            .map(|h| h.1.trim())
    }
}

/// The key file that was given.
pub(crate) enum Key {
    Private(PublicKey),
    Public(PublicKey),
    Refused(KeyError),
}

impl Key {
    pub(crate) fn public(&self) -> Option<&PublicKey> {
        match self {
            Self::Private(key) | Self::Public(key) => Some(key),
            Self::Refused(_) => None,
        }
    }
}

/// Where a time comes from, from the most to the least telling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Clock {
    /// The `Date` of the answer.
    Answer,
    /// The text of a 401.
    Text,
    Given,
    /// This machine's, which may be as wrong as the signer's.
    Machine,
}

/// All of it.
pub(crate) struct Evidence {
    pub(crate) sent: Option<Sent>,
    pub(crate) answer: Option<Answer>,
    pub(crate) key: Option<Key>,
    pub(crate) now: u64,
    pub(crate) clock: Clock,
}
