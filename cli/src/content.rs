//! The body of a request that is sent: measured first, then read as it goes.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use ocisign::{Body, FileError};

use crate::args::SendArgs;
use crate::failure::Failure;
use crate::output::quoted;
use crate::request::digest;

/// The body of a request.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    /// A regular file: it can be read twice.
    File(File, PathBuf),
    Empty,
    /// What can be read once.
    Stream(Box<dyn Read>),
}

impl Content {
    /// What the arguments say. What is to be signed is there to be read again.
    pub(crate) fn open(args: &SendArgs) -> Result<Self, Failure> {
        let path = match (&args.data, &args.data_file) {
            (None, None) => return Ok(Self::Empty),
            (None, Some(path)) => path.as_path(),
            (Some(text), _) => match (text.as_str(), text.strip_prefix('@')) {
                ("-", _) => Path::new("-"),
                (_, Some(path)) => Path::new(path),
                (text, None) => return Ok(Self::Bytes(text.as_bytes().to_vec())),
            },
        };
        let unreadable = |error| FileError::from_io(path, &error);
        let stream: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let file = File::open(path).map_err(unreadable)?;
            let about = file.metadata().map_err(unreadable)?;
            if about.is_dir() {
                return Err(unreadable(ErrorKind::IsADirectory.into()).into());
            }
            if about.is_file() {
                return Ok(Self::File(file, path.to_owned()));
            }
            Box::new(file)
        };
        if args.unsigned_body {
            return Ok(Self::Stream(stream));
        }
        // It has to be hashed before it is sent.
        let mut bytes = Vec::new();
        stream.take(MAX_KEPT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_KEPT {
            return Err(Failure::Refused {
                code: "BODY_TOO_LARGE",
                message: format!(
                    "{}: more than 16,777,216 bytes cannot be signed before they are sent, but \
                     from a file",
                    quoted(path)
                ),
            });
        }
        Ok(Self::Bytes(bytes))
    }

    /// What is known of it.
    pub(crate) fn measure(&self, unsigned: bool) -> Result<Body<'static>, Failure> {
        let (measured, path) = match self {
            _ if unsigned => return Ok(Body::Unsigned),
            Self::Stream(_) => return Ok(Body::Unsigned),
            Self::Empty => return Ok(Body::Empty),
            Self::Bytes(bytes) => (digest(bytes.as_slice()), Path::new("-")),
            Self::File(file, path) => (digest(file), path.as_path()),
        };
        Ok(measured.map_err(|error| FileError::from_io(path, &error))?)
    }

    /// Whether it can be sent again.
    pub(crate) fn is_lasting(&self) -> bool {
        !matches!(self, Self::Stream(_))
    }

    /// How many bytes it has, where that is known without reading it.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Empty => Some(0),
            Self::File(file, _) => file.metadata().ok().map(|about| about.len()),
            Self::Stream(_) => None,
        }
    }

    /// It, from its start, of this length where there is one.
    pub(crate) fn read<'a>(
        &'a mut self,
        length: Option<u64>,
        fault: &'a Cell<Option<Fault>>,
    ) -> io::Result<Sent<'a>> {
        let reader: Box<dyn Read + 'a> = match self {
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Self::Empty => Box::new(io::empty()),
            Self::File(file, _) => {
                file.rewind()?;
                Box::new(&*file)
            }
            Self::Stream(stream) => Box::new(stream),
        };
        Ok(Sent { reader, left: length, fault })
    }
}

/// What happened to a body on its way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// It ended before its length.
    Short,
    Unreadable(ErrorKind),
}

/// A body on its way out: as long as was said, or an end to the request.
pub(crate) struct Sent<'a> {
    reader: Box<dyn Read + 'a>,
    left: Option<u64>,
    fault: &'a Cell<Option<Fault>>,
}

impl Read for Sent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = match self.left {
            Some(left) => buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX)),
            None => buffer.len(),
        };
        if room == 0 {
            return Ok(0);
        }
        loop {
            match self.reader.read(&mut buffer[..room]) {
                Ok(0) if self.left.is_some() => {
                    self.fault.set(Some(Fault::Short));
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                Ok(count) => {
                    self.left = self.left.map(|left| left.saturating_sub(count as u64));
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fault.set(Some(Fault::Unreadable(error.kind())));
                    return Err(error);
                }
            }
        }
    }
}

/// How much of what cannot be read twice is kept.
const MAX_KEPT: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{self, ErrorKind, Read};

    use super::{Content, Fault};

    fn sent(content: &[u8], length: Option<u64>) -> (io::Result<Vec<u8>>, Option<Fault>) {
        let fault = Cell::new(None);
        let mut content = Content::Bytes(content.to_vec());
        let mut bytes = Vec::new();
        let read = content.read(length, &fault).unwrap().read_to_end(&mut bytes);
        (read.map(|_| bytes), fault.get())
    }

    #[test]
    fn a_body_that_grew_is_sent_as_long_as_it_was() {
        let (bytes, fault) = sent(b"abcdef", Some(4));
        assert_eq!((bytes.unwrap().as_slice(), fault), (&b"abcd"[..], None));
        assert_eq!(sent(b"abcdef", None).0.unwrap(), b"abcdef");
    }

    #[test]
    fn a_body_that_shrank_ends_the_request() {
        let (bytes, fault) = sent(b"abc", Some(4));
        assert_eq!(bytes.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(fault, Some(Fault::Short));
    }
}
