//! How the emulator misbehaves when it is told to.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use ocisign_emulator::{Config, Emulator, Fault, FaultKind};
use plain::{
    COMPARTMENT, Caller, Connection, FUNCTION, Identity, OTHER_PEM, RESOURCE_PEM, SESSION_PEM,
    TENANCY, USER_PEM, call, claims, function, head, last, metadata, proxymux, public, put, reason,
    start, start_toml, try_call, unwrap_proxymux,
};
use serde_json::{Value, json};

/// What the tests ask, where it does not matter.
const KEYS: &str = "/admin/v1/SigningCert/jwk";
const ECHO: &str = "/echo/a";

fn fault(kind: FaultKind) -> Fault {
    Fault { on: "*".to_owned(), kind, ..Fault::default() }
}

fn with(fault: Fault) -> Emulator {
    let emulator = start();
    emulator.set_faults(vec![fault]);
    emulator
}

fn keys(emulator: &Emulator) -> plain::Reply {
    call(&emulator.url(), "GET", KEYS, &[], &[])
}

#[test]
fn a_delay_comes_before_the_right_answer() {
    let emulator = with(Fault { delay_ms: 300, ..fault(FaultKind::Delay) });
    let start = Instant::now();
    assert!(keys(&emulator).with(200).json()["keys"].is_array());
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(last(&emulator).fault.as_deref(), Some("delay"));
    emulator.set_faults(Vec::new());
    keys(&emulator).with(200);
    assert_eq!(last(&emulator).fault, None);
}

#[test]
fn a_closed_connection_has_no_answer_and_the_log_says_why() {
    let emulator = with(fault(FaultKind::Close));
    let mut connection = Connection::open(&emulator.url());
    assert!(connection.exchange("GET", KEYS, &[], &[]).is_err());
    assert!(connection.is_closed());
    let entry = last(&emulator);
    assert_eq!((entry.status, entry.path.as_str()), (0, KEYS));
    assert_eq!(entry.fault.as_deref(), Some("close"));
}

#[test]
fn a_hanging_request_has_no_answer_and_holds_up_no_other() {
    let emulator = with(Fault { on: format!("GET {KEYS}"), ..fault(FaultKind::Hang) });
    let url = emulator.url();
    let mut hanging = Vec::new();
    for _ in 0..50 {
        let mut connection = Connection::open(&url);
        connection.send(head("GET", KEYS, plain::address(&url), &[], 0).as_bytes()).unwrap();
        hanging.push(connection);
    }
    Caller::user(&url).get(ECHO).with(200);
    let first = hanging.first_mut().unwrap();
    first.stream().set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(!first.is_closed());
    let hung = emulator.log().into_iter().filter(|entry| entry.fault.as_deref() == Some("hang"));
    assert!(hung.filter(|entry| entry.status == 0).count() > 0);
}

#[test]
fn a_status_comes_with_the_code_that_oci_has_for_it() {
    let emulator = start();
    for (status, code) in [
        (400, "InvalidParameter"),
        (401, "NotAuthenticated"),
        (404, "NotAuthorizedOrNotFound"),
        (409, "IncorrectState"),
        (429, "TooManyRequests"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ] {
        emulator.set_faults(vec![Fault { status: Some(status), ..fault(FaultKind::Status) }]);
        let reply = keys(&emulator);
        assert_eq!(reply.code(), (status, code.to_owned()));
        assert!(reply.header("opc-request-id").is_some());
    }
    emulator.set_faults(vec![fault(FaultKind::Status)]);
    keys(&emulator).with(500);
}

#[test]
fn garbage_is_a_success_without_sense() {
    let emulator = with(fault(FaultKind::Garbage));
    let reply = keys(&emulator).with(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
    assert!(std::str::from_utf8(&reply.body).is_err());
}

#[test]
fn a_slow_answer_is_the_right_one_a_byte_at_a_time() {
    let emulator = start();
    let right = metadata(&emulator.url(), "instance/region").with(200);
    emulator.set_faults(vec![Fault { delay_ms: 100, ..fault(FaultKind::Slow) }]);
    let start = Instant::now();
    let slow = metadata(&emulator.url(), "instance/region").with(200);
    assert_eq!((slow.text(), slow.missing), (right.text(), 0));
    assert_eq!(slow.header("content-length"), Some("3"));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_huge_answer_is_as_long_as_it_is_told() {
    let emulator = with(Fault { bytes: Some(3 << 20), ..fault(FaultKind::Huge) });
    assert_eq!(keys(&emulator).with(200).body.len(), 3 << 20);
    emulator.set_faults(vec![fault(FaultKind::Huge)]);
    assert_eq!(keys(&emulator).with(200).body.len(), 64 << 20);
}

#[test]
fn whoever_turns_away_from_a_huge_answer_leaves_an_emulator_that_serves() {
    let emulator = with(Fault { bytes: Some(u64::MAX), times: Some(1), ..fault(FaultKind::Huge) });
    let mut connection = Connection::open(&emulator.url());
    connection.send(head("GET", KEYS, "localhost", &[], 0).as_bytes()).unwrap();
    drop(connection);
    let url = emulator.url();
    let mut connection = plain::connect(&url);
    let request = head("GET", KEYS, plain::address(&url), &[], 0);
    std::io::Write::write_all(&mut connection, request.as_bytes()).unwrap();
    connection.read_exact(&mut vec![0; 1 << 20]).unwrap();
    drop(connection);
    keys(&emulator).with(200);
}

#[test]
fn a_truncated_answer_is_half_of_the_right_one() {
    let emulator = start();
    let right = keys(&emulator).with(200).body;
    emulator.set_faults(vec![fault(FaultKind::Truncated)]);
    let half = keys(&emulator).with(200);
    assert_eq!(half.body, right[..right.len() / 2]);
    assert_eq!(half.missing, right.len() - right.len() / 2);
}

#[test]
fn a_redirect_goes_where_it_is_told_or_nowhere() {
    let location = Some("http://localhost:1/elsewhere".to_owned());
    let emulator = with(Fault { location: location.clone(), ..fault(FaultKind::Redirect) });
    assert_eq!(keys(&emulator).with(307).header("location"), location.as_deref());
    emulator.set_faults(vec![fault(FaultKind::Redirect)]);
    assert_eq!(keys(&emulator).with(307).header("location"), Some("http://127.0.0.1:1/"));
}

/// A token for the key of sessions in each way that there is, the last request a POST.
fn tokens(emulator: &Emulator) -> Vec<(&'static str, String)> {
    let url = emulator.url();
    let federated = Identity::of(&url).federate(&url, SESSION_PEM).field("token");

    let own = Caller::new(&url, &format!("resource/v2.1/{FUNCTION}"), RESOURCE_PEM);
    let both = own.get(&format!("/20180711/resourcePrincipalTokenV2/{FUNCTION}")).with(200).json();
    let details = json!({
        "resourcePrincipalToken": both["resourcePrincipalToken"],
        "servicePrincipalSessionToken": both["servicePrincipalSessionToken"],
        "sessionPublicKey": public(SESSION_PEM),
    });
    let resource = own.post("/v1/resourcePrincipalSessionToken", &details).field("token");

    let bearer = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let details = json!({ "podKey": public(SESSION_PEM) });
    let pod = proxymux(emulator, "/resourcePrincipalSessionTokens", &bearer, &details);
    let pod = unwrap_proxymux(pod)["token"].as_str().unwrap().to_owned();

    let user = Caller::user(&url);
    let details = json!({ "publicKey": public(SESSION_PEM) });
    let session = user.post("/v1/token/upst/actions/GenerateUpst", &details).field("token");
    vec![("federation", federated), ("resource", resource), ("pod", pod), ("session", session)]
}

#[test]
fn an_expired_token_is_minted_in_every_way_and_refused_as_such() {
    let emulator = with(Fault { on: "POST *".to_owned(), ..fault(FaultKind::ExpiredToken) });
    for (way, token) in tokens(&emulator) {
        assert!(claims(&token)["exp"].as_u64().unwrap() < plain::now(), "{way}");
        Caller::token(&emulator.url(), &token, SESSION_PEM).get(ECHO).with(401);
        assert_eq!(reason(&emulator), "the token has expired", "{way}");
    }
}

#[test]
fn a_token_of_another_tenancy_is_minted_in_every_way_and_refused_as_such() {
    let emulator = with(Fault { on: "POST *".to_owned(), ..fault(FaultKind::OtherTenancy) });
    for (way, token) in tokens(&emulator) {
        let claims = claims(&token);
        assert_ne!(claims["tenant"], TENANCY, "{way}");
        assert!(!claims.to_string().contains(TENANCY), "{way}");
        Caller::token(&emulator.url(), &token, SESSION_PEM).get(ECHO).with(401);
        assert_eq!(reason(&emulator), "the caller is of another tenancy", "{way}");
    }
}

#[test]
fn a_token_for_another_key_is_minted_in_every_way_and_refused_with_the_callers_own() {
    let emulator = with(Fault { on: "POST *".to_owned(), ..fault(FaultKind::WrongJwk) });
    let expected = "the signature is not over this request, or not by this key";
    for (way, token) in tokens(&emulator) {
        for pem in [SESSION_PEM, OTHER_PEM, USER_PEM] {
            Caller::token(&emulator.url(), &token, pem).get(ECHO).with(401);
            assert_eq!(reason(&emulator), expected, "{way}");
        }
    }
}

#[test]
fn without_a_fault_every_token_is_good() {
    let emulator = start();
    for (way, token) in tokens(&emulator) {
        let reply = Caller::token(&emulator.url(), &token, SESSION_PEM).get(ECHO);
        assert_eq!(reply.status, 200, "{way}");
    }
}

#[test]
fn a_fault_about_tokens_leaves_all_else_as_it_is() {
    for kind in [FaultKind::ExpiredToken, FaultKind::OtherTenancy, FaultKind::WrongJwk] {
        let emulator = with(fault(kind));
        Caller::user(&emulator.url()).get(ECHO).with(200);
        function(&emulator).get(&format!("/20160918/vcns?compartmentId={COMPARTMENT}")).with(200);
    }
}

#[test]
fn so_many_go_well_and_so_many_go_wrong() {
    let emulator = with(Fault {
        on: format!("GET {KEYS}"),
        skip: 2,
        times: Some(3),
        status: Some(503),
        ..fault(FaultKind::Status)
    });
    let statuses = [0; 7].map(|_| {
        // What does not fit is not counted.
        call(&emulator.url(), "GET", "/opc/v1/", &[], &[]).with(404);
        keys(&emulator).status
    });
    assert_eq!(statuses, [200, 200, 503, 503, 503, 200, 200]);
}

#[test]
fn the_first_line_that_fits_and_is_not_used_up_is_carried_out() {
    let emulator = start();
    let status = |status, times| Fault { status: Some(status), times, ..fault(FaultKind::Status) };
    emulator.set_faults(vec![status(429, Some(1)), status(503, Some(2)), status(500, None)]);
    let statuses = [0; 5].map(|_| keys(&emulator).status);
    assert_eq!(statuses, [429, 503, 503, 500, 500]);
}

#[test]
fn the_configuration_can_hold_the_plan() {
    let emulator = start_toml(
        "[[faults]]\non = 'POST /v1/x509'\nskip = 1\ntimes = 1\nkind = 'status'\nstatus = 503",
    );
    let url = emulator.url();
    let statuses = [0; 3].map(|_| Identity::of(&url).federate(&url, SESSION_PEM).status);
    assert_eq!(statuses, [200, 503, 200]);
}

#[test]
fn every_kind_can_be_asked_for_over_http_and_is_told_again() {
    let emulator = start();
    let url = emulator.url();
    for kind in [
        "close",
        "delay",
        "expired_token",
        "garbage",
        "hang",
        "huge",
        "other_tenancy",
        "redirect",
        "slow",
        "status",
        "truncated",
        "wrong_jwk",
    ] {
        let plan = json!([{ "on": "GET /nothing", "kind": kind, "skip": 1, "times": 2 }]);
        put(&url, "/emulator/faults", &plan).with(204);
        let told = call(&url, "GET", "/emulator/faults", &[], &[]).with(200).json();
        assert_eq!(told[0]["kind"], kind);
        assert_eq!((&told[0]["skip"], &told[0]["times"]), (&json!(1), &json!(2)));
        let parsed: Vec<Fault> = serde_json::from_value(told).unwrap();
        assert_eq!(parsed.len(), 1);
    }
}

#[test]
fn a_plan_set_over_http_happens_until_it_is_taken_back() {
    let emulator = start();
    let url = emulator.url();
    let plan = json!([{ "on": "* /admin/*", "kind": "status", "status": 429 }]);
    put(&url, "/emulator/faults", &plan).with(204);
    assert_eq!(keys(&emulator).code(), (429, "TooManyRequests".to_owned()));
    // The emulator's own paths are beyond faults, or none could be taken back.
    put(&url, "/emulator/faults", &json!([{ "on": "*", "kind": "close" }])).with(204);
    assert!(try_call(&url, "GET", KEYS, &[], &[]).is_err());
    put(&url, "/emulator/faults", &json!([])).with(204);
    keys(&emulator).with(200);
    let log = call(&url, "GET", "/emulator/log", &[], &[]).with(200).json();
    let faults: Vec<&str> =
        log.as_array().unwrap().iter().filter_map(|entry| entry["fault"].as_str()).collect();
    assert_eq!(faults, ["status", "close"]);
}

#[test]
fn a_plan_that_cannot_be_read_is_refused_and_the_old_one_stays() {
    let emulator = with(Fault { status: Some(503), ..fault(FaultKind::Status) });
    let url = emulator.url();
    for (body, word) in [
        (&b"["[..], "EOF"),
        (b"{}", "sequence"),
        (br#"[{"kind":"nap"}]"#, "nap"),
        (br#"[{"kid":"close"}]"#, "kid"),
        (br#"[{"skip":-1}]"#, "-1"),
        (b"\xff", "line 1"),
    ] {
        let reply = call(&url, "PUT", "/emulator/faults", &[], body).with(400);
        assert_eq!(reply.code().1, "InvalidParameter");
        assert!(reply.text().contains(word), "{}", reply.text());
        keys(&emulator).with(503);
    }
}

#[test]
fn a_page_of_a_browser_cannot_reach_the_plan() {
    let emulator = start();
    let url = emulator.url();
    for origin in ["http://example.com", "null", url.as_str()] {
        for (method, path) in [
            ("PUT", "/emulator/faults"),
            ("POST", "/emulator/rotate"),
            ("OPTIONS", "/emulator/log"),
        ] {
            call(&url, method, path, &[("origin", origin)], b"[]").with(403);
        }
    }
}

#[test]
fn an_answer_without_a_body_can_be_slow_truncated_and_huge() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    let path = "/n/examplenamespace/b/example/o/a";
    for kind in [FaultKind::Slow, FaultKind::Truncated, FaultKind::Huge] {
        user.send("PUT", path, &[], b"abc").with(200);
        emulator.set_faults(vec![Fault { bytes: Some(1 << 20), ..fault(kind) }]);
        for method in ["HEAD", "DELETE"] {
            let reply = user.send(method, path, &[], &[]);
            assert!(reply.status < 300 && reply.body.is_empty(), "{kind:?}: {reply:?}");
        }
        emulator.set_faults(Vec::new());
    }
}

#[test]
fn a_status_that_http_does_not_have_is_not_sent() {
    let emulator = start();
    for status in [0, 99, 100, 101, 199, 1000, u16::MAX] {
        let plan = json!([{ "on": "*", "kind": "status", "status": status }]);
        put(&emulator.url(), "/emulator/faults", &plan).with(400);
        assert!(
            Config::from_toml(&format!("[[faults]]\non = '*'\nkind = 'status'\nstatus = {status}"))
                .is_err()
        );
    }
}
