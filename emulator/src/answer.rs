//! Answers, in OCI's words.

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::guard::Refusal;

/// An answer, before faults.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// For the log: why it is as it is.
    pub(crate) reason: Option<String>,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.into(), reason: None }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(200, "application/json", value.to_string())
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::new(200, "text/plain", text.into())
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), reason: None }
    }

    /// OCI's errors have a code for programs and a message for people.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({ "code": code, "message": message }).to_string();
        Self::new(status, "application/json", body)
    }

    pub(crate) fn not_authenticated(refusal: Refusal) -> Self {
        let message = refusal.message.as_deref().unwrap_or(
            "The required information to complete authentication was not provided or was \
             incorrect.",
        );
        Self::error(401, "NotAuthenticated", message).because(refusal.reason)
    }

    /// For what is not there and for what the caller may not know of: OCI tells no difference.
    pub(crate) fn not_found(reason: impl Into<String>) -> Self {
        let message = "Authorization failed or requested resource not found.";
        Self::error(404, "NotAuthorizedOrNotFound", message).because(reason)
    }

    pub(crate) fn invalid(message: &str) -> Self {
        Self::error(400, "InvalidParameter", message).because(message)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
