//! Oracle's published requests, signed in three ways.

use crate::shell::{cargo, root, run};
use crate::{Result, component};

/// Show each signature beside the one that Oracle's documentation prints.
pub(crate) fn run_all() -> Result {
    component::build()?;
    run(cargo().args(["build", "--quiet", "--package", "ocisign-cli"]))?;
    run(cargo()
        .args(["run", "--quiet", "--package", "ocisign-host-test", "--example", "demo"])
        .env("OCISIGN", root().join("target/debug/ocisign")))
}
