//! HTTP/1.1 in plain bytes: what is written here goes over the wire as it is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request, its headers in order and as often as they are listed.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    /// The value of the first header of this name.
    pub(crate) fn header(&self, name: &str) -> &str {
        find(&self.headers, name).unwrap_or_else(|| panic!("there is no `{name}`"))
    }

    /// The same with this value in the first header of this name, which there is.
    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        let mut headers = self.headers.iter_mut();
        headers.find(|header| header.0.eq_ignore_ascii_case(name)).unwrap().1 = value.into();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"connection: close\r\n\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// Send a request to this address, over a connection of its own.
pub(crate) fn send(address: &str, request: &Wire) -> Answer {
    exchange(connect(address), request)
}

/// A connection that does not wait for ever.
pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Send a request over this connection, and read what comes back.
pub(crate) fn exchange(mut stream: impl Read + Write, request: &Wire) -> Answer {
    stream.write_all(&request.bytes()).unwrap();
    stream.flush().unwrap();
    let mut received = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        match stream.read(&mut chunk) {
            // Whoever leaves bytes unread resets the connection, after its answer.
            Ok(0) | Err(_) => return parse(&received, request),
            Ok(count) => received.extend(&chunk[..count]),
        }
        let has_body = request.method != "HEAD";
        if let Some(answer) = whole(&received, has_body) {
            return answer;
        }
    }
}

fn parse(received: &[u8], request: &Wire) -> Answer {
    let answer = whole(received, false);
    answer.unwrap_or_else(|| panic!("no answer to {} {}", request.method, request.target))
}

/// The answer, once all of it is there.
fn whole(received: &[u8], has_body: bool) -> Option<Answer> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = &received[end + 4..];
    let length = find(&headers, "content-length").map_or(0, |length| length.parse().unwrap());
    if has_body && body.len() < length {
        return None;
    }
    Some(Answer { status, headers, body: String::from_utf8_lossy(body).into_owned() })
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut headers = headers.iter();
    let found = headers.find(|header| header.0.eq_ignore_ascii_case(name))?;
    Some(found.1.as_str())
}
