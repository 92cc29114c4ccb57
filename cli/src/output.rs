//! What is written, and the exit code.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use serde::Serialize;

use crate::failure::Failure;

/// How the command ends.
pub(crate) type Exit = u8;
pub(crate) const SUCCESS: Exit = 0;
pub(crate) const FAILURE: Exit = 1;

/// Write the whole of standard output.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::ReaderGone,
        kind => {
            Failure::Refused { code: "OUTPUT_FAILED", message: format!("standard output: {kind}") }
        }
    })
}

/// One line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|_| Failure::Refused {
        code: "OUTPUT_FAILED",
        message: "the result cannot be written as JSON".to_owned(),
    })?;
    Ok(text + "\n")
}

/// A path as an error names it.
pub(crate) fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

/// Say why there is none.
pub(crate) fn report(failure: &Failure) -> Exit {
    let unsent;
    let (code, message, exit) = match failure {
        Failure::Answered { code, message } => (*code, message, ANSWERED),
        Failure::Refused { code, message } => (*code, message, FAILURE),
        Failure::Unsent { about, fault } => {
            unsent = format!("{about}: {fault}");
            ("REQUEST_FAILED", &unsent, FAILURE)
        }
        Failure::ReaderGone => return FAILURE,
    };
    // Where standard error is closed too, the exit code has to do.
    let _ = writeln!(io::stderr().lock(), "ocisign: {code}: {message}");
    exit
}

/// What a server said, safe to print: one line, without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_PRINTED).collect()
}

/// Print what clap has to say: help, version, or wrong usage.
pub(crate) fn usage(mut error: clap::Error) -> Exit {
    hide_values(&mut error);
    let _ = error.print();
    u8::try_from(error.exit_code()).unwrap_or(FAILURE)
}

/// Take out what was typed, but for names of options: it may be a secret in the wrong place.
fn hide_values(error: &mut clap::Error) {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue]
    {
        let Some(ContextValue::String(text)) = error.get(kind) else { continue };
        let is_option = kind == ContextKind::InvalidArg && is_option(text);
        // An empty value stands for none: then clap says that one is required.
        if !is_option && !text.is_empty() {
            error.insert(kind, ContextValue::String("…".to_owned()));
        }
    }
}

fn is_option(text: &str) -> bool {
    text.starts_with("--") && !text.starts_with("---")
}

const ANSWERED: u8 = 3;
const MAX_PRINTED: usize = 300;
