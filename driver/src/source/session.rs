//! A session token from a file, and what becomes of it when the file stays as it is.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use ocisign_core::{
    Credential, Exchange, Region, SecurityToken, Service, SessionRefresh, SigningKey,
};

use crate::context::{Context, NativeKeys, entropy};
use crate::source::SourceError;

/// The session that was last in use: its token lives longer than the file's once it was
/// refreshed. Nothing is written back: the file is the command line's of OCI.
///
/// No lock: in a child of `fork` it would stay locked, where the parent was refreshing.
#[derive(Default)]
pub(crate) struct Session(ArcSwapOption<Known>);

struct Known {
    credential: Arc<Credential>,
    key: Arc<dyn SigningKey>,
}

impl Session {
    /// The credential of this token and key, or of one that was made from them and lives
    /// longer. From half of its life on it is refreshed, where the region is known.
    pub(crate) fn credential(
        &self,
        context: &Context<'_>,
        token: &str,
        key: Arc<dyn SigningKey>,
        region: Option<&Region>,
    ) -> Result<Arc<Credential>, SourceError> {
        let in_file = Arc::new(Credential::security_token(token, key.clone())?);
        let known = self.0.load_full();
        let Some(before) = known.filter(|before| {
            before.key.public_key() == key.public_key()
                && before.credential.expires() >= in_file.expires()
        }) else {
            self.0.store(Some(Arc::new(Known { credential: in_file.clone(), key })));
            return Ok(in_file);
        };
        let lives = |credential: &Credential| {
            credential.expires().is_none_or(|expires| expires > context.now())
        };
        let before = before.credential.clone();
        let endpoint = context.environment().variable("OCI_SDK_AUTH_CLIENT_REGION_URL");
        let endpoint = endpoint.or_else(|| region.map(|region| region.endpoint(Service::Auth)));
        // The same as before: whoever asks again wants a longer life.
        let (Some(endpoint), true) = (endpoint, lives(&before)) else { return Ok(before) };
        let token = SecurityToken::parse(before.key_id().as_str())?;
        let refresh = SessionRefresh::new(&endpoint, token.key_id()?.as_str(), key.clone());
        let exchange = Exchange::session_refresh(refresh, Arc::new(NativeKeys), entropy());
        let (credential, _) = context.run(exchange)?;
        self.0.store(Some(Arc::new(Known { credential: credential.clone(), key })));
        Ok(credential)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
