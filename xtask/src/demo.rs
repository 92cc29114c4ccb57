//! Oracle's published requests, signed in three ways.

use crate::shell::{cargo, root, run};
use crate::{Result, component};

/// Show each signature beside the one that Oracle's documentation prints.
pub(crate) fn run_all() -> Result {
    component::build_first()?;
    run(cargo().args(["build", "--package", "ocisign-cli"]))?;
    run(cargo()
        .args(["run", "--package", "ocisign-host-test", "--example", "demo"])
        .env("OCISIGN", root().join("target/debug/ocisign")))
}
