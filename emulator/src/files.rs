//! What a caller finds on its disk: keys, tokens, certificates, a configuration file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::config::Rotation;
use crate::key::Key;
use crate::service;
use crate::state::{State, claims};

/// The folder and what is in it.
#[derive(Debug)]
pub(crate) struct Files {
    directory: PathBuf,
    /// Held by whoever replaces the files of the resource principal.
    rotating: Mutex<()>,
}

impl Files {
    /// Write all of it.
    pub(crate) fn create(directory: &Path, state: &State, ca: &str) -> Result<Self, FileError> {
        let files = Self { directory: directory.to_owned(), rotating: Mutex::default() };
        for folder in ["", "kubernetes", "resource_principal", "session"] {
            let path = files.path(folder);
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(&path).map_err(|error| FileError { path, error })?;
        }
        files.write("ca.pem", ca)?;
        files.write("kubernetes/ca.crt", ca)?;
        files.write("kubernetes/token", &service::service_account_token(state))?;
        files.write("config", &files.profiles(state))?;
        for user in state.users.iter().take(1) {
            files.write("api_key.pem", &user.key.pem())?;
        }
        files.write("session/key.pem", &state.session_key.pem())?;
        files.write("session/token", &session_token(state))?;
        if let Some(resource) = state.resources.first() {
            files.write("resource.pem", &resource.key.pem())?;
            files.replace(state, &resource.key, Rotation::Atomic)?;
        }
        Ok(files)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Give the first resource a new key and token in its two files.
    pub(crate) fn rotate(&self, state: &State, mode: Rotation) -> Result<(), FileError> {
        let key = Key::make().map_err(|error| FileError {
            path: self.path("resource_principal"),
            error: io::Error::other(error),
        })?;
        self.replace(state, &key, mode)
    }

    fn replace(&self, state: &State, key: &Key, mode: Rotation) -> Result<(), FileError> {
        let Some(resource) = state.resources.first() else { return Ok(()) };
        let _rotating = crate::lock(&self.rotating);
        let claims = state.resource_claims(&resource.config);
        let lifetime = state.config.lifetimes.resource;
        let token = state.bind(claims, &key.public(), state.clock.now(), lifetime);
        let pem = key.pem();
        let (key_name, token_name) = ("resource_principal/private.pem", "resource_principal/rpst");
        match mode {
            Rotation::Atomic => {
                self.write(key_name, &pem)?;
                self.write(token_name, &token)
            }
            Rotation::Newline => {
                self.write(key_name, &pem)?;
                self.write(token_name, &format!("{token}\n"))
            }
            Rotation::KeyFirst => {
                self.write(key_name, &pem)?;
                sleep(PAUSE);
                self.write(token_name, &token)
            }
            Rotation::TokenFirst => {
                self.write(token_name, &token)?;
                sleep(PAUSE);
                self.write(key_name, &pem)
            }
            Rotation::Partial => {
                let overwrite =
                    |name, text: &str| self.fill(name, text, OpenOptions::new().truncate(true));
                overwrite(key_name, first_half(&pem))?;
                overwrite(token_name, first_half(&token))?;
                sleep(PAUSE);
                overwrite(key_name, &pem)?;
                overwrite(token_name, &token)
            }
        }
    }

    fn profiles(&self, state: &State) -> String {
        let (tenancy, region) = (&state.config.tenancy.id, &state.config.region.id);
        let path = |name| self.path(name).display().to_string();
        let user = state.users.first().map(|user| {
            let (id, fingerprint) = (&user.config.id, user.key.fingerprint());
            let key = path("api_key.pem");
            format!(
                "[DEFAULT]\ntenancy={tenancy}\nregion={region}\nuser={id}\n\
                 fingerprint={fingerprint}\nkey_file={key}\n\n"
            )
        });
        let (key, token) = (path("session/key.pem"), path("session/token"));
        let fingerprint = state.session_key.fingerprint();
        let session = format!(
            "[SESSION]\ntenancy={tenancy}\nregion={region}\nfingerprint={fingerprint}\n\
             key_file={key}\nsecurity_token_file={token}\n"
        );
        user.unwrap_or_default() + &session
    }

    /// In one step: whoever reads sees the old text or the new.
    fn write(&self, name: &str, text: &str) -> Result<(), FileError> {
        let beside = format!("{name}.new");
        // Whatever is there is another's, and may be a link or readable to all.
        let _ = fs::remove_file(self.path(&beside));
        self.fill(&beside, text, OpenOptions::new().create_new(true))?;
        let path = self.path(name);
        fs::rename(self.path(&beside), &path).map_err(|error| FileError { path, error })
    }

    /// What `options` open, and nobody else reads.
    fn fill(&self, name: &str, text: &str, options: &mut OpenOptions) -> Result<(), FileError> {
        let path = self.path(name);
        options.write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
        let written = options.open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| FileError { path, error })
    }
}

/// A file that could not be written.
#[derive(Debug)]
pub(crate) struct FileError {
    pub(crate) path: PathBuf,
    pub(crate) error: io::Error,
}

fn session_token(state: &State) -> String {
    let Some(user) = state.users.first() else { return String::new() };
    let claims = claims(&json!({
        "ptype": "user", "ttype": "login", "sub": user.config.id,
        "tenant": state.config.tenancy.id,
    }));
    let key = state.session_key.public();
    state.bind(claims, &key, state.clock.now(), state.config.lifetimes.session)
}

fn first_half(text: &str) -> &str {
    text.get(..text.len() / 2).unwrap_or_default()
}

/// Between the two files: long enough for a client to read the one without the other.
const PAUSE: Duration = Duration::from_secs(1);
