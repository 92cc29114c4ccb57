//! A client that sends what it is told, byte for byte, and reads what comes.
#![allow(dead_code)] // each test takes what it needs

pub(crate) mod process;

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, str};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::{
    Body, Credential, KeyId, KeyOptions, NativeKey, PrivateKeyDer, Request, SigningKey, prepare,
    sign,
};
use ocisign_emulator::{Config, Emulator, Entry};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

pub(crate) const TENANCY: &str = "ocid1.tenancy.oc1..aaaaaaaaexampletenancy";
pub(crate) const COMPARTMENT: &str = "ocid1.compartment.oc1..aaaaaaaaexamplecompartment";
pub(crate) const USER: &str = "ocid1.user.oc1..aaaaaaaaexampleuser";
pub(crate) const INSTANCE: &str = "ocid1.instance.oc1.iad.anuwexampleinstance";
pub(crate) const FUNCTION: &str = "ocid1.fnfunc.oc1.iad.aaaaaaaaexamplefunction";
pub(crate) const CLUSTER: &str = "ocid1.cluster.oc1.iad.aaaaaaaaexamplecluster";
pub(crate) const SECRET: &str = "ocid1.vaultsecret.oc1.iad.amaaexamplesecret";
pub(crate) const VAULT: &str = "ocid1.vault.oc1.iad.examplevault";

/// A key of sessions that the tests ask tokens for.
pub(crate) const SESSION_PEM: &str = include_str!("../../keys/session.pem");
/// Another one.
pub(crate) const OTHER_PEM: &str = include_str!("../../keys/workload.pem");
pub(crate) const RESOURCE_PEM: &str = include_str!("../../keys/resource.pem");
pub(crate) const USER_PEM: &str = include_str!("../../keys/user.pem");

/// The default but for its ports, which are any that are free.
pub(crate) fn config() -> Config {
    let any = "127.0.0.1:0".parse().unwrap();
    Config { listen: any, tls_listen: any, ..Config::default() }
}

pub(crate) fn start() -> Emulator {
    Emulator::start(config()).unwrap()
}

/// The default, and what this says beside.
pub(crate) fn start_toml(text: &str) -> Emulator {
    let mut config = Config::from_toml(text).unwrap();
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.tls_listen = config.listen;
    Emulator::start(config).unwrap()
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// How many bytes of the body `content-length` promised and were not sent.
    pub(crate) missing: usize,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// This answer, which has this status.
    #[track_caller]
    pub(crate) fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The text of a field of a JSON answer of status 200.
    #[track_caller]
    pub(crate) fn field(self, name: &str) -> String {
        let value = self.with(200).json();
        value[name].as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
    }

    /// Status, and the code of OCI's error.
    pub(crate) fn code(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }
}

/// A connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection<S: Read + Write = TcpStream> {
    stream: BufReader<S>,
    host: String,
}

pub(crate) fn address(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

/// A connection without a word said.
pub(crate) fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(address(url)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

impl Connection {
    pub(crate) fn open(url: &str) -> Self {
        Self::over(connect(url), url)
    }
}

impl Connection<StreamOwned<ClientConnection, TcpStream>> {
    /// Over TLS, trusting the certificates of this file alone.
    pub(crate) fn open_tls(url: &str, ca: &Path) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = address(url).rsplit_once(':').unwrap().0.to_owned();
        let session =
            ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
        let mut stream = StreamOwned::new(session, connect(url));
        stream.flush()?;
        Ok(Self::over(stream, url))
    }
}

impl<S: Read + Write> Connection<S> {
    fn over(stream: S, url: &str) -> Self {
        Self { stream: BufReader::new(stream), host: address(url).to_owned() }
    }

    pub(crate) fn stream(&self) -> &S {
        self.stream.get_ref()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// The answer to a request of this method.
    pub(crate) fn receive(&mut self, method: &str) -> io::Result<Reply> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, first))?;
        let mut reply = Reply { status, headers: Vec::new(), body: Vec::new(), missing: 0 };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap();
            reply.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let chunked = reply.header("transfer-encoding").is_some();
        let length = reply.header("content-length").map(|length| length.parse::<usize>().unwrap());
        match length {
            _ if method == "HEAD" || matches!(status, 204 | 304) => {}
            _ if chunked => while self.chunk(&mut reply.body)? {},
            Some(length) => {
                // Half of a body is a fault that is asked for.
                let _ = self.stream.by_ref().take(length as u64).read_to_end(&mut reply.body);
                reply.missing = length - reply.body.len();
            }
            None => drop(self.stream.read_to_end(&mut reply.body)?),
        }
        Ok(reply)
    }

    fn chunk(&mut self, body: &mut Vec<u8>) -> io::Result<bool> {
        let size = self.line()?;
        let size = u64::from_str_radix(&size, 16).map_err(io::Error::other)?;
        let read = self.stream.by_ref().take(size).read_to_end(body)?;
        self.line()?;
        if read as u64 == size { Ok(size > 0) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// A request, and its answer.
    pub(crate) fn exchange(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let head = head(method, target, &self.host, headers, body.len());
        self.send(&[head.as_bytes(), body].concat())?;
        self.receive(method)
    }

    /// Whether the other side has closed, and said nothing more.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.stream.fill_buf() {
            Ok(rest) => rest.is_empty(),
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// The head of a request, with host and length where they are not among the headers.
pub(crate) fn head(
    method: &str,
    target: &str,
    host: &str,
    headers: &[(String, String)],
    length: usize,
) -> String {
    let has = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut lines = vec![format!("{method} {target} HTTP/1.1")];
    if !has("host") {
        lines.push(format!("host: {host}"));
    }
    if !has("content-length") && length > 0 {
        lines.push(format!("content-length: {length}"));
    }
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.join("\r\n") + "\r\n\r\n"
}

pub(crate) fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An unsigned request on a connection of its own, and its answer.
#[track_caller]
pub(crate) fn call(
    url: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    try_call(url, method, target, headers, body).unwrap()
}

pub(crate) fn try_call(
    url: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    Connection::open(url).exchange(method, target, &owned(headers), body)
}

/// An unsigned PUT of JSON, as to `/emulator/…`.
#[track_caller]
pub(crate) fn put(url: &str, target: &str, body: &Value) -> Reply {
    call(url, "PUT", target, &[], body.to_string().as_bytes())
}

pub(crate) fn key(pem: &str) -> NativeKey {
    NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap()).unwrap()
}

/// The public half, as SDKs send it.
pub(crate) fn public(pem: &str) -> String {
    STANDARD.encode(key(pem).public_key().spki_der())
}

/// Somebody who signs.
#[derive(Debug)]
pub(crate) struct Caller {
    url: String,
    credential: Credential,
    now: u64,
}

impl Caller {
    /// A key id and the key; what they are is the emulator's to judge.
    pub(crate) fn new(url: &str, key_id: &str, pem: &str) -> Self {
        Self::with(url, Credential::new(KeyId::new(key_id).unwrap(), key(pem)))
    }

    pub(crate) fn with(url: &str, credential: Credential) -> Self {
        Self { url: url.to_owned(), credential, now: now() }
    }

    /// The user of the profile `DEFAULT`.
    pub(crate) fn user(url: &str) -> Self {
        let fingerprint = key(USER_PEM).public_key().fingerprint();
        Self::new(url, &format!("{TENANCY}/{USER}/{fingerprint}"), USER_PEM)
    }

    /// Whoever a token stands for.
    pub(crate) fn token(url: &str, token: &str, pem: &str) -> Self {
        let token = token.strip_prefix("ST$").unwrap_or(token);
        Self::new(url, &format!("ST${token}"), pem)
    }

    /// With the clock at this time.
    pub(crate) fn at(mut self, now: u64) -> Self {
        self.now = now;
        self
    }

    /// The headers of a request, signed.
    pub(crate) fn headers(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Body<'_>,
    ) -> Vec<(String, String)> {
        let url = format!("{}{target}", self.url);
        let request = Request::new(method, &url).headers(headers).body(body);
        let signed = sign(&request, &self.credential, self.now).unwrap();
        let mut all = owned(headers);
        all.retain(|(name, _)| signed.get(name).is_none());
        all.extend(signed.headers().iter().map(|(name, value)| ((*name).into(), value.clone())));
        all
    }

    #[track_caller]
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let signed = self.headers(method, target, headers, Body::Bytes(body));
        Connection::open(&self.url).exchange(method, target, &signed, body).unwrap()
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], &[])
    }

    #[track_caller]
    pub(crate) fn post(&self, target: &str, body: &Value) -> Reply {
        self.send("POST", target, &[], body.to_string().as_bytes())
    }
}

/// The headers of a request of which only these are signed.
pub(crate) fn sign_only(
    names: &[&str],
    key_id: &str,
    pem: &str,
    method: &str,
    url: &str,
    body: &[u8],
) -> Vec<(String, String)> {
    let request = Request::new(method, url).body(Body::Bytes(body));
    let prepared = prepare(&request, &KeyId::new("unused").unwrap(), now()).unwrap();
    let mut headers = prepared.headers().to_vec();
    let target = url.splitn(4, '/').nth(3).unwrap();
    let target = format!("{} /{target}", method.to_ascii_lowercase());
    let value = |name: &str| {
        let header = headers.iter().find(|(known, _)| *known == name);
        header.map_or(target.as_str(), |(_, value)| value).to_owned()
    };
    let lines: Vec<String> = names.iter().map(|name| format!("{name}: {}", value(name))).collect();
    let signature = STANDARD.encode(key(pem).sign(lines.join("\n").as_bytes()).unwrap());
    let names = names.join(" ");
    headers.push((
        "authorization",
        format!(
            "Signature version=\"1\",headers=\"{names}\",keyId=\"{key_id}\",\
             algorithm=\"rsa-sha256\",signature=\"{signature}\""
        ),
    ));
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What federation takes, as the metadata service gives it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) intermediate: String,
}

/// How a federation names its certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Digest {
    Sha1,
    Sha256,
}

#[track_caller]
pub(crate) fn metadata(url: &str, path: &str) -> Reply {
    call(url, "GET", &format!("/opc/v2/{path}"), &[("authorization", "Bearer Oracle")], &[])
}

impl Identity {
    #[track_caller]
    pub(crate) fn of(url: &str) -> Self {
        let get = |name: &str| {
            metadata(url, &format!("identity/{name}")).with(200).text().trim().to_owned()
        };
        // Certificate and key may be replaced in between.
        for _ in 0..10 {
            let (certificate, key) = (get("cert.pem"), get("key.pem"));
            if get("cert.pem") == certificate {
                return Self { certificate, key, intermediate: get("intermediate.pem") };
            }
        }
        panic!("the certificate never stays");
    }

    pub(crate) fn key_id(&self, by: Digest) -> String {
        let kind = if by == Digest::Sha1 { "fed-x509" } else { "fed-x509-sha256" };
        format!("{TENANCY}/{kind}/{}", fingerprint(&self.certificate, by))
    }

    pub(crate) fn details(&self, session_pem: &str) -> Value {
        json!({
            "certificate": bare(&self.certificate),
            "publicKey": public(session_pem),
            "intermediateCertificates": [bare(&self.intermediate)],
        })
    }

    #[track_caller]
    pub(crate) fn federate(&self, url: &str, session_pem: &str) -> Reply {
        self.federate_as(url, session_pem, Digest::Sha256, true)
    }

    #[track_caller]
    pub(crate) fn federate_as(
        &self,
        url: &str,
        session_pem: &str,
        by: Digest,
        signs_host: bool,
    ) -> Reply {
        let body = self.details(session_pem).to_string();
        let mut names = vec!["date", "(request-target)"];
        names.extend(signs_host.then_some("host"));
        names.extend(["content-length", "content-type", "x-content-sha256"]);
        let to = format!("{url}/v1/x509");
        let key_id = self.key_id(by);
        let headers = sign_only(&names, &key_id, &self.key, "POST", &to, body.as_bytes());
        Connection::open(url).exchange("POST", "/v1/x509", &headers, body.as_bytes()).unwrap()
    }
}

/// An instance that has its token.
#[track_caller]
pub(crate) fn instance(url: &str) -> Caller {
    let token = Identity::of(url).federate(url, SESSION_PEM).field("token");
    Caller::token(url, &token, SESSION_PEM)
}

/// The function, with the key and token of its files.
#[track_caller]
pub(crate) fn function(emulator: &Emulator) -> Caller {
    let read = |name: &str| {
        fs::read_to_string(emulator.file(&format!("resource_principal/{name}"))).unwrap()
    };
    Caller::token(&emulator.url(), read("rpst").trim(), &read("private.pem"))
}

/// The answer of OKE's proxymux to this service account token.
#[track_caller]
pub(crate) fn proxymux(emulator: &Emulator, path: &str, bearer: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {bearer}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let (url, ca) = (emulator.tls_url(), emulator.file("kubernetes/ca.crt"));
    let mut connection = Connection::open_tls(&url, &ca).unwrap();
    connection.exchange("POST", path, &owned(&headers), body.to_string().as_bytes()).unwrap()
}

/// The JSON that is in base64 in quotes.
#[track_caller]
pub(crate) fn unwrap_proxymux(reply: Reply) -> Value {
    let reply = reply.with(200).json();
    serde_json::from_slice(&STANDARD.decode(reply.as_str().unwrap()).unwrap()).unwrap()
}

/// The pod.
#[track_caller]
pub(crate) fn pod(emulator: &Emulator) -> Caller {
    let bearer = fs::read_to_string(emulator.file("kubernetes/token")).unwrap();
    let details = json!({ "podKey": public(SESSION_PEM) });
    let reply = proxymux(emulator, "/resourcePrincipalSessionTokens", &bearer, &details);
    let token = unwrap_proxymux(reply)["token"].as_str().unwrap().to_owned();
    Caller::token(&emulator.url(), &token, SESSION_PEM)
}

/// The user of the profile `SESSION`, and its token.
pub(crate) fn session(emulator: &Emulator) -> (Caller, String) {
    let token = fs::read_to_string(emulator.file("session/token")).unwrap();
    (Caller::token(&emulator.url(), &token, SESSION_PEM), token)
}

/// PEM without its lines.
pub(crate) fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

pub(crate) fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(bare(pem)).unwrap()
}

fn fingerprint(certificate: &str, by: Digest) -> String {
    let algorithm = if by == Digest::Sha1 { &SHA1_FOR_LEGACY_USE_ONLY } else { &SHA256 };
    let digest = digest(algorithm, &der(certificate));
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The claims of a token.
#[track_caller]
pub(crate) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// The last line of the log.
#[track_caller]
pub(crate) fn last(emulator: &Emulator) -> Entry {
    emulator.log().pop().unwrap()
}

/// Why the last request was answered as it was.
#[track_caller]
pub(crate) fn reason(emulator: &Emulator) -> String {
    let entry = last(emulator);
    entry.reason.clone().unwrap_or_else(|| panic!("{entry}"))
}

/// How long an answer may take before a test says that there is none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
