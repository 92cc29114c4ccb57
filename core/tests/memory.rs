//! What is left of a private key in this process's memory once it is dropped.
//!
//! All private memory that can be read and written is searched, by way of
//! `/proc/self/mem`: the heap with what was freed, the stacks with what was
//! popped. It is one test, so that no other thread holds a key meanwhile.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use ocisign_core::{KeyOptions, PrivateKeyDer, RsaKey, SigningKey};
use zeroize::{Zeroize, Zeroizing};

#[test]
fn a_dropped_key_leaves_nothing_behind_but_primes_that_the_crate_rsa_forgets() {
    let mut search = Search::new();
    the_search_finds_what_lies_on_the_stack(&mut search);
    search.add_secrets();
    search.expect("the secrets were collected", &[], &[]);

    for file in FILES {
        let text = read(file);
        search.expect(&format!("the text of {file} is alive"), &[&pem(file)], &[]);
        let key = private_key(&text);
        drop(text);
        search.expect(&format!("the key of {file} is alive"), &BIG_ENDIAN, &[]);
        drop(key);
        search.expect(&format!("the key of {file} was dropped"), &[], &[]);
    }
    for file in FILES {
        let text = read(file);
        let key = RsaKey::new(&private_key(&text)).unwrap();
        drop(text);
        for message in [&b"one"[..], b"two", b"three"] {
            key.sign(message).unwrap();
        }
        search.expect(&format!("the signing key of {file} is alive"), &LITTLE_ENDIAN, &FORGOTTEN);
        drop(key);
        search.expect(&format!("the signing key of {file} was dropped"), &[], &FORGOTTEN);
    }
}

/// A search that finds nothing where there is something would prove nothing.
fn the_search_finds_what_lies_on_the_stack(search: &mut Search) {
    let pattern = || (11_u8..).step_by(7).take(32);
    search.add("pattern", pattern());
    search.expect("there is no pattern", &[], &[]);
    let mut on_stack = [0; 32];
    for (byte, value) in on_stack.iter_mut().zip(pattern()) {
        *byte = value;
    }
    black_box(&on_stack);
    search.expect("a pattern lies on the stack", &["pattern"], &[]);
    on_stack.zeroize();
    search.expect("the pattern was wiped", &[], &[]);
}

/// The secret's pieces, and where to read memory to.
struct Search {
    /// Names and bytes, each byte turned over so that the search does not find itself.
    needles: Vec<(String, [u8; WINDOW])>,
    /// Needles by their first two bytes.
    index: Vec<Vec<usize>>,
    buffer: Vec<u8>,
}

impl Search {
    fn new() -> Self {
        let index = vec![Vec::new(); 1 << 16];
        Self { needles: Vec::new(), index, buffer: vec![0; CHUNK + WINDOW - 1] }
    }

    /// All numbers of the key in either order, and the base64 of all files.
    fn add_secrets(&mut self) {
        let text = read(FILES[0]);
        let key = private_key(&text);
        let numbers = numbers(key.secret_pkcs1_der());
        // RFC 8017, appendix A.1.2: version, n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p
        assert_eq!(numbers.len(), 9);
        let names = BIG_ENDIAN.iter().zip(LITTLE_ENDIAN.iter().chain(&["1/q, little-endian"]));
        for (number, (big, little)) in numbers[3..].iter().zip(names) {
            self.add(big, number.iter().copied());
            self.add(little, number.iter().rev().copied());
        }
        for file in FILES {
            for line in read(file).lines().filter(|line| line.len() == 64) {
                self.add(&pem(file), line.bytes());
            }
        }
    }

    /// Look for any 23 consecutive bytes of these.
    fn add(&mut self, name: &str, bytes: impl Iterator<Item = u8>) {
        let masked: Vec<u8> = bytes.map(|byte| byte ^ MASK).collect();
        for window in masked.windows(WINDOW).step_by(8) {
            self.index[place(window[0], window[1])].push(self.needles.len());
            self.needles.push((name.to_owned(), window.try_into().unwrap()));
        }
    }

    /// Check that these are in memory, and that besides them no others are than these.
    fn expect(&mut self, when: &str, present: &[&str], tolerated: &[&str]) {
        let found = self.run();
        for name in present {
            assert!(found.contains(*name), "{when}: {name} is not found; found are {found:?}");
        }
        let expected = |name: &str| [present, tolerated].iter().any(|names| names.contains(&name));
        // Until the key is dropped, it does not matter what else there is.
        if present.is_empty() {
            let left: Vec<&String> = found.iter().filter(|name| !expected(name)).collect();
            assert!(left.is_empty(), "{when}: still in memory are {left:?}");
        }
    }

    /// The names of what is in memory.
    fn run(&mut self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut memory = File::open("/proc/self/mem").unwrap();
        // What is searched is in the buffer too.
        let own = self.buffer.as_ptr_range();
        let own = own.start as usize..own.end as usize;
        for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
            let Some((start, end)) = private_and_writable(line) else { continue };
            for start in (start..end).step_by(CHUNK) {
                let length = (end - start).min(self.buffer.len());
                memory.seek(SeekFrom::Start(start as u64)).unwrap();
                memory.read_exact(&mut self.buffer[..length]).unwrap();
                for page in (0..length).step_by(ZEROS.len()) {
                    let bytes = &self.buffer[page..length.min(page + ZEROS.len() + WINDOW - 1)];
                    // Most of memory was never used.
                    if bytes.starts_with(&ZEROS) {
                        continue;
                    }
                    for (at, window) in bytes.windows(WINDOW).enumerate() {
                        if let Some(name) = self.needle(window)
                            && !own.contains(&(start + page + at))
                        {
                            found.insert(name.to_owned());
                        }
                    }
                }
            }
        }
        self.buffer.as_mut_slice().zeroize();
        found
    }

    /// The name of the needle that these bytes are.
    fn needle(&self, window: &[u8]) -> Option<&str> {
        let candidates = &self.index[place(window[0] ^ MASK, window[1] ^ MASK)];
        candidates.iter().map(|&needle| &self.needles[needle]).find_map(|(name, masked)| {
            let same = window.iter().zip(masked).all(|(byte, masked)| byte ^ MASK == *masked);
            same.then_some(&**name)
        })
    }
}

/// Where a line of `/proc/self/maps` says that memory starts and ends.
fn private_and_writable(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?.as_bytes();
    let [start, end] = [start, end].map(|at| usize::from_str_radix(at, 16).unwrap());
    matches!(permissions, [b'r', b'w', _, b'p']).then_some((start, end))
}

fn place(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// A text that is wiped on drop, and was read without another copy.
fn read(file: &str) -> Zeroizing<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/keys").join(file);
    Zeroizing::new(String::from_utf8(fs::read(path).unwrap()).unwrap())
}

fn private_key(text: &str) -> PrivateKeyDer {
    let options = KeyOptions::new().passphrase(b"test-passphrase");
    PrivateKeyDer::from_pem(text, &options).unwrap()
}

/// The integers of an `RSAPrivateKey`, without leading zeros.
fn numbers(der: &[u8]) -> Vec<&[u8]> {
    let mut numbers = Vec::new();
    // The tag and the length of the sequence: 30 82 xx xx.
    let mut rest = &der[4..];
    while let [2, length, after @ ..] = rest {
        let (length, after) = match *length {
            0x81 => (usize::from(after[0]), &after[1..]),
            0x82 => (usize::from(after[0]) << 8 | usize::from(after[1]), &after[2..]),
            short => (usize::from(short), after),
        };
        let (number, after) = after.split_at(length);
        numbers.push(number.strip_prefix(&[0]).unwrap_or(number));
        rest = after;
    }
    numbers
}

fn pem(file: &str) -> String {
    format!("base64 of {file}")
}

/// All of one key: PKCS#1, PKCS#8, PBES2 with either derivation, legacy with either cipher.
const FILES: [&str; 7] = [
    "test-key.pem",
    "test-key.pkcs8.pem",
    "test-key.pbkdf2-sha1-aes192.pem",
    "test-key.pbkdf2-sha256-aes256.pem",
    "test-key.scrypt-aes128.pem",
    "test-key.legacy-aes256.pem",
    "test-key.legacy-des3.pem",
];

/// What a key is made of in DER.
const BIG_ENDIAN: [&str; 6] = [
    "d, big-endian",
    "p, big-endian",
    "q, big-endian",
    "d mod p-1, big-endian",
    "d mod q-1, big-endian",
    "1/q, big-endian",
];

/// What a key is made of when it signs; 1/q is in Montgomery form then.
const LITTLE_ENDIAN: [&str; 5] = [
    "d, little-endian",
    "p, little-endian",
    "q, little-endian",
    "d mod p-1, little-endian",
    "d mod q-1, little-endian",
];

/// The crate `rsa` 0.10.0-rc.20 wipes the key that it holds, but copies the
/// primes for each signature and frees the copies as they are
/// (`algorithms/rsa.rs`: "TODO(tarcieri): zeroize intermediates"). See `THREAT_MODEL.md`.
const FORGOTTEN: [&str; 2] = ["p, little-endian", "q, little-endian"];

const CHUNK: usize = 1 << 16;
const MASK: u8 = 0xa5;
const WINDOW: usize = 15;
const ZEROS: [u8; 4096] = [0; 4096];
