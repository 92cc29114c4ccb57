//! Case 28: memory. Alone in its file, so that nothing else moves the figures.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![cfg(target_os = "linux")]

mod faults;

use std::fs;

use faults::{KEY, full, numbered, request, token, verifies};
use ocisign::{Environment, ResourceSource, SignError, Signer};

/// A line of `/proc/self/status`, in KiB.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

#[test]
fn case_28_signing_takes_less_than_16_mb_and_grows_by_nothing() {
    let before = status("VmRSS:");
    let directory = tempfile::tempdir().unwrap();
    let (rpst, pem) = (directory.path().join("rpst"), directory.path().join("private.pem"));
    fs::write(&rpst, token(KEY, 4_102_444_800, "1")).unwrap();
    fs::write(&pem, KEY).unwrap();
    let environment = Environment::of([
        ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2"),
        ("OCI_RESOURCE_PRINCIPAL_RPST", rpst.to_str().unwrap()),
        ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", pem.to_str().unwrap()),
        ("OCI_RESOURCE_PRINCIPAL_REGION", "us-ashburn-1"),
    ]);
    let signer = Signer::builder(ResourceSource::new()).environment(environment).build();
    for _ in 0..if full() { 20_000 } else { 200 } {
        assert!(verifies(&signer.sign(&request()).unwrap()));
    }
    signer.refresh().unwrap();
    let (added, peak) = (status("VmRSS:") - before, status("VmHWM:") - before);

    // A key that costs nothing, so that a run is short and only signing allocates.
    let signer = Signer::from_fn(|| Ok::<_, SignError>(numbered(1)));
    let sign = |times| (0..times).for_each(|_| drop(signer.sign(&request()).unwrap()));
    sign(10_000);
    let (signatures, steady) = (if full() { 10_000_000 } else { 100_000 }, status("VmRSS:"));
    sign(signatures);
    let growth = status("VmRSS:").saturating_sub(steady);
    println!(
        "added {added} KiB, at most {peak} KiB; {growth} KiB more after {signatures} signatures"
    );
    assert!(peak < 16 * 1_024, "{peak} KiB");
    assert!(growth < 1_024, "{growth} KiB");
}
