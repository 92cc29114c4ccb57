//! Names, addresses and proxies (29).

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use ocisign::{HttpTransport, InstanceSource, Signer, TransportFault, WorkloadSource};
use ocisign_emulator::Config;

use crate::emulated::Emulated;
use crate::watch::signer;

/// A proxy that connects to whatever it is asked for, and remembers that.
struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let log = log.clone();
                thread::spawn(move || tunnel(client, &log));
            }
        });
        Self { url, asked }
    }

    /// The heads of all requests so far.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    log.lock().unwrap().push(head.clone());
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    let mut server = TcpStream::connect(target).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || io::copy(&mut from_server, &mut to_client));
    io::copy(&mut reader, &mut server).ok()?;
    Some(())
}

fn over_tls(emulated: &Emulated, more: &[(&str, &str)]) -> ocisign::Environment {
    let url = emulated.emulator.tls_url();
    let mut all = vec![("OCI_SDK_AUTH_CLIENT_REGION_URL", url.as_str())];
    all.extend(more);
    emulated.environment(&all)
}

#[test]
fn case_29_services_are_asked_through_the_proxy_and_the_metadata_service_never() {
    let emulated = Emulated::start(Config::default());
    let address = emulated.emulator.tls_url().replace("https://", "");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = Proxy::start();
        let url = proxy.url.replace("http://", "http://ann:p%40ss@");
        let seen = signer(over_tls(&emulated, &[(name, &url)]), InstanceSource::new());
        seen.signer.warm().unwrap();
        let asked = proxy.asked();
        assert_eq!(asked.len(), 1, "{name}: {asked:?}");
        assert!(asked[0].starts_with(&format!("CONNECT {address} HTTP/1.1\r\n")), "{asked:?}");
        // base64 of `ann:p@ss`
        let basic = "proxy-authorization: basic YW5uOnBAc3M=";
        assert!(asked[0].to_lowercase().contains(&basic.to_lowercase()), "{asked:?}");
    }
    // Which is for plain HTTP, and may come from a request in CGI.
    let proxy = Proxy::start();
    let seen = signer(over_tls(&emulated, &[("HTTP_PROXY", &proxy.url)]), InstanceSource::new());
    seen.signer.warm().unwrap();
    assert!(proxy.asked().is_empty());
}

#[test]
fn case_29_hosts_of_no_proxy_are_asked_directly() {
    let emulated = Emulated::start(Config::default());
    let host = emulated.emulator.tls_url().replace("127.0.0.1", "localhost");
    for (hosts, through) in [
        ("localhost", false),
        ("example.com, LOCALHOST", false),
        ("*", false),
        ("example.com,127.0.0.1", true),
        (" ,", true),
    ] {
        let proxy = Proxy::start();
        let more = [
            ("HTTPS_PROXY", proxy.url.as_str()),
            ("NO_PROXY", hosts),
            ("OCI_SDK_AUTH_CLIENT_REGION_URL", &host),
        ];
        let seen = signer(emulated.environment(&more), InstanceSource::new());
        seen.signer.warm().unwrap();
        assert_eq!(proxy.asked().len(), usize::from(through), "{hosts}");
    }
}

#[test]
fn case_29_the_proxymux_is_never_asked_through_a_proxy() {
    let emulated = Emulated::start(Config::default());
    let token = emulated.emulator.file("kubernetes/token");
    let more = [("HTTPS_PROXY", "http://127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1")];
    let seen = signer(emulated.environment(&more), WorkloadSource::new().token_file(token));
    seen.signer.warm().unwrap();
}

#[test]
fn case_29_a_proxy_that_is_not_there_is_an_error_of_the_call_and_not_gone_around() {
    let emulated = Emulated::start(Config::default());
    let environment = over_tls(&emulated, &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
    let seen = signer(environment, InstanceSource::new());
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_UNREACHABLE");
    assert!(error.to_string().contains("/v1/x509"), "{error}");
    assert_eq!(emulated.count("POST", "/v1/x509"), 0);
}

#[test]
fn case_29_a_proxy_that_cannot_be_used_is_an_error_and_not_gone_around() {
    let emulated = Emulated::start(Config::default());
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        for url in ["http://", "ftp://127.0.0.1:3128", "socks5://127.0.0.1:1080", "a b"] {
            let environment = over_tls(&emulated, &[(name, url)]);
            let error = HttpTransport::new(&environment).client().unwrap_err();
            assert_eq!(error.code(), "INVALID_VARIABLE");
            let shown = error.to_string();
            assert_eq!(shown, format!("{}: not the URL of an HTTP proxy", name.to_uppercase()));

            let error = signer(environment, InstanceSource::new()).signer.warm().unwrap_err();
            assert_eq!(error.code(), "EXCHANGE_UNREACHABLE");
            assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
        }
    }
    assert_eq!(emulated.count("POST", "/v1/x509"), 0);
}

#[test]
fn case_29_a_name_that_does_not_resolve_is_an_error_that_says_so() {
    let emulated = Emulated::start(Config::default());
    let more = [("OCI_SDK_AUTH_CLIENT_REGION_URL", "https://auth.nowhere.invalid")];
    let seen = signer(emulated.environment(&more), InstanceSource::new());
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_UNREACHABLE");
    let fault = seen.calls.all().pop().unwrap().ended;
    assert_eq!(fault, Err(TransportFault::Dns), "{error}");
    let said =
        "POST https://auth.nowhere.invalid/v1/x509: the name of the host could not be resolved";
    assert_eq!(error.to_string(), said);
}

#[test]
fn case_29_addresses_of_ipv6_are_asked_by_every_kind_of_principal() {
    let listen = "[::1]:0".parse().unwrap();
    let config = Config { listen, tls_listen: listen, ..Config::default() };
    let Ok(emulator) = ocisign_emulator::Emulator::start(config) else {
        return; // this machine has none
    };
    let emulated = Emulated { emulator, acting: None };
    let token = emulated.emulator.file("kubernetes/token");
    let instance = signer(over_tls(&emulated, &[]), InstanceSource::new());
    // As Kubernetes sets it: without brackets.
    let pod = emulated.environment(&[("KUBERNETES_SERVICE_HOST", "::1")]);
    let pod = signer(pod, WorkloadSource::new().token_file(token));
    for seen in [instance, pod] {
        assert_eq!(emulated.get(&seen.signer, "/20160918/regions").unwrap().0, 200);
        assert!(seen.calls.all().iter().all(|call| call.line.contains("[::1]")));
    }
    let proxy = Proxy::start();
    for (hosts, through) in [("::1", 0), ("::2", 1)] {
        let more = [("HTTPS_PROXY", proxy.url.as_str()), ("NO_PROXY", hosts)];
        signer(over_tls(&emulated, &more), InstanceSource::new()).signer.warm().unwrap();
        assert_eq!(proxy.asked().len(), through);
    }
}

/// Proxies and authorities of a process are its own: this test runs itself as another one.
#[test]
fn case_29_the_environment_of_the_process_counts_as_one_that_is_given() {
    let emulated = Emulated::start(Config::default());
    let (metadata, auth) = (emulated.emulator.url() + "/opc/v2", emulated.emulator.tls_url());
    let ca = emulated.emulator.ca_file();
    let run = |proxy: &Proxy, no_proxy: &str, ca: &std::path::Path| {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "proxy::an_instance_of_this_process"])
            .env("OCI_METADATA_BASE_URL", &metadata)
            .env("OCI_SDK_AUTH_CLIENT_REGION_URL", &auth)
            .env("SSL_CERT_FILE", ca)
            .env("HTTPS_PROXY", &proxy.url)
            .env("NO_PROXY", no_proxy)
            .env_remove("OCI_DEFAULT_CERTS_PATH")
            .output()
            .unwrap();
        String::from_utf8(child.stdout).unwrap()
    };
    for (no_proxy, through) in [("", 1), ("127.0.0.1", 0)] {
        let proxy = Proxy::start();
        let said = run(&proxy, no_proxy, &ca);
        assert!(said.contains("warm: Ok"), "{said}");
        assert_eq!(proxy.asked().len(), through);
    }
    let other = emulated.emulator.file("config");
    let said = run(&Proxy::start(), "", &other);
    assert!(said.contains("EXCHANGE_UNREACHABLE"), "{said}");
}

#[test]
#[ignore = "the other process of the test above"]
#[allow(clippy::print_stdout)]
fn an_instance_of_this_process() {
    let warm = Signer::instance_principal().warm().map_err(|error| error.code());
    println!("warm: {warm:?}");
}
