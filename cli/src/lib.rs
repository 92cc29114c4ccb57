//! The command `ocisign`: signs and verifies requests to Oracle Cloud Infrastructure, and
//! explains why one was refused.
//!
//! It reads arguments and files, and leaves the rest to the crate `ocisign`.
//! Output is written only when there is a whole one, and never holds a private key; what a server
//! answers to `ocisign request` is passed on as it comes.
//!
//! It is a library so that the package for Python has it too, as `python -m ocisign`.
#![forbid(unsafe_code)]

mod args;
mod content;
mod destination;
mod emulate;
mod explain;
mod failure;
mod http;
mod identity;
mod output;
mod request;
mod secret;
mod send;
mod sign;
mod verify;
mod whoami;

use std::ffi::OsString;

use clap::Parser;

use crate::args::{Args, Command};

/// Do what these arguments say, the first of which is the name of the command. Returns the exit
/// code.
///
/// ```
/// let code = ocisign_cli::run(&["ocisign", "explain", "--code", "EXPIRED"].map(Into::into));
/// assert_eq!(code, 0);
/// ```
#[must_use]
pub fn run(typed: &[OsString]) -> u8 {
    let args = match Args::try_parse_from(typed) {
        Ok(args) => args,
        Err(error) => return output::usage(error),
    };
    let print = |text: String| output::write(&text).map(|()| output::SUCCESS);
    let done = match &args.command {
        Command::Emulate(_) => emulate::run(typed),
        Command::Explain(args) => explain::run(args),
        Command::Request(args) => send::run(args),
        Command::Secret(args) => secret::run(args),
        Command::Sign(args) => sign::run(args).and_then(print),
        Command::Verify(args) => verify::run(args).and_then(print),
        Command::Whoami(args) => whoami::run(args).and_then(print),
    };
    done.unwrap_or_else(|failure| output::report(&failure))
}
