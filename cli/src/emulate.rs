//! `ocisign emulate`: another program does it, so that this one stays small.

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::output::{Exit, quoted};

/// Become the emulator, with all that follows the word `emulate`.
pub(crate) fn run(typed: &[OsString]) -> Result<Exit, Failure> {
    // As they were typed: of what clap has parsed, a first `--` is missing.
    let args = typed.iter().skip(2);
    // Beside this program, as both are installed together; else wherever the system looks.
    let beside = env::current_exe().ok().map(|path| path.with_file_name(NAME));
    let program = beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(NAME));
    become_it(Command::new(&program).args(args)).map_err(|error| {
        let (code, message) = match error.kind() {
            ErrorKind::NotFound => ("EMULATOR_NOT_FOUND", NOT_FOUND.to_owned()),
            kind => ("EMULATOR_NOT_STARTED", format!("{}: {kind}", quoted(&program))),
        };
        Failure::Refused { code, message }
    })
}

#[cfg(unix)]
fn become_it(command: &mut Command) -> io::Result<Exit> {
    // It returns only where it fails.
    Err(std::os::unix::process::CommandExt::exec(command))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> io::Result<Exit> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(crate::output::FAILURE))
}

const NAME: &str = if cfg!(windows) { "ocisign-emulator.exe" } else { "ocisign-emulator" };
const NOT_FOUND: &str = "the program `ocisign-emulator` is neither beside `ocisign` nor on the \
                         PATH; `cargo install --locked --path emulator` installs it";
