//! Oracle's published requests, signed in three ways; then principals of the emulator.

use crate::shell::{cargo, root, run};
use crate::{Result, component};

/// Show each signature beside the one that Oracle's documentation prints; then act as a
/// function and as an instance, and rotate one of them under load.
pub(crate) fn run_all() -> Result {
    component::build_first()?;
    run(cargo().args(["build", "--package", "ocisign-cli"]))?;
    run(cargo()
        .args(["run", "--package", "ocisign-host-test", "--example", "demo"])
        .env("OCISIGN", root().join("target/debug/ocisign")))?;
    run(cargo().args(["run", "--package", "ocisign", "--example", "principals"]))
}
