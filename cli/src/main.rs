//! The command `ocisign`: signs and verifies requests to Oracle Cloud Infrastructure, and
//! explains why one was refused.
//!
//! It reads arguments and files, and leaves the rest to the crate `ocisign`.
//! Output is written only when there is a whole one, and never holds a private key; what a server
//! answers to `ocisign request` is passed on as it comes.
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

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return output::usage(error),
    };
    let print = |text: String| output::write(&text).map(|()| ExitCode::SUCCESS);
    let done = match &args.command {
        Command::Emulate(_) => emulate::run(),
        Command::Explain(args) => explain::run(args),
        Command::Request(args) => send::run(args),
        Command::Secret(args) => secret::run(args),
        Command::Sign(args) => sign::run(args).and_then(print),
        Command::Verify(args) => verify::run(args).and_then(print),
        Command::Whoami(args) => whoami::run(args).and_then(print),
    };
    done.unwrap_or_else(|failure| output::report(&failure))
}
