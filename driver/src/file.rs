//! Reading small text files that hold secrets.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::mem;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use zeroize::{Zeroize, Zeroizing};

/// The text of a file of at most 1,048,576 bytes, wiped on drop.
///
/// Pipes and process substitution can be read too, where each next part of the text is there
/// within 50 seconds; later it is `timed out`. Nothing is trimmed.
///
/// # Errors
///
/// A [`FileError`], which names the path and never the content.
///
/// ```
/// use std::path::Path;
/// use ocisign::{FileFault, read_text};
///
/// let error = read_text(Path::new("no/such/file")).unwrap_err();
/// assert_eq!(error.fault(), FileFault::NotFound);
/// assert_eq!(error.to_string(), "\"no/such/file\": not found");
/// ```
pub fn read_text(path: &Path) -> Result<Zeroizing<String>, FileError> {
    read_text_within(path, PATIENCE)
}

fn read_text_within(path: &Path, patience: Duration) -> Result<Zeroizing<String>, FileError> {
    let fail = |fault| FileError::new(path, fault);
    if !is_path(path) {
        return Err(fail(FileFault::NotPath));
    }
    let file = open(path, patience).map_err(|error| FileError::from_io(path, &error))?;
    let mut bytes = read_bounded(file)
        .map_err(|error| FileError::from_io(path, &error))?
        .ok_or(fail(FileFault::TooLarge))?;
    match String::from_utf8(mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(fail(FileFault::NotUtf8))
        }
    }
}

/// A path with a `~` in front, alone or before a separator, made one below `home`.
///
/// Any other path is given back, `~user/…` too.
///
/// # Errors
///
/// [`FileFault::NoHome`] when there is a `~` and no home is known.
///
/// ```
/// use std::path::Path;
/// use ocisign::expand_home;
///
/// let home = Some(Path::new("/home/ann"));
/// assert_eq!(expand_home("~/.oci/key.pem", home)?, Path::new("/home/ann/.oci/key.pem"));
/// assert_eq!(expand_home("key.pem", home)?, Path::new("key.pem"));
/// # Ok::<(), ocisign::FileError>(())
/// ```
pub fn expand_home(path: &str, home: Option<&Path>) -> Result<PathBuf, FileError> {
    let path = Path::new(path);
    match path.strip_prefix("~") {
        Ok(rest) => {
            let home = home.ok_or_else(|| FileError::new(path, FileFault::NoHome))?;
            Ok(home.join(rest))
        }
        Err(_) => Ok(path.to_path_buf()),
    }
}

/// Why a file could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileError {
    path: PathBuf,
    fault: FileFault,
}

impl FileError {
    /// What the system said of a file.
    #[must_use]
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        let fault = match error.kind() {
            ErrorKind::IsADirectory => FileFault::Directory,
            ErrorKind::NotFound => FileFault::NotFound,
            ErrorKind::PermissionDenied => FileFault::PermissionDenied,
            other => FileFault::Other(other),
        };
        Self::new(path, fault)
    }

    /// The path as it was given; empty where what was given is not one.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with it.
    #[must_use]
    pub fn fault(&self) -> FileFault {
        self.fault
    }

    /// The stable code, equal in all languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "FILE_UNREADABLE"
    }

    fn new(path: &Path, fault: FileFault) -> Self {
        if is_path(path) {
            Self { path: path.to_path_buf(), fault }
        } else {
            Self { path: PathBuf::new(), fault: FileFault::NotPath }
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            FileFault::NotPath => self.fault.fmt(f),
            fault => write!(f, "{:?}: {fault}", self.path.to_string_lossy()),
        }
    }
}

impl std::error::Error for FileError {}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileFault {
    /// It is a directory.
    Directory,
    /// Its path starts with `~`, and no home directory is known.
    NoHome,
    /// There is none at this path.
    NotFound,
    /// What was given as a path is none, perhaps the secret itself: it is not repeated.
    NotPath,
    /// It is not UTF-8.
    NotUtf8,
    /// Another reason of the system.
    Other(ErrorKind),
    /// This process may not read it.
    PermissionDenied,
    /// It has more than 1,048,576 bytes.
    TooLarge,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "is a directory",
            Self::NoHome => "the home directory is not known",
            Self::NotFound => "not found",
            Self::NotPath => "the content of a file was given where its path was expected",
            Self::NotUtf8 => "not UTF-8",
            Self::Other(kind) => return kind.fmt(f),
            Self::PermissionDenied => "permission denied",
            Self::TooLarge => "larger than 1,048,576 bytes",
        })
    }
}

/// Without `O_NONBLOCK`, who opens a pipe waits for ever for somebody who writes into it.
#[cfg(unix)]
fn open(path: &Path, patience: Duration) -> io::Result<impl Read> {
    use std::os::unix::fs::OpenOptionsExt;

    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let waits = !file.metadata()?.is_file();
    Ok(Patient { file, patience: waits.then_some(patience) })
}

#[cfg(not(unix))]
fn open(path: &Path, _: Duration) -> io::Result<impl Read> {
    File::open(path)
}

/// What waits for a pipe, but not for ever.
#[cfg(unix)]
struct Patient {
    file: File,
    /// None for a file, whose text is there.
    patience: Option<Duration>,
}

#[cfg(unix)]
impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        if let Some(patience) = self.patience {
            let limit = Timespec::try_from(patience).map_err(|_| ErrorKind::InvalidInput)?;
            // Ready is also a pipe whose last writer has gone: then the text has ended.
            if poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&limit))? == 0 {
                return Err(ErrorKind::TimedOut.into());
            }
        }
        self.file.read(buffer)
    }
}

/// All there is to read; `None` beyond the limit.
///
/// `Read::read_to_end` would grow its buffer without wiping the old one.
fn read_bounded(mut reader: impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut buffer = Zeroizing::new(vec![0; FIRST_BUFFER]);
    let mut length = 0;
    loop {
        if length == buffer.len() {
            if length > MAX_BYTES {
                return Ok(None);
            }
            let mut larger = Zeroizing::new(vec![0; length * 2]);
            larger[..length].copy_from_slice(&buffer);
            buffer = larger;
        }
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(length);
    Ok((length <= MAX_BYTES).then_some(buffer))
}

/// Whether this can name a file. People do give the PEM or the token itself,
/// which must not reach a log as part of an error.
fn is_path(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let long = |part: Component<'_>| part.as_os_str().len() > MAX_NAME;
    !text.contains(['\n', '\r', '\0'])
        && !text.contains("-----BEGIN")
        && !path.components().any(long)
}

/// Enough for a private key of 4,096 bits.
const FIRST_BUFFER: usize = 4_096;
const MAX_BYTES: usize = 1 << 20;
/// Two files, a token and a key, take less than the two minutes after which a refresh is given up.
const PATIENCE: Duration = Duration::from_secs(50);
/// What file systems allow as one name.
const MAX_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::{FileError, FileFault, MAX_BYTES, expand_home, read_bounded, read_text};
    use std::fs;
    use std::io::{self, Read};
    use std::path::Path;

    #[test]
    fn a_file_is_read_up_to_the_limit_and_not_beyond() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for length in [0, 1, 4_095, 4_096, 4_097, 8_192, MAX_BYTES] {
            fs::write(&path, vec![b'x'; length]).unwrap();
            assert_eq!(read_text(&path).unwrap().len(), length);
        }
        fs::write(&path, vec![b'x'; MAX_BYTES + 1]).unwrap();
        assert_eq!(read_text(&path).unwrap_err().fault(), FileFault::TooLarge);
    }

    #[test]
    fn an_endless_file_is_refused_in_bounded_memory() {
        assert!(read_bounded(io::repeat(b'x')).unwrap().is_none());
    }

    #[test]
    fn a_reader_that_gives_single_bytes_is_read_whole() {
        struct Slow(usize);
        impl Read for Slow {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 = self.0.saturating_sub(1);
                if self.0 % 3 == 1 {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                buffer[0] = b'x';
                Ok(usize::from(self.0 > 0))
            }
        }
        assert_eq!(read_bounded(Slow(15_000)).unwrap().unwrap().len(), 9_999);
    }

    #[test]
    fn errors_name_the_path_and_the_fact_and_not_the_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, b"hunter2\xff").unwrap();
        let error = read_text(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("{path:?}: not UTF-8"));
        let error = read_text(directory.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("{:?}: is a directory", directory.path()));
        assert_eq!(error.code(), "FILE_UNREADABLE");
    }

    #[test]
    fn what_was_given_instead_of_a_path_is_not_repeated() {
        let token = "e30.".repeat(100);
        for secret in
            ["-----BEGIN PRIVATE KEY-----\nAAAA", "-----BEGIN PRIVATE KEY-----\\nAAAA", &token]
        {
            let error = read_text(Path::new(secret)).unwrap_err();
            assert_eq!(error.fault(), FileFault::NotPath);
            assert!(!format!("{error} {error:?}").contains(secret.get(..8).unwrap()));
            let error = expand_home(&format!("~/{secret}"), None).unwrap_err();
            assert_eq!(error.fault(), FileFault::NotPath);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_whole_and_waited_for_but_not_for_ever() {
        use super::read_text_within;
        use std::time::Duration;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let nobody = read_text_within(&path, Duration::from_millis(50)).unwrap_err();
        assert_eq!(nobody.fault(), FileFault::Other(io::ErrorKind::TimedOut));
        let writer = {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
                for part in ["slowly ", "written"] {
                    std::thread::sleep(Duration::from_millis(100));
                    io::Write::write_all(&mut pipe, part.as_bytes()).unwrap();
                }
            })
        };
        assert_eq!(*read_text(&path).unwrap(), "slowly written");
        writer.join().unwrap();
    }

    #[test]
    fn only_a_lone_tilde_is_the_home() {
        let home = Some(Path::new("/h"));
        assert_eq!(expand_home("~", home).unwrap(), Path::new("/h"));
        assert_eq!(expand_home("~/a/b", home).unwrap(), Path::new("/h/a/b"));
        for kept in ["~ann/a", "a/~/b", "./~", "/a", ""] {
            assert_eq!(expand_home(kept, home).unwrap(), Path::new(kept));
        }
        let error: FileError = expand_home("~/a", None).unwrap_err();
        assert_eq!(error.to_string(), "\"~/a\": the home directory is not known");
    }
}
