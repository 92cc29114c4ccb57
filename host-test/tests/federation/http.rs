//! The host's part: it sends what the guest says, to the emulator.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::world::exchanges::{HttpAnswer, HttpRequest, TransportFault};
use crate::world::types::Header;

/// Send a request of an exchange, over TLS where its URL says so, by this authority.
pub(crate) fn send(request: &HttpRequest, ca: &Path) -> Result<HttpAnswer, TransportFault> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|header| (&*header.name, &*header.value)).collect();
    let body = request.body.as_deref().unwrap_or_default();
    let (scheme, rest) = request.url.split_once("://").unwrap();
    let authority = rest.split('/').next().unwrap();
    let stream = TcpStream::connect(authority).map_err(|_| TransportFault::Connection)?;
    let limit = Duration::from_secs(request.time_limit.into());
    stream.set_read_timeout(Some(limit)).unwrap();
    let text = text(&request.method, &rest[authority.len()..], authority, &headers, body);
    let most = usize::try_from(request.size_limit).unwrap() + 16_384;
    if scheme == "https" {
        let name = authority.rsplit_once(':').unwrap().0.to_owned();
        let name = ServerName::try_from(name).unwrap();
        let session = ClientConnection::new(tls(ca), name).unwrap();
        talk(StreamOwned::new(session, stream), &text, most)
    } else {
        talk(stream, &text, most)
    }
}

/// GET or another method without a body, with these headers: the status.
pub(crate) fn status(method: &str, url: &str, headers: &[(String, String)]) -> u16 {
    let rest = url.strip_prefix("http://").unwrap();
    let authority = rest.split('/').next().unwrap();
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let text = text(method, &rest[authority.len()..], authority, &headers, "");
    talk(TcpStream::connect(authority).unwrap(), &text, 1 << 20).unwrap().status
}

fn text(
    method: &str,
    target: &str,
    authority: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let is_there = |name: &str| headers.iter().any(|header| header.0 == name);
    let length = body.len().to_string();
    let mut all = vec![("connection", "close")];
    if !is_there("host") {
        all.push(("host", authority));
    }
    if !body.is_empty() && !is_there("content-length") {
        all.push(("content-length", &length));
    }
    all.extend(headers);
    let lines: Vec<String> =
        all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\n{}\r\n{body}", lines.concat())
}

fn talk(
    mut stream: impl Read + Write,
    request: &str,
    most: usize,
) -> Result<HttpAnswer, TransportFault> {
    stream.write_all(request.as_bytes()).map_err(|_| TransportFault::Connection)?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
            // TLS that is closed without a word; the length of the body tells.
            Err(_) if !bytes.is_empty() => break,
            Err(_) => return Err(TransportFault::Connection),
        }
        if bytes.len() > most {
            return Err(TransportFault::TooLarge);
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(TransportFault::Connection)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers: Vec<Header> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| Header { name: name.into(), value: value.trim().into() })
        .collect();
    Ok(HttpAnswer {
        status: status.ok_or(TransportFault::Protocol)?,
        headers,
        body: body.to_owned(),
    })
}

fn tls(ca: &Path) -> Arc<ClientConfig> {
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
    Arc::new(config)
}
