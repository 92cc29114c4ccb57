//! The claims of a session token that a signer has to know, read and not verified.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::{SignError, TokenFault};
use crate::key_id::{KeyId, MAX_LENGTH};
use crate::public_key::PublicKey;
use crate::request::trim_text;
use crate::time::UnixTime;

/// A session or resource principal token (UPST, RPST): a JWT that OCI signed.
///
/// Only OCI can verify it, so nothing here is proven; see `THREAT_MODEL.md`.
///
/// ```
/// use ocisign_core::SecurityToken;
///
/// let token = SecurityToken::parse("ST$e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln\r\n")?;
/// assert_eq!(token.expires(), Some(1_700_000_000));
/// assert!(token.session_key().is_none());
/// assert_eq!(token.key_id()?.as_str(), "ST$e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln");
/// # Ok::<(), ocisign_core::SignError>(())
/// ```
pub struct SecurityToken {
    text: Zeroizing<String>,
    expires: Option<UnixTime>,
    not_before: Option<UnixTime>,
    session_key: Option<PublicKey>,
}

impl SecurityToken {
    /// Read a token, with or without `ST$`, with blanks or line ends around it.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidToken`] when it is not a JWT, or has an `exp` or
    /// `jwk` that is not one.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        Self::read(text).map_err(SignError::InvalidToken)
    }

    fn read(text: &str) -> Result<Self, TokenFault> {
        if text.len() > MAX_LENGTH {
            return Err(TokenFault::TooLong);
        }
        let text = trim_text(text);
        let text = text.strip_prefix("ST$").unwrap_or(text);
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenFault::NotJwt);
        };
        // RFC 7515, section 3.1: base64url, without padding.
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if header.is_empty()
            || ![header, claims, signature].iter().all(|part| part.bytes().all(legal))
        {
            return Err(TokenFault::NotJwt);
        }
        let claims = Zeroizing::new(decode(claims).ok_or(TokenFault::NotJwt)?);
        let Ok(Value::Object(claims)) = serde_json::from_slice(&claims) else {
            return Err(TokenFault::NotJwt);
        };
        let text = Zeroizing::new(["ST$", text].concat());
        if text.len() > MAX_LENGTH {
            return Err(TokenFault::TooLong);
        }
        Ok(Self {
            text,
            expires: match claims.get("exp") {
                Some(exp) => Some(exp.as_u64().ok_or(TokenFault::Expiry)?),
                None => None,
            },
            not_before: claims.get("nbf").or_else(|| claims.get("iat")).and_then(Value::as_u64),
            session_key: match claims.get("jwk") {
                Some(jwk) => Some(session_key(jwk).ok_or(TokenFault::Jwk)?),
                None => None,
            },
        })
    }

    /// The key id under which the token is sent: `ST$<token>`.
    ///
    /// # Errors
    ///
    /// Never for a token that was read; the type is [`KeyId::new`]'s.
    pub fn key_id(&self) -> Result<KeyId, SignError> {
        KeyId::new(&self.text)
    }

    /// When it expires: the claim `exp`, where there is one.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// When it begins to be valid: the claim `nbf`, else `iat`, where there is one.
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.not_before
    }

    /// The tenancy: the claim `res_tenant`, `tenant` or `opc-tenant`.
    ///
    /// ```
    /// use ocisign_core::SecurityToken;
    ///
    /// let token = SecurityToken::parse("e30.eyJ0ZW5hbnQiOiJvY2lkMS50ZW5hbmN5Lm9jMS4uYSJ9.c2ln")?;
    /// assert_eq!(token.tenancy().as_deref(), Some("ocid1.tenancy.oc1..a"));
    /// assert_eq!(token.compartment(), None);
    /// # Ok::<(), ocisign_core::SignError>(())
    /// ```
    #[must_use]
    pub fn tenancy(&self) -> Option<String> {
        ["res_tenant", "tenant", "opc-tenant"].iter().find_map(|name| self.claim(name))
    }

    /// The compartment: the claim `res_compartment` or `opc-compartment`.
    #[must_use]
    pub fn compartment(&self) -> Option<String> {
        ["res_compartment", "opc-compartment"].iter().find_map(|name| self.claim(name))
    }

    /// A claim that is text, decoded anew. It is not verified.
    ///
    /// The claims name who the token is for and are no secret; its signature is.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<String> {
        let claims = decode(self.text.split('.').nth(1)?)?;
        let claims: Value = serde_json::from_slice(&Zeroizing::new(claims)).ok()?;
        claims.get(name)?.as_str().map(Into::into)
    }

    /// The public half of the key that goes with it: the claim `jwk`, where there is one.
    #[must_use]
    pub fn session_key(&self) -> Option<&PublicKey> {
        self.session_key.as_ref()
    }
}

/// Nothing of the token.
impl fmt::Debug for SecurityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The claim `jwk`: JSON in a string, or an object; `n` and `e` in base64url or base64.
fn session_key(jwk: &Value) -> Option<PublicKey> {
    let parsed;
    let jwk = match jwk {
        Value::String(text) => {
            parsed = serde_json::from_slice::<Value>(text.as_bytes()).ok()?;
            &parsed
        }
        other => other,
    };
    if jwk.get("kty")?.as_str()? != "RSA" {
        return None;
    }
    let number =
        |name| decode(jwk.get(name)?.as_str()?).filter(|bytes| bytes.iter().any(|&b| b != 0));
    Some(PublicKey::from_components(&number("n")?, &number("e")?))
}

/// base64url or base64, with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let standard: Zeroizing<Vec<u8>> = Zeroizing::new(
        text.bytes()
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            })
            .collect(),
    );
    LENIENT.decode(&*standard).ok()
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
