//! Clocks that are wrong, jump or stand still; services that are down; lives that end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod emulated;
mod faults;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use emulated::Emulated;
use faults::{Network, Virtual, asked, numbered, numbers, request, until};
use ocisign::{
    ConfigSource, HttpTransport, InstanceSource, Refusal, Request, Signed, Signer, SignerError,
    SourceError, parse_http_date,
};
use ocisign_emulator::{Config, Fault, FaultKind, Lifetimes};

const REGIONS: &str = "/20160918/regions";

/// An emulator whose instance tokens live for half an hour, and a signer on a network and a
/// clock of the test's.
struct Instance {
    clock: Virtual,
    emulated: Emulated,
    network: Network,
    signer: Signer,
}

impl Instance {
    fn new(more: &[(&str, &str)]) -> Self {
        let lifetimes = Lifetimes { instance: 1_800, ..Lifetimes::default() };
        let emulated = Emulated::start(Config { lifetimes, ..Config::default() });
        let tls = emulated.emulator.tls_url();
        let more: Vec<_> = more
            .iter()
            .map(|(name, value)| (*name, if *value == "tls" { tls.as_str() } else { value }))
            .collect();
        let (clock, environment) = (Virtual::new(), emulated.environment(&more));
        let network = Network::new(HttpTransport::new(&environment), &clock);
        let signer = Signer::builder(InstanceSource::new())
            .environment(environment)
            .transport(network.clone())
            .clock(clock.clone())
            .build();
        Self { clock, emulated, network, signer }
    }

    /// Time goes on, for the emulator too.
    fn advance(&self, seconds: u64) {
        self.clock.advance(seconds);
        self.emulated.emulator.set_time(i64::try_from(self.clock.time()).unwrap());
    }
}

/// What a service answers to a signed GET over TLS: status, date, body.
fn send(emulated: &Emulated, signed: &Signed) -> (u16, String, Vec<u8>) {
    let client = HttpTransport::new(&emulated.environment(&[])).client().unwrap();
    let mut call = client.get([&emulated.emulator.tls_url(), REGIONS].concat());
    for (name, value) in signed.headers().headers() {
        call = call.header(*name, value);
    }
    let mut answer = call.call().unwrap();
    let date = answer.headers().get("date").unwrap().to_str().unwrap().to_owned();
    (answer.status().as_u16(), date, answer.body_mut().read_to_vec().unwrap())
}

fn sign(emulated: &Emulated, signer: &Signer) -> Signed {
    let url = [&emulated.emulator.tls_url(), REGIONS].concat();
    signer.sign(&Request::new("GET", &url)).unwrap()
}

/// A user with an API key, and a clock.
fn user(emulated: &Emulated) -> (Signer, Virtual) {
    let clock = Virtual::new();
    let signer = emulated.builder(ConfigSource::new().profile("DEFAULT"));
    (signer.clock(clock.clone()).build(), clock)
}

fn date(signed: &Signed) -> u64 {
    parse_http_date(signed.headers().get("date").unwrap()).unwrap()
}

#[test]
fn case_2_a_federation_that_fails_after_its_key_was_made_changes_nothing() {
    let instance = Instance::new(&[]);
    let Instance { emulated, signer, .. } = &instance;
    signer.warm().unwrap();
    for (kind, code) in [
        (FaultKind::Status, "EXCHANGE_REFUSED"),
        (FaultKind::Close, "EXCHANGE_UNREACHABLE"),
        (FaultKind::Garbage, "INVALID_ANSWER"),
        (FaultKind::Truncated, "EXCHANGE_UNREACHABLE"),
        (FaultKind::WrongJwk, "KEY_MISMATCH"),
        (FaultKind::ExpiredToken, "EXPIRED"),
        (FaultKind::OtherTenancy, "TENANCY_CHANGED"),
    ] {
        emulated.emulator.set_time(i64::try_from(instance.clock.time()).unwrap());
        let fault = Fault { on: "POST /v1/x509".into(), kind, ..Fault::default() };
        emulated.emulator.set_faults(vec![fault]);
        assert_eq!(signer.refresh().unwrap_err().code(), code, "{kind:?}");
        let (status, signed) = emulated.get(signer, REGIONS).unwrap();
        assert_eq!((status, signed.generation()), (200, 1), "{kind:?}");
    }
    emulated.emulator.set_faults(Vec::new());
    signer.refresh().unwrap();
    let (status, signed) = emulated.get(signer, REGIONS).unwrap();
    assert_eq!((status, signed.generation()), (200, 2));
}

#[test]
fn case_5_all_is_signed_while_the_metadata_service_is_down_for_ten_minutes() {
    let instance = Instance::new(&[]);
    let Instance { clock, network, signer, .. } = &instance;
    signer.warm().unwrap();
    let (start, asked_before) = (clock.time(), network.asked.lock().unwrap().len());
    let since = || clock.time() - start;
    let mut good = 0;
    while since() < 600 {
        instance.advance(1);
        signer.sign(&request()).unwrap();
    }
    network.down.store(true, Ordering::SeqCst);
    while since() < 1_200 {
        instance.advance(1);
        assert_eq!(signer.sign(&request()).unwrap().generation(), 1);
        good += 1;
        thread::sleep(Duration::from_millis(1));
    }
    // Not within an exchange, which waits for seconds between its tries.
    until("the last try ended", || (network.asked.lock().unwrap().len() - asked_before) % 3 == 0);
    let asked: Vec<_> = network.asked.lock().unwrap()[asked_before..].to_vec();
    network.down.store(false, Ordering::SeqCst);
    let back = since();
    while network.asked.lock().unwrap().len() == asked_before + asked.len() {
        instance.advance(1);
        signer.sign(&request()).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
    let recovered = since() - back;
    until("a federation in no virtual time", || signer.status().generation == 2);
    assert!(recovered <= 33, "{recovered}"); // thirty, and what a sleeping exchange adds
    let first = asked.first().map(|at| *at - start);
    println!(
        "{good} signatures while it was down, {} requests from second {first:?} on, all well after \
         {recovered} s",
        asked.len()
    );
    // From half of the life on; three tries a refresh, then half a second to thirty of rest.
    assert!(first.is_some_and(|first| (810..=995).contains(&first)), "{first:?}");
    let down = usize::try_from(1_200 - first.unwrap()).unwrap();
    assert!((3..=3 * (6 + down / 15)).contains(&asked.len()), "{}", asked.len());
    assert!(asked.chunks(3).zip(asked.chunks(3).skip(1)).all(|(one, two)| two[0] > one[0]));
}

#[test]
fn case_6_past_its_expiry_the_error_says_since_when_and_why_and_it_recovers_by_itself() {
    let instance = Instance::new(&[]);
    let Instance { clock, network, signer, .. } = &instance;
    signer.warm().unwrap();
    let expires = clock.time() + signer.status().remaining.unwrap().as_secs();
    network.down.store(true, Ordering::SeqCst);
    instance.advance(1_801);
    let before = network.asked.lock().unwrap().len();
    let start = clock.time();
    while clock.time() - start < 600 {
        let error = signer.sign(&request()).unwrap_err();
        assert_eq!(error.code(), "EXPIRED");
        let SignerError::Expired { since, last_error } = error else { panic!("{error}") };
        assert!(since.abs_diff(expires) <= 1, "{since}");
        assert_eq!(last_error.code(), "EXCHANGE_UNREACHABLE");
        assert!(last_error.to_string().contains("/opc/v2/"), "{last_error}");
        instance.advance(1);
    }
    let asked = network.asked.lock().unwrap().len() - before;
    assert!((20..=3 * (6 + 600 / 15)).contains(&asked), "{asked}");
    network.down.store(false, Ordering::SeqCst);
    let down = clock.time();
    while signer.sign(&request()).is_err() {
        instance.advance(1);
    }
    let recovered = clock.time() - down;
    println!("{asked} requests in 600 s; all well {recovered} s after the service was");
    assert!(recovered <= 31, "{recovered}");
    assert_eq!((signer.status().generation, signer.status().failures), (2, 0));
}

#[test]
fn case_18_a_wrong_clock_is_set_right_by_a_401_over_tls_and_one_more_try() {
    let emulated = Emulated::start(Config::default());
    for off in [360, -360, 86_400, -86_400] {
        for by_date in [true, false] {
            let (signer, clock) = user(&emulated);
            clock.set_by(off);
            let signed = sign(&emulated, &signer);
            let (status, date_header, body) = send(&emulated, &signed);
            assert_eq!(status, 401, "{off}");
            let text = String::from_utf8_lossy(&body);
            let refusal = if by_date {
                Refusal::new(Some(&date_header), b"")
            } else {
                assert!(text.contains("clock skew"), "{text}");
                Refusal::new(None, &body)
            };
            assert!(signer.on_unauthorized(&signed, &refusal.over_tls()), "{off}");
            let signed = sign(&emulated, &signer);
            assert_eq!(send(&emulated, &signed).0, 200, "{off}");
            assert!(signer.status().clock_offset.abs_diff(-off) < 10, "{off}");
            assert!(date(&signed).abs_diff(clock.time().saturating_add_signed(-off)) < 10);
        }
    }
}

#[test]
fn case_18_a_clock_is_not_set_by_what_came_without_tls_nor_by_days() {
    let emulated = Emulated::start(Config::default());
    let (signer, clock) = user(&emulated);
    clock.set_by(360);
    let signed = sign(&emulated, &signer);
    let (_, date_header, body) = send(&emulated, &signed);
    assert!(!signer.on_unauthorized(&signed, &Refusal::new(Some(&date_header), &body)));
    let far = Refusal::new(Some("Sun, 06 Nov 1994 08:49:37 GMT"), b"").over_tls();
    assert!(!signer.on_unauthorized(&signed, &far));
    assert_eq!(signer.status().clock_offset, 0);
}

#[test]
fn case_18_all_who_were_refused_for_the_clock_sign_again_and_not_only_the_first() {
    let emulated = Emulated::start(Config::default());
    let (signer, clock) = user(&emulated);
    clock.set_by(-360);
    let start = Barrier::new(32);
    let now = ocisign_date(clock.time() + 360);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let signed = sign(&emulated, &signer);
                start.wait();
                let refusal = Refusal::new(Some(&now), b"").over_tls();
                assert!(signer.on_unauthorized(&signed, &refusal));
            });
        }
    });
    let signed = sign(&emulated, &signer);
    assert_eq!(send(&emulated, &signed).0, 200);
    // Once only: the next refusal is not for the clock.
    assert!(!signer.on_unauthorized(&signed, &Refusal::new(Some(&now), b"").over_tls()));
}

/// The date of this time, as a signer writes it.
fn ocisign_date(time: u64) -> String {
    let key_id = ocisign::KeyId::new("a/b/c").unwrap();
    let prepared = ocisign::prepare(&request(), &key_id, time).unwrap();
    let (_, date) = prepared.headers().iter().find(|(name, _)| *name == "date").unwrap().clone();
    date
}

#[test]
fn case_18_federation_over_tls_sets_the_clock_right_and_over_plain_http_it_does_not() {
    for off in [360, -360, 86_400] {
        let instance = Instance::new(&[("OCI_SDK_AUTH_CLIENT_REGION_URL", "tls")]);
        instance.clock.set_by(off);
        instance.signer.warm().unwrap();
        assert!(instance.signer.status().clock_offset.abs_diff(-off) < 10, "{off}");
        let (status, signed) = instance.emulated.get(&instance.signer, REGIONS).unwrap();
        assert_eq!((status, signed.generation()), (200, 1), "{off}");
        let remaining = instance.signer.status().remaining.unwrap().as_secs();
        assert!((1_780..=1_810).contains(&remaining), "{off}: {remaining}");
    }
    let instance = Instance::new(&[]);
    instance.clock.set_by(360);
    assert_eq!(instance.signer.warm().unwrap_err().code(), "EXCHANGE_REFUSED");
    assert_eq!(instance.signer.status().clock_offset, 0);
}

#[test]
fn case_18_a_clock_that_jumps_while_it_runs_ends_no_life_and_is_set_right_again() {
    for off in [3_600, -3_600] {
        let instance = Instance::new(&[("OCI_SDK_AUTH_CLIENT_REGION_URL", "tls")]);
        let Instance { clock, emulated, signer, .. } = &instance;
        signer.warm().unwrap();
        clock.set_by(off);
        // The generation signs on, and its refresh, which the jump made due, learns the time.
        sign(emulated, signer);
        until("the time was learnt", || signer.status().clock_offset != 0);
        until("a refresh succeeded", || signer.status().generation == 2);
        let signed = sign(emulated, signer);
        assert_eq!(send(emulated, &signed).0, 200, "{off}");
        clock.set_by(-off);
        let signed = sign(emulated, signer);
        let (status, date, _) = send(emulated, &signed);
        if status == 401 {
            let refusal = Refusal::new(Some(&date), b"").over_tls();
            assert!(signer.on_unauthorized(&signed, &refusal), "{off}");
        }
        assert_eq!(send(emulated, &sign(emulated, signer)).0, 200, "{off}");
        assert_eq!(signer.status().clock_offset, 0, "{off}");
    }
}

#[test]
fn case_18_after_a_sleep_nothing_that_expired_in_it_signs() {
    let clock = Virtual::new();
    let start = clock.time();
    let (signer, times) = asked(&clock, move |time| {
        Ok(numbered(time as u64).with_expiry(start + if time == 1 { 1_200 } else { 90_000 }))
    });
    signer.warm().unwrap();
    clock.advance(7_200); // both clocks: the machine slept
    assert_eq!(numbers(&signer.sign(&request()).unwrap()), (2, 2));
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

#[test]
fn case_19_in_the_last_minute_of_a_life_one_refresh_is_waited_for() {
    let clock = Virtual::new();
    let (now, failing) = (clock.clone(), Arc::new(AtomicBool::new(false)));
    let fails = failing.clone();
    let (signer, times) = asked(&clock, move |time| {
        if fails.load(Ordering::SeqCst) {
            return Err(SourceError::Other("no".into()));
        }
        Ok(numbered(time as u64).with_expiry(now.time() + 1_200))
    });
    signer.warm().unwrap();
    clock.advance(1_141); // nobody signed since
    assert_eq!(numbers(&signer.sign(&request()).unwrap()), (2, 2));
    failing.store(true, Ordering::SeqCst);
    clock.advance(1_141);
    // What is valid signs, where nothing better comes.
    for _ in 0..58 {
        assert_eq!(numbers(&signer.sign(&request()).unwrap()), (2, 2));
        clock.advance(1);
    }
    until("refreshes were tried", || times.load(Ordering::SeqCst) > 3);
    failing.store(false, Ordering::SeqCst);
    clock.advance(31);
    assert!(numbers(&signer.sign(&request()).unwrap()).0 > 2);
}

#[test]
fn case_19_a_token_that_expired_on_its_way_is_replaced_for_one_more_try() {
    let clock = Virtual::new();
    let now = clock.clone();
    let (signer, _) =
        asked(&clock, move |time| Ok(numbered(time as u64).with_expiry(now.time() + 1_200)));
    let signed = signer.sign(&request()).unwrap();
    clock.advance(1_300); // a long upload
    assert!(signer.on_unauthorized(&signed, &Refusal::new(None, b"")));
    assert_eq!(signer.sign(&request()).unwrap().generation(), 2);
}

#[test]
fn case_21_a_404_mints_anew_only_what_is_older_than_a_quarter_of_an_hour() {
    let clock = Virtual::new();
    let start = clock.time();
    let (signer, times) =
        asked(&clock, move |time| Ok(numbered(time as u64).with_expiry(start + 36_000)));
    let signed = signer.sign(&request()).unwrap();
    for _ in 0..3 {
        assert!(!signer.on_not_found(&signed));
        clock.advance(299);
    }
    assert_eq!(times.load(Ordering::SeqCst), 1);
    clock.advance(4); // 901 seconds
    let minted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                minted.fetch_add(usize::from(signer.on_not_found(&signed)), Ordering::SeqCst)
            });
        }
    });
    assert_eq!((minted.load(Ordering::SeqCst), times.load(Ordering::SeqCst)), (32, 2));
    let signed = signer.sign(&request()).unwrap();
    assert_eq!(signed.generation(), 2);
    assert!(!signer.on_not_found(&signed)); // the policy does not allow it: that stands
    assert_eq!(times.load(Ordering::SeqCst), 2);
}
