//! `ocisign request`: what arrives, what comes back, and what goes wrong on the way.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;
mod emulated;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use command::{Run, file, run};
use emulated::{Emulated, answer, serve};
use ocisign_emulator::{Config, Fault, FaultKind, ResourcePrincipal};
use serde_json::Value;

/// The code of an answer that is not good, whose body was printed.
#[track_caller]
fn answered(run: &Run) -> &str {
    assert_eq!(run.code, 3, "{run:?}");
    let rest = run.stderr.strip_prefix("ocisign: ").unwrap();
    assert_eq!(rest.lines().count(), 1, "{run:?}");
    rest.split_once(": ").unwrap().0
}

fn echo(run: Run) -> Value {
    serde_json::from_str(&run.good()).unwrap()
}

fn header<'a>(echo: &'a Value, name: &str) -> Option<&'a str> {
    let headers = echo["headers"].as_array().unwrap();
    headers.iter().find(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap())
}

#[test]
fn every_kind_of_identity_calls() {
    let mut emulated = Emulated::start(Config::default());
    let url = emulated.url("/20160918/regions");
    let regions = "[{\"key\":\"IAD\",\"name\":\"us-ashburn-1\"}]";
    for more in [&[][..], &["--profile", "SESSION"], &["--auth", "instance_principal"]] {
        assert_eq!(emulated.run(&[&["request", "get", &url], more].concat()).good(), regions);
    }
    emulated.acting = Some(ResourcePrincipal::V2_2);
    assert_eq!(emulated.run(&["request", "GET", &url]).good(), regions);
    let caller = emulated.emulator.log().last().unwrap().caller.clone().unwrap();
    assert!(caller.starts_with("resource "), "{caller}");
}

#[test]
fn a_path_goes_to_the_endpoint_that_is_said_or_set() {
    let emulated = Emulated::start(Config::default());
    let path = "/20160918/regions";
    let endpoint = emulated.emulator.url() + "/";
    emulated.run(&["request", "GET", path, "--endpoint", &endpoint]).good();
    let mut request = emulated.command(&["request", "GET", path, "--service", "identity"]);
    run(request.env("OCI_CLI_ENDPOINT", emulated.emulator.tls_url()), b"").good();
    assert_eq!(emulated.run(&["request", "GET", path]).refused(), "INVALID_URL");
    let url = emulated.url(path);
    let absolute = emulated.run(&["request", "GET", &url, "--service", "identity"]);
    assert_eq!(absolute.refused(), "INVALID_URL");
}

#[test]
fn a_body_arrives_alike_from_text_file_and_standard_input() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/echo");
    let path = file(&emulated.home, "body", "{\"a\": 1}");
    let at = format!("@{path}");
    for method in ["POST", "PUT", "PATCH"] {
        for (args, stdin) in [
            (["--data", "{\"a\": 1}"], ""),
            (["--data", &*at], ""),
            (["--data-file", &*path], ""),
            (["--data", "-"], "{\"a\": 1}"),
            (["--data", "@-"], "{\"a\": 1}"),
            (["--data-file", "-"], "{\"a\": 1}"),
            (["--data-file", "/dev/stdin"], "{\"a\": 1}"),
        ] {
            let args = [&["request", method, &url], &args[..]].concat();
            let seen = echo(emulated.run_with(&args, stdin.as_bytes()));
            assert_eq!((&seen["body"], &seen["method"]), (&"{\"a\": 1}".into(), &method.into()));
            assert_eq!(header(&seen, "content-length"), Some("8"));
        }
    }
    let none = echo(emulated.run(&["request", "POST", &url]));
    assert_eq!(header(&none, "content-length"), Some("0"));
    let none = echo(emulated.run(&["request", "GET", &url]));
    assert_eq!(header(&none, "content-length"), None);
    let delete = echo(emulated.run(&["request", "DELETE", &url, "--data", "x"]));
    assert_eq!(delete["body"], "x");
}

#[test]
fn own_headers_are_sent_once_and_what_is_signed_goes_before() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/echo");
    let args = ["request", "POST", &url, "--data", "a", "--header", "Content-Type: text/plain"];
    let more = ["--header", "opc-retry-token:  t ", "--header", "authorization: x"];
    let seen = echo(emulated.run(&[&args[..], &more].concat()));
    assert_eq!(header(&seen, "content-type"), Some("text/plain"));
    assert_eq!(header(&seen, "opc-retry-token"), Some("t"));
    for header in ["transfer-encoding: chunked", "a b: c", "x: \u{1}"] {
        let refused = emulated.run(&["request", "GET", &url, "--header", header]);
        assert_eq!(refused.refused(), "INVALID_HEADER", "{header}");
    }
    let args = ["request", "POST", &url, "--data", "a", "--header", "content-length: 2"];
    assert_eq!(emulated.run(&args).refused(), "INVALID_HEADER");
}

#[test]
fn path_and_query_go_out_byte_for_byte_or_not_at_all() {
    let emulated = Emulated::start(Config::default());
    for target in [
        "/echo/a/../b/./c//d",
        "/echo/%2e%2E/%2f%2F%41",
        "/echo/a?",
        "/echo/a?b=c&b=&&flag&+%20+",
        "/echo/a?x=[1]&y={2}&z='(|^~`$!*),;:@\\",
        "/echo/%zz?%",
    ] {
        for url in [emulated.url(target), emulated.emulator.url() + target + "#fragment"] {
            assert_eq!(echo(emulated.run(&["request", "GET", &url]))["target"], target);
        }
    }
    // What a host is taken for is what was signed, too.
    let (url, server) = serve(vec![answer("200 OK", ""); 2]);
    emulated.run(&["request", "GET", &format!("{url}?a")]).good();
    emulated.run(&["request", "GET", &format!("{url}#a")]).good();
    let received = server.join().unwrap();
    assert_eq!(received[0].request_line, "GET /?a HTTP/1.1");
    assert_eq!(received[1].request_line, "GET / HTTP/1.1");
    assert_eq!(received[0].header("host"), url.strip_prefix("http://"));
    for url in ["https://h%41/a", "https://h/a b", "https://u:p@h/", "h/a", "ftp://h/"] {
        assert_eq!(emulated.run(&["request", "GET", url]).refused(), "INVALID_URL", "{url}");
    }
}

#[test]
fn an_object_goes_up_unsigned_and_comes_back_whole() {
    let emulated = Emulated::start(Config::default());
    let bucket = format!(
        "/n/{}/b/{}/o/object",
        emulated.environment("OCISIGN_EMULATOR_NAMESPACE"),
        emulated.environment("OCISIGN_EMULATOR_BUCKET")
    );
    let url = emulated.url(&bucket);
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let path = file(&emulated.home, "up", &bytes);
    let put = ["request", "PUT", &url, "--unsigned-body"];
    let get = ["request", "GET", &url, "--output", "down"];
    for (more, stdin) in [
        (["--data-file", &*path], &b""[..]),
        (["--data-file", "-"], &bytes),
        (["--data-file", "/dev/stdin"], &bytes),
    ] {
        emulated.run_with(&[&put[..], &more].concat(), stdin).good();
        assert_eq!(emulated.run(&get).good(), "");
        assert_eq!(fs::read(emulated.home.path().join("down")).unwrap(), bytes);
        assert_eq!(emulated.files(), ["down", "up"]);
    }
    let head = emulated.run(&["request", "HEAD", &url, "--include"]).good();
    assert!(head.starts_with("HTTP/1.1 200 OK\n"), "{head}");
    assert!(head.contains("\ncontent-length: 1000000\n") && head.ends_with("\n\n"), "{head}");
}

#[test]
fn a_401_is_answered_once_with_a_new_token_where_there_is_one() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/echo");
    let path = file(&emulated.home, "body", "again");
    let args = ["request", "POST", &url, "--auth", "instance_principal", "--data-file", &path];
    emulated.fault("* /echo", 1, FaultKind::Status, Some(401));
    assert_eq!(echo(emulated.run(&args))["body"], "again");
    assert_eq!((emulated.count("POST", "/echo"), emulated.count("POST", "/v1/x509")), (2, 2));

    emulated.fault("* /echo", 9, FaultKind::Status, Some(401));
    assert_eq!(answered(&emulated.run(&args)), "HTTP_STATUS");
    assert_eq!(emulated.count("POST", "/echo"), 4);
    // What was read from a pipe as it went is gone.
    let args = ["request", "POST", &url, "--auth", "instance_principal", "--unsigned-body"];
    let args = [&args[..], &["--data", "-"]].concat();
    assert_eq!(answered(&emulated.run_with(&args, b"once")), "HTTP_STATUS");
    assert_eq!(emulated.count("POST", "/echo"), 5);
}

#[test]
fn a_wrong_clock_is_corrected_by_a_server_that_proved_its_name() {
    let emulated = Emulated::start(Config::default());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    emulated.emulator.set_time(i64::try_from(now).unwrap() + 7_200);
    let path = "/20160918/regions";
    emulated.run(&["request", "GET", &emulated.url(path)]).good();
    let plain = emulated.emulator.url() + path;
    assert_eq!(answered(&emulated.run(&["request", "GET", &plain])), "HTTP_STATUS");
}

#[test]
fn other_answers_are_printed_and_the_exit_code_says_so() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/20160918/nothing?secret=hunter2");
    let kept = file(&emulated.home, "kept", "as it was");
    for more in [&[][..], &["--output", &kept]] {
        let run = emulated.run(&[&["request", "GET", &url], more].concat());
        assert_eq!(answered(&run), "HTTP_STATUS");
        assert!(run.stdout.starts_with("{\"code\":\"NotAuthorizedOrNotFound\""), "{run:?}");
        assert!(run.stderr.contains("/nothing: 404 Not Found, opc-request-id "), "{run:?}");
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
    }
    assert_eq!(fs::read_to_string(&kept).unwrap(), "as it was");
    assert_eq!(emulated.files(), ["kept"]);
    for status in [429, 500, 503] {
        emulated.fault("*", 1, FaultKind::Status, Some(status));
        let run = emulated.run(&["request", "GET", &emulated.url("/20160918/regions")]);
        assert_eq!(answered(&run), "HTTP_STATUS");
        assert!(run.stderr.contains(&format!(": {status} ")), "{run:?}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let emulated = Emulated::start(Config::default());
    let head = "302 Found\r\nlocation: http://127.0.0.1:1/elsewhere?token=hunter2";
    let (url, server) = serve(vec![answer(head, "moved")]);
    let run = emulated.run(&["request", "GET", &url]);
    assert_eq!(answered(&run), "REDIRECT_NOT_FOLLOWED");
    assert_eq!(run.stdout, "moved");
    assert!(run.stderr.contains("302 Found: to http://127.0.0.1:1/elsewhere, "), "{run:?}");
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn half_a_download_leaves_nothing() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/20160918/regions");
    for (kind, before) in [(FaultKind::Truncated, None), (FaultKind::Close, Some("as it was"))] {
        if let Some(text) = before {
            file(&emulated.home, "out", text);
        }
        emulated.fault("*", 1, kind, None);
        let run = emulated.run(&["request", "GET", &url, "--output", "out"]);
        assert_eq!(run.refused(), "REQUEST_FAILED");
        let left = fs::read_to_string(emulated.home.path().join("out")).ok();
        assert_eq!(left.as_deref(), before);
    }
    assert_eq!(emulated.files(), ["out"]);
    // On standard output what came has come.
    emulated.fault("*", 1, FaultKind::Truncated, None);
    let run = emulated.run(&["request", "GET", &url]);
    assert_eq!((run.code, run.stdout.len()), (1, 18), "{run:?}");
}

#[test]
fn a_file_is_replaced_where_a_link_leads_and_keeps_its_usual_mode() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/20160918/regions");
    let home = emulated.home.path();
    fs::create_dir(home.join("folder")).unwrap();
    file(&emulated.home, "folder/real", "old");
    std::os::unix::fs::symlink("folder/real", home.join("link")).unwrap();
    for output in ["link", "folder/new", "/dev/null", "-"] {
        let printed = emulated.run(&["request", "GET", &url, "--output", output]).good();
        assert_eq!(printed.is_empty(), output != "-");
    }
    assert!(fs::read_to_string(home.join("folder/real")).unwrap().starts_with('['));
    assert!(home.join("link").is_symlink());
    let mode = fs::metadata(home.join("folder/new")).unwrap().permissions().mode();
    assert_eq!(mode & 0o700, 0o600);
    assert_eq!(emulated::names(&home.join("folder")), ["new", "real"]);
}

#[test]
fn nothing_is_sent_where_the_answer_has_no_place_or_the_body_is_not_there() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/echo");
    for output in ["no/such/folder/file", ".", "/proc/none"] {
        let run = emulated.run(&["request", "POST", &url, "--output", output]);
        assert_eq!(run.refused(), "OUTPUT_FAILED", "{output}");
    }
    for data in ["@no-such-file", "@."] {
        let run = emulated.run(&["request", "POST", &url, "--data", data]);
        assert_eq!(run.refused(), "FILE_UNREADABLE", "{data}");
    }
    let large = vec![b' '; (16 << 20) + 1];
    let run = emulated.run_with(&["request", "POST", &url, "--data", "-"], &large);
    assert_eq!(run.refused(), "BODY_TOO_LARGE");
    let nobody = emulated.run(&["request", "GET", &url, "--profile", "NONE"]);
    assert_eq!(nobody.refused(), "PROFILE_NOT_FOUND");
    let mut certificates = emulated.command(&["request", "GET", &url]);
    certificates.env("OCI_DEFAULT_CERTS_PATH", "no-such-file");
    assert_eq!(run_(&mut certificates).refused(), "FILE_UNREADABLE");
    assert!(emulated.emulator.log().is_empty());
    assert!(emulated.files().is_empty());
}

fn run_(command: &mut Command) -> Run {
    run(command, b"")
}

#[test]
fn a_server_that_is_not_there_not_heard_of_or_not_proven_is_a_failed_request() {
    let emulated = Emulated::start(Config::default());
    let silent = emulated.url("/20160918/regions");
    emulated.fault("*", 1, FaultKind::Hang, None);
    let timeout = emulated.run(&["request", "GET", &silent, "--timeout", "1"]);
    assert_eq!(timeout.refused(), "REQUEST_FAILED");
    assert!(timeout.stderr.contains("no whole answer came in time"), "{timeout:?}");
    let mut untrusted = emulated.command(&["request", "GET", &silent]);
    untrusted.env_remove("OCI_DEFAULT_CERTS_PATH");
    let untrusted = run_(&mut untrusted);
    assert_eq!(untrusted.refused(), "REQUEST_FAILED");
    assert!(untrusted.stderr.contains("TLS"), "{untrusted:?}");
    let refused = emulated.run(&["request", "GET", "http://127.0.0.1:1/"]);
    assert_eq!(refused.refused(), "REQUEST_FAILED");
}

#[test]
fn a_reader_that_goes_and_a_full_disk_are_failures_and_no_panics() {
    let emulated = Emulated::start(Config::default());
    let url = emulated.url("/20160918/regions");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = emulated.command(&["request", "GET", &url]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(1), Vec::new()));
    let output = emulated.run(&["request", "GET", &url, "--output", "/dev/full"]);
    assert_eq!(output.refused(), "OUTPUT_FAILED");
}

/// 256 MiB each way, in an address space of 192: libraries and stacks are most of that.
#[cfg(target_os = "linux")]
#[test]
fn what_is_larger_than_the_memory_goes_both_ways() {
    let emulated = Emulated::start(Config::default());
    let bounded = |args: &[&str]| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 196608; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_ocisign")]);
        emulated.surround(&mut shell);
        shell.args(args);
        shell
    };
    let large = emulated.home.path().join("large");
    File::create(&large).unwrap().set_len(256 << 20).unwrap();
    let large = large.to_str().unwrap();
    let (url, server) = serve(vec![answer("200 OK", ""); 2]);
    run_(&mut bounded(&["request", "PUT", &url, "--data-file", large])).good();
    let unsigned = ["request", "PUT", &url, "--unsigned-body", "--data-file", large];
    run_(&mut bounded(&unsigned)).good();
    for received in server.join().unwrap() {
        assert_eq!(received.length, 256 << 20);
    }

    let bytes = Some(256 << 20);
    let fault = Fault { on: "*".into(), kind: FaultKind::Huge, bytes, ..Fault::default() };
    emulated.emulator.set_faults(vec![fault]);
    let url = emulated.url("/20160918/regions");
    run_(&mut bounded(&["request", "GET", &url, "--output", "down"])).good();
    assert_eq!(fs::metadata(emulated.home.path().join("down")).unwrap().len(), 256 << 20);
    let mut piped = bounded(&["request", "GET", &url]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = piped.stdout.take().unwrap();
    assert_eq!(std::io::copy(&mut stdout, &mut std::io::sink()).unwrap(), 256 << 20);
    assert!(piped.wait().unwrap().success());
}
