//! Reading messages: raw HTTP, what curl prints, and what an SDK says of an error.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use ocisign::FileError;
use serde_json::Value;
use zeroize::Zeroizing;

use super::evidence::Answer;
use super::{safe, status};

/// A request, with what follows its headers.
pub(crate) struct RawRequest {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// `None` where the source does not hold it.
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
}

/// A file, or standard input, of at most 64 MiB.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let read = || {
        let mut bytes = Zeroizing::new(Vec::new());
        let reader: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path)?)
        };
        reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    };
    read().map_err(|error| FileError::from_io(path, &error))
}

/// A request in HTTP/1.1, or the last one that curl says it sent.
pub(crate) fn request(bytes: &[u8]) -> Option<RawRequest> {
    if let Some(head) = transcript(bytes, b'>', |line| request_line(line).is_some()) {
        let ((method, target), headers) = (request_line(head.first()?)?, fields(&head[1..]));
        return Some(RawRequest { method, target, headers, body: None });
    }
    let (head, body) = split_head(bytes);
    let (method, target) = request_line(head.first()?)?;
    let body = Some(Zeroizing::new(body.to_vec()));
    Some(RawRequest { method, target, headers: fields(&head[1..]), body })
}

/// An answer in HTTP/1.1, the last one of several, or the text of an error.
pub(crate) fn answer(bytes: &[u8]) -> Answer {
    let of = |head: &[String], body: &[u8]| {
        let status = head.first().and_then(|line| status_line(line));
        body_of(Answer { status, headers: fields(&head[1..]), ..Answer::default() }, body)
    };
    if let Some(head) = transcript(bytes, b'<', |line| status_line(line).is_some()) {
        return of(&head, &transcript_body(bytes));
    }
    let mut rest = bytes;
    loop {
        let (head, body) = split_head(rest);
        if head.first().and_then(|line| status_line(line)).is_none() {
            return body_of(Answer::default(), rest);
        }
        // Of a proxy's answer, an interim one and the final one, the last counts.
        if body.starts_with(b"HTTP/") {
            rest = body;
        } else {
            return of(&head, body);
        }
    }
}

/// The same answer, with its body, and the code in that.
pub(crate) fn body_of(mut answer: Answer, body: &[u8]) -> Answer {
    answer.body = String::from_utf8_lossy(body).into_owned();
    let json: Option<Value> = serde_json::from_str(&answer.body).ok();
    let member = |name| json.as_ref().and_then(|json| json.get(name));
    answer.code = member("code").and_then(Value::as_str).and_then(safe::code);
    if answer.code.is_none() && json.is_none() {
        // An SDK's own words hold the code somewhere.
        answer.code = status::known_in(&answer.body).map(str::to_owned);
    }
    let stated = member("status").and_then(Value::as_u64).and_then(|n| u16::try_from(n).ok());
    let implied = || answer.code.as_deref().and_then(status::of_code);
    answer.status = answer.status.or(stated).or_else(implied);
    answer
}

/// The last block of curl's lines with this mark that starts with such a line.
fn transcript(bytes: &[u8], mark: u8, starts: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let mut last = None;
    let mut block: Option<Vec<String>> = None;
    for line in lines(bytes) {
        let Some(line) = line.strip_prefix(char::from(mark)) else { continue };
        let line = line.strip_prefix(' ').unwrap_or(line);
        match &mut block {
            _ if starts(line) => block = Some(vec![line.to_owned()]),
            Some(_) if line.is_empty() => last = block.take(),
            Some(block) => block.push(line.to_owned()),
            None => {}
        }
    }
    block.or(last)
}

/// What curl prints behind the last answer's headers, but for its own remarks.
fn transcript_body(bytes: &[u8]) -> Vec<u8> {
    let all = lines(bytes);
    let head = all.iter().rposition(|line| line.starts_with('<')).map_or(0, |at| at + 1);
    let remark = |line: &str| {
        line.starts_with("* ") || (line.starts_with(['{', '}']) && line.ends_with("bytes data]"))
    };
    all.iter().skip(head).filter(|line| !remark(line)).fold(Vec::new(), |mut body, line| {
        // Where the body has no line end, curl's next remark stands behind it.
        let line = line.split_once("* Connection #").map_or(&**line, |(before, _)| before);
        body.extend_from_slice(line.as_bytes());
        body.push(b'\n');
        body
    })
}

/// The lines up to an empty one, and what is behind that.
fn split_head(bytes: &[u8]) -> (Vec<String>, &[u8]) {
    let mut head = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\n') {
        let (line, after) = (&rest[..at], &rest[at + 1..]);
        rest = after;
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
        if line.is_empty() {
            return (head, rest);
        }
        head.push(line);
    }
    if !rest.is_empty() {
        head.push(String::from_utf8_lossy(rest).into_owned());
    }
    (head, &[])
}

fn lines(bytes: &[u8]) -> Vec<String> {
    bytes
        .split(|&byte| byte == b'\n')
        .map(|line| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned())
        .collect()
}

/// Names and values. A line without a colon is what a line end inside a value left behind.
fn fields(lines: &[String]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if !name.is_empty() && !name.contains([' ', '\t', '"', '=']) => {
                fields.push((name.to_owned(), value.to_owned()));
            }
            _ => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line);
                }
            }
        }
    }
    fields
}

/// Method and target. The target may hold what it must not, a space.
fn request_line(line: &str) -> Option<(String, String)> {
    let (method, rest) = line.split_once(' ')?;
    let (target, version) = rest.rsplit_once(' ')?;
    let word = !method.is_empty() && method.chars().all(|c| c.is_ascii_alphabetic());
    (word && version.starts_with("HTTP/")).then(|| (method.to_owned(), target.to_owned()))
}

fn status_line(line: &str) -> Option<u16> {
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/"))?;
    words.next()?.parse().ok()
}

const LARGEST: u64 = 64 << 20;
