//! The components in wasmtime: what the boundary costs, and what RSA in the guest costs.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use ocisign::{NativeKey, SigningKey};
use ocisign_benches::{BODY, GET_URL, KEY_ID, NOW, PEM, POST_URL, der, native_key};
use ocisign_core::RsaKey;
use ocisign_host_test::{
    Body, CredentialSource, Credentials, CredentialsError, HostKey, KeyMaterial, Request, Signer,
    Types, component, engine, get, linker, signing,
};
use wasmtime::Store;

/// A host that signs with its own key, or with a constant.
struct Host {
    gives: CredentialSource,
    key: Option<NativeKey>,
    constant: String,
}

impl Host {
    fn new(gives: CredentialSource, key: Option<NativeKey>) -> Self {
        Self { gives, key, constant: STANDARD.encode([0xa5; 256]) }
    }
}

impl Types for Host {}

impl Credentials for Host {
    fn current(&mut self) -> Result<CredentialSource, CredentialsError> {
        Ok(self.gives.clone())
    }

    fn sign(&mut self, _: String, signing_string: String) -> Result<String, CredentialsError> {
        Ok(match &self.key {
            Some(key) => STANDARD.encode(key.sign(signing_string.as_bytes()).unwrap()),
            None => self.constant.clone(),
        })
    }
}

fn host_key() -> CredentialSource {
    CredentialSource::Host(HostKey { key_id: KEY_ID.into(), delegation_token: None, expires: None })
}

fn guest_key() -> CredentialSource {
    CredentialSource::Key(KeyMaterial {
        key_id: KEY_ID.into(),
        private_key: PEM.into(),
        passphrase: None,
        delegation_token: None,
        expires: None,
        blinding_seed: None,
        danger_allow_weak_key: false,
    })
}

/// The boundary: with the signature a constant, all that is left.
fn with_host_key(c: &mut Criterion) {
    let mut group = c.benchmark_group("component, key with the host");
    let post = Request { method: "POST".into(), body: Body::Text(BODY.into()), ..get(POST_URL) };
    for (name, request) in [("GET", get(GET_URL)), ("POST 1 KiB", post)] {
        let mut signer = Signer::new(Host::new(host_key(), None)).unwrap();
        group.bench_function(format!("sign {name}, constant signature"), |b| {
            b.iter(|| signer.sign(black_box(&request), NOW).unwrap().unwrap());
        });
    }
    let mut signer = Signer::new(Host::new(host_key(), Some(native_key().unwrap()))).unwrap();
    let request = get(GET_URL);
    group.bench_function("sign GET, AWS-LC", |b| {
        b.iter(|| signer.sign(black_box(&request), NOW).unwrap().unwrap());
    });
    group.finish();
}

/// A fresh instance of a component that was compiled before.
fn instances(c: &mut Criterion) {
    let mut group = c.benchmark_group("component, instances");
    let engine = engine(|_| ()).unwrap();
    let component = component(&engine, "ocisign.wasm").unwrap();
    let linker = linker::<Host>(&engine).unwrap();
    let ready = signing::SigningPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
    group.bench_function("instantiate", |b| {
        b.iter(|| {
            let mut store = Store::new(&engine, Host::new(host_key(), None));
            let world = ready.instantiate(&mut store).unwrap();
            (store, world)
        });
    });
    let request = get(GET_URL);
    group.bench_function("instantiate and sign GET, constant signature", |b| {
        b.iter(|| {
            let mut store = Store::new(&engine, Host::new(host_key(), None));
            let world = ready.instantiate(&mut store).unwrap();
            world.ocisign_signing_signer().call_sign(&mut store, &request, NOW).unwrap().unwrap()
        });
    });
    group.finish();
}

/// RSA-2048 in the guest, blinded, beside the same code native and AWS-LC.
fn with_guest_key(c: &mut Criterion) {
    let mut group = c.benchmark_group("component, key in the guest");
    let request = get(GET_URL);
    for (name, file, wide) in [
        ("sign GET", "ocisign.wasm", false),
        ("sign GET, wide-arithmetic", "ocisign-wide.wasm", true),
    ] {
        let engine = engine(|config| {
            config.wasm_wide_arithmetic(wide);
        })
        .unwrap();
        let component = component(&engine, file).unwrap();
        let mut signer = Signer::of(&component, Host::new(guest_key(), None)).unwrap();
        group.bench_function(name, |b| {
            b.iter(|| signer.sign(black_box(&request), NOW).unwrap().unwrap());
        });
    }
    let pure = RsaKey::new(&der().unwrap()).unwrap();
    group.bench_function("the same code native", |b| {
        b.iter(|| pure.sign(black_box(b"message")).unwrap());
    });
    let native = native_key().unwrap();
    group.bench_function("AWS-LC", |b| b.iter(|| native.sign(black_box(b"message")).unwrap()));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(4));
    targets = with_host_key, instances, with_guest_key
}
criterion_main!(benches);
