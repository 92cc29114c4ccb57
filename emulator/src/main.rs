//! The command `ocisign-emulator`.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Parser;
use ocisign_emulator::{Config, Emulator, ResourcePrincipal, StartError};
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

/// OCI's identity plane on loopback: metadata service, authentication, tokens, and some
/// services to call.
///
/// With a command, it runs that with the environment that points OCI's clients at the emulator,
/// and ends when it ends, with its exit code. Without one, it prints the environment and runs
/// until it is interrupted.
#[derive(Parser)]
#[command(name = "ocisign-emulator", version, max_term_width = 100, after_help = EXAMPLES)]
struct Args {
    /// Configuration, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Address for HTTP, before the configuration's; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// Address for TLS, and for OKE's proxymux
    #[arg(long, value_name = "ADDRESS")]
    tls_listen: Option<SocketAddr>,

    /// Folder for keys, tokens and certificates [default: one that goes with the emulator]
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,

    /// Also set the environment of a resource principal: 1.1, 2.1, 2.1.1, 2.1.2, 2.2 or 3.0
    #[arg(long, value_name = "VERSION", num_args = 0..=1, default_missing_value = "2.2")]
    #[arg(require_equals = true)]
    resource_principal: Option<ResourcePrincipal>,

    /// Print no line for each request
    #[arg(long)]
    quiet: bool,

    /// Command to run, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  ocisign-emulator --resource-principal -- python3 function.py
  ocisign-emulator --config emulator.toml --directory /tmp/oci

Exit codes:
  0    interrupted, or the command's own; 128 and the number of the signal that ended it
  1    it could not start; standard error says `ocisign-emulator: CODE: reason`
  2    wrong usage";

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => code,
        Err((code, reason)) => {
            // Whoever closed standard error does not want to know.
            let _ = writeln!(io::stderr(), "ocisign-emulator: {code}: {reason}");
            ExitCode::FAILURE
        }
    }
}

type Failure = (&'static str, String);

fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config(args)?;
    // Two thousand clients have as many sockets; without the right to them, there are fewer.
    let _ = rlimit::increase_nofile_limit(16_384);
    let start = if args.quiet { Emulator::start } else { Emulator::start_printing };
    let started = start(config);
    let emulator = started.map_err(|error: StartError| {
        let of = match (&error, &args.config) {
            (StartError::Config(_), Some(path)) => format!("{}: ", path.display()),
            _ => String::new(),
        };
        (error.code(), format!("{of}{error}"))
    })?;
    let environment = emulator.environment(args.resource_principal);
    if let Some((program, rest)) = args.command.split_first() {
        return command(program, rest, environment);
    }
    runtime()?.block_on(async {
        // First of all: whoever reads what is printed may ask for the end at once.
        let mut requests = Requests::listen()?;
        print(&environment).map_err(|error| ("OUTPUT_FAILED", error.to_string()))?;
        requests.next().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// As a shell reads it.
fn print(environment: &[(String, String)]) -> io::Result<()> {
    let mut out = io::stdout();
    for (name, value) in environment {
        writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    out.flush()
}

fn config(args: &Args) -> Result<Config, Failure> {
    let mut config = match &args.config {
        None => Config::default(),
        Some(path) => {
            let shown = path.display();
            let text = fs::read_to_string(path)
                .map_err(|error| ("FILE_UNREADABLE", format!("{shown}: {error}")))?;
            Config::from_toml(&text)
                .map_err(|error| ("INVALID_CONFIG", format!("{shown}: {error}")))?
        }
    };
    if args.resource_principal.is_some() && config.resources.is_empty() {
        let message = "resources: is empty, and --resource-principal asks for one";
        return Err(("INVALID_CONFIG", message.to_owned()));
    }
    config.listen = args.listen.unwrap_or(config.listen);
    config.tls_listen = args.tls_listen.unwrap_or(config.tls_listen);
    if let Some(directory) = &args.directory {
        config.directory = Some(directory.clone());
    }
    Ok(config)
}

/// Run a command to its end.
fn command(
    program: &str,
    args: &[String],
    environment: Vec<(String, String)>,
) -> Result<ExitCode, Failure> {
    let status = runtime()?.block_on(async {
        let mut requests = Requests::listen()?;
        let failed = |error| ("COMMAND_NOT_STARTED", format!("{program}: {error}"));
        let mut child =
            Command::new(program).args(args).envs(environment).spawn().map_err(failed)?;
        loop {
            let asked = tokio::select! {
                status = child.wait() => return status.map_err(failed),
                asked = requests.next() => asked,
            };
            match asked {
                // A terminal interrupts the command too, which ends as it likes.
                Asked::Interrupted => {}
                Asked::Terminated => {
                    terminate(&child);
                    match timeout(GRACE, child.wait()).await {
                        Ok(status) => return status.map_err(failed),
                        Err(_) => child.kill().await.map_err(failed)?,
                    }
                }
            }
        }
    })?;
    Ok(ExitCode::from(code(status)))
}

/// The command's exit code, as a shell gives it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let status = status.code().or_else(|| ExitStatusExt::signal(&status).map(|it| 128 + it));
    #[cfg(not(unix))]
    let status = status.code();
    status.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Ask a command to end.
fn terminate(child: &Child) {
    #[cfg(unix)]
    if let Some(id) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        // It may have ended by itself.
        let _ = kill_process(id, Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = child;
}

fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| ("START_FAILED", error.to_string()))
}

/// Who asks the process to end, heard from when this is made on.
struct Requests {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

enum Asked {
    Interrupted,
    Terminated,
}

impl Requests {
    /// To be called within a runtime.
    #[cfg(unix)]
    fn listen() -> Result<Self, Failure> {
        let [interrupt, terminate, hang_up] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        let signals = || Ok([interrupt?, terminate?, hang_up?]);
        let signals = signals().map_err(|error: io::Error| ("START_FAILED", error.to_string()))?;
        Ok(Self { signals })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    async fn next(&mut self) -> Asked {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hang_up] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => Asked::Interrupted,
                _ = terminate.recv() => Asked::Terminated,
                _ = hang_up.recv() => Asked::Terminated,
            }
        }
        #[cfg(not(unix))]
        {
            let _ = tokio::signal::ctrl_c().await;
            Asked::Interrupted
        }
    }
}

/// How long a command that was asked to end may take to do so.
const GRACE: Duration = Duration::from_secs(10);
