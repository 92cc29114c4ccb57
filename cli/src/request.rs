//! The request that was described on the command line.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ocisign::{Body, FileError, UnixTime, read_text};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::args::ContentArgs;
use crate::failure::Failure;

/// Names and values, in order, with the blanks after the colon: core trims them.
pub(crate) fn headers(args: &ContentArgs) -> Vec<(&str, &str)> {
    pairs(&args.headers)
}

pub(crate) fn pairs(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// What is known of the body. A file is read once, in pieces, and not kept.
pub(crate) fn body(args: &ContentArgs) -> Result<Body<'static>, Failure> {
    if args.unsigned_body {
        return Ok(Body::Unsigned);
    }
    if let (Some(sha256), Some(length)) = (args.body_sha256, args.body_length) {
        return Ok(Body::Digest { sha256, length });
    }
    let Some(path) = args.body_file.as_deref() else { return Ok(Body::Empty) };
    let digested = if path == Path::new("-") {
        digest(io::stdin().lock())
    } else {
        File::open(path).and_then(digest)
    };
    Ok(digested.map_err(|error| FileError::from_io(path, &error))?)
}

/// Read to the end, in pieces.
pub(crate) fn digest(mut reader: impl Read) -> io::Result<Body<'static>> {
    let mut hash = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(Body::Digest { sha256: hash.finalize().into(), length }),
            Ok(count) => {
                hash.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The passphrase, without the line end that editors add.
pub(crate) fn passphrase(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let mut text = read_text(path)?;
    let end = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).len());
    let length = end.unwrap_or(text.len());
    text.truncate(length);
    Ok(text)
}

/// The time given, or the system's.
pub(crate) fn time(given: Option<u64>) -> UnixTime {
    given.unwrap_or_else(|| {
        // A clock before 1970 gives a date that the service refuses.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    })
}
