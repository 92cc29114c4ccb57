//! The metadata service (7), the certificates that it gives (8), and whose they are (9).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ocisign::{InstanceSource, Refreshed, Signer, TransportFault};
use ocisign_emulator::{Config, Fault, FaultKind, TenancyConfig};

use crate::emulated::Emulated;
use crate::server::{Server, forward, held, http};
use crate::watch::{Call, Seen, hooked, signer};

const HTML: &str =
    "<!doctype html><html><title>Sign in</title><h1>Welcome to the hotel</h1></html>";

fn fault(on: &str, kind: FaultKind) -> Fault {
    Fault { on: on.into(), kind, ..Fault::default() }
}

/// An instance whose metadata service or federation misbehaves like this.
fn instance(fault: Fault) -> (Emulated, Seen) {
    let emulated = Emulated::start(Config { faults: vec![fault], ..Config::default() });
    let seen = signer(emulated.environment(&[]), InstanceSource::new());
    (emulated, seen)
}

/// An instance whose metadata service is this.
fn at(server: &Server) -> Seen {
    let emulated = Emulated::start(Config::default());
    let url = [&server.url(), "/opc/v2"].concat();
    let environment = emulated.environment(&[("OCI_METADATA_BASE_URL", &url)]);
    signer(environment, InstanceSource::new())
}

/// The error has this code and these words, and names the call; no call took longer than it
/// may, and there were so many.
#[track_caller]
fn fails(seen: &Seen, code: &str, words: &str, calls: usize) {
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    let all = seen.calls.all();
    let last = all.last().unwrap();
    assert!(error.to_string().starts_with(&last.line), "{error}: {last:?}");
    assert_eq!(all.iter().filter(|call| call.line == last.line).count(), calls, "{all:?}");
    for call in &all {
        assert!(call.took < call.limit + LATE, "{call:?}");
    }
}

#[test]
fn case_7_a_metadata_service_that_refuses_is_asked_three_times_and_named() {
    let metadata = "GET /opc/v2/*";
    for status in [429, 500, 503] {
        let (_emulated, seen) =
            instance(Fault { status: Some(status), ..fault(metadata, FaultKind::Status) });
        fails(&seen, "EXCHANGE_REFUSED", &format!("answered {status}"), 3);
    }
    // As one that has version 1 only would, which anybody on the network may ask.
    let (_emulated, seen) =
        instance(Fault { status: Some(404), ..fault(metadata, FaultKind::Status) });
    fails(&seen, "EXCHANGE_REFUSED", "/instance/region: answered 404", 3);
    let (_emulated, seen) =
        instance(Fault { status: Some(401), ..fault(metadata, FaultKind::Status) });
    fails(&seen, "EXCHANGE_REFUSED", "answered 401 NotAuthenticated", 1);
}

#[test]
fn case_7_no_answer_in_time_is_given_up_after_3_seconds_by_metadata_and_10_by_services() {
    thread::scope(|scope| {
        for kind in [FaultKind::Hang, FaultKind::Slow] {
            // A byte a second would keep a reader that counts silence alone for ever.
            let slow = move |on| Fault { delay_ms: 1_000, ..fault(on, kind) };
            scope.spawn(move || {
                let (_emulated, seen) = instance(slow("GET /opc/v2/*"));
                fails(&seen, "EXCHANGE_UNREACHABLE", "no whole answer came in time", 3);
                given_up(&seen.calls.all(), 3);
            });
            scope.spawn(move || {
                let (_emulated, seen) = instance(Fault { times: Some(1), ..slow("POST /v1/x509") });
                seen.signer.warm().unwrap();
                let calls = seen.calls.all();
                given_up(&calls[..calls.len() - 1], 10);
            });
        }
        for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", "HTTP/1.1 20"] {
            scope.spawn(move || {
                let seen = at(&Server::start(move |_| held(head)));
                fails(&seen, "EXCHANGE_UNREACHABLE", "no whole answer came in time", 3);
                given_up(&seen.calls.all(), 3);
            });
        }
    });
}

/// The last of these calls got no answer within so many seconds, and was not waited for longer.
fn given_up(calls: &[Call], seconds: u64) {
    let last = calls.last().unwrap();
    assert_eq!(last.ended, Err(TransportFault::Timeout));
    let limit = Duration::from_secs(seconds);
    assert!((limit..limit + LATE).contains(&last.took), "{last:?}");
}

#[test]
fn case_7_of_a_body_without_end_65_536_bytes_are_read_and_no_second_try_is_made() {
    for on in ["GET /opc/v2/*", "POST /v1/x509"] {
        let (_emulated, seen) =
            instance(Fault { bytes: Some(10 << 20), ..fault(on, FaultKind::Huge) });
        fails(&seen, "EXCHANGE_UNREACHABLE", "larger than 65,536 bytes", 1);
    }
    let header = format!("x: {}\r\n", "y".repeat(1 << 20));
    let seen = at(&Server::start(move |_| http(200, &header, b"")));
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_UNREACHABLE", "{error}");
}

#[test]
fn case_7_a_captive_portal_is_not_taken_for_a_metadata_service() {
    let seen = at(&Server::start(|_| http(200, "content-type: text/html\r\n", HTML.as_bytes())));
    fails(&seen, "INVALID_ANSWER", "region metadata in JSON", 1);
}

#[test]
fn case_7_a_redirect_is_never_followed_and_takes_no_header_along() {
    for on in ["GET /opc/v2/*", "POST /v1/x509"] {
        let elsewhere = Arc::new(Server::start(|_| http(200, "", b"us-ashburn-1")));
        let location = Some(elsewhere.url());
        let (_emulated, seen) = instance(Fault { location, ..fault(on, FaultKind::Redirect) });
        fails(&seen, "EXCHANGE_REFUSED", "answered 307", 1);
        assert!(elsewhere.heard().is_empty());
    }
}

#[test]
fn case_7_an_answer_that_breaks_off_is_asked_for_again_and_one_that_is_garbage_is_not() {
    for on in ["GET /opc/v2/*", "POST /v1/x509"] {
        for kind in [FaultKind::Truncated, FaultKind::Close] {
            let (_emulated, seen) = instance(fault(on, kind));
            fails(&seen, "EXCHANGE_UNREACHABLE", "broken", 3);
            let broken = Err(TransportFault::Connection);
            assert_eq!(seen.calls.all().pop().unwrap().ended, broken, "{kind:?}");
        }
        let (_emulated, seen) = instance(fault(on, FaultKind::Garbage));
        fails(&seen, "INVALID_ANSWER", "the answer is not", 1);
    }
}

#[test]
fn case_7_each_call_that_fails_is_the_one_that_the_error_names() {
    for path in ["instance/regionInfo", "identity/cert.pem", "identity/key.pem"] {
        let on = format!("GET /opc/v2/{path}");
        let (_emulated, seen) =
            instance(Fault { status: Some(503), ..fault(&on, FaultKind::Status) });
        fails(&seen, "EXCHANGE_REFUSED", path, 3);
    }
}

#[test]
fn case_7_one_failure_of_each_call_is_made_good_by_the_next_try() {
    let paths = ["instance/regionInfo", "identity/cert.pem", "identity/key.pem"];
    let mut faults: Vec<Fault> =
        paths.iter().map(|path| fault(&format!("GET /opc/v2/{path}"), FaultKind::Close)).collect();
    faults.push(fault("POST /v1/x509", FaultKind::Close));
    for fault in &mut faults {
        fault.times = Some(1);
    }
    let emulated = Emulated::start(Config { faults, ..Config::default() });
    let seen = signer(emulated.environment(&[]), InstanceSource::new());
    assert_eq!(emulated.get(&seen.signer, "/20160918/regions").unwrap().0, 200);
}

#[test]
fn case_8_certificate_and_key_of_two_sides_of_a_rotation_are_read_again_up_to_three_times() {
    for (rotations, succeeds) in [(1, true), (3, true), (4, false)] {
        let emulated = Arc::new(Emulated::start(Config::default()));
        let left = Arc::new(AtomicU32::new(0));
        let (behind, count) = (emulated.clone(), left.clone());
        let seen = hooked(emulated.environment(&[]), InstanceSource::new(), move |request| {
            let is_key = request.url.ends_with("/identity/key.pem");
            let one_less = |left: u32| left.checked_sub(1);
            let order = Ordering::SeqCst;
            if is_key && count.fetch_update(order, order, one_less).is_ok() {
                behind.emulator.rotate_certificate().unwrap();
            }
        });
        seen.signer.warm().unwrap();
        left.store(rotations, Ordering::SeqCst);
        let before = emulated.count("GET", "/opc/v2/identity/cert.pem");
        let ended = seen.signer.refresh();
        let reads = emulated.count("GET", "/opc/v2/identity/cert.pem") - before;
        assert_eq!(reads, 1 + rotations.min(3) as usize);
        let (status, signed) = emulated.get(&seen.signer, "/20160918/regions").unwrap();
        assert_eq!((status, signed.generation()), (200, if succeeds { 2 } else { 1 }));
        match ended {
            Ok(()) => assert!(succeeds),
            Err(error) => {
                assert!(!succeeds, "{error}");
                assert_eq!(error.code(), "INVALID_CERTIFICATE");
                assert!(error.to_string().contains("do not belong together"), "{error}");
            }
        }
    }
}

#[test]
fn case_9_a_certificate_of_another_tenancy_is_refused_the_old_identity_kept_and_that_told() {
    let hosts = vec!["127.0.0.1".to_owned()];
    let own = Emulated::start(Config { hosts: hosts.clone(), ..Config::default() });
    let id = "ocid1.tenancy.oc1..aaaaaaaastranger".to_owned();
    let tenancy = TenancyConfig { id, ..TenancyConfig::default() };
    let other = Emulated::start(Config { hosts, tenancy, ..Config::default() });
    let moved = Arc::new(AtomicBool::new(false));
    let (urls, switch) = ([own.emulator.url(), other.emulator.url()], moved.clone());
    let front = Server::start(move |heard| {
        forward(&urls[usize::from(switch.load(Ordering::SeqCst))], heard)
    });
    let environment = own.environment(&[
        ("OCI_METADATA_BASE_URL", &[&front.url(), "/opc/v2"].concat()),
        ("OCI_SDK_AUTH_CLIENT_REGION_URL", &front.url()),
    ]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let signer = Signer::builder(InstanceSource::new())
        .environment(environment)
        .on_refresh(move |refreshed| {
            let code = match refreshed {
                Refreshed::Failed(error) => error.code(),
                Refreshed::New(_) => "new",
                Refreshed::Unchanged => "unchanged",
            };
            tell.lock().unwrap().push(code);
        })
        .build();
    signer.warm().unwrap();
    moved.store(true, Ordering::SeqCst);
    let error = signer.refresh().unwrap_err();
    assert_eq!(error.code(), "TENANCY_CHANGED");
    assert_eq!(*told.lock().unwrap(), ["new", "TENANCY_CHANGED"]);
    let (status, signed) = own.get(&signer, "/20160918/regions").unwrap();
    assert_eq!((status, signed.generation()), (200, 1));
    assert!(signer.status().valid);
}

/// By how much this machine may be late.
const LATE: Duration = Duration::from_secs(2);
