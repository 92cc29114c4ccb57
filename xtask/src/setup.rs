//! What a bare machine with rustup, Python 3 and Node lacks.

use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::shell::{command, read, root, run, succeeds};

/// A target of the compiler.
pub(crate) fn target(name: &str) -> Result {
    let libdir = read(command("rustc").args(["--print", "target-libdir", "--target", name]))?;
    if !PathBuf::from(libdir.trim()).is_dir() {
        run(command("rustup").args(["target", "add", name]))?;
    }
    Ok(())
}

/// The npm packages of a folder, as its lock file has them.
pub(crate) fn npm(folder: &str) -> Result<PathBuf> {
    let folder = root().join(folder);
    let (lock, installed) = (folder.join("package-lock.json"), folder.join("node_modules"));
    let stamp = installed.join(".lock-of-this-install");
    if fs::read(&stamp).ok() != Some(fs::read(&lock)?) {
        run(command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
        fs::copy(&lock, &stamp)?;
    }
    Ok(installed)
}

/// A virtual environment with the packages of this file of requirements; its Python.
pub(crate) fn python(name: &str, requirements: &str) -> Result<PathBuf> {
    let (folder, requirements) = (root().join("target").join(name), root().join(requirements));
    let python = folder.join("bin/python");
    let stamp = folder.join(".requirements-of-this-install");
    if fs::read(&stamp).ok() != Some(fs::read(&requirements)?) {
        run(command("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        run(command(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements))?;
        fs::copy(&requirements, &stamp)?;
    }
    Ok(python)
}

/// A cargo subcommand of this version.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result {
    let subcommand = name.trim_start_matches("cargo-");
    let output = command("cargo").args([subcommand, "--version"]).output()?;
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    if found.split_whitespace().next_back() != Some(version) {
        run(command("cargo").args(["install", "--locked", "--version", version, name]))?;
    }
    Ok(())
}

/// The compiler that fuzzing needs.
pub(crate) fn nightly() -> Result {
    if !succeeds(command("rustup").args(["run", "nightly", "rustc", "--version"])) {
        run(command("rustup").args(["toolchain", "install", "nightly", "--profile", "minimal"]))?;
    }
    Ok(())
}

pub(crate) const WASM: &str = "wasm32-unknown-unknown";
