//! The same storm of refreshes for Oracle's SDK for Python and for ocisign: who signs well in it.

use std::fmt::Write;
use std::fs::{self, File};
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
    let folder = if profile == "dev" { "debug" } else { profile };
    let ours = vec![target().join(folder).join("storm").display().to_string()];
    let theirs = vec![python.display().to_string(), "benches/storm/storm.py".to_owned()];
    let emulator = target().join(folder).join("ocisign-emulator");
    // Each refreshes by its own rule: Oracle's SDK a minute before the end, ocisign at half of
    // the life. So these are lives by which both refresh every two seconds.
    for (name, program, life) in [("theirs", theirs, 61), ("ours", ours, 4)] {
        let (config, log) = (file(name, "toml"), file(name, "log"));
        fs::write(&config, plan(life))?;
        let mut storm = command(&emulator);
        storm.args(["--listen=127.0.0.1:0", "--tls-listen=127.0.0.1:0", "--config"]).arg(&config);
        storm.arg("--").args(&program).args([seconds.to_string(), THREADS.to_string()]);
        let output =
            storm.stdout(Stdio::piped()).stderr(File::create(&log)?).spawn()?.wait_with_output()?;
        let said: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{name}: {error}; see {}", log.display()))?;
        let log = fs::read_to_string(&log)?;
        let federations = log.lines().filter(|line| line.contains(" POST /v1/x509")).count();
        println!("{said} federation calls: {federations}");
        let count = |name: &str| said.get(name).and_then(Value::as_u64).unwrap_or_default();
        if name == "ours" && (count("mismatched") > 0 || count("errors") > 0 || count("good") == 0)
        {
            return Err("ocisign did not sign every request well".into());
        }
    }
    Ok(())
}

/// Every third federation fails, and every tenth gives a token that is bound to another key.
fn plan(life: u32) -> String {
    let mut plan = format!("[lifetimes]\ninstance = {life}\n");
    let mut before = 0;
    for nth in 1..=1_000 {
        let kind = match nth {
            nth if nth % 3 == 0 => "kind = \"status\"\nstatus = 503",
            nth if nth % 10 == 5 => "kind = \"wrong_jwk\"",
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

fn target() -> std::path::PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(std::path::PathBuf::from);
    set.unwrap_or_else(|| root().join("target"))
}

fn file(name: &str, kind: &str) -> std::path::PathBuf {
    target().join(format!("storm-{name}.{kind}"))
}

const THREADS: u32 = 16;
