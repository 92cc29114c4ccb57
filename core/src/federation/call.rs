//! Putting requests together, and taking answers apart.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::credential::Credential;
use crate::error::SignError;
use crate::federation::error::ExchangeFault;
use crate::federation::http::{Endpoint, HttpAnswer, HttpRequest};
use crate::key_id::KeyId;
use crate::request::{Body, Request};
use crate::security_token::SecurityToken;
use crate::sign::{prepare, sign_unexpired};
use crate::signing_key::SigningKey;
use crate::time::{UnixTime, parse_imf_fixdate};
use crate::url;

/// A request that is not signed yet, and who is to sign it.
pub(crate) struct Draft<'a> {
    pub(crate) request: HttpRequest,
    signer: Signer<'a>,
}

enum Signer<'a> {
    Credential(&'a Credential),
    /// A key under an id that is no session token of ours.
    Key(Zeroizing<String>, &'a dyn SigningKey),
    Nobody,
}

/// A request without headers or body.
pub(crate) fn draft<'a>(endpoint: Endpoint, method: &'static str, url: String) -> Draft<'a> {
    let request = HttpRequest {
        endpoint,
        method,
        url,
        headers: Vec::new(),
        body: Zeroizing::default(),
        time_limit: endpoint.time_limit(),
    };
    Draft { request, signer: Signer::Nobody }
}

impl<'a> Draft<'a> {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers.push((name, Zeroizing::new(value.into())));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.content("application/json", body.to_string())
    }

    pub(crate) fn content(mut self, kind: &str, body: String) -> Self {
        self.request.body = Zeroizing::new(body.into_bytes());
        self.header("content-type", kind)
    }

    pub(crate) fn signed_by(mut self, key_id: &str, key: &'a dyn SigningKey) -> Self {
        self.signer = Signer::Key(Zeroizing::new(key_id.into()), key);
        self
    }

    pub(crate) fn signed_with(mut self, credential: &'a Credential) -> Self {
        self.signer = Signer::Credential(credential);
        self
    }

    /// The request as it goes out.
    pub(crate) fn sign(self, now: UnixTime) -> Result<HttpRequest, SignError> {
        let mut request = self.request;
        let given: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = if request.body.is_empty() { Body::Empty } else { Body::Bytes(&request.body) };
        let unsigned = Request::new(request.method, &request.url).headers(&given).body(body);
        let signed = match self.signer {
            Signer::Nobody => {
                url::parse(&request.url)?;
                return Ok(request);
            }
            Signer::Credential(credential) => sign_unexpired(&unsigned, credential, now)?,
            Signer::Key(key_id, key) => {
                let prepared = prepare(&unsigned, &KeyId::new(&key_id)?, now)?;
                let signature = key.sign(prepared.signing_string().as_bytes());
                prepared.finish(&signature.map_err(|_| SignError::SigningFailed)?)
            }
        };
        for (name, value) in signed {
            request.headers.retain(|(known, _)| *known != name);
            request.headers.push((name, Zeroizing::new(value)));
        }
        Ok(request)
    }
}

/// The base64 of a key's `SubjectPublicKeyInfo`, as every exchange but one sends it.
pub(crate) fn spki(key: &dyn SigningKey) -> String {
    STANDARD.encode(key.public_key().spki_der())
}

/// The text of an answer.
pub(crate) fn text<'a>(answer: &HttpAnswer<'a>) -> Result<&'a str, ExchangeFault> {
    core::str::from_utf8(answer.body).map_err(|_| ExchangeFault::InvalidAnswer("UTF-8 text"))
}

/// A member of an answer that is a JSON object.
pub(crate) fn member(body: &[u8], name: &str) -> Option<Zeroizing<String>> {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else { return None };
    match object.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(Zeroizing::new(text)),
        _ => None,
    }
}

/// The token of an answer, checked before it is taken: it is bound to this key, is valid
/// now, and belongs to this tenancy where that is known.
pub(crate) fn credential(
    token: Option<Zeroizing<String>>,
    key: Arc<dyn SigningKey>,
    tenancy: Option<&str>,
    now: UnixTime,
) -> Result<Credential, ExchangeFault> {
    let token = token.ok_or(ExchangeFault::InvalidAnswer("a JSON object with a `token`"))?;
    let read = SecurityToken::parse(&token).map_err(ExchangeFault::Credential)?;
    if let Some(at) = read.expires().filter(|&at| at <= now) {
        return Err(ExchangeFault::Credential(SignError::Expired(at)));
    }
    if read.not_before().is_some_and(|at| at > now.saturating_add(MAX_SKEW)) {
        return Err(ExchangeFault::InvalidAnswer("a token that is valid already"));
    }
    if read.tenancy().zip(tenancy).is_some_and(|(token, expected)| token != expected) {
        return Err(ExchangeFault::OtherTenancy);
    }
    Credential::security_token(&token, key).map_err(ExchangeFault::Credential)
}

/// The code of an answer that says no, where it is a word: `NotAuthenticated`.
pub(crate) fn refusal_code(body: &[u8]) -> Option<String> {
    let code = member(body, "code")?;
    let word = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    word.then(|| code.to_string())
}

/// The server's time, where TLS says that it is the server's.
pub(crate) fn server_time(request: &HttpRequest, answer: &HttpAnswer<'_>) -> Option<UnixTime> {
    parse_imf_fixdate(answer.header("date")?).filter(|_| request.is_secure())
}

/// OCI accepts dates within five minutes of its own time.
pub(crate) const MAX_SKEW: u64 = 300;
