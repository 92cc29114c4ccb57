//! The emulator: requests that it verifies in a second, and how soon it answers.
//!
//! Client and emulator share the machine's cores. `OCISIGN_EMULATOR_COMMAND` is the command,
//! which `cargo xtask bench` sets; without it its start is not measured.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocisign::{
    Credential, KeyOptions, NativeKey, PrivateKeyDer, Profile, ProfileSource, Request, read_text,
    sign,
};
use ocisign_emulator::{Config, Emulator};

const CONNECTIONS: usize = 4;
const REQUESTS: usize = 250;

fn verified(c: &mut Criterion) {
    let emulator = Emulator::start(Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls_listen: "127.0.0.1:0".parse().unwrap(),
        ..Config::default()
    })
    .unwrap();
    let mut group = c.benchmark_group("emulator, requests verified");
    group.throughput(Throughput::Elements((CONNECTIONS * REQUESTS) as u64));
    group.sample_size(20);
    for (name, credential) in [
        ("GET by an API key: one signature", api_key(&emulator)),
        ("GET by a resource principal: token and signature", resource_principal(&emulator)),
    ] {
        let request = signed(&emulator, &credential);
        let address = emulator.url().trim_start_matches("http://").to_owned();
        let mut connections: Vec<_> = (0..CONNECTIONS)
            .map(|_| BufReader::new(TcpStream::connect(&address).unwrap()))
            .collect();
        group.bench_function(name, |b| {
            b.iter(|| {
                thread::scope(|scope| {
                    for connection in &mut connections {
                        scope.spawn(|| {
                            for _ in 0..REQUESTS {
                                connection.get_mut().write_all(&request).unwrap();
                                assert_eq!(answer(connection), 200);
                            }
                        });
                    }
                });
            });
        });
    }
    group.finish();
}

fn start(c: &mut Criterion) {
    let Ok(command) = std::env::var("OCISIGN_EMULATOR_COMMAND") else { return };
    let mut group = c.benchmark_group("emulator, start");
    group.sample_size(20);
    group.bench_function("until the metadata service answers", |b| {
        b.iter_custom(|times| (0..times).map(|_| first_answer(&command)).sum());
    });
    group.finish();
}

fn first_answer(command: &str) -> Duration {
    let folder = std::env::temp_dir().join("ocisign-emulator-bench");
    let started = Instant::now();
    let mut emulator = Command::new(command)
        .args(["--quiet", "--listen=127.0.0.1:0", "--tls-listen=127.0.0.1:0", "--directory"])
        .arg(&folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut printed = BufReader::new(emulator.stdout.take().unwrap());
    printed.read_line(&mut line).unwrap();
    let address = line.trim().trim_end_matches('\'').rsplit('/').next().unwrap().to_owned();
    let mut stream = BufReader::new(TcpStream::connect(&address).unwrap());
    let text = "GET /opc/v2/identity/cert.pem HTTP/1.1\r\nauthorization: Bearer Oracle\r\n";
    write!(stream.get_mut(), "{text}host: {address}\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream), 200);
    let taken = started.elapsed();
    emulator.kill().unwrap();
    emulator.wait().unwrap();
    taken
}

/// The status, once the whole answer is read.
fn answer(stream: &mut BufReader<TcpStream>) -> u16 {
    let (mut status, mut length) = (0, 0);
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        } else if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    status
}

/// A request as it goes over the wire. It stays good for five minutes.
fn signed(emulator: &Emulator, credential: &Credential) -> Vec<u8> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let url = format!("{}/20160918/regions", emulator.url());
    let mut text = "GET /20160918/regions HTTP/1.1\r\n".to_owned();
    for (name, value) in sign(&Request::new("GET", &url), credential, now).unwrap() {
        text.extend([name, ": ", &value, "\r\n"]);
    }
    text += "\r\n";
    text.into_bytes()
}

fn api_key(emulator: &Emulator) -> Credential {
    let text = read_text(&emulator.file("config")).unwrap();
    let profile = Profile::parse(&text, "DEFAULT").unwrap();
    ProfileSource::new(&profile).credential().unwrap()
}

fn resource_principal(emulator: &Emulator) -> Credential {
    let read = |name| read_text(&emulator.file(name)).unwrap();
    let pem = read("resource_principal/private.pem");
    let key = PrivateKeyDer::from_pem(&pem, &KeyOptions::new()).unwrap();
    let token = read("resource_principal/rpst");
    Credential::security_token(&token, NativeKey::new(&key).unwrap()).unwrap()
}

criterion_group!(benches, verified, start);
criterion_main!(benches);
