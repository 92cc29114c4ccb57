//! Credentials from a profile of `~/.oci/config`.

use std::path::{Path, PathBuf};

use ocisign_core::{Credential, KeyOptions, PrivateKeyDer, Profile};
use zeroize::Zeroizing;

use crate::file::{expand_home, read_text};
use crate::key::NativeKey;
use crate::source::SourceError;
use crate::source::error::word;

/// The credential that a profile describes: an API key or a session token.
///
/// - With `security_token_file`, the token in it and the key in `key_file`;
///   `tenancy`, `user` and `fingerprint` are not needed.
/// - Without it, or with `authentication_type=api_key`, the key in `key_file`,
///   which `fingerprint` has to name.
/// - With `delegation_token_file`, either of them on behalf of another user.
///
/// A leading `~` is the home directory; other relative paths are relative to the
/// working directory. An empty value counts as none, and so undoes what a profile
/// would inherit from `[DEFAULT]`.
///
/// Source: Oracle's documentation, "SDK and CLI Configuration File".
///
/// ```no_run
/// use std::path::Path;
/// use ocisign::{Profile, ProfileSource, read_text};
///
/// let home = Path::new("/home/ann");
/// let text = read_text(&home.join(".oci/config"))?;
/// let profile = Profile::parse(&text, "DEFAULT")?;
/// let credential = ProfileSource::new(&profile).home(home).credential()?;
/// # Ok::<(), ocisign::SourceError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ProfileSource<'a> {
    profile: &'a Profile,
    home: Option<&'a Path>,
    options: KeyOptions<'a>,
}

impl<'a> ProfileSource<'a> {
    /// The credential of this profile, without a home directory.
    #[must_use]
    pub const fn new(profile: &'a Profile) -> Self {
        Self { profile, home: None, options: KeyOptions::new() }
    }

    /// What a leading `~` stands for.
    #[must_use]
    pub const fn home(mut self, home: &'a Path) -> Self {
        self.home = Some(home);
        self
    }

    /// What may be assumed of the private key. A passphrase here goes before the
    /// profile's own.
    #[must_use]
    pub const fn key_options(mut self, options: KeyOptions<'a>) -> Self {
        self.options = options;
        self
    }

    /// Read the files that the profile names, now.
    ///
    /// # Errors
    ///
    /// `FILE_UNREADABLE`, `INVALID_KEY`, `INVALID_PROFILE`, `INVALID_TOKEN`;
    /// `KEY_MISMATCH` when the key is not the one that the fingerprint or the
    /// token names; `UNSUPPORTED_AUTHENTICATION` for an `authentication_type`
    /// other than `api_key` and `security_token`.
    pub fn credential(&self) -> Result<Credential, SourceError> {
        let credential = match self.set("authentication_type") {
            None if self.set("security_token_file").is_some() => self.security_token()?,
            None | Some("api_key") => self.api_key()?,
            Some("security_token") => self.security_token()?,
            Some(other) => {
                return Err(SourceError::UnsupportedAuthentication(word(other)));
            }
        };
        Ok(match self.set("delegation_token_file") {
            Some(path) => credential.with_delegation_token(&self.read(path)?)?,
            None => credential,
        })
    }

    fn api_key(&self) -> Result<Credential, SourceError> {
        let [tenancy, user, fingerprint] = [
            self.profile.require("tenancy")?,
            self.profile.require("user")?,
            self.profile.require("fingerprint")?,
        ];
        Ok(Credential::api_key(tenancy, user, fingerprint, self.key()?)?)
    }

    fn security_token(&self) -> Result<Credential, SourceError> {
        Ok(Credential::security_token(&self.token()?, self.key()?)?)
    }

    pub(crate) fn token(&self) -> Result<Zeroizing<String>, SourceError> {
        self.read(self.profile.require("security_token_file")?)
    }

    pub(crate) fn token_path(&self) -> Result<PathBuf, SourceError> {
        Ok(expand_home(self.profile.require("security_token_file")?, self.home)?)
    }

    pub(crate) fn key(&self) -> Result<NativeKey, SourceError> {
        let pem = self.read(self.profile.require("key_file")?)?;
        let own = self.profile.passphrase().filter(|passphrase| !passphrase.is_empty());
        let options = match own {
            Some(own) if !self.options.has_passphrase() => self.options.passphrase(own.as_bytes()),
            _ => self.options,
        };
        Ok(NativeKey::new(&PrivateKeyDer::from_pem(&pem, &options)?)?)
    }

    fn read(&self, path: &str) -> Result<Zeroizing<String>, SourceError> {
        Ok(read_text(&expand_home(path, self.home)?)?)
    }

    fn set(&self, key: &str) -> Option<&'a str> {
        self.profile.get(key).filter(|value| !value.is_empty())
    }
}
