//! A host of `ocisign-federation.wasm`, and of `ocisign.wasm` for what comes of it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use ocisign_emulator::{Config, Emulator, ResourcePrincipal};
use ocisign_host_test::federation::Federation;
use ocisign_host_test::{CredentialsError, Fixed, KeyMaterial, Signer, component, get};
use wasmtime::component::{Linker, ResourceAny};
use wasmtime::{Engine, Store};

use crate::http;
use crate::world::exchanges::{
    Environment, GuestExchange, HttpAnswer, HttpRequest, Region, Step, TransportFault,
};
use crate::world::types::{self, Error, ErrorCode};

/// An instance of the guest.
pub(crate) struct Host {
    pub(crate) store: Store<()>,
    pub(crate) world: Federation,
}

/// What a function of the guest gives, inside of what a trap gives.
pub(crate) type Given<T> = wasmtime::Result<Result<T, Error>>;

impl Host {
    pub(crate) fn new() -> Self {
        let component = component(&Engine::default(), "ocisign-federation.wasm").unwrap();
        Self::of(Store::new(component.engine(), ()), &component)
    }

    pub(crate) fn of(mut store: Store<()>, component: &wasmtime::component::Component) -> Self {
        // An empty linker: the component imports nothing.
        let linker = Linker::new(component.engine());
        let world = Federation::instantiate(&mut store, component, &linker).unwrap();
        Self { store, world }
    }

    /// Call a function of the resource `exchange`.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(GuestExchange<'_>, &mut Store<()>) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        call(self.world.ocisign_signing_exchanges().exchange(), &mut self.store)
    }

    pub(crate) fn paths_in(&mut self, variables: &[(String, String)]) -> Given<Vec<String>> {
        self.world.ocisign_signing_exchanges().call_paths_in(&mut self.store, variables)
    }

    pub(crate) fn next_step(&mut self, exchange: ResourceAny) -> Given<Step> {
        self.call(|guest, store| guest.call_next_step(store, exchange, now()))
    }

    pub(crate) fn receive(
        &mut self,
        exchange: ResourceAny,
        answer: Result<&HttpAnswer, TransportFault>,
    ) {
        self.call(|guest, store| guest.call_receive(store, exchange, answer, now())).unwrap();
    }

    pub(crate) fn region(&mut self, exchange: ResourceAny) -> Option<Region> {
        self.call(|guest, store| guest.call_region(store, exchange)).unwrap()
    }

    /// Run an exchange to its end against the emulator; waits are passed over by the clock of
    /// the host, which the guest believes.
    pub(crate) fn run(
        &mut self,
        exchange: ResourceAny,
        emulator: &Emulator,
    ) -> Result<types::KeyMaterial, Error> {
        self.run_with(exchange, |request| http::send(request, &emulator.ca_file()))
    }

    pub(crate) fn run_with(
        &mut self,
        exchange: ResourceAny,
        mut send: impl FnMut(&HttpRequest) -> Result<HttpAnswer, TransportFault>,
    ) -> Result<types::KeyMaterial, Error> {
        let mut now = now();
        loop {
            let next = |guest: GuestExchange<'_>, store: &mut _| {
                guest.call_next_step(store, exchange, now)
            };
            let (step, again) = (self.call(next).unwrap(), self.call(next).unwrap());
            // Two records are equal when all that is in them is.
            assert_eq!(format!("{step:?}"), format!("{again:?}"));
            match step? {
                Step::Ready(key) => return Ok(key),
                Step::Wait(until) => now = until,
                Step::Send(request) => {
                    let answer = send(&request);
                    let answer = answer.as_ref().map_err(|fault| *fault);
                    self.call(|guest, store| guest.call_receive(store, exchange, answer, now))
                        .unwrap();
                }
            }
        }
    }
}

/// The emulator, at any free ports.
pub(crate) fn emulator() -> Emulator {
    let listen = "127.0.0.1:0".parse().unwrap();
    Emulator::start(Config { listen, tls_listen: listen, ..Config::default() }).unwrap()
}

/// What a program finds that runs at the emulator, with the files that `paths-in` names.
pub(crate) fn environment(
    emulator: &Emulator,
    resource: Option<ResourcePrincipal>,
    host: &mut Host,
) -> Environment {
    let variables = emulator.environment(resource);
    let paths = resource.map_or_else(Vec::new, |_| host.paths_in(&variables).unwrap().unwrap());
    let files = paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap()));
    let files = files.collect();
    Environment { variables, files, regions_config: None }
}

/// Whether the emulator accepts what `ocisign.wasm` signs with this key.
pub(crate) fn is_accepted(emulator: &Emulator, key: &types::KeyMaterial) -> bool {
    let url = format!("{}/20160918/regions", emulator.url());
    let mut signer = Signer::new(Fixed(Err(CredentialsError::NotConfigured))).unwrap();
    let key = KeyMaterial::from(key.clone());
    let signed = signer.sign_with(&get(&url), &key, now()).unwrap().unwrap();
    let headers: Vec<_> = signed.into_iter().map(|header| (header.name, header.value)).collect();
    assert_eq!(http::status("GET", &url, &[]), 401);
    http::status("GET", &url, &headers) == 200
}

pub(crate) fn code<T: std::fmt::Debug>(given: Given<T>) -> ErrorCode {
    given.unwrap().unwrap_err().code
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// 32 bytes that no two exchanges of a program should share.
pub(crate) const ENTROPY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
/// A session key that is given, which saves the seconds of making one.
pub(crate) const SESSION_KEY: &str = include_str!("../../../vectors/keys/test-key.pem");
