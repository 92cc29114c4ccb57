//! One line per request: who called, and what was decided.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use std::{fmt, thread};

use serde::Serialize;

use crate::clock::rfc3339;

/// A request that was answered. It holds no signature and no token.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// When, in seconds since 1970, by the emulator's clock.
    pub time: i64,
    /// Method.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Status of the answer; 0 where there was none.
    pub status: u16,
    /// Who called, where that was proved: kind and OCID.
    pub caller: Option<String>,
    /// Why it was decided so.
    pub reason: Option<String>,
    /// The fault that happened.
    pub fault: Option<String>,
    /// The `opc-request-id` of the answer.
    pub request_id: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, status, .. } = self;
        write!(f, "{} {status} {method} {path}", rfc3339(self.time))?;
        if let Some(caller) = &self.caller {
            write!(f, " by {caller}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        if let Some(fault) = &self.fault {
            write!(f, " [fault {fault}]")?;
        }
        Ok(())
    }
}

/// The last requests, and standard error where that is wanted.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Mutex<VecDeque<Entry>>,
    printer: Option<SyncSender<Print>>,
    lost: AtomicU64,
}

#[derive(Debug)]
enum Print {
    Line(String),
    /// Say when all before it is printed.
    Flush(SyncSender<()>),
}

impl Log {
    /// One that also prints, in a thread of its own: who reads standard error slowly, or
    /// not at all, loses lines and holds nobody up.
    pub(crate) fn printing() -> Self {
        let (printer, lines) = sync_channel(LINES);
        thread::spawn(move || print(&lines));
        Self { printer: Some(printer), ..Self::default() }
    }

    pub(crate) fn add(&self, mut entry: Entry) {
        let texts = [Some(&mut entry.path), entry.reason.as_mut(), entry.caller.as_mut()];
        for text in texts.into_iter().flatten() {
            *text = shorten(text);
        }
        if let Some(printer) = &self.printer {
            let lost = self.lost.swap(0, Ordering::Relaxed);
            let note = if lost == 0 { String::new() } else { format!("({lost} lines are lost)\n") };
            if printer.try_send(Print::Line(format!("{note}{entry}\n"))).is_err() {
                self.lost.fetch_add(lost + 1, Ordering::Relaxed);
            }
        }
        let mut entries = crate::lock(&self.entries);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// Wait until all is printed, but not for long.
    pub(crate) fn flush(&self) {
        let (done, printed) = sync_channel(1);
        let flush = Print::Flush(done);
        if self.printer.as_ref().is_some_and(|printer| printer.try_send(flush).is_ok()) {
            let _ = printed.recv_timeout(Duration::from_secs(1));
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        crate::lock(&self.entries).iter().cloned().collect()
    }
}

fn print(lines: &Receiver<Print>) {
    for line in lines {
        match line {
            // Whoever closed standard error does not want to know.
            Print::Line(line) => drop(io::stderr().write_all(line.as_bytes())),
            Print::Flush(done) => drop(done.send(())),
        }
    }
}

/// One line, without controls, of at most so many characters.
fn shorten(text: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(LONGEST).map(shown).collect()
}

const KEPT: usize = 1_000;
/// How many lines may wait to be printed.
const LINES: usize = 1_024;
const LONGEST: usize = 2_000;
