//! The `authorization` header: read as a server does, and compared with the documented form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{AuthorizationFault, Request, VerifyError, VerifyOptions, examine};

use super::evidence::Sent;
use super::verdict::{Verdict, Verdicts};

/// What the header says, whether or not it is well formed.
#[derive(Default)]
pub(crate) struct Authorization {
    pub(crate) algorithm: Option<String>,
    /// The names signed, in lower case and in order.
    pub(crate) headers: Vec<String>,
    /// The same, as written.
    pub(crate) headers_as_written: Vec<String>,
    /// As written, with the blanks that should not be in it.
    pub(crate) key_id: Option<String>,
    pub(crate) signature: Option<Vec<u8>>,
    has_headers: bool,
    has_signature: bool,
}

/// Split at commas, trim, take unquoted values, pass over what is unknown.
pub(crate) fn read(value: &str) -> Option<Authorization> {
    let value = value.trim_start();
    let (scheme, parameters) = value.split_at_checked("signature".len())?;
    if !scheme.eq_ignore_ascii_case("signature") || !parameters.starts_with([' ', '\t']) {
        return None;
    }
    let mut read = Authorization::default();
    for parameter in parameters.split(',') {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let value = value.trim();
        let value = value.strip_prefix('"').unwrap_or(value);
        let value = value.strip_suffix('"').unwrap_or(value);
        match name.trim().to_ascii_lowercase().as_str() {
            "algorithm" => read.algorithm = Some(value.to_owned()),
            "headers" => {
                read.has_headers = true;
                let names = value.split_ascii_whitespace();
                read.headers_as_written = names.map(str::to_owned).collect();
            }
            "keyid" => read.key_id = Some(value.to_owned()),
            "signature" => {
                read.has_signature = !value.is_empty();
                read.signature = STANDARD.decode(value).ok();
            }
            _ => {}
        }
    }
    if !read.has_headers {
        // What the draft says for want of the parameter.
        read.headers_as_written = vec!["date".to_owned()];
    }
    read.headers = read.headers_as_written.iter().map(|name| name.to_ascii_lowercase()).collect();
    Some(read)
}

/// Form, version and algorithm.
pub(crate) fn check(sent: &Sent) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("authorization");
    let values: Vec<&str> = sent.all("authorization").collect();
    let value = match values.as_slice() {
        [] => {
            verdicts.bad("the request has no authorization header: it was sent unsigned");
            return verdicts.list;
        }
        [value] => value.trim(),
        [value, ..] => {
            verdicts.bad("the request has several authorization headers: send one");
            value.trim()
        }
    };
    let Some(read) = read(value) else {
        verdicts.bad(match value.split(' ').next().map(str::to_ascii_lowercase).as_deref() {
            Some("bearer") => {
                "the scheme is Bearer: a token of OCI goes into the key id, as ST$ and the token, \
                 and the request is signed"
            }
            Some("basic") => "the scheme is Basic, for a user and a password; OCI's is Signature",
            _ => "the scheme is not Signature, or nothing stands behind it",
        });
        return verdicts.list;
    };
    for (missing, name) in [
        (read.key_id.as_deref().is_none_or(str::is_empty), "keyId"),
        (!read.has_signature, "signature"),
        (read.algorithm.is_none(), "algorithm"),
    ] {
        if missing {
            verdicts.bad(format!("the parameter {name} is missing or empty"));
        }
    }
    if !read.has_headers {
        verdicts.bad("the parameter headers is missing: then only the date counts as signed");
    }
    match read.algorithm.as_deref() {
        None | Some("rsa-sha256") => {}
        Some("rsa-pss-sha256") => verdicts.note(
            "the algorithm is rsa-pss-sha256, which no document of OCI's names: use rsa-sha256",
        ),
        Some(_) => verdicts.bad("the algorithm is not rsa-sha256, the one that OCI documents"),
    }
    if read.has_signature && read.signature.is_none() {
        verdicts.bad(
            "the signature is not base64 with padding: it may be cut, base64url, or broken into lines",
        );
    }
    form(&mut verdicts, value);
    verdicts.ok_unless_bad("scheme, parameters, version and algorithm are as OCI documents them")
}

/// What core, which reads strictly, says of a header that was read leniently.
fn form(verdicts: &mut Verdicts, value: &str) {
    let headers = [("authorization", value)];
    let request = Request::new("GET", "https://h/").headers(&headers);
    match examine(&request, &VerifyOptions::new(), 0) {
        Err(VerifyError::UnsupportedVersion) => verdicts.bad("the version is not 1"),
        Err(VerifyError::MalformedAuthorization(AuthorizationFault::DuplicateParameter)) => {
            verdicts.bad("a parameter stands twice: no two readers agree on which one counts");
        }
        Err(VerifyError::MalformedAuthorization(
            fault @ (AuthorizationFault::Syntax
            | AuthorizationFault::UnknownParameter
            | AuthorizationFault::TooLong),
        )) if !verdicts.is_bad() => {
            verdicts.note(format!("the header {fault}, as OCI documents it; it may read this too"));
        }
        _ => {}
    }
}
