//! The package for Python: built, installed, and tried from where it was installed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{cargo, command, root, run};
use crate::{Result, clients, setup};

/// Build the wheel of this machine, install it, and try it with what its users have.
pub(crate) fn test() -> Result {
    let python = setup::python("venv-python", "bindings-python/requirements.txt")?;
    let wheel = wheel(&python)?;
    install(&python, &wheel)?;
    let within = |program: &str, args: &[&str]| {
        let program = python.with_file_name(program);
        run(command(program).args(args).current_dir(root().join(FOLDER)))
    };
    within("ruff", &["check", "--quiet", "."])?;
    within("ruff", &["format", "--quiet", "--check", "."])?;
    within("mypy", &["python/ocisign"])?;
    within("pyright", &["--pythonpath", &python.display().to_string()])?;
    // Elsewhere than beside the sources: what is installed is checked.
    let target = root().join("target");
    let known = root().join(FOLDER).join("stubtest.txt");
    let stubtest = ["-m", "mypy.stubtest", "ocisign", "--allowlist"];
    run(command(&python).args(stubtest).arg(known).current_dir(target))?;
    run(cargo().args(["build", "--package", "ocisign-emulator"]))?;
    within("python", &["-m", "pytest", "--quiet"])?;
    within_sdk(&wheel)
}

/// In the clients of Oracle's SDK, which takes half a gigabyte and is there for other tests.
fn within_sdk(wheel: &Path) -> Result {
    let python = setup::python("venv-clients", "emulator/clients/python/requirements.txt")?;
    install(&python, wheel)?;
    let mut emulator = clients::emulator("2.2");
    run(emulator.arg(&python).arg("bindings-python/tests/sdk/client.py"))
}

fn install(python: &Path, wheel: &Path) -> Result {
    run(command(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--force-reinstall", "--no-deps"])
        .arg(wheel))
}

/// The wheel of this machine, no larger than it may be.
fn wheel(python: &Path) -> Result<PathBuf> {
    let folder = root().join("target/wheels");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    run(command(python.with_file_name("maturin"))
        .args(["build", "--release", "--quiet", "--locked", "--out"])
        .arg(&folder)
        .current_dir(root().join(FOLDER)))?;
    let wheel = fs::read_dir(&folder)?.next().ok_or("maturin built no wheel")??.path();
    let size = wheel.metadata()?.len();
    println!("{}: {size} bytes", wheel.display());
    if size > MOST {
        return Err(format!("the wheel has {size} bytes, and may have {MOST}").into());
    }
    Ok(wheel)
}

const FOLDER: &str = "bindings-python";
const MOST: u64 = 3_000_000;
