//! Whole processes, from start to signed headers: the command `ocisign` and the
//! official Python SDK's signer. Of the command the memory, too.
//!
//! `OCISIGN` is the command, `OCISIGN_PYTHON` a Python that has `oci`;
//! `cargo xtask bench` sets both. Without them there is nothing to measure here.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use nix::sys::resource::{UsageWho, getrusage};
use ocisign_benches::{GET_URL, KEY_FILE, KEY_ID};

fn processes(c: &mut Criterion) {
    let mut group = c.benchmark_group("process");
    if let Ok(ocisign) = std::env::var("OCISIGN") {
        group.bench_function("ocisign sign GET", |b| b.iter(|| run(&mut as_user(&ocisign))));
        let token = Token::write();
        group.bench_function("ocisign sign GET, resource principal 2.2", |b| {
            b.iter(|| run(&mut as_resource(&ocisign, &token)));
        });
    }
    if let Ok(python) = std::env::var("OCISIGN_PYTHON") {
        group.bench_function("oci (Python) sign GET", |b| {
            b.iter(|| run(Command::new(&python).args(["-c", PYTHON, GET_URL, KEY_ID, KEY_FILE])));
        });
    }
    group.bench_function("/bin/true", |b| b.iter(|| run(&mut Command::new("/bin/true"))));
    group.finish();
}

/// `ocisign sign` by API key.
fn as_user(ocisign: &str) -> Command {
    let mut command = Command::new(ocisign);
    command.args(["sign", "--method=GET", "--url", GET_URL]);
    command.args(["--key-id", KEY_ID, "--key-file", KEY_FILE]);
    command
}

/// The same as a resource principal 2.2 from files.
fn as_resource(ocisign: &str, token: &Token) -> Command {
    let mut command = Command::new(ocisign);
    command
        .args(["sign", "--method=GET", "--url", GET_URL])
        .env("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2")
        .env("OCI_RESOURCE_PRINCIPAL_RPST", &token.0)
        .env("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", KEY_FILE)
        .env("OCI_RESOURCE_PRINCIPAL_REGION", "us-ashburn-1");
    command
}

/// A file with a token that says nothing but when it ends.
struct Token(PathBuf);

impl Token {
    fn write() -> Self {
        let path = std::env::temp_dir().join(format!("ocisign-bench-{}", std::process::id()));
        std::fs::write(&path, "e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln").unwrap();
        Self(path)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The most memory that any child of this process had. A child starts as its parent's copy, so
/// it is at least this process's own.
fn memory() {
    if let Ok(ocisign) = std::env::var("OCISIGN") {
        run(&mut as_resource(&ocisign, &Token::write()));
        let most = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
        println!("memory of ocisign sign GET, resource principal 2.2: at most {most} KiB");
    }
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

fn main() {
    // First of all: what comes later has larger children.
    memory();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
