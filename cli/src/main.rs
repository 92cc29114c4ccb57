//! The command `ocisign`: see the library.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(ocisign_cli::run(&env::args_os().collect::<Vec<_>>()))
}
