//! The one front door: `cargo xtask …`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this talks to a person")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod clients;
mod component;
mod demo;
mod fuzz;
mod layering;
mod lint;
mod python;
mod readme;
mod setup;
mod shell;
mod storm;
mod test;

/// Builds, tests and shows ocisign. Each command sets up what it needs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sign Oracle's published requests, and act as a function and as an instance
    Demo,
    /// Run all tests, lints and checks, and benchmarks and fuzzing for seconds
    Test,
    /// Run Oracle's SDKs against the emulator
    Clients,
    /// Build the package for Python, install it and try it
    Python,
    /// Build what is published: for now, the wheels and sources of the package for Python
    Dist,
    /// Build the components into target/component
    Component,
    /// Format, clippy, layering, dependencies and licences
    Lint,
    /// Check that the modules of core depend on each other one way only
    Layering,
    /// Run the benchmarks at full length, rivals in the same run
    Bench,
    /// Sign in a storm of refreshes, with Oracle's SDK for Python and with ocisign
    Storm {
        /// For how long, each of them
        #[arg(long, default_value_t = 15)]
        seconds: u64,
        /// Cargo's profile for ocisign and the emulator
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// Fuzz each target
    Fuzz {
        /// For how long, each target
        #[arg(long, default_value_t = 600)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo => demo::run_all(),
        Command::Test => test::run_all(),
        Command::Clients => clients::run_all(),
        Command::Dist => python::dist(),
        Command::Python => python::test(),
        Command::Component => component::build(),
        Command::Lint => lint::run_all(),
        Command::Layering => layering::check(),
        Command::Bench => bench::run_all(),
        Command::Storm { seconds, profile } => storm::run_both(seconds, &profile),
        Command::Fuzz { seconds } => fuzz::run_all(seconds),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a step fails with: a sentence for a person.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
