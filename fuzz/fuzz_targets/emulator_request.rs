//! A request to the emulator: a request line, header lines, an empty line and a body.
//! Nobody can guess a signature, so what has to be signed is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocisign_emulator::fuzzing::{authorization, request};

fuzz_target!(|text: &str| {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("GET", "/"));
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    for (name, value) in &headers {
        if name.eq_ignore_ascii_case("authorization") {
            authorization(value);
        }
    }
    let status = request(method, target, &headers, body.as_bytes());
    let path = target.split('?').next().unwrap_or_default();
    let unsigned = path.starts_with("/opc/") || path == "/admin/v1/SigningCert/jwk";
    // An escape may stand for any letter of these.
    assert!(unsigned || path.contains('%') || (400..500).contains(&status), "{status} {method} {target}");
});
