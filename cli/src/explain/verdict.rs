//! What a check has to say, and the line or the JSON that says it.

use serde::Serialize;

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// A cause: with this the request is refused.
    Bad,
    /// Worth knowing, and no cause by itself.
    Note,
    /// Checked, and as it should be.
    Ok,
    /// Not to be told from what was given.
    Unknown,
}

/// One line of the answer. No text in it holds a secret: see `safe`.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    #[serde(rename = "verdict")]
    pub(crate) level: Level,
    pub(crate) check: &'static str,
    pub(crate) message: String,
}

/// What the checks of one kind found, in order.
pub(crate) struct Verdicts {
    check: &'static str,
    pub(crate) list: Vec<Verdict>,
}

impl Verdicts {
    pub(crate) fn of(check: &'static str) -> Self {
        Self { check, list: Vec::new() }
    }

    pub(crate) fn bad(&mut self, message: impl Into<String>) {
        self.add(Level::Bad, message);
    }

    pub(crate) fn note(&mut self, message: impl Into<String>) {
        self.add(Level::Note, message);
    }

    pub(crate) fn ok(&mut self, message: impl Into<String>) {
        self.add(Level::Ok, message);
    }

    pub(crate) fn unknown(&mut self, message: impl Into<String>) {
        self.add(Level::Unknown, message);
    }

    /// `ok`, where nothing bad was found.
    pub(crate) fn ok_unless_bad(mut self, message: impl Into<String>) -> Vec<Verdict> {
        if !self.is_bad() {
            self.ok(message);
        }
        self.list
    }

    pub(crate) fn is_bad(&self) -> bool {
        self.list.iter().any(|verdict| verdict.level == Level::Bad)
    }

    fn add(&mut self, level: Level, message: impl Into<String>) {
        self.list.push(Verdict { level, check: self.check, message: message.into() });
    }
}

/// A line each, the level in a column of its own.
pub(crate) fn lines(verdicts: &[Verdict]) -> String {
    use std::fmt::Write;
    verdicts.iter().fold(String::new(), |mut text, verdict| {
        let level = match verdict.level {
            Level::Bad => "bad",
            Level::Note => "note",
            Level::Ok => "ok",
            Level::Unknown => "unknown",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{level:<8}{}: {}", verdict.check, verdict.message);
        text
    })
}
