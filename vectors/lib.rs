//! The vectors, as Rust tests read them. What each member means stands in README.md.
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a vector that cannot be read fails its test"
)]

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// All cases of these files.
#[must_use]
pub fn cases(files: &[&str]) -> Vec<Value> {
    files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(vectors().join(file)).unwrap();
            let mut file: Value = serde_json::from_str(&text).unwrap();
            match file["cases"].take() {
                Value::Array(cases) => cases,
                other => panic!("not an array: {other}"),
            }
        })
        .collect()
}

/// Run all cases, and fail with a list of those that failed.
pub fn check_all(cases: &[Value], check: impl Fn(&Value) -> Result<(), String>) {
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", case["id"])))
        .collect();
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

/// That a stage gave what the case expects.
#[allow(clippy::needless_pass_by_value)] // numbers and strings alike, without `&` at each call
pub fn expect<T: PartialEq + std::fmt::Debug>(stage: &str, got: T, want: T) -> Result<(), String> {
    if got == want {
        Ok(())
    } else {
        Err(format!("{stage}\n   got {}\n  want {}", shorten(&got), shorten(&want)))
    }
}

fn shorten(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    if text.len() < 3_000 { text } else { format!("({} bytes)", text.len()) }
}

/// A text: plain, repeated, or put together.
#[must_use]
pub fn text(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some([unit, count]) = value["repeat"].as_array().map(Vec::as_slice) {
        return unit.as_str().unwrap().repeat(usize::try_from(count.as_u64().unwrap()).unwrap());
    }
    value["concat"].as_array().unwrap().iter().map(text).collect()
}

/// Headers, repeated ones written out.
#[must_use]
pub fn headers(request: &Value) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for entry in request["headers"].as_array().unwrap() {
        let (header, count) = match entry["repeat"].as_array() {
            Some(repeat) => (&repeat[0], usize::try_from(repeat[1].as_u64().unwrap()).unwrap()),
            None => (entry, 1),
        };
        let header = (text(&header[0]), text(&header[1]));
        headers.extend(std::iter::repeat_n(header, count));
    }
    headers
}

/// What is known of a body.
pub enum KnownBody {
    /// The whole of it.
    Bytes(Vec<u8>),
    /// Its SHA-256 and its length.
    Digest([u8; 32], u64),
    /// There is none.
    Empty,
    /// It is left out of the signature.
    Unsigned,
}

/// The body of a request.
#[must_use]
pub fn body(request: &Value) -> KnownBody {
    let body = &request["body"];
    match body["kind"].as_str().unwrap() {
        "empty" => KnownBody::Empty,
        "unsigned" => KnownBody::Unsigned,
        "text" => KnownBody::Bytes(body["text"].as_str().unwrap().into()),
        "base64" => KnownBody::Bytes(STANDARD.decode(body["base64"].as_str().unwrap()).unwrap()),
        "repeat" => {
            let count = usize::try_from(body["count"].as_u64().unwrap()).unwrap();
            KnownBody::Bytes(body["unit"].as_str().unwrap().repeat(count).into())
        }
        "digest" => {
            let sha256 = STANDARD.decode(body["sha256"].as_str().unwrap()).unwrap();
            KnownBody::Digest(sha256.try_into().unwrap(), body["length"].as_u64().unwrap())
        }
        other => panic!("unknown kind of body: {other}"),
    }
}

/// Where a key file is.
#[must_use]
pub fn key_path(name: &Value) -> PathBuf {
    vectors().join("keys").join(name.as_str().unwrap())
}

/// The folder of the vectors.
#[must_use]
pub fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
