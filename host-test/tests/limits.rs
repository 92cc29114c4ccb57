//! What ends a call, what does not, and what is left behind.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use ocisign_host_test::{
    Body, CredentialSource, Credentials, CredentialsError, Fixed, Header, HostKey, KeyMaterial,
    Request, Signer, Types, component, engine, get, linker, signing,
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
fn a_thousand_keys_read_and_dropped_do_not_grow_the_memory() {
    let mut signer = Signer::new(Fixed(Err(CredentialsError::NotConfigured))).unwrap();
    let key = material();
    let mut growth = Vec::new();
    for round in 0..40 {
        for _ in 0..25 {
            let keys = signer.world.ocisign_signing_keys().credential();
            let credential = keys.call_read(&mut signer.store, &key).unwrap().unwrap();
            credential.resource_drop(&mut signer.store).unwrap();
        }
        if round > 0 {
            growth.push(resident());
        }
    }
    let (first, last) = (growth[0], growth[growth.len() - 1]);
    assert!(last < first + (4 << 20), "{first} bytes became {last}");
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
fn no_file_of_the_fuzz_corpora_traps() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut files = Vec::new();
    collect(&corpus, &mut files);
    assert!(!files.is_empty(), "{} has no files", corpus.display());
    let mut signer = Signer::new(Fixed(Err(CredentialsError::NotConfigured))).unwrap();
    for file in files {
        // A fuzzer that runs meanwhile removes files.
        let Ok(bytes) = fs::read(&file) else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let header = |name: &str| Header { name: name.into(), value: text.clone() };
        let request = |url: &str| Request {
            method: "POST".into(),
            headers: vec![header("date"), header("content-type"), header(&text)],
            body: Body::Bytes(bytes.clone()),
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

/// The resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
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
