//! What a `Signer` adds to the core's `sign`, how it scales, and what a refresh beside it costs.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use ocisign::{Credential, KeyId, SignError, Signer, sign};
use ocisign_benches::{ConstantKey, KEY_ID, NOW, credential, der, get, native_key};

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

/// The times of single signatures, with and without refreshes beside them, one after another.
fn latency(seconds: u64) {
    let source = || -> Result<Credential, SignError> {
        // What a refresh computes on its own thread: a new key is generated for a session.
        thread::sleep(Duration::from_millis(20));
        let key = ocisign::NativeKey::new(&der().unwrap())?;
        Ok(Credential::new(KeyId::new(KEY_ID)?, key))
    };
    let signer = Signer::from_fn(source);
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
        let at = |part: f64| {
            let index = (times.len() as f64 * part) as usize;
            times.get(index).copied().unwrap_or_default()
        };
        let name = if refreshing { "during refreshes" } else { "without refreshes" };
        let count = times.len();
        println!("latency {name}: p50 {:?}, p99 {:?}, of {count}", at(0.5), at(0.99));
    }
}

criterion_group!(benches, overhead);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let test = std::env::args().any(|arg| arg == "--test") || !std::env::args().any(|arg| arg == "--bench");
    latency(if test { 1 } else { 10 });
}
