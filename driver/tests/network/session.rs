//! Session tokens in a file: refreshed in memory, and replaced by whoever logs in.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use ocisign::{ConfigSource, Request, Signed, Signer};
use ocisign_emulator::{Config, Fault, FaultKind, Lifetimes};

use crate::emulated::Emulated;
use crate::watch::signer;

const REFRESH: &str = "/v1/authentication/refresh";

fn source() -> ConfigSource {
    ConfigSource::new().profile("SESSION")
}

fn token(signed: &Signed) -> String {
    let start = signed.headers().authorization().split("keyId=\"ST$").nth(1).unwrap();
    start.split('"').next().unwrap().to_owned()
}

fn sign(signer: &Signer) -> Signed {
    let url = "https://identity.us-ashburn-1.oci.oraclecloud.com/20160918/regions";
    signer.sign(&Request::new("GET", url)).unwrap()
}

#[test]
fn a_session_is_refreshed_in_memory_at_half_of_its_life_and_its_file_left_alone() {
    let lifetimes = Lifetimes { session: 6, ..Lifetimes::default() };
    let emulated = Emulated::start(Config { lifetimes, ..Config::default() });
    let file = emulated.emulator.file("session/token");
    let before = fs::read(&file).unwrap();
    let signer = emulated.builder(source()).build();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        let (status, signed) = emulated.get(&signer, "/20160918/regions").unwrap();
        assert_eq!(status, 200, "{:?}", emulated.emulator.log().last());
        if start.elapsed() < Duration::from_millis(1_500) {
            assert_eq!(signed.generation(), 1);
        }
        thread::sleep(Duration::from_millis(50));
    }
    // Each at a half, so that the first session's end was not noticed.
    assert!(sign(&signer).generation() >= 3);
    assert!((2..=5).contains(&emulated.count("POST", REFRESH)));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_newer_session_in_the_file_is_taken_without_asking_anybody() {
    let emulated = Emulated::start(Config::default());
    let [one, two] = [(), ()].map(|()| emulated.builder(source()).background(false).build());
    let first = token(&sign(&one));
    assert_eq!(first, token(&sign(&two)));
    thread::sleep(Duration::from_millis(1_100));
    one.refresh().unwrap();
    let second = token(&sign(&one));
    assert_ne!(first, second);
    assert_eq!(emulated.count("POST", REFRESH), 1);
    // Somebody logs in.
    fs::write(emulated.emulator.file("session/token"), &second).unwrap();
    two.refresh().unwrap();
    assert_eq!(token(&sign(&two)), second);
    assert_eq!(emulated.count("POST", REFRESH), 1);
}

#[test]
fn a_session_that_cannot_be_refreshed_signs_to_its_end_and_the_error_then_names_the_call() {
    let emulated = Emulated::start(Config::default());
    emulated.emulator.set_faults(vec![Fault {
        on: format!("POST {REFRESH}"),
        kind: FaultKind::Status,
        status: Some(401),
        ..Fault::default()
    }]);
    let seen = signer(emulated.environment(&[]), source());
    sign(&seen.signer);
    let error = seen.signer.refresh().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_REFUSED");
    assert!(error.to_string().contains(REFRESH), "{error}");
    seen.clock.skip(Duration::from_mins(59));
    assert_eq!(sign(&seen.signer).generation(), 1);
    seen.clock.skip(Duration::from_mins(2));
    let url = "https://identity.us-ashburn-1.oci.oraclecloud.com/20160918/regions";
    let error = seen.signer.sign(&Request::new("GET", url)).unwrap_err();
    assert_eq!(error.code(), "EXPIRED");
}
