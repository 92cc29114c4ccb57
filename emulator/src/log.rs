//! One line per request: who called, and what was decided.

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::Mutex;

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
    print: bool,
}

impl Log {
    pub(crate) fn new(print: bool) -> Self {
        Self { entries: Mutex::default(), print }
    }

    pub(crate) fn add(&self, entry: Entry) {
        if self.print {
            // Whoever closed standard error does not want to know.
            let _ = writeln!(std::io::stderr(), "{entry}");
        }
        let mut entries = crate::lock(&self.entries);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        crate::lock(&self.entries).iter().cloned().collect()
    }
}

const KEPT: usize = 1_000;
