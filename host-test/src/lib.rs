//! A host for the components of ocisign, in wasmtime.
//!
//! What a program has to write to sign through `ocisign.wasm`: the interface
//! `credentials`, and no other. The tests beside this crate, the benchmarks and
//! `cargo xtask demo` are such programs.
//!
//! The components are built by `cargo xtask component`.

use std::fs;
use std::path::PathBuf;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Result, Store};

/// The world `signing`: `ocisign.wasm` and `ocisign-wide.wasm`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod signing {
    wasmtime::component::bindgen!({ path: "../wit", world: "signing" });
}

/// The world `core`: `ocisign-core.wasm`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod core {
    wasmtime::component::bindgen!({ path: "../wit", world: "core" });
}

/// The world `federation`: `ocisign-federation.wasm`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod federation {
    wasmtime::component::bindgen!({ path: "../wit", world: "federation" });
}

pub use signing::ocisign::signing::credentials::{
    CredentialSource, CredentialsError, Host as Credentials, HostKey,
};
pub use signing::ocisign::signing::types::{
    Body, DateHeader, Error, ErrorCode, HashedBody, Header, Host as Types, KeyMaterial, Request,
};

/// Where `cargo xtask component` puts this file.
#[must_use]
pub fn artefact(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/component").join(file)
}

/// An engine as its defaults are, but for these features.
///
/// # Errors
///
/// When the engine does not have them on this machine.
pub fn engine(configure: impl FnOnce(&mut Config)) -> Result<Engine> {
    let mut config = Config::new();
    configure(&mut config);
    Engine::new(&config)
}

/// A component, compiled.
///
/// # Errors
///
/// When it was not built, or this engine cannot compile it.
pub fn component(engine: &Engine, file: &str) -> Result<Component> {
    let path = artefact(file);
    if !path.exists() {
        return Err(wasmtime::Error::msg(format!(
            "{file} is not there: run `cargo xtask component`"
        )));
    }
    Component::from_file(engine, path)
}

/// A linker that has `credentials` and nothing else.
///
/// # Errors
///
/// Never, as there is nothing to clash with.
pub fn linker<Host: Credentials + Types + 'static>(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    signing::Signing::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host)?;
    Ok(linker)
}

/// An instance of the world `signing` with this host.
pub struct Signer<Host: 'static> {
    /// The instance's memory, and the host.
    pub store: Store<Host>,
    /// Its exports.
    pub world: signing::Signing,
}

impl<Host: Credentials + Types + 'static> Signer<Host> {
    /// Instantiate `ocisign.wasm`.
    ///
    /// # Errors
    ///
    /// As [`engine`] and [`component`].
    pub fn new(host: Host) -> Result<Self> {
        let engine = Engine::default();
        Self::of(&component(&engine, "ocisign.wasm")?, host)
    }

    /// Instantiate this component.
    ///
    /// # Errors
    ///
    /// When it imports more than `credentials`.
    pub fn of(component: &Component, host: Host) -> Result<Self> {
        let engine = component.engine();
        let mut store = Store::new(engine, host);
        let world = signing::Signing::instantiate(&mut store, component, &linker(engine)?)?;
        Ok(Self { store, world })
    }

    /// Sign with what the host gives.
    ///
    /// # Errors
    ///
    /// The outer one when the instance trapped; the inner one is the component's.
    pub fn sign(&mut self, request: &Request, now: u64) -> Result<Result<Vec<Header>, Error>> {
        self.world.ocisign_signing_signer().call_sign(&mut self.store, request, now)
    }

    /// Sign with this key.
    ///
    /// # Errors
    ///
    /// As [`Signer::sign`].
    pub fn sign_with(
        &mut self,
        request: &Request,
        key: &KeyMaterial,
        now: u64,
    ) -> Result<Result<Vec<Header>, Error>> {
        self.world.ocisign_signing_signer().call_sign_with(&mut self.store, request, key, now)
    }
}

/// What an exchange gives at its end is what signs in the world `signing`.
impl From<federation::exports::ocisign::signing::types::KeyMaterial> for KeyMaterial {
    fn from(key: federation::exports::ocisign::signing::types::KeyMaterial) -> Self {
        Self {
            key_id: key.key_id,
            private_key: key.private_key,
            passphrase: key.passphrase,
            delegation_token: key.delegation_token,
            expires: key.expires,
            blinding_seed: key.blinding_seed,
            danger_allow_weak_key: key.danger_allow_weak_key,
        }
    }
}

/// A host that gives one thing, or one failure, every time.
#[derive(Clone, Debug)]
pub struct Fixed(pub std::result::Result<CredentialSource, CredentialsError>);

impl Types for Fixed {}

impl Credentials for Fixed {
    fn current(&mut self) -> std::result::Result<CredentialSource, CredentialsError> {
        self.0.clone()
    }

    fn sign(&mut self, _: String, _: String) -> std::result::Result<String, CredentialsError> {
        Err(CredentialsError::Failed("this host signs nothing".into()))
    }
}

/// A request without headers or body.
#[must_use]
pub fn get(url: &str) -> Request {
    Request {
        method: "GET".into(),
        url: url.into(),
        headers: Vec::new(),
        body: Body::Empty,
        date_header: DateHeader::Date,
    }
}

/// The seeds of the fuzz corpora, as text; what a fuzzer adds beside them is left out.
///
/// # Errors
///
/// When there are none.
pub fn seeds() -> std::io::Result<Vec<(PathBuf, String)>> {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut seeds = Vec::new();
    for folder in fs::read_dir(corpus)? {
        for file in fs::read_dir(folder?.path())? {
            let path = file?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-")) {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                seeds.push((path, text));
            }
        }
    }
    if seeds.is_empty() { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(seeds) }
}

/// A code in the form that it has in every other language: `INVALID_URL`.
#[must_use]
pub fn stable(code: ErrorCode) -> String {
    stable_name(&format!("{code:?}"))
}

/// The name of a code as bindgen has it, in the form that it has in every other language.
#[must_use]
pub fn stable_name(name: &str) -> String {
    let mut text = String::new();
    for letter in name.rsplit("::").next().unwrap_or_default().chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}
