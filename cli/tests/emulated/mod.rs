//! The real command, in the surroundings that a real emulator gives.
#![allow(dead_code)] // each test file uses its own part

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread::{self, JoinHandle};

use ocisign_emulator::{Config, Emulator, Fault, FaultKind, ResourcePrincipal};
use tempfile::TempDir;

use crate::command::{self, Run};

/// An emulator, and a home with nothing in it.
pub(crate) struct Emulated {
    pub(crate) emulator: Emulator,
    pub(crate) acting: Option<ResourcePrincipal>,
    pub(crate) home: TempDir,
}

impl Emulated {
    pub(crate) fn start(config: Config) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = Config { listen, tls_listen: listen, ..config };
        let emulator = Emulator::start(config).unwrap();
        Self { emulator, acting: None, home: tempfile::tempdir().unwrap() }
    }

    /// The command as a program of the emulator's world runs it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command::command();
        self.surround(&mut command);
        command.args(args);
        command
    }

    pub(crate) fn surround(&self, command: &mut Command) {
        command
            .env("HOME", self.home.path())
            .env("OCI_DEFAULT_CERTS_PATH", self.emulator.file("ca.pem"))
            .current_dir(self.home.path())
            .envs(self.emulator.environment(self.acting));
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        command::run(&mut self.command(args), b"")
    }

    pub(crate) fn run_with(&self, args: &[&str], stdin: &[u8]) -> Run {
        command::run(&mut self.command(args), stdin)
    }

    /// A path, over TLS.
    pub(crate) fn url(&self, path: &str) -> String {
        self.emulator.tls_url() + path
    }

    pub(crate) fn fault(&self, on: &str, times: u32, kind: FaultKind, status: Option<u16>) {
        let fault =
            Fault { on: on.to_owned(), times: Some(times), kind, status, ..Fault::default() };
        self.emulator.set_faults(vec![fault]);
    }

    /// How often something was asked whose path starts so.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        let log = self.emulator.log();
        log.iter().filter(|entry| entry.method == method && entry.path.starts_with(path)).count()
    }

    pub(crate) fn environment(&self, name: &str) -> String {
        let variables = self.emulator.environment(None);
        variables.into_iter().find(|(known, _)| known == name).unwrap().1
    }

    /// What is in the home.
    pub(crate) fn files(&self) -> Vec<String> {
        names(self.home.path())
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A server that gives these answers, each to one connection, and then what it was sent.
pub(crate) fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<Received>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut all = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut lines = command::head(&mut reader);
            let mut received =
                Received { request_line: lines.remove(0), headers: lines, length: 0 };
            // Not kept: there may be more than fits.
            let mut left = received.header("content-length").map_or(0, |n| n.parse().unwrap());
            let mut buffer = vec![0; 64 << 10];
            while left > 0 {
                let room = buffer.len().min(left);
                let count = reader.read(&mut buffer[..room]).unwrap();
                assert!(count > 0);
                left -= count;
                received.length += count;
            }
            stream.write_all(answer.as_bytes()).unwrap();
            all.push(received);
        }
        all
    });
    (url, server)
}

/// One request.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) request_line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) length: usize,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.headers.iter().filter_map(|line| line.split_once(": "));
        pairs.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A whole answer.
pub(crate) fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
