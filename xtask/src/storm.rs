//! The same storm of refreshes for Oracle's SDK for Python and for ocisign: who signs well in it.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::shell::{cargo, command, root, run};
use crate::{Result, setup};

/// Run both for so long, and say how it went. That ocisign signs wrongly, or not at all, is an
/// error; how the other does is its own affair.
pub(crate) fn run_both(seconds: u64, profile: &str) -> Result {
    run(cargo().args(["build", "--profile", profile, "--package", "ocisign-benches"]).args([
        "--package",
        "ocisign-emulator",
        "--bins",
    ]))?;
    let python = setup::python("venv-clients", "emulator/clients/python/requirements.txt")?;
    let built = target().join(if profile == "dev" { "debug" } else { profile });
    let ours = vec![built.join("storm").display().to_string()];
    let theirs = vec![python.display().to_string(), "benches/storm/storm.py".to_owned()];
    for (plan, faults) in [("failures", plan(false)), ("failures and wrong keys", plan(true))] {
        let config = target().join("storm.toml");
        fs::write(&config, faults)?;
        for (is_ours, program) in [(false, &theirs), (true, &ours)] {
            let log = target().join(if is_ours { "storm-ours.log" } else { "storm-theirs.log" });
            let mut storm = command(built.join("ocisign-emulator"));
            storm.args(["--listen=127.0.0.1:0", "--tls-listen=127.0.0.1:0", "--config"]);
            storm.arg(&config).arg("--").args(program);
            storm.args([seconds.to_string(), THREADS.to_string()]);
            let output = storm.stdout(Stdio::piped()).stderr(File::create(&log)?).output()?;
            let said: Value = serde_json::from_slice(&output.stdout)
                .map_err(|error| format!("{program:?}: {error}; see {}", log.display()))?;
            let log = fs::read_to_string(&log)?;
            let calls = log.lines().filter(|line| line.contains(" POST /v1/x509")).count();
            println!("{plan}: {said} federation calls: {calls}");
            let count = |name: &str| said.get(name).and_then(Value::as_u64);
            let well = [Some(0), Some(0)] == [count("mismatched"), count("errors")];
            if is_ours && !(well && count("good") > Some(0)) {
                return Err("ocisign did not sign every request well".into());
            }
        }
    }
    Ok(())
}

/// Every third federation fails; every tenth gives a token that is bound to another key.
fn plan(wrong_keys: bool) -> String {
    // By which Oracle's SDK, which refreshes a minute before the end, does so all the time.
    let mut plan = "[lifetimes]\ninstance = 61\n".to_owned();
    let mut before = 0;
    for nth in 1..=1_000 {
        let kind = match nth {
            nth if nth % 3 == 0 => "kind = \"status\"\nstatus = 503",
            nth if nth % 10 == 5 && wrong_keys => "kind = \"wrong_jwk\"",
            _ => continue,
        };
        // A fault does not count the requests that went to the faults before it.
        let skip = nth - 1 - before;
        before += 1;
        let _ =
            write!(plan, "[[faults]]\non = \"POST /v1/x509\"\nskip = {skip}\ntimes = 1\n{kind}\n");
    }
    plan
}

fn target() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    set.unwrap_or_else(|| root().join("target"))
}

const THREADS: u32 = 16;
