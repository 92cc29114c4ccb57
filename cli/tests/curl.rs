//! The output goes through curl as it is, where there is curl.
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;

use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use command::{key, ocisign};

#[test]
fn curl_sends_exactly_what_was_signed() {
    if Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_err() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = "/a/../b%2f?x=[1]&y={2}&x=";
    let url = format!("http://{}{target}", listener.local_addr().unwrap());
    let body = "{\"a\": 1}";
    let server = thread::spawn(move || receive(&listener));

    let directory = tempfile::tempdir().unwrap();
    let body_file = command::file(&directory, "body", body);
    let (private, public) = (key("test-key.pem"), key("test-key.pub.pem"));
    let mut args = vec!["sign", "--method", "POST", "--url", &url, "--body-file", &body_file];
    args.extend(["--key-id", "t/u/f", "--key-file", &private]);
    let signed = ocisign(&args).good();

    let mut curl = Command::new("curl")
        .args(["--silent", "--noproxy", "*", "--path-as-is", "--globoff", "-H", "@-"])
        .args(["--data-binary", &format!("@{body_file}"), &url])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    curl.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
    assert!(curl.wait().unwrap().success());

    let (request_line, headers, received) = server.join().unwrap();
    assert_eq!(request_line, format!("POST {target} HTTP/1.1"));
    assert_eq!(received, body);
    for line in signed.lines() {
        let name = line.split_once(':').unwrap().0;
        let same: Vec<_> = headers
            .iter()
            .filter(|header| header.to_ascii_lowercase().starts_with(&format!("{name}:")))
            .collect();
        assert_eq!(same.len(), 1, "{headers:?}");
        assert_eq!(same[0].split_once(": ").unwrap().1, line.split_once(": ").unwrap().1);
    }
    // And what arrived verifies.
    let mut args = vec!["verify", "--method", "POST", "--url", &url, "--body-file", &body_file];
    args.extend(["--public-key-file", &public]);
    args.extend(headers.iter().flat_map(|header| ["--header", header]));
    assert_eq!(ocisign(&args).good(), "valid\n");
}

/// The request line, the headers and the body of one request.
fn receive(listener: &TcpListener) -> (String, Vec<String>, String) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = command::head(&mut reader);
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    (lines.remove(0), lines, String::from_utf8(body).unwrap())
}
