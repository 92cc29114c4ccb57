//! Credentials that the program brings.

use std::sync::Arc;

use ocisign_core::{Credential, Region};

use crate::context::Context;
use crate::source::{Fetched, Kind, Source, SourceError};

/// A credential as it is, for ever.
#[derive(Debug)]
pub struct ValueSource {
    credential: Arc<Credential>,
    region: Option<Region>,
}

impl ValueSource {
    /// This credential.
    #[must_use]
    pub fn new(credential: impl Into<Arc<Credential>>) -> Self {
        Self { credential: credential.into(), region: None }
    }

    /// The same, in this region.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }
}

impl Source for ValueSource {
    fn fetch(&self, _: &Context<'_>) -> Result<Fetched, SourceError> {
        let id = self.credential.key_id().as_str();
        let kind = match id {
            id if id.starts_with("ST$") => Kind::SessionToken,
            id if id.matches('/').count() == 2 => Kind::ApiKey,
            _ => Kind::Other,
        };
        let fetched = Fetched::new(self.credential.clone(), kind, "a value of the program");
        Ok(fetched.region(self.region.clone()))
    }

    fn may_change(&self) -> bool {
        false
    }
}

/// What a function gives, asked again as it would be of any other source.
pub struct FnSource<F>(F);

impl<F, E> FnSource<F>
where
    F: Fn() -> Result<Credential, E> + Send + Sync,
    E: ToString,
{
    /// This function. Its error goes into the messages of ours: it has to be free of secrets.
    pub const fn new(function: F) -> Self {
        Self(function)
    }
}

impl<F, E> Source for FnSource<F>
where
    F: Fn() -> Result<Credential, E> + Send + Sync,
    E: ToString,
{
    fn fetch(&self, _: &Context<'_>) -> Result<Fetched, SourceError> {
        let credential = (self.0)().map_err(|error| SourceError::Other(error.to_string()))?;
        Ok(Fetched::new(credential, Kind::Other, "a function of the program"))
    }
}
