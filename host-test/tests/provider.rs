//! The host's side of `credentials`: what it gives, when it is asked, and how it may fail.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{KeyOptions, NativeKey, NativeVerifyingKey, PrivateKeyDer, SigningKey, VerifyingKey};
use ocisign_host_test::{
    CredentialSource, Credentials, CredentialsError, Error, ErrorCode, Fixed, Header, HostKey,
    KeyMaterial, Signer, Types, get,
};

/// A host that signs with a key of its own, gives what it is told to, and counts.
#[derive(Clone)]
struct Host {
    gives: Arc<Mutex<Result<CredentialSource, CredentialsError>>>,
    /// Instead of its own signature.
    signs: Arc<Mutex<Option<Result<String, CredentialsError>>>>,
    key: Arc<NativeKey>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    fn of(gives: Result<CredentialSource, CredentialsError>) -> Self {
        Self {
            gives: Arc::new(Mutex::new(gives)),
            signs: Arc::default(),
            key: Arc::new(native_key()),
            asked: Arc::default(),
        }
    }
}

impl Types for Host {}

impl Credentials for Host {
    fn current(&mut self) -> Result<CredentialSource, CredentialsError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.gives.lock().unwrap().clone()
    }

    fn sign(&mut self, key_id: String, signing_string: String) -> Result<String, CredentialsError> {
        assert!(key_id == KEY_ID || key_id.starts_with("ST$"));
        if let Some(told) = self.signs.lock().unwrap().clone() {
            return told;
        }
        Ok(STANDARD.encode(self.key.sign(signing_string.as_bytes()).unwrap()))
    }
}

#[test]
fn a_key_that_stays_with_the_host_signs_what_a_key_in_the_guest_signs() {
    let with_host_key = Signer::new(Host::of(Ok(host_key(None)))).unwrap().sign(&get(URL), NOW);
    let with_guest_key = Signer::new(Host::of(Ok(guest_key(None)))).unwrap().sign(&get(URL), NOW);
    assert_eq!(plain(with_host_key.unwrap()), plain(with_guest_key.unwrap()));
}

#[test]
fn the_host_is_asked_once_and_again_when_what_it_gave_expires() {
    for gives in [host_key(Some(NOW + 10)), guest_key(Some(NOW + 10))] {
        let host = Host::of(Ok(gives.clone()));
        let mut signer = Signer::new(host.clone()).unwrap();
        for now in [NOW, NOW + 1, NOW + 9] {
            assert!(signer.sign(&get(URL), now).unwrap().is_ok());
            assert_eq!(host.asked.load(Ordering::Relaxed), 1);
        }
        // The host has nothing newer: it is asked again, and what it gives is refused.
        assert_eq!(code(signer.sign(&get(URL), NOW + 10)), ErrorCode::Expired);
        assert_eq!(host.asked.load(Ordering::Relaxed), 2);
        *host.gives.lock().unwrap() = Ok(host_key(Some(NOW + 99)));
        assert!(signer.sign(&get(URL), NOW + 10).unwrap().is_ok());
        assert_eq!(host.asked.load(Ordering::Relaxed), 3);
    }
}

#[test]
fn the_expiry_that_a_token_says_counts_where_it_is_the_earlier_one() {
    // {"exp":1704110650}, signed by nobody.
    let token = "ST$e30.eyJleHAiOjE3MDQxMTA2NTB9.c2ln";
    let mut key = material(Some(NOW + 99));
    key.key_id = token.into();
    let host = HostKey { key_id: token.into(), delegation_token: None, expires: None };
    for gives in [CredentialSource::Key(key), CredentialSource::Host(host)] {
        let mut signer = Signer::new(Host::of(Ok(gives))).unwrap();
        assert!(signer.sign(&get(URL), NOW + 4).unwrap().is_ok());
        assert_eq!(code(signer.sign(&get(URL), NOW + 5)), ErrorCode::Expired);
    }
}

#[test]
fn a_host_without_credentials_is_an_error_and_is_asked_again() {
    let host = Host::of(Err(CredentialsError::Failed("vault is sealed".into())));
    let mut signer = Signer::new(host.clone()).unwrap();
    let error = signer.sign(&get(URL), NOW).unwrap().unwrap_err();
    assert_eq!((error.code, &*error.message), (ErrorCode::NoCredential, "vault is sealed"));
    *host.gives.lock().unwrap() = Err(CredentialsError::NotConfigured);
    assert_eq!(code(signer.sign(&get(URL), NOW)), ErrorCode::NoCredential);
    *host.gives.lock().unwrap() = Err(CredentialsError::Other(None));
    assert_eq!(code(signer.sign(&get(URL), NOW)), ErrorCode::NoCredential);
    *host.gives.lock().unwrap() = Ok(host_key(None));
    assert!(signer.sign(&get(URL), NOW).unwrap().is_ok());
}

#[test]
fn a_host_that_gives_nonsense_gets_an_error_and_no_trap() {
    let bad = |change: fn(&mut KeyMaterial)| {
        let mut key = material(None);
        change(&mut key);
        code(Signer::new(Fixed(Ok(CredentialSource::Key(key)))).unwrap().sign(&get(URL), NOW))
    };
    assert_eq!(bad(|key| key.private_key.clear()), ErrorCode::InvalidKey);
    assert_eq!(bad(|key| key.private_key.truncate(400)), ErrorCode::InvalidKey);
    assert_eq!(bad(|key| key.key_id = "a\"b".into()), ErrorCode::InvalidKeyId);
    assert_eq!(bad(|key| key.key_id = "ST$nonsense".into()), ErrorCode::InvalidToken);
    assert_eq!(bad(|key| key.delegation_token = Some("a\nb".into())), ErrorCode::InvalidHeader);

    let host = Host::of(Ok(host_key(None)));
    let mut signer = Signer::new(host.clone()).unwrap();
    *host.signs.lock().unwrap() = Some(Ok(String::new()));
    assert_eq!(code(signer.sign(&get(URL), NOW)), ErrorCode::SigningFailed);
    *host.signs.lock().unwrap() = Some(Ok("not base64".into()));
    assert_eq!(code(signer.sign(&get(URL), NOW)), ErrorCode::InvalidEncoding);
    *host.signs.lock().unwrap() =
        Some(Err(CredentialsError::Failed("the token was pulled".into())));
    let error = signer.sign(&get(URL), NOW).unwrap().unwrap_err();
    assert_eq!((error.code, &*error.message), (ErrorCode::SigningFailed, "the token was pulled"));
    *host.signs.lock().unwrap() = None;
    assert!(signer.sign(&get(URL), NOW).unwrap().is_ok());
}

#[test]
fn the_words_of_a_host_that_fails_are_passed_on_whole() {
    struct Wordy;
    impl Types for Wordy {}
    impl Credentials for Wordy {
        fn current(&mut self) -> Result<CredentialSource, CredentialsError> {
            Err(CredentialsError::Failed("x".repeat(1 << 20)))
        }
        fn sign(&mut self, _: String, _: String) -> Result<String, CredentialsError> {
            Err(CredentialsError::Other(None))
        }
    }
    let error = Signer::new(Wordy).unwrap().sign(&get(URL), NOW).unwrap().unwrap_err();
    assert_eq!((error.code, error.message.len()), (ErrorCode::NoCredential, 1 << 20));
}

#[test]
fn a_seed_for_blinding_changes_no_signature() {
    let mut seeded = material(None);
    seeded.blinding_seed = Some("thirty-two bytes of randomness, or more".into());
    let mut signer = Signer::new(Host::of(Ok(host_key(None)))).unwrap();
    let plain_signature = signer.sign_with(&get(URL), &material(None), NOW).unwrap();
    let seeded_signature = signer.sign_with(&get(URL), &seeded, NOW).unwrap();
    assert_eq!(plain(seeded_signature), plain(plain_signature));
}

#[test]
fn what_the_component_signs_verifies_with_another_library() {
    let headers =
        plain(Signer::new(Host::of(Ok(guest_key(None)))).unwrap().sign(&get(URL), NOW).unwrap());
    let authorization = &headers.last().unwrap().1;
    let signature = authorization.rsplit("signature=\"").next().unwrap().trim_end_matches('"');
    let signing_string = format!(
        "date: {}\n(request-target): get /20160918/instances\nhost: {}",
        headers[0].1, headers[1].1
    );
    let key = NativeVerifyingKey::new(native_key().public_key()).unwrap();
    assert!(key.verify(signing_string.as_bytes(), &STANDARD.decode(signature).unwrap()));
}

const URL: &str = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances";
const KEY_ID: &str =
    "ocid1.tenancy.oc1..a/ocid1.user.oc1..b/e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee";
const NOW: u64 = 1_704_110_645;
const PEM: &str = include_str!("../../vectors/keys/test-key.pem");

fn native_key() -> NativeKey {
    NativeKey::new(&PrivateKeyDer::from_pem(PEM, &KeyOptions::new()).unwrap()).unwrap()
}

fn host_key(expires: Option<u64>) -> CredentialSource {
    CredentialSource::Host(HostKey { key_id: KEY_ID.into(), delegation_token: None, expires })
}

fn guest_key(expires: Option<u64>) -> CredentialSource {
    CredentialSource::Key(material(expires))
}

fn material(expires: Option<u64>) -> KeyMaterial {
    KeyMaterial {
        key_id: KEY_ID.into(),
        private_key: PEM.into(),
        passphrase: None,
        delegation_token: None,
        expires,
        blinding_seed: None,
        danger_allow_weak_key: false,
    }
}

fn plain(signed: Result<Vec<Header>, Error>) -> Vec<(String, String)> {
    signed.unwrap().into_iter().map(|header| (header.name, header.value)).collect()
}

fn code(signed: wasmtime::Result<Result<Vec<Header>, Error>>) -> ErrorCode {
    signed.unwrap().unwrap_err().code
}
