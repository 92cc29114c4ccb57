//! The `authorization` header, written as Oracle's documentation prints it and
//! read strictly.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{AuthorizationFault, VerifyError};

/// Everything up to the signature: `Signature version="1",…,signature="`.
pub(crate) fn open(key_id: &str, signed_headers: &str) -> String {
    let mut text = String::with_capacity(key_id.len() + signed_headers.len() + 512);
    for piece in [
        "Signature version=\"1\",keyId=\"",
        key_id,
        "\",algorithm=\"rsa-sha256\",headers=\"",
        signed_headers,
        "\",signature=\"",
    ] {
        text.push_str(piece);
    }
    text
}

/// The whole header value, and where in it the base64 of the signature stands.
pub(crate) fn close(mut opened: String, signature: &[u8]) -> (String, core::ops::Range<usize>) {
    let start = opened.len();
    STANDARD.encode_string(signature, &mut opened);
    let range = start..opened.len();
    opened.push('"');
    (opened, range)
}

/// What an `authorization` header says.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Authorization<'a> {
    pub(crate) key_id: &'a str,
    /// In the order in which they were signed, as written.
    pub(crate) headers: Vec<&'a str>,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Authorization<'a> {
    /// Read a header value: the scheme, then `name="value"` separated by
    /// commas, each name once, blanks only after a comma.
    ///
    /// `version` may be missing, as it may for the service; every other
    /// parameter is required, and none but these is known.
    pub(crate) fn parse(value: &'a str) -> Result<Self, VerifyError> {
        if value.len() > MAX_LENGTH {
            return Err(AuthorizationFault::TooLong.into());
        }
        let (scheme, mut rest) = value.split_once(' ').ok_or(AuthorizationFault::Scheme)?;
        if !scheme.eq_ignore_ascii_case("signature") {
            return Err(AuthorizationFault::Scheme.into());
        }
        let mut found: [Option<&'a str>; PARAMETERS.len()] = [None; PARAMETERS.len()];
        loop {
            let (name, after) = rest.split_once("=\"").ok_or(AuthorizationFault::Syntax)?;
            let (parameter, after) = after.split_once('"').ok_or(AuthorizationFault::Syntax)?;
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err(AuthorizationFault::Syntax.into());
            }
            let slot = PARAMETERS
                .iter()
                .position(|known| known.eq_ignore_ascii_case(name))
                .and_then(|index| found.get_mut(index))
                .ok_or(AuthorizationFault::UnknownParameter)?;
            if slot.replace(parameter).is_some() {
                return Err(AuthorizationFault::DuplicateParameter.into());
            }
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix(',').ok_or(AuthorizationFault::Syntax)?;
            rest = rest.trim_start_matches([' ', '\t']);
        }
        let [algorithm, headers, key_id, signature, version] = found;
        if version.is_some_and(|version| version != "1") {
            return Err(VerifyError::UnsupportedVersion);
        }
        if algorithm.ok_or(AuthorizationFault::MissingParameter("algorithm"))? != "rsa-sha256" {
            return Err(VerifyError::UnsupportedAlgorithm);
        }
        let key_id = required(key_id, "keyId")?;
        let headers: Vec<&str> = required(headers, "headers")?.split(' ').collect();
        if headers.len() > MAX_SIGNED_HEADERS || headers.iter().any(|name| name.is_empty()) {
            return Err(AuthorizationFault::Syntax.into());
        }
        let signature = STANDARD
            .decode(required(signature, "signature")?)
            .map_err(|_| AuthorizationFault::SignatureEncoding)?;
        Ok(Self { key_id, headers, signature })
    }
}

fn required<'a>(
    parameter: Option<&'a str>,
    name: &'static str,
) -> Result<&'a str, AuthorizationFault> {
    parameter.filter(|value| !value.is_empty()).ok_or(AuthorizationFault::MissingParameter(name))
}

impl From<AuthorizationFault> for VerifyError {
    fn from(fault: AuthorizationFault) -> Self {
        Self::MalformedAuthorization(fault)
    }
}

/// In the order in which `Authorization::parse` takes them apart.
const PARAMETERS: [&str; 5] = ["algorithm", "headers", "keyId", "signature", "version"];

const MAX_LENGTH: usize = 131_072;
const MAX_SIGNED_HEADERS: usize = 100;
