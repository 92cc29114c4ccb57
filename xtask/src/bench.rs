//! The benchmarks at full length. The machine should have nothing else to do.

use crate::shell::{cargo, root, run};
use crate::{Result, component, setup};

/// Run them all, rivals in the same run.
pub(crate) fn run_all() -> Result {
    component::build()?;
    run(cargo().args([
        "build",
        "--release",
        "--package",
        "ocisign-cli",
        "--package",
        "ocisign-emulator",
    ]))?;
    let python = setup::python("venv-bench", "benches/requirements.txt")?;
    run(cargo()
        .args(["bench", "--package", "ocisign-benches"])
        .env("OCISIGN_EMULATOR_COMMAND", root().join("target/release/ocisign-emulator"))
        .env("OCISIGN", root().join("target/release/ocisign"))
        .env("OCISIGN_PYTHON", python))
}
