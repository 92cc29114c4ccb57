//! What ends a call, what does not, and what is left behind.
#![allow(clippy::unwrap_used, clippy::panic)]

use ocisign_host_test::{
    Body, CredentialSource, Credentials, CredentialsError, Fixed, Header, HostKey, KeyMaterial,
    Request, Signer, Types, component, engine, get, linker, seeds, signing,
};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};

#[test]
fn ten_thousand_signatures_do_not_grow_the_memory() {
    // The key is the host's, and signs a constant, so that it is the guest that is counted.
    // A guest that asks for one more page than after its first signature is refused it.
    let request = Request { body: Body::Text("{}".repeat(512)), method: "POST".into(), ..get(URL) };
    let mut signer = limited(StoreLimitsBuilder::new());
    signer.sign(&request, NOW).unwrap().unwrap();
    signer.store.data_mut().limits = StoreLimitsBuilder::new().memory_size(0).build();
    for _ in 0..10_000 {
        signer.sign(&request, NOW).unwrap().unwrap();
    }
    let larger = Request { body: Body::Bytes(vec![0; 1 << 20]), ..request };
    assert!(signer.sign(&larger, NOW).is_err(), "the limit does not bite");
}

#[test]
fn a_thousand_keys_read_used_and_dropped_do_not_grow_the_memory() {
    let mut signer = limited(StoreLimitsBuilder::new());
    let key = material();
    for round in 0..1_000 {
        let keys = signer.world.ocisign_signing_keys().credential();
        let credential = keys.call_read(&mut signer.store, &key).unwrap().unwrap();
        // A signature of RSA takes longer than all else together.
        if round % 50 == 0 {
            keys.call_sign(&mut signer.store, credential, &get(URL), NOW).unwrap().unwrap();
        }
        credential.resource_drop(&mut signer.store).unwrap();
        if round == 50 {
            signer.store.data_mut().limits = StoreLimitsBuilder::new().memory_size(0).build();
        }
    }
}

#[test]
fn without_fuel_a_call_ends_and_the_next_instance_works() {
    let engine = engine(|config| {
        config.consume_fuel(true);
    })
    .unwrap();
    let component = component(&engine, "ocisign.wasm").unwrap();
    let instance = |fuel| {
        let mut store = Store::new(&engine, Fixed(Ok(CredentialSource::Key(material()))));
        store.set_fuel(fuel).unwrap();
        let linker = linker(&engine).unwrap();
        let world = signing::Signing::instantiate(&mut store, &component, &linker).unwrap();
        world.ocisign_signing_signer().call_sign(&mut store, &get(URL), NOW)
    };
    assert!(instance(100_000).is_err());
    assert!(instance(u64::MAX).unwrap().is_ok());
}

#[test]
fn without_memory_a_call_ends_and_the_next_instance_works() {
    let large = Request { body: Body::Bytes(vec![0; 8 << 20]), method: "POST".into(), ..get(URL) };
    let mut small = limited(StoreLimitsBuilder::new().memory_size(2 << 20));
    assert!(small.sign(&large, NOW).is_err());
    let mut roomy = limited(StoreLimitsBuilder::new().memory_size(64 << 20));
    roomy.sign(&large, NOW).unwrap().unwrap();
}

#[test]
fn no_seed_of_the_fuzz_corpora_traps() {
    let mut signer = Signer::new(Fixed(Err(CredentialsError::NotConfigured))).unwrap();
    for (file, text) in seeds().unwrap() {
        let header = |name: &str| Header { name: name.into(), value: text.clone() };
        let request = |url: &str| Request {
            method: "POST".into(),
            headers: vec![header("date"), header("content-type"), header(&text)],
            body: Body::Text(text.clone()),
            ..get(url)
        };
        let key = |key_id: &str, private_key: &str| KeyMaterial {
            key_id: key_id.into(),
            private_key: private_key.into(),
            passphrase: Some(text.clone()),
            delegation_token: Some(text.clone()),
            ..material()
        };
        for (request, key) in [
            (request(URL), key("t/u/f", PEM)),
            (request(&text), material()),
            (request(&format!("https://{text}")), material()),
            (get(URL), key("t/u/f", &text)),
            (get(URL), key(&text, PEM)),
            (get(URL), key(&format!("ST${text}"), PEM)),
        ] {
            let signed = signer.sign_with(&request, &key, NOW);
            assert!(signed.is_ok(), "{} trapped: {:?}", file.display(), signed.err());
        }
    }
}

/// A host whose signature is a constant, with a limit on its guest.
struct Host {
    gives: CredentialSource,
    limits: StoreLimits,
}

impl Types for Host {}

impl Credentials for Host {
    fn current(&mut self) -> Result<CredentialSource, CredentialsError> {
        Ok(self.gives.clone())
    }

    fn sign(&mut self, _: String, _: String) -> Result<String, CredentialsError> {
        Ok("AAAA".into())
    }
}

fn limited(limits: StoreLimitsBuilder) -> Signer<Host> {
    let host = Host { gives: host_key(), limits: limits.build() };
    let mut signer = Signer::new(host).unwrap();
    signer.store.limiter(|host| &mut host.limits);
    signer
}

const URL: &str = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances";
const NOW: u64 = 1_704_110_645;
const PEM: &str = include_str!("../../vectors/keys/test-key.pem");

fn host_key() -> CredentialSource {
    CredentialSource::Host(HostKey {
        key_id: "t/u/f".into(),
        delegation_token: None,
        expires: None,
    })
}

fn material() -> KeyMaterial {
    KeyMaterial {
        key_id: "t/u/f".into(),
        private_key: PEM.into(),
        passphrase: None,
        delegation_token: None,
        expires: None,
        blinding_seed: None,
        danger_allow_weak_key: false,
    }
}
