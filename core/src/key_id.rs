//! The name by which the server knows a key.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

use crate::error::{HeaderFault, SignError};
use crate::request::{OPC_OBO_TOKEN, is_printable, trim_text};

/// The name by which the server knows a key, and on whose behalf it is used.
///
/// It is wiped on drop, because it may be a token.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyId {
    id: Zeroizing<String>,
    delegation_token: Option<Zeroizing<String>>,
}

impl KeyId {
    /// A key id as it stands: `<tenancy>/<user>/<fingerprint>`, `ST$<token>`, or another.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidKeyId`] unless it is 1 to 65,536 printable ASCII
    /// characters, without `"` and `\`.
    ///
    /// ```
    /// use ocisign_core::KeyId;
    ///
    /// assert!(KeyId::new("ocid1.tenancy.oc1..a/ocid1.user.oc1..b/20:3b:97").is_ok());
    /// assert_eq!(KeyId::new("a\"b").unwrap_err().code(), "INVALID_KEY_ID");
    /// ```
    pub fn new(id: &str) -> Result<Self, SignError> {
        let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if id.is_empty() || id.len() > MAX_LENGTH || !id.bytes().all(legal) {
            return Err(SignError::InvalidKeyId);
        }
        Ok(Self { id: Zeroizing::new(id.into()), delegation_token: None })
    }

    /// The key id of an API key: `<tenancy>/<user>/<fingerprint>`.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidKeyId`] when a part is empty or cannot be quoted.
    ///
    /// ```
    /// use ocisign_core::KeyId;
    ///
    /// let key_id = KeyId::api_key("ocid1.tenancy.oc1..a", "ocid1.user.oc1..b", "20:3b:97")?;
    /// assert_eq!(key_id.as_str(), "ocid1.tenancy.oc1..a/ocid1.user.oc1..b/20:3b:97");
    /// # Ok::<(), ocisign_core::SignError>(())
    /// ```
    pub fn api_key(tenancy: &str, user: &str, fingerprint: &str) -> Result<Self, SignError> {
        if [tenancy, user, fingerprint].iter().any(|part| part.is_empty() || part.contains('/')) {
            return Err(SignError::InvalidKeyId);
        }
        Self::new(&[tenancy, user, fingerprint].join("/"))
    }

    /// The same key id, used on behalf of the user to whom this token belongs.
    ///
    /// The token is trimmed, and is sent and signed as `opc-obo-token`.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidHeader`] when it is empty or no header can hold it.
    ///
    /// ```
    /// use ocisign_core::{KeyId, Request, prepare};
    ///
    /// let key_id = KeyId::new("ST$a.b.c")?.with_delegation_token("d.e.f\n")?;
    /// let prepared = prepare(&Request::new("GET", "https://h/"), &key_id, 0)?;
    /// assert_eq!(prepared.signed_headers(), "date (request-target) host opc-obo-token");
    /// # Ok::<(), ocisign_core::SignError>(())
    /// ```
    pub fn with_delegation_token(mut self, token: &str) -> Result<Self, SignError> {
        let token = trim_text(token);
        let fault = if token.len() > MAX_LENGTH {
            HeaderFault::TooLong
        } else if token.is_empty() || !is_printable(token) {
            HeaderFault::IllegalValue
        } else {
            self.delegation_token = Some(Zeroizing::new(token.into()));
            return Ok(self);
        };
        Err(SignError::InvalidHeader { name: OPC_OBO_TOKEN.into(), fault })
    }

    /// The key id as it is sent. It may hold a token: do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.id
    }

    pub(crate) fn delegation_token(&self) -> Option<&str> {
        self.delegation_token.as_ref().map(|token| token.as_str())
    }
}

/// An API key's id whole. What has no slash may be a token, even without its `ST$`.
impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = if self.id.starts_with("ST$") {
            "ST$…"
        } else if self.id.contains('/') {
            &self.id
        } else {
            "…"
        };
        f.debug_struct("KeyId")
            .field("id", &id)
            .field("delegated", &self.delegation_token.is_some())
            .finish()
    }
}

/// More than any header may have.
pub(crate) const MAX_LENGTH: usize = 65_536;
