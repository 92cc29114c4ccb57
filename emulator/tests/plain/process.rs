//! The real command, running.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The command, on free ports, with nothing of this process's OCI in its environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocisign-emulator"));
    command.args(["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0"]);
    command
}

/// A running emulator, ended at the end of the test.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) exports: HashMap<String, String>,
}

impl Process {
    /// With the default configuration, whose bucket is the last thing exported.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = command()
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut exports = HashMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            let value = value.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
            exports.insert(name.to_owned(), value.to_owned());
            if name == "OCISIGN_EMULATOR_BUCKET" {
                break;
            }
        }
        assert!(!exports.is_empty(), "it did not start");
        Self { child, exports }
    }

    pub(crate) fn url(&self) -> &str {
        &self.exports["OCISIGN_EMULATOR"]
    }

    /// Resident memory in KiB, and the most that it was.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        (figure("VmRSS:"), figure("VmHWM:"))
    }

    /// Nothing is known of it elsewhere.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn memory(&self) -> (u64, u64) {
        (0, 0)
    }

    /// Ask it to end, and wait until it has.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        terminate(self.child.id());
        wait(&mut self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.end().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// SIGTERM.
pub(crate) fn terminate(id: u32) {
    let _ = Command::new("kill").arg("-TERM").arg(id.to_string()).stderr(Stdio::null()).status();
}

/// How a process ended, if it did in time.
pub(crate) fn wait(child: &mut Child) -> Option<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}
