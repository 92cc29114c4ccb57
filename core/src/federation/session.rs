//! Tokens that stand for a person or another identity: session tokens and token exchange.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::Serializer;
use pem_rfc7468::LineEnding;
use serde_json::json;
use zeroize::Zeroizing;

use crate::credential::Credential;
use crate::federation::call::{self, Draft};
use crate::federation::http::{Endpoint, shown};
use crate::federation::instance::InstancePrincipal;
use crate::request::trim_text;
use crate::signing_key::SigningKey;

/// How to exchange a session token for one that lives longer, with the same key.
///
/// A token whose session has ended cannot be refreshed: 401.
pub struct SessionRefresh {
    endpoint: String,
    token: Zeroizing<String>,
    pub(crate) key: Arc<dyn SigningKey>,
}

impl SessionRefresh {
    /// By the authentication service at this endpoint, for this token and its key.
    #[must_use]
    pub fn new(endpoint: &str, token: &str, key: Arc<dyn SigningKey>) -> Self {
        let token = trim_text(token);
        let token = token.strip_prefix("ST$").unwrap_or(token);
        Self { endpoint: base(endpoint), token: Zeroizing::new(token.into()), key }
    }

    pub(crate) fn request(&self) -> Draft<'_> {
        let key_id = Zeroizing::new(["ST$", &self.token].concat());
        let url = [&self.endpoint, "/v1/authentication/refresh"].concat();
        call::draft(Endpoint::Service, "POST", url)
            .json(&json!({ "currentToken": *self.token }))
            .signed_by(&key_id, &*self.key)
    }
}

/// How to make a session token for a person, without a browser: `GenerateUpst`.
pub struct UserSession {
    endpoint: String,
    signer: Arc<Credential>,
    minutes: u16,
}

impl UserSession {
    /// By the authentication service at this endpoint, for whose API key this is. A session
    /// lasts 5 to 60 minutes; other numbers are brought into that range.
    #[must_use]
    pub fn new(endpoint: &str, api_key: Arc<Credential>, minutes: u16) -> Self {
        Self { endpoint: base(endpoint), signer: api_key, minutes: minutes.clamp(5, 60) }
    }

    pub(crate) fn request(&self, key: &dyn SigningKey) -> Draft<'_> {
        let der = key.public_key().spki_der();
        let pem = pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &der);
        let body = json!({
            "publicKey": pem.unwrap_or_default(),
            "sessionExpirationInMinutes": self.minutes,
        });
        let url = [&self.endpoint, "/v1/token/upst/actions/GenerateUpst"].concat();
        call::draft(Endpoint::Service, "POST", url).json(&body).signed_with(&self.signer)
    }
}

/// How to exchange a token of another issuer for one of OCI, at an identity domain.
///
/// Source: Oracle's documentation, "Token Exchange Grant Type".
pub struct TokenExchange {
    domain: String,
    subject_token: Zeroizing<String>,
    pub(crate) client: DomainClient,
    resource_type: Option<String>,
    expires_in: Option<u32>,
}

/// Who asks an identity domain for a token. Every case has to be handled.
pub enum DomainClient {
    /// The instance on which the program runs.
    Instance(InstancePrincipal),
    /// A confidential application of the domain.
    Secret {
        /// Its client id.
        id: String,
        /// Its client secret.
        secret: Zeroizing<String>,
    },
    /// Whoever has this credential.
    Signer(Arc<Credential>),
}

impl TokenExchange {
    /// For a user session (UPST) at the domain of this URL, by the token of another issuer.
    #[must_use]
    pub fn new(domain: &str, subject_token: &str, client: DomainClient) -> Self {
        Self {
            domain: base(domain),
            subject_token: Zeroizing::new(subject_token.trim().into()),
            client,
            resource_type: None,
            expires_in: None,
        }
    }

    /// For a resource principal (RPST) of this type instead, for as many seconds as said.
    #[must_use]
    pub fn resource(mut self, resource_type: &str, expires_in: Option<u32>) -> Self {
        self.resource_type = Some(resource_type.into());
        self.expires_in = expires_in;
        self
    }

    /// `signer` is the instance, where that is the client.
    pub(crate) fn request<'a>(
        &'a self,
        key: &dyn SigningKey,
        signer: Option<&'a Credential>,
    ) -> Draft<'a> {
        let kind = if self.resource_type.is_some() { "oci-rpst" } else { "oci-upst" };
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        form.append_pair("requested_token_type", &["urn:oci:token-type:", kind].concat());
        form.append_pair("subject_token", &self.subject_token);
        form.append_pair("subject_token_type", "jwt");
        form.append_pair("public_key", &call::spki(key));
        if let Some(resource_type) = &self.resource_type {
            form.append_pair("res_type", resource_type);
        }
        if let Some(seconds) = self.expires_in {
            form.append_pair("rpst_exp", &alloc::format!("{seconds}"));
        }
        let url = [&self.domain, "/oauth2/v1/token"].concat();
        let draft = call::draft(Endpoint::Service, "POST", url)
            .content("application/x-www-form-urlencoded", form.finish());
        match (&self.client, signer) {
            (DomainClient::Secret { id, secret }, _) => {
                let pair = Zeroizing::new([id, ":", secret].concat());
                let basic = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                draft.header("authorization", &Zeroizing::new(["Basic ", &basic].concat()))
            }
            (DomainClient::Signer(signer), _) => draft.signed_with(signer),
            (DomainClient::Instance(_), Some(signer)) => draft.signed_with(signer),
            (DomainClient::Instance(_), None) => draft,
        }
    }
}

fn base(url: &str) -> String {
    url.trim().trim_end_matches('/').into()
}

macro_rules! debug_url {
    ($($type:ident . $url:ident),*) => {$(
        /// Where it goes, and nothing of keys and tokens.
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type)).field("url", &shown(&self.$url)).finish_non_exhaustive()
            }
        }
    )*};
}

debug_url!(SessionRefresh.endpoint, UserSession.endpoint, TokenExchange.domain);
