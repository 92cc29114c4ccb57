//! What a `Signer` adds to the core's `sign`, how it scales, and what a refresh beside it costs.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use ocisign::{Environment, InstanceSource, Signer, sign};
use ocisign_benches::{ConstantKey, NOW, credential, get, native_key};
use ocisign_emulator::{Config, Emulator};

/// The whole of it is a clock, a pointer and a comparison.
fn overhead(c: &mut Criterion) {
    let mut group = c.benchmark_group("signer, without RSA");
    let constant = credential(ConstantKey::default()).unwrap();
    group.bench_function("core sign GET", |b| {
        b.iter(|| sign(black_box(&get()), &constant, NOW).unwrap());
    });
    let signer = Signer::from_credential(credential(ConstantKey::default()).unwrap());
    group.bench_function("Signer::sign GET", |b| {
        b.iter(|| signer.sign(black_box(&get())).unwrap());
    });
    group.finish();

    let mut group = c.benchmark_group("signer, RSA-2048");
    let native = credential(native_key().unwrap()).unwrap();
    group.bench_function("core sign GET", |b| {
        b.iter(|| sign(black_box(&get()), &native, NOW).unwrap());
    });
    let signer = Signer::from_credential(credential(native_key().unwrap()).unwrap());
    group.bench_function("Signer::sign GET", |b| {
        b.iter(|| signer.sign(black_box(&get())).unwrap());
    });
    for threads in [1, 2, 8] {
        group.bench_function(format!("Signer::sign GET, {threads} threads"), |b| {
            b.iter_custom(|signatures| in_threads(&signer, threads, signatures));
        });
    }
    group.finish();
}

/// How long so many signatures take, shared out among threads.
fn in_threads(signer: &Signer, threads: u64, signatures: u64) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for index in 0..threads {
            let share = signatures / threads + u64::from(index < signatures % threads);
            scope.spawn(move || {
                for _ in 0..share {
                    signer.sign(black_box(&get())).unwrap();
                }
            });
        }
    });
    start.elapsed()
}

/// The times of single signatures by an instance principal, with and without refreshes beside
/// them, one after another: each reads the metadata service, makes a key and federates.
fn latency(seconds: u64) {
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = Config { listen, tls_listen: listen, ..Config::default() };
    let emulator = Emulator::start(config).unwrap();
    let environment = Environment::of(emulator.environment(None));
    let signer = Signer::builder(InstanceSource::new()).environment(environment).build();
    signer.warm().unwrap();
    for refreshing in [false, true] {
        let stop = AtomicBool::new(false);
        let mut times = thread::scope(|scope| {
            if refreshing {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        signer.refresh().unwrap();
                    }
                });
            }
            let end = Instant::now() + Duration::from_secs(seconds);
            let mut times = Vec::new();
            while Instant::now() < end {
                let start = Instant::now();
                signer.sign(black_box(&get())).unwrap();
                times.push(start.elapsed());
            }
            stop.store(true, Ordering::Relaxed);
            times
        });
        times.sort_unstable();
        let at = |percent| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        let name = if refreshing { "during refreshes" } else { "without refreshes" };
        let count = times.len();
        println!("latency {name}: p50 {:?}, p99 {:?}, of {count}", at(50), at(99));
    }
}

criterion_group!(benches, overhead);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let bench = std::env::args().any(|arg| arg == "--bench");
    latency(if bench { 10 } else { 1 });
}
