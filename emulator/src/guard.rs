//! Is this request signed as OCI wants it? Every check that does not need to know
//! who signs.

use hyper::header::HeaderMap;

use crate::authorization;
use crate::clock::{http_date, parse_http_date};
use crate::key::{Padding, PublicKey, encode_base64, sha256};

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a str,
    /// Path and query, byte for byte.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// What an operation asks of the signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rule {
    /// As `Full`, but without host, and of two dates either: three SDKs do not sign the one
    /// when they federate, and that for Node sends an `x-date` beside the `date` that it signs.
    Federation,
    /// Date, target and host; for POST, PUT and PATCH the body headers too.
    Full,
    /// As `Full`, of a request whose body somebody else has.
    HeadersOnly,
    /// Date, target and host: the uploads whose body need not be signed.
    UnsignedBody,
}

/// Why a request is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// For the log.
    pub(crate) reason: String,
    /// For the client, where OCI says more than that something is wrong.
    pub(crate) message: Option<String>,
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self { reason: reason.to_owned(), message: None }
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self { reason, message: None }
    }
}

/// A request that is as it should be, if its signature is.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) key_id: String,
    padding: Padding,
    signature: Vec<u8>,
    signing_string: String,
}

impl Examined {
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), Refusal> {
        if key.verify(self.padding, self.signing_string.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err("the signature is not over this request, or not by this key".into())
        }
    }
}

/// Check all but the signature itself.
pub(crate) fn examine(
    request: Incoming<'_>,
    rule: Rule,
    skew: i64,
    now: i64,
) -> Result<Examined, Refusal> {
    let authorization =
        one(request.headers, "authorization")?.ok_or("there is no authorization")?;
    let authorization = authorization::parse(authorization)?;
    require(request, rule, &authorization.headers)?;

    let mut signing_string = String::new();
    for (index, name) in authorization.headers.iter().enumerate() {
        if authorization.headers.iter().take(index).any(|before| before == name) {
            return Err(format!("`{name}` is signed twice").into());
        }
        if index > 0 {
            signing_string.push('\n');
        }
        signing_string.push_str(name);
        signing_string.push_str(": ");
        if name == "(request-target)" {
            signing_string.push_str(&request.method.to_ascii_lowercase());
            signing_string.push(' ');
            signing_string.push_str(request.target);
        } else {
            let value = one(request.headers, name)?
                .ok_or_else(|| format!("`{name}` is signed and not there"))?;
            signing_string.push_str(value);
        }
    }

    let date = date_header(request.headers, rule, &authorization.headers);
    check_date(request.headers, date, skew, now)?;
    if rule != Rule::HeadersOnly {
        check_body(request, &authorization.headers)?;
    }
    Ok(Examined {
        key_id: authorization.key_id.to_owned(),
        padding: authorization.padding,
        signature: authorization.signature,
        signing_string,
    })
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(format!("`{name}` is there twice").into());
    }
    let text = std::str::from_utf8(value.as_bytes());
    text.map(|text| Some(text.trim_matches([' ', '\t'])))
        .map_err(|_| format!("`{name}` is no text").into())
}

/// What has to be signed is.
fn require(request: Incoming<'_>, rule: Rule, signed: &[String]) -> Result<(), Refusal> {
    let mut required = vec!["(request-target)", date_header(request.headers, rule, signed)];
    if rule != Rule::Federation {
        required.push("host");
    }
    let has_body = |method: &&str| request.method.eq_ignore_ascii_case(method);
    if rule != Rule::UnsignedBody && ["POST", "PUT", "PATCH"].iter().any(has_body) {
        required.extend(["content-length", "content-type", "x-content-sha256"]);
    }
    if request.headers.contains_key("opc-obo-token") {
        required.push("opc-obo-token");
    }
    match required.iter().find(|name| !signed.iter().any(|signed| signed == *name)) {
        Some(name) => Err(format!("`{name}` is not signed").into()),
        None => Ok(()),
    }
}

/// The header that counts as the date: `x-date`, which the service prefers, where there is one.
fn date_header(headers: &HeaderMap, rule: Rule, signed: &[String]) -> &'static str {
    let is_signed = signed.iter().any(|name| name == "x-date");
    let is_there = headers.contains_key("x-date");
    if is_signed || is_there && rule != Rule::Federation { "x-date" } else { "date" }
}

fn check_date(headers: &HeaderMap, name: &str, skew: i64, now: i64) -> Result<(), Refusal> {
    let date = one(headers, name)?.unwrap_or_default();
    let signed = parse_http_date(date).ok_or("the date is no date")?;
    if signed.abs_diff(now) <= skew.unsigned_abs() {
        return Ok(());
    }
    let message = format!(
        "Date '{date}' is not within allowed clock skew. Current '{}', valid datetime range: \
         ['{}', '{}']",
        http_date(now),
        http_date(now.saturating_sub(skew)),
        http_date(now.saturating_add(skew)),
    );
    Err(Refusal { reason: "the date is outside of the window".to_owned(), message: Some(message) })
}

/// A length that is signed, and a digest that is there, are the body's.
fn check_body(request: Incoming<'_>, signed: &[String]) -> Result<(), Refusal> {
    let is_signed = |name: &str| signed.iter().any(|signed| signed == name);
    let value = |name: &str| one(request.headers, name).map(Option::unwrap_or_default);
    if is_signed("content-length") && value("content-length")? != request.body.len().to_string() {
        return Err("content-length is not the body's".into());
    }
    let has_digest = request.headers.contains_key("x-content-sha256");
    if (has_digest || is_signed("x-content-sha256"))
        && value("x-content-sha256")? != encode_base64(&sha256(request.body))
    {
        return Err("x-content-sha256 is not the body's".into());
    }
    Ok(())
}
