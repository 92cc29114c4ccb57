//! Bytes of any kind as every answer (37).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ocisign::{InstanceSource, ResourceSource, Source, WorkloadSource};
use ocisign_emulator::{Config, ResourcePrincipal};

use crate::emulated::Emulated;
use crate::server::{Authority, Heard, Server, forward, http};
use crate::watch::signer;

/// Xorshift: the same in each run, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.roll(most)).map(|_| self.roll(256).to_le_bytes()[0]).collect()
    }

    /// Something that is not, or not quite, the answer that would have been right.
    fn answer(&mut self, right: &[u8]) -> Vec<u8> {
        let end = right.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let mut answer = right.to_vec();
        match self.roll(6) {
            0 => self.bytes(300),
            1 => [b"HTTP/1.1 200 OK\r\n".to_vec(), self.bytes(100)].concat(),
            2 => http(200, "content-type: application/json\r\n", &self.bytes(2_000)),
            3 => http(u16::try_from(200 + self.roll(400)).unwrap(), "", &right[end..]),
            4 => {
                for _ in 0..=self.roll(8) {
                    let at = self.roll(answer.len());
                    answer[at] = self.roll(256).to_le_bytes()[0];
                }
                answer
            }
            _ => {
                // The right head, and other bytes where the body should be.
                for byte in &mut answer[end..] {
                    if self.roll(50) == 0 {
                        *byte = self.roll(256).to_le_bytes()[0];
                    }
                }
                answer
            }
        }
    }
}

/// After so many good answers, others: seeded by the number of the run.
fn stranger(url: String, run: usize, good: usize) -> impl Fn(&Heard) -> Vec<u8> + Send + Sync {
    let count = AtomicUsize::new(0);
    move |heard| {
        let right = forward(&url, heard);
        let nth = count.fetch_add(1, Ordering::SeqCst);
        if nth < good {
            return right;
        }
        let seed = (run * 1_000 + nth + 1) as u64;
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).answer(&right)
    }
}

/// How it ended, by its code. What is changed where nobody looks may be taken.
fn ends(environment: ocisign::Environment, source: impl Source + 'static) -> &'static str {
    let seen = signer(environment, source);
    let Err(error) = seen.signer.warm() else { return "" };
    let text = error.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.len() < 500 && text.contains("http"), "{text:?}");
    assert!(!text.contains("eyJ") && !text.contains("PRIVATE"), "{text:?}");
    let debug = format!("{error:?}");
    assert!(!debug.contains("eyJ") && !debug.contains("PRIVATE"), "{debug:?}");
    error.code()
}

fn run(run: usize, emulated: &Emulated, authority: &Authority, ca: &str) -> &'static str {
    let url = emulated.emulator.url();
    match run % 3 {
        0 => {
            let front = Server::start(stranger(url, run, run / 3 % 5));
            let environment = emulated.environment(&[
                ("OCI_METADATA_BASE_URL", &[&front.url(), "/opc/v2"].concat()),
                ("OCI_SDK_AUTH_CLIENT_REGION_URL", &front.url()),
            ]);
            ends(environment, InstanceSource::new())
        }
        1 => {
            let front = Server::start(stranger(url, run, run / 3 % 2));
            let environment = emulated.environment(&[
                ("OCI_RESOURCE_PRINCIPAL_RPT_ENDPOINT", &front.url()),
                ("OCI_RESOURCE_PRINCIPAL_RPST_ENDPOINT", &front.url()),
            ]);
            ends(environment, ResourceSource::new())
        }
        _ => {
            let tls = authority.server("127.0.0.1");
            let front = Server::over_tls(tls, stranger(url, run, 0));
            let environment = emulated.environment(&[
                ("KUBERNETES_SERVICE_PORT_PROXYMUX", &front.port()),
                ("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH", ca),
            ]);
            let token = emulated.emulator.file("kubernetes/token");
            ends(environment, WorkloadSource::new().token_file(token))
        }
    }
}

#[test]
fn case_37_any_bytes_as_an_answer_are_a_typed_error_and_never_a_panic_or_a_leak() {
    let config = Config { hosts: vec!["127.0.0.1".into()], ..Config::default() };
    let emulated = Emulated { acting: Some(ResourcePrincipal::V2_1_1), ..Emulated::start(config) };
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let ca = folder.path().join("ca.crt");
    std::fs::write(&ca, &authority.pem).unwrap();
    let (next, ca) = (Arc::new(AtomicUsize::new(0)), ca.display().to_string());
    let codes: Vec<BTreeMap<&str, usize>> = thread::scope(|scope| {
        let worker = || {
            let mut codes = BTreeMap::new();
            loop {
                let nth = next.fetch_add(1, Ordering::SeqCst);
                if nth >= RUNS {
                    return codes;
                }
                *codes.entry(run(nth, &emulated, &authority, &ca)).or_insert(0) += 1;
            }
        };
        let workers = [(); 4].map(|()| scope.spawn(worker));
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let codes: Vec<&str> = codes.iter().flat_map(BTreeMap::keys).copied().collect();
    // Each of these was met: the answers are not all wrong in one way.
    for code in ["EXCHANGE_REFUSED", "EXCHANGE_UNREACHABLE", "INVALID_ANSWER"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
}

const RUNS: usize = 240;
