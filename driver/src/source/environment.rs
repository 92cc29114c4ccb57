//! An API key or a session token in variables, as OCI's command line has them.

use std::path::Path;

use ocisign_core::{Credential, KeyOptions, PrivateKeyDer, VariableError};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::environment::Environment;
use crate::file::{expand_home, read_text};
use crate::key::NativeKey;
use crate::source::config::region;
use crate::source::resource::token_file_expired;
use crate::source::{Fetched, Kind, Source, SourceError};

/// An API key or a session token, by the variables `OCI_CLI_…`.
///
/// `OCI_CLI_TENANCY`, `_USER`, `_FINGERPRINT` and `_KEY_CONTENT` or `_KEY_FILE`, for a session
/// `OCI_CLI_SECURITY_TOKEN_FILE` and the key; `_PASSPHRASE`, `_REGION` and
/// `_DELEGATION_TOKEN_FILE` beside them. Files are read anew each time.
///
/// Source: Oracle's documentation, "CLI Environment Variables".
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvironmentSource;

impl EnvironmentSource {
    /// As the environment says.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// The first variable that says that there is somebody.
    pub(crate) fn evidence(environment: &Environment) -> Option<&'static str> {
        let evidence = [USER, KEY_CONTENT, KEY_FILE, FINGERPRINT, TOKEN_FILE];
        evidence.into_iter().find(|name| environment.variable(name).is_some())
    }
}

impl Source for EnvironmentSource {
    fn fetch(&self, context: &Context<'_>) -> Result<Fetched, SourceError> {
        let environment = context.environment();
        let require = |name| environment.variable(name).ok_or_else(|| VariableError::missing(name));
        let read = |path: String| -> Result<Zeroizing<String>, SourceError> {
            let home = environment.home();
            Ok(read_text(&expand_home(&path, home.as_deref().map(Path::new))?)?)
        };
        let pem = match environment.variable(KEY_CONTENT) {
            Some(pem) => Zeroizing::new(pem),
            None => read(require(KEY_FILE)?)?,
        };
        let passphrase = environment.variable("OCI_CLI_PASSPHRASE").map(Zeroizing::new);
        let mut options = KeyOptions::new();
        if let Some(passphrase) = &passphrase {
            options = options.passphrase(passphrase.as_bytes());
        }
        let key = NativeKey::new(&PrivateKeyDer::from_pem(&pem, &options)?)?;
        let (mut credential, kind, origin) = if let Some(path) = environment.variable(TOKEN_FILE) {
            let credential = Credential::security_token(&read(path.clone())?, key)?;
            if let Some(expired) = credential.expires().filter(|&at| context.is_over(at)) {
                let path = expand_home(&path, environment.home().as_deref())?;
                return Err(token_file_expired(path, expired));
            }
            (credential, Kind::SessionToken, TOKEN_FILE)
        } else {
            let (tenancy, user) = (require("OCI_CLI_TENANCY")?, require(USER)?);
            let fingerprint = require(FINGERPRINT)?;
            let parts = [&tenancy, &user, &fingerprint].map(|part| part.trim());
            let [tenancy, user, fingerprint] = parts;
            (Credential::api_key(tenancy, user, fingerprint, key)?, Kind::ApiKey, USER)
        };
        if let Some(path) = environment.variable("OCI_CLI_DELEGATION_TOKEN_FILE") {
            credential = credential.with_delegation_token(&read(path)?)?;
        }
        let fetched = Fetched::new(credential, kind, format!("{origin} is set"));
        Ok(fetched.region(region(context, None)?))
    }
}

const FINGERPRINT: &str = "OCI_CLI_FINGERPRINT";
const KEY_CONTENT: &str = "OCI_CLI_KEY_CONTENT";
const KEY_FILE: &str = "OCI_CLI_KEY_FILE";
const TOKEN_FILE: &str = "OCI_CLI_SECURITY_TOKEN_FILE";
const USER: &str = "OCI_CLI_USER";
