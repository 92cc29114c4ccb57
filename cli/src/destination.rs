//! Where an answer's body goes: standard output, or a file that appears when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::failure::Failure;
use crate::output::quoted;

/// Where bytes go. A file that is not finished is not there.
pub(crate) enum Destination {
    /// What is no regular file, such as a pipe or a device.
    Direct(File, PathBuf),
    /// A file beside, which takes the place of the one named.
    File(Beside),
    /// Standard output, without a buffer in between that nobody would wipe.
    Stdout(Box<dyn Write>),
}

/// Who may read a file that is made.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Readers {
    Owner,
    Usual,
}

impl Destination {
    /// Standard output.
    pub(crate) fn stdout() -> Result<Self, Failure> {
        unbuffered().map(Self::Stdout).map_err(|error| failure(None, &error))
    }

    /// This file, or standard output where there is none or it is `-`. That it can be written
    /// is known before anything is sent.
    pub(crate) fn open(path: Option<&Path>, readers: Readers) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else { return Self::stdout() };
        let opened = match fs::metadata(path) {
            Ok(known) if known.is_dir() => Err(ErrorKind::IsADirectory.into()),
            Ok(known) if !known.is_file() => OpenOptions::new()
                .write(true)
                .open(path)
                .map(|file| Self::Direct(file, path.to_owned())),
            // What a link leads to is replaced, and the link stays.
            Ok(_) => fs::canonicalize(path)
                .and_then(|path| Beside::create(path, readers))
                .map(Self::File),
            Err(_) => Beside::create(path.to_owned(), readers).map(Self::File),
        };
        opened.map_err(|error| failure(Some(path), &error))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match self {
            Self::Direct(file, _) => file.write_all(bytes),
            Self::File(beside) => beside.file.write_all(bytes),
            Self::Stdout(stdout) => stdout.write_all(bytes),
        };
        written.map_err(|error| failure(self.path(), &error))
    }

    /// All that there is to read. A failure to read is `broken`'s to explain.
    pub(crate) fn copy(
        &mut self,
        mut reader: impl Read,
        broken: impl Fn(io::Error) -> Failure,
    ) -> Result<(), Failure> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.write(&buffer[..count])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// All is written: let it be there.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let finished = match &mut self {
            Self::Direct(file, _) => file.flush(),
            Self::File(beside) => beside.publish(),
            Self::Stdout(stdout) => stdout.flush(),
        };
        finished.map_err(|error| failure(self.path(), &error))
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Direct(_, path) => Some(path),
            Self::File(beside) => Some(&beside.path),
            Self::Stdout(_) => None,
        }
    }
}

/// A file in the making. Dropped unfinished, it goes.
pub(crate) struct Beside {
    file: File,
    part: Option<PathBuf>,
    path: PathBuf,
}

impl Beside {
    fn create(path: PathBuf, readers: Readers) -> io::Result<Self> {
        if path.file_name().is_none() {
            return Err(ErrorKind::IsADirectory.into());
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if readers == Readers::Owner {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _ = readers;
        // Another one of this process's id was left over, or is another container's.
        let mut attempts = 0..ATTEMPTS;
        loop {
            let attempt = attempts.next().ok_or(ErrorKind::AlreadyExists)?;
            let part = path.with_file_name(format!(".ocisign-{}-{attempt}.part", process::id()));
            match options.open(&part) {
                Ok(file) => return Ok(Self { file, part: Some(part), path }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn publish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(part) = &self.part {
            fs::rename(part, &self.path)?;
        }
        self.part = None;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(part) = self.part.take() {
            // Where it cannot be removed there is nobody to tell.
            let _ = fs::remove_file(part);
        }
    }
}

#[cfg(unix)]
fn unbuffered() -> io::Result<Box<dyn Write>> {
    use std::os::fd::AsFd;

    Ok(Box::new(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
}

#[cfg(not(unix))]
fn unbuffered() -> io::Result<Box<dyn Write>> {
    Ok(Box::new(io::stdout()))
}

fn failure(path: Option<&Path>, error: &io::Error) -> Failure {
    let kind = error.kind();
    match path {
        None if kind == ErrorKind::BrokenPipe => Failure::ReaderGone,
        None => Failure::Refused { code: CODE, message: format!("standard output: {kind}") },
        Some(path) => Failure::Refused { code: CODE, message: format!("{}: {kind}", quoted(path)) },
    }
}

const CODE: &str = "OUTPUT_FAILED";
const ATTEMPTS: u32 = 100;
