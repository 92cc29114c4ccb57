//! Servers of the tests' own: they say, byte for byte, what they are told to say.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use serde_json::{Value, json};

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let found = lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

/// Bytes, and how long the connection stays open after them.
pub(crate) struct Said {
    bytes: Vec<u8>,
    hold: Duration,
}

impl From<Vec<u8>> for Said {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, hold: Duration::ZERO }
    }
}

/// These bytes, and then nothing for longer than anybody waits.
pub(crate) fn held(bytes: &str) -> Said {
    Said { bytes: bytes.into(), hold: Duration::from_mins(1) }
}

/// A whole answer.
pub(crate) fn http(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    tls: Option<Arc<Mutex<Arc<ServerConfig>>>>,
}

impl Server {
    pub(crate) fn start<S: Into<Said>>(
        answer: impl Fn(&Heard) -> S + Send + Sync + 'static,
    ) -> Self {
        Self::listen(None, answer)
    }

    pub(crate) fn over_tls<S: Into<Said>>(
        config: Arc<ServerConfig>,
        answer: impl Fn(&Heard) -> S + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(Arc::new(Mutex::new(config))), answer)
    }

    fn listen<S: Into<Said>>(
        tls: Option<Arc<Mutex<Arc<ServerConfig>>>>,
        answer: impl Fn(&Heard) -> S + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let server = Self { address, heard: heard.clone(), tls: tls.clone() };
        let answer = Arc::new(answer);
        // It goes with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, heard, tls) = (answer.clone(), heard.clone(), tls.clone());
                thread::spawn(move || {
                    let answer = |request: &Heard| (*answer)(request).into();
                    match tls {
                        None => serve(stream, &heard, answer),
                        Some(tls) => {
                            let config = tls.lock().unwrap().clone();
                            let connection = ServerConnection::new(config).unwrap();
                            serve(StreamOwned::new(connection, stream), &heard, answer);
                        }
                    }
                });
            }
        });
        server
    }

    /// One that says this to whatever comes, and its URL.
    pub(crate) fn raw(bytes: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4_096]).and_then(|_| stream.write_all(&bytes));
                // Closed with something unread, it would be reset before it is read.
                thread::sleep(Duration::from_millis(100));
            }
        });
        format!("http://{address}")
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// Prove by this from now on.
    pub(crate) fn set_tls(&self, config: Arc<ServerConfig>) {
        *self.tls.as_ref().unwrap().lock().unwrap() = config;
    }

    /// All requests so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: impl Read + Write,
    heard: &Mutex<Vec<Heard>>,
    answer: impl Fn(&Heard) -> Said,
) {
    let Some(request) = read(&mut stream) else { return };
    heard.lock().unwrap().push(request.clone());
    let said = answer(&request);
    let _ = stream.write_all(&said.bytes).and_then(|()| stream.flush());
    thread::sleep(said.hold);
}

fn read(stream: &mut impl Read) -> Option<Heard> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end + 2].to_vec()).ok()?;
            let heard = Heard { head, body: bytes[end + 4..].to_vec() };
            let length = heard.header("content-length").map_or(0, |text| text.parse().unwrap());
            if heard.body.len() >= length {
                return Some(heard);
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

/// What somebody else, at this URL, answers to a request.
pub(crate) fn forward(url: &str, heard: &Heard) -> Vec<u8> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(heard.head.as_bytes()).unwrap();
    stream.write_all(b"connection: close\r\n\r\n").unwrap();
    stream.write_all(&heard.body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// The same answer with another token, where it has one: JSON, or JSON in base64 in quotes.
pub(crate) fn with_token(answer: Vec<u8>, change: impl Fn(&str) -> String) -> Vec<u8> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let changed = |body: &[u8]| -> Option<String> {
        let mut object: Value = serde_json::from_slice(body).ok()?;
        let token = change(object.get("token")?.as_str()?);
        object["token"] = json!(token);
        Some(object.to_string())
    };
    let body = &answer[end + 4..];
    let wrapped = || {
        let text: String = serde_json::from_slice(body).ok()?;
        let inner = changed(&STANDARD.decode(text).ok()?)?;
        Some(json!(STANDARD.encode(inner)).to_string())
    };
    match changed(body).or_else(wrapped) {
        Some(body) => http(200, "", body.as_bytes()),
        None => answer,
    }
}

/// The same token with other claims; its signature is not looked at by clients.
pub(crate) fn with_claims(token: &str, change: impl Fn(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(Into::into).collect();
    let claims = URL_SAFE_NO_PAD.decode(&parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    change(&mut claims);
    parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
    parts.join(".")
}

/// An authority that nobody knows of.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// What a server with this name needs.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.server_of(name, rustls::ALL_VERSIONS)
    }

    pub(crate) fn server_of(
        &self,
        name: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}
