//! A key that the guest has dropped is nowhere in its memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::sync::Mutex;

use ocisign::{KeyOptions, PrivateKeyDer};
use ocisign_host_test::federation::exports::ocisign::signing as world;
use ocisign_host_test::{CredentialsError, Fixed, KeyMaterial, Signer, get};

use host::{ENTROPY, Host, emulator, environment};
use world::exchanges::Step;

#[allow(dead_code, reason = "the other tests of exchanges use it all")]
#[path = "federation/host.rs"]
mod host;
#[allow(dead_code, reason = "as above")]
#[path = "federation/http.rs"]
mod http;

#[test]
fn a_dropped_key_leaves_nothing_in_the_memory_of_the_guest() {
    let _alone = ALONE.lock().unwrap();
    let needles = needles(&mut fs::read_to_string(KEY).unwrap());
    let mut signer = Signer::new(Fixed(Err(CredentialsError::NotConfigured))).unwrap();
    let mut key = KeyMaterial {
        key_id: "t/u/f".into(),
        private_key: fs::read_to_string(KEY).unwrap(),
        passphrase: None,
        delegation_token: None,
        expires: None,
        blinding_seed: None,
        danger_allow_weak_key: false,
    };
    let keys = signer.world.ocisign_signing_keys().credential();
    let credential = keys.call_read(&mut signer.store, &key).unwrap().unwrap();
    wipe(&mut key.private_key);
    let request = get("https://h/");
    keys.call_sign(&mut signer.store, credential, &request, 0).unwrap().unwrap();
    assert!(found(&needles) > 0, "the search does not find a key that is there");

    credential.resource_drop(&mut signer.store).unwrap();
    // What is left on the guest's stack is overwritten by the next key, which is another.
    let other = KeyMaterial { private_key: fs::read_to_string(OTHER).unwrap(), ..key };
    signer.sign_with(&request, &other, 0).unwrap().unwrap();
    assert_eq!(found(&needles), 0);
}

#[test]
fn a_key_that_an_exchange_made_leaves_nothing_in_the_memory_of_the_guest() {
    let _alone = ALONE.lock().unwrap();
    let (emulator, mut host) = (emulator(), Host::new());
    let environment = environment(&emulator, None, &mut host);
    let mut needles_of_key_made_of = |entropy: &str| {
        let exchange = host
            .call(|guest, store| guest.call_instance_principal(store, &environment, None, entropy))
            .unwrap()
            .unwrap();
        let needles = loop {
            match host.next_step(exchange).unwrap().unwrap() {
                Step::Ready(mut key) => break needles(&mut key.private_key),
                Step::Send(request) => {
                    let answer = http::send(&request, &emulator.ca_file()).unwrap();
                    host.receive(exchange, Ok(&answer));
                }
                Step::Wait(_) => panic!("there is nothing to wait for"),
            }
        };
        assert!(found(&needles) > 0, "the search does not find a key that is there");
        exchange.resource_drop(&mut host.store).unwrap();
        needles
    };
    let needles = needles_of_key_made_of(ENTROPY);
    // What is left on the guest's stack is overwritten by the next key, which is another.
    needles_of_key_made_of(&ENTROPY.replacen('A', "B", 1));
    assert_eq!(found(&needles), 0);
}

/// Pieces of the PEM, and of the primes and the exponent in either byte order, masked so that
/// this test does not find itself. The PEM is wiped.
fn needles(pem: &mut String) -> Vec<Vec<u8>> {
    // The lines behind the public half, and of each a piece.
    let mut needles: Vec<Vec<u8>> = pem
        .lines()
        .skip(8)
        .filter(|line| line.len() == 64)
        .map(|line| line.bytes().take(16).map(|byte| byte ^ MASK).collect())
        .collect();
    let der = PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap();
    wipe(pem);
    // RFC 8017, appendix A.1.2: n and e come first, then d, p, q and the rest.
    let secret = &der.secret_pkcs1_der()[300..];
    let pieces = secret.chunks(16).filter(|piece| piece.len() == 16);
    needles.extend(pieces.flat_map(|piece| {
        let masked: Vec<u8> = piece.iter().map(|byte| byte ^ MASK).collect();
        let reversed = masked.iter().rev().copied().collect();
        [masked, reversed]
    }));
    needles
}

/// How many needles are in the guest's memory: any memory of this process of
/// which a part may be written.
fn found(needles: &[Vec<u8>]) -> usize {
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut starts = [false; 256];
    for needle in needles {
        starts[usize::from(needle[0] ^ MASK)] = true;
    }
    let is_needle = |window: &[u8]| {
        let is = |needle: &&Vec<u8>| needle.iter().zip(window).all(|(a, b)| a ^ MASK == *b);
        starts[usize::from(window[0])] && needles.iter().any(|needle| is(&needle))
    };
    let mut count = 0;
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        if !rights.starts_with("rw") || line.contains("[v") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let start = u64::from_str_radix(start, 16).unwrap();
        let end = u64::from_str_radix(end, 16).unwrap();
        memory.seek(SeekFrom::Start(start)).unwrap();
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        let Ok(length) = memory.read(&mut bytes) else { continue };
        let bytes = &bytes[..length];
        // Page by page, each with the beginning of the next; most are empty.
        for at in (0..length).step_by(PAGE) {
            if bytes[at..length.min(at + PAGE)] != [0; PAGE][..PAGE.min(length - at)] {
                let page = &bytes[at..length.min(at + PAGE + 15)];
                count += page.windows(16).filter(|window| is_needle(window)).count();
            }
        }
    }
    count
}

fn wipe(text: &mut String) {
    let zeros = "\0".repeat(text.len());
    text.replace_range(.., &zeros);
    std::hint::black_box(&text);
}

/// The memory that is searched is that of all tests.
static ALONE: Mutex<()> = Mutex::new(());
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/keys/test-key.pem");
const OTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/keys/other-key.pem");
const MASK: u8 = 0x5a;
const PAGE: usize = 4_096;
