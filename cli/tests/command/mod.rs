//! Running the real command.
#![allow(dead_code)] // each test takes what it needs

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The lines of a request up to the empty one, as a server reads them.
pub(crate) fn head(reader: &mut impl BufRead) -> Vec<String> {
    let lines = reader.lines().map(|line| line.unwrap().trim_end().to_owned());
    lines.take_while(|line| !line.is_empty()).collect()
}

/// What a run of the command gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output of a run that went well and said nothing else.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!((self.code, &*self.stderr), (0, ""), "{self:?}");
        self.stdout
    }

    /// The code of a run that was refused, and printed nothing else.
    #[track_caller]
    pub(crate) fn refused(&self) -> &str {
        assert_eq!((self.code, &*self.stdout), (1, ""), "{self:?}");
        let rest = self.stderr.strip_prefix("ocisign: ").unwrap();
        assert_eq!(rest.lines().count(), 1, "{self:?}");
        rest.split_once(": ").unwrap().0
    }

    /// Standard error of a run that was typed wrongly.
    #[track_caller]
    pub(crate) fn usage(self) -> String {
        assert_eq!((self.code, &*self.stdout), (2, ""), "{self:?}");
        self.stderr
    }
}

pub(crate) fn ocisign(args: &[&str]) -> Run {
    run(command().args(args), b"")
}

pub(crate) fn ocisign_with_stdin(args: &[&str], stdin: &[u8]) -> Run {
    run(command().args(args), stdin)
}

/// The command, with nothing of this process's environment in its way.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocisign"));
    command.env_remove("HOME").env("NO_COLOR", "1");
    command
}

pub(crate) fn run(command: &mut Command, stdin: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that was refused may not read it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A key file of the vectors.
pub(crate) fn key(name: &str) -> String {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/keys");
    Path::new(keys).join(name).into_os_string().into_string().unwrap()
}

/// A file with this content, as long as the directory lives.
pub(crate) fn file(directory: &tempfile::TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path: PathBuf = directory.path().join(name);
    fs::write(&path, content).unwrap();
    path.into_os_string().into_string().unwrap()
}
