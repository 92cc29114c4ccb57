//! The emulator, started as a process, among clients that mean no good.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use ocisign::Body;
use plain::process::Process;
use plain::{Caller, Connection, Identity, SESSION_PEM, address, connect, head, public};
use serde_json::json;

const KEYS: &str = "/admin/v1/SigningCert/jwk";
const OBJECT: &str = "/n/examplenamespace/b/example/o/soak";

fn start() -> Process {
    Process::start(&["--quiet"])
}

/// Somebody else is served at once: one who signs nothing, and one who does.
#[track_caller]
fn serves(process: &Process) {
    let url = process.url();
    let start = Instant::now();
    plain::call(url, "GET", KEYS, &[], &[]).with(200);
    Caller::user(url).get("/20160918/regions").with(200);
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

/// The memory has not grown, and never was, beyond this many MiB more than at `before`.
#[track_caller]
fn grew_less(process: &Process, before: (u64, u64), mib: u64, what: &str) {
    let after = process.memory();
    report(&format!(
        "{what}: {} KiB resident, {} KiB at most, {} KiB before",
        after.0, after.1, before.0
    ));
    assert!(after.1.saturating_sub(before.0) < mib << 10, "{what}: {before:?} {after:?}");
}

/// For whoever wants the figures.
fn report(line: &str) {
    if std::env::var_os("EMULATOR_SOAK").is_some() {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

#[test]
fn two_thousand_idle_connections_keep_nobody_waiting() {
    let _ = rlimit::increase_nofile_limit(16_384);
    let process = start();
    serves(&process);
    let before = process.memory();
    let mut idle: Vec<TcpStream> = (0..1_900).map(|_| connect(process.url())).collect();
    let tls = &process.exports["OCISIGN_EMULATOR_TLS"];
    idle.extend((0..100).map(|_| connect(tls)));
    serves(&process);
    // They are idle, and not yet forgotten.
    for stream in idle.iter_mut().step_by(100).take(19) {
        let request = head("GET", KEYS, address(process.url()), &[], 0);
        stream.write_all(request.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    }
    grew_less(&process, before, 64, "2,000 idle connections");
    drop(idle);
    serves(&process);
}

#[test]
fn heads_that_trickle_keep_nobody_waiting_and_are_cut_off() {
    let process = start();
    serves(&process);
    let before = process.memory();
    let start = Instant::now();
    let mut slow: Vec<TcpStream> = (0..300).map(|_| connect(process.url())).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: ").unwrap();
    }
    while start.elapsed() < Duration::from_secs(29) {
        for stream in &mut slow {
            stream.write_all(b"a").unwrap();
        }
        serves(&process);
        thread::sleep(Duration::from_secs(2));
    }
    grew_less(&process, before, 32, "300 heads that trickle");
    thread::sleep(Duration::from_secs(33).saturating_sub(start.elapsed()));
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut rest = Vec::new();
        // Closed, with an answer or by force: but not silently open.
        let end = stream.read_to_end(&mut rest);
        assert!(!end.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }
    serves(&process);
}

#[test]
fn bodies_that_stop_half_way_keep_nobody_waiting() {
    let process = start();
    serves(&process);
    let before = process.memory();
    let mut half: Vec<TcpStream> = (0..300).map(|_| connect(process.url())).collect();
    for (index, stream) in half.iter_mut().enumerate() {
        let host = address(process.url());
        let path = if index % 2 == 0 { "/emulator/faults" } else { "/v1/x509" };
        let head = head("PUT", path, host, &[], 1 << 20);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b' '; 10_000]).unwrap();
    }
    serves(&process);
    grew_less(&process, before, 64, "300 halves of bodies");
    drop(half);
    serves(&process);
}

#[test]
fn a_body_of_a_hundred_megabytes_is_refused_and_not_kept() {
    let process = start();
    serves(&process);
    let before = process.memory();
    let length = 100_000_000;
    for chunked in [false, true] {
        let stream = connect(process.url());
        let mut writer = stream.try_clone().unwrap();
        let encoding = [("transfer-encoding".to_owned(), "chunked".to_owned())];
        let headers: &[_] = if chunked { &encoding } else { &[] };
        let known = if chunked { 0 } else { length };
        let head = head("PUT", "/n/examplenamespace/b/example/o/a", "localhost", headers, known);
        // It is told so while it still sends, and then cut off.
        let sending = thread::spawn(move || {
            writer.write_all(head.as_bytes())?;
            let piece = vec![b'x'; 100_000];
            for _ in 0..length / piece.len() {
                if chunked {
                    writer.write_all(b"186a0\r\n")?;
                }
                writer.write_all(&piece)?;
                if chunked {
                    writer.write_all(b"\r\n")?;
                }
            }
            std::io::Result::Ok(())
        });
        let mut start = [0; 12];
        (&stream).read_exact(&mut start).unwrap();
        assert_eq!(std::str::from_utf8(&start).unwrap(), "HTTP/1.1 413", "chunked: {chunked}");
        serves(&process);
        drop(stream);
        let _ = sending.join().unwrap();
    }
    serves(&process);
    grew_less(&process, before, 48, "two bodies of 100 MB");
}

#[test]
fn a_body_that_says_it_is_too_long_is_refused_before_it_is_sent() {
    let process = start();
    let mut connection = Connection::open(process.url());
    let host = address(process.url());
    connection.send(head("PUT", "/echo", host, &[], 100_000_000).as_bytes()).unwrap();
    connection.stream().set_read_timeout(Some(AT_ONCE)).unwrap();
    let reply = connection.receive("PUT").unwrap();
    assert_eq!(reply.code(), (413, "RequestEntityTooLarge".to_owned()));
    serves(&process);
}

#[test]
fn a_head_of_a_megabyte_or_of_ten_thousand_headers_is_refused() {
    let process = start();
    serves(&process);
    let before = process.memory();
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(1 << 20));
    let target = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(1 << 20));
    let many = (0..10_000).map(|index| format!("x-{index}: a\r\n")).collect::<Vec<_>>().concat();
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n");
    let empty = format!("GET / HTTP/1.1\r\n{}\r\n", "a:\r\n".repeat(10_000));
    for request in [&long, &target, &many, &empty] {
        for _ in 0..20 {
            let mut stream = connect(process.url());
            // It may be cut off before its end.
            let _ = stream.write_all(request.as_bytes());
            let mut start = [0; 12];
            if stream.read_exact(&mut start).is_ok() {
                let start = std::str::from_utf8(&start).unwrap();
                assert!(
                    ["HTTP/1.1 431", "HTTP/1.1 414", "HTTP/1.1 400"].contains(&start),
                    "{start}"
                );
            }
        }
        serves(&process);
    }
    grew_less(&process, before, 32, "80 heads of a megabyte or 10,000 headers");
}

#[test]
fn pipelined_requests_are_each_answered_in_their_order() {
    let process = start();
    let user = Caller::user(process.url());
    let mut connection = Connection::open(process.url());
    let mut all = Vec::new();
    for index in 0..50 {
        let body = vec![b'x'; index * 10];
        let target = format!("/echo/{index}");
        let headers = user.headers("POST", &target, &[], Body::Bytes(&body));
        let head = head("POST", &target, address(process.url()), &headers, body.len());
        all.extend([head.as_bytes(), &body].concat());
    }
    connection.send(&all).unwrap();
    for index in 0..50 {
        let echoed = connection.receive("POST").unwrap().with(200).json();
        assert_eq!(echoed["target"], format!("/echo/{index}"));
        assert_eq!(echoed["body"].as_str().unwrap().len(), index * 10);
    }
    serves(&process);
}

#[test]
fn a_refused_request_in_a_pipeline_leaves_the_next_one_whole() {
    let process = start();
    let user = Caller::user(process.url());
    let host = address(process.url());
    let mut connection = Connection::open(process.url());
    let refused = head("POST", "/echo/a", host, &[], 100);
    let headers = user.headers("GET", "/echo/b", &[], Body::Empty);
    let good = head("GET", "/echo/b", host, &headers, 0);
    // What looks like a request inside a body is no request.
    let body = format!("{:<100}", "GET /echo/c HTTP/1.1\r\nhost: a\r\n\r\n");
    connection.send(format!("{refused}{body}{good}").as_bytes()).unwrap();
    connection.receive("POST").unwrap().with(401);
    let echoed = connection.receive("GET").unwrap().with(200).json();
    assert_eq!(echoed["target"], "/echo/b");
}

#[test]
fn garbage_is_refused_on_both_ports() {
    let process = start();
    serves(&process);
    let before = process.memory();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                // xorshift64, the same garbage each time
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect()
    };
    for url in [process.url(), &process.exports["OCISIGN_EMULATOR_TLS"]] {
        for round in 0..60 {
            let mut stream = connect(url);
            let mut bytes = match round % 6 {
                0 => Vec::new(),
                1 => b"GET / HTTP/9.9\r\n\r\n".to_vec(),
                2 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
                3 => b"GET /\x00 HTTP/1.1\r\nhost: \xff\r\n\r\n".to_vec(),
                4 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
                _ => b"GET / HTTP/1.1\r\nhost : a\r\n b\r\n\r\n".to_vec(),
            };
            bytes.extend(noise(20_000));
            bytes.extend(b"\r\n\r\n");
            let _ = stream.write_all(&bytes);
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
        }
        serves(&process);
    }
    grew_less(&process, before, 32, "120 connections of garbage");
}

#[test]
fn a_length_and_an_encoding_together_never_make_two_requests_of_one() {
    let process = start();
    let host = address(process.url());
    let inner = format!("GET {KEYS} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let long = inner.len() + 5;
    for (first, second) in [
        (format!("content-length: {long}"), "transfer-encoding: chunked".to_owned()),
        ("transfer-encoding: chunked".to_owned(), format!("content-length: {long}")),
        (format!("content-length: {long}"), "transfer-encoding: identity, chunked".to_owned()),
        (format!("content-length: {long}"), "transfer-encoding: xchunked".to_owned()),
        (format!("content-length: {long}"), "content-length: 5".to_owned()),
        (format!("content-length: {long}"), format!("content-length: +{long}")),
    ] {
        let mut connection = Connection::open(process.url());
        let outer = format!(
            "POST /v1/x509 HTTP/1.1\r\nhost: {host}\r\n{first}\r\n{second}\r\n\r\n0\r\n\r\n{inner}"
        );
        connection.send(outer.as_bytes()).unwrap();
        connection.stream().set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let reply = connection.receive("POST");
        assert!(reply.is_err() || reply.unwrap().status >= 400, "{first}, {second}");
        let hidden = connection.receive("GET");
        assert!(hidden.is_err() || hidden.unwrap().status == 400, "{first}, {second}");
        serves(&process);
    }
}

#[test]
fn a_target_with_scheme_and_host_is_its_path() {
    let process = start();
    let user = Caller::user(process.url());
    let headers = user.headers("GET", "/echo/a?b=c", &[], Body::Empty);
    let mut connection = Connection::open(process.url());
    let target = format!("{}/echo/a?b=c", process.url());
    let echoed = connection.exchange("GET", &target, &headers, &[]).unwrap().with(200).json();
    assert_eq!(echoed["target"], "/echo/a?b=c");
    // The host that counts is the one that was signed.
    let target = "http://169.254.169.254/echo/a?b=c";
    let reply = connection.exchange("GET", target, &headers, &[]).unwrap();
    assert!(reply.status == 200 || reply.status == 401);
    serves(&process);
}

#[test]
fn targets_that_are_no_paths_are_refused() {
    let process = start();
    let host = address(process.url()).to_owned();
    for (method, target) in [
        ("OPTIONS", "*"),
        ("GET", "*"),
        ("CONNECT", "example.com:443"),
        ("CONNECT", "/emulator/log"),
        ("GET", "example.com:443"),
        ("GET", "//emulator/log"),
        ("GET", "/../emulator/log"),
        ("GET", "/%65mulator/log"),
        ("GET", "?"),
        ("GET", "http://"),
        ("TRACE", "/echo"),
        ("BREW", "/echo"),
    ] {
        let mut connection = Connection::open(process.url());
        connection.send(head(method, target, &host, &[], 0).as_bytes()).unwrap();
        let reply = connection.receive(method).unwrap();
        assert!((400..500).contains(&reply.status), "{method} {target}: {reply:?}");
        serves(&process);
    }
}

#[test]
fn a_host_that_is_not_its_own_is_refused_whatever_is_asked() {
    let process = start();
    let port = address(process.url()).rsplit_once(':').unwrap().1.to_owned();
    for path in [KEYS, "/emulator/log", "/opc/v2/instance/", "/echo"] {
        for host in ["example.com", "localhost", "localhost:1", "127.0.0.1.example.com", ""] {
            plain::call(process.url(), "GET", path, &[("host", host)], &[]).with(401);
        }
        let own = format!("LOCALHOST:{port}");
        let reply = plain::call(process.url(), "GET", path, &[("host", &own)], &[]);
        assert_eq!(reply.status == 401, path == "/echo" || path.starts_with("/opc"), "{path}");
    }
    let mut connection = Connection::open(process.url());
    connection.send(format!("GET {KEYS} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    assert!((400..500).contains(&connection.receive("GET").unwrap().status));
}

#[test]
fn times_and_lifetimes_beyond_all_bounds_end_no_answer() {
    let process = start();
    let url = process.url();
    let unanswered = RefCell::new(Vec::new());
    let ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &str, why: &str| {
        if plain::try_call(url, method, path, headers, body.as_bytes()).is_err() {
            unanswered.borrow_mut().push(format!("{method} {path} {why}"));
        }
    };
    let basic = [("authorization", "Basic ZXhhbXBsZS1jbGllbnQ6ZXhhbXBsZS1zZWNyZXQ=")];
    let subject = &process.exports["OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN"];
    let subject = std::fs::read_to_string(subject).unwrap();
    let public = public(SESSION_PEM).replace('+', "%2B");
    for minutes in [i64::MAX, i64::MIN, 153_722_867_280_912_931] {
        let form = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=jwt\
             &requested_token_type=urn:oci:token-type:oci-rpst&res_type=a&rpst_exp={minutes}\
             &subject_token={subject}&public_key={public}"
        );
        ask("POST", "/oauth2/v1/token", &basic, &form, &format!("for {minutes} minutes"));
    }
    for time in [i64::MAX, i64::MIN, 0, -1, 253_402_300_800] {
        let why = format!("at {time}");
        ask("PUT", "/emulator/clock", &[], &json!({ "time": time }).to_string(), &why);
        ask("POST", "/emulator/rotate", &[], "", &why);
        ask("GET", KEYS, &[], "", &why);
        ask("POST", "/v1/x509", &[], "{}", &why);
        ask("PUT", "/emulator/clock", &[], "{}", &why);
    }
    assert_eq!(unanswered.take(), [""; 0]);
    ask("POST", "/emulator/rotate", &[], "", "now");
    serves(&process);
    Identity::of(url).federate(url, SESSION_PEM).with(200);
}

#[test]
fn a_log_full_of_the_longest_paths_stays_small() {
    let process = start();
    serves(&process);
    let before = process.memory();
    let mut connection = Connection::open(process.url());
    let path = format!("/{}", "a".repeat(60_000));
    for _ in 0..1_100 {
        connection.exchange("GET", &path, &[], &[]).unwrap().with(401);
    }
    grew_less(&process, before, 16, "1,100 paths of 60,000 bytes");
}

#[test]
fn principals_that_are_only_asked_about_are_not_remembered_at_length() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("emulator.toml");
    std::fs::write(&config, "membership_cache = 900").unwrap();
    let process = Process::start(&["--quiet", "--config", config.to_str().unwrap()]);
    let user = Caller::user(process.url());
    serves(&process);
    let before = process.memory();
    for index in 0..400 {
        let id = format!("{index}{}", "a".repeat(100_000));
        let principal = json!({ "tenantId": "a", "subjectId": id });
        let details = json!({ "principal": principal, "groupIds": [] });
        user.post("/v1/filterGroupMembership", &details).with(200);
    }
    grew_less(&process, before, 16, "400 principals with ids of 100,000 bytes");
}

#[test]
fn many_signed_requests_in_a_row_leave_no_trace_in_memory() {
    let total: usize =
        std::env::var("EMULATOR_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let process = start();
    let url = process.url();
    let user = Caller::user(url);
    user.send("PUT", OBJECT, &[], &[b'x'; 10_000]).with(200);
    let (threads, warm_up) = (4, 1_200);
    let share = total / threads;
    let between = Barrier::new(threads + 1);
    let (mut warm, mut end) = ((0, 0), (0, 0));
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let (user, between) = (&user, &between);
            scope.spawn(move || {
                let mut connection = Connection::open(url);
                for index in 0..warm_up / threads {
                    signed_request(&mut connection, user, thread, index);
                }
                between.wait();
                between.wait();
                // Signatures of one moment are good for five minutes.
                let mut user = Caller::user(url);
                for index in 0..share {
                    if index % 1_000 == 999 {
                        user = Caller::user(url);
                    }
                    signed_request(&mut connection, &user, thread, index);
                }
                between.wait();
            });
        }
        between.wait();
        warm = process.memory();
        between.wait();
        between.wait();
        end = process.memory();
    });
    report(&format!(
        "{} signed requests in {:?}: {} KiB resident after {warm_up}, {} KiB at the end",
        share * threads,
        start.elapsed(),
        warm.0,
        end.0
    ));
    assert!(end.0.saturating_sub(warm.0) < SOAK_GROWTH, "{warm:?} {end:?}");
}

/// One of several kinds, in turn; on the same connection, however it ends.
fn signed_request(connection: &mut Connection, user: &Caller, thread: usize, index: usize) {
    let (method, target, body) = match index % 5 {
        0 => ("GET", format!("/echo/{thread}/{index}"), Vec::new()),
        1 => ("PUT", format!("{OBJECT}{thread}"), vec![b'x'; 1_000 + index % 9_000]),
        2 => ("GET", OBJECT.to_owned(), Vec::new()),
        3 => {
            let details = json!({ "publicKey": public(SESSION_PEM) });
            let path = "/v1/token/upst/actions/GenerateUpst".to_owned();
            ("POST", path, details.to_string().into_bytes())
        }
        _ => ("GET", format!("/nothing/{index}"), Vec::new()),
    };
    let headers = user.headers(method, &target, &[], Body::Bytes(&body));
    let reply = connection.exchange(method, &target, &headers, &body).unwrap();
    assert_eq!(reply.status, if index % 5 == 4 { 404 } else { 200 }, "{method} {target}");
}

/// How soon others are served, whatever goes on.
const AT_ONCE: Duration = Duration::from_secs(5);
/// KiB that any number of requests may add to what the first 1,200 took.
const SOAK_GROWTH: u64 = 8 << 10;
