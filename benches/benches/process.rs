//! Whole processes, from start to signed headers: the command `ocisign` and the
//! official Python SDK's signer.
//!
//! `OCISIGN` is the command, `OCISIGN_PYTHON` a Python that has `oci`;
//! `cargo xtask bench` sets both. Without them there is nothing to measure here.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ocisign_benches::{GET_URL, KEY_FILE, KEY_ID};

fn processes(c: &mut Criterion) {
    let mut group = c.benchmark_group("process");
    if let Ok(ocisign) = std::env::var("OCISIGN") {
        group.bench_function("ocisign sign GET", |b| {
            b.iter(|| {
                let args = [
                    "sign",
                    "--method=GET",
                    "--url",
                    GET_URL,
                    "--key-id",
                    KEY_ID,
                    "--key-file",
                    KEY_FILE,
                ];
                run(Command::new(&ocisign).args(args));
            });
        });
        let token = std::env::temp_dir().join("ocisign-bench-token");
        std::fs::write(&token, "e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln").unwrap();
        group.bench_function("ocisign sign GET, resource principal 2.2", |b| {
            b.iter(|| {
                let mut command = Command::new(&ocisign);
                command.args(["sign", "--method=GET", "--url", GET_URL]);
                run(command
                    .env("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2")
                    .env("OCI_RESOURCE_PRINCIPAL_RPST", &token)
                    .env("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", KEY_FILE)
                    .env("OCI_RESOURCE_PRINCIPAL_REGION", "us-ashburn-1"));
            });
        });
        let _ = std::fs::remove_file(&token);
    }
    if let Ok(python) = std::env::var("OCISIGN_PYTHON") {
        group.bench_function("oci (Python) sign GET", |b| {
            b.iter(|| run(Command::new(&python).args(["-c", PYTHON, GET_URL, KEY_ID, KEY_FILE])));
        });
    }
    group.bench_function("/bin/true", |b| b.iter(|| run(&mut Command::new("/bin/true"))));
    group.finish();
}

fn run(command: &mut Command) {
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
}

const PYTHON: &str = "
import sys
from oci._vendor import requests
from oci.signer import Signer
url, key_id, key_file = sys.argv[1:]
tenancy, user, fingerprint = key_id.split('/')
signer = Signer(tenancy, user, fingerprint, key_file)
print(signer(requests.Request('GET', url).prepare()).headers)
";

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(10));
    targets = processes
}
criterion_main!(benches);
