//! The package for Python: built, installed, and tried from where it was installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{cargo, command, root, run};
use crate::{Result, clients, setup};

/// Build the wheel of this machine, install it, and try it with what its users have.
pub(crate) fn test() -> Result {
    let python = setup::python("venv-python", REQUIREMENTS)?;
    check(&python)?;
    let wheel = wheel(&python, &root().join("target/wheels"), &[])?;
    try_out(&python, &wheel)?;
    within_sdk(&wheel)
}

/// Build all wheels for Linux, and the source distribution; try what this machine can run.
pub(crate) fn dist() -> Result {
    let python = setup::python("venv-python", REQUIREMENTS)?;
    let folder = root().join("target/dist/python");
    for (target, tags) in TARGETS {
        setup::target(target)?;
        let build = ["--zig", "--target", target, "--compatibility", tags];
        wheel(&python, &folder.join(target), &build)?;
    }
    let source = folder.join("source");
    fresh(&source)?;
    run(maturin(&python).arg("sdist").arg("--out").arg(&source))?;
    try_out(&python, &only(&folder.join(TARGETS[0].0))?)?;
    // As pip does where there is no wheel.
    let built = folder.join("from-source");
    fresh(&built)?;
    run(command(&python)
        .args(["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"])
        .args([&built, &only(&source)?]))?;
    try_out(&python, &only(&built)?)
}

/// What can be told without running anything.
fn check(python: &Path) -> Result {
    run(within(python, "ruff").args(["check", "--quiet", "."]).args(EXAMPLES))?;
    run(within(python, "ruff").args(["format", "--quiet", "--check", "."]).args(EXAMPLES))?;
    run(within(python, "mypy").arg("python/ocisign"))
}

/// Install a wheel, and try it from there.
fn try_out(python: &Path, wheel: &Path) -> Result {
    install(python, wheel)?;
    run(within(python, "pyright").arg("--pythonpath").arg(python))?;
    // Elsewhere than beside the sources: what is installed is checked.
    let known = root().join(FOLDER).join("stubtest.txt");
    let stubtest = ["-m", "mypy.stubtest", "ocisign", "--allowlist"];
    run(command(python).args(stubtest).arg(known).current_dir(root().join("target")))?;
    run(cargo().args(["build", "--package", "ocisign-emulator"]))?;
    run(within(python, "python").args(["-m", "pytest", "--quiet"]))
}

/// In the clients of Oracle's SDK, which takes half a gigabyte and is there for other tests.
fn within_sdk(wheel: &Path) -> Result {
    let python = setup::python("venv-clients", "emulator/clients/python/requirements.txt")?;
    install(&python, wheel)?;
    let mut emulator = clients::emulator("2.2");
    run(emulator.arg(&python).arg("bindings-python/tests/sdk/client.py"))?;
    run(command(&python).arg("bindings-python/tests/sdk/differential.py"))
}

fn install(python: &Path, wheel: &Path) -> Result {
    run(command(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--force-reinstall", "--no-deps"])
        .arg(wheel))
}

/// A wheel, no larger than it may be.
fn wheel(python: &Path, folder: &Path, build: &[&str]) -> Result<PathBuf> {
    fresh(folder)?;
    run(maturin(python)
        .args(["build", "--release", "--quiet", "--locked", "--out"])
        .arg(folder)
        .args(build))?;
    let wheel = only(folder)?;
    let size = wheel.metadata()?.len();
    println!("{}: {size} bytes", wheel.display());
    if size > MOST {
        return Err(format!("the wheel has {size} bytes, and may have {MOST}").into());
    }
    Ok(wheel)
}

fn maturin(python: &Path) -> Command {
    let mut maturin = within(python, "maturin");
    // Where it finds the compiler for other systems.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = python.parent().map(Path::to_path_buf).into_iter();
    let path = std::env::join_paths(programs.chain(std::env::split_paths(&path)));
    maturin.env("PATH", path.unwrap_or_default());
    maturin
}

/// A program of the virtual environment, in the package's folder.
fn within(python: &Path, program: &str) -> Command {
    let mut command = command(python.with_file_name(program));
    command.current_dir(root().join(FOLDER));
    command
}

/// An empty folder.
fn fresh(folder: &Path) -> Result {
    if folder.is_dir() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// The one file of a folder.
fn only(folder: &Path) -> Result<PathBuf> {
    let entry = fs::read_dir(folder)?.next().ok_or("nothing was built")?;
    Ok(entry?.path())
}

const FOLDER: &str = "bindings-python";
const EXAMPLES: [&str; 3] = ["--config", "pyproject.toml", "../examples/python"];
const REQUIREMENTS: &str = "bindings-python/requirements.txt";
const MOST: u64 = 3_000_000;
const TARGETS: [(&str, &str); 4] = [
    ("x86_64-unknown-linux-gnu", "manylinux2014"),
    ("aarch64-unknown-linux-gnu", "manylinux2014"),
    ("x86_64-unknown-linux-musl", "musllinux_1_2"),
    ("aarch64-unknown-linux-musl", "musllinux_1_2"),
];
