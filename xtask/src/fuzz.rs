//! The fuzz targets, one after the other. They need the nightly compiler.

use std::fs;

use crate::shell::{command, root, run};
use crate::{Result, setup};

/// Fuzz each target for this long; a finding is an error.
pub(crate) fn run_all(seconds: u64) -> Result {
    setup::nightly()?;
    setup::cargo_tool("cargo-fuzz", "0.13.2")?;
    let mut targets = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        targets.extend(entry?.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    targets.sort();
    for target in targets {
        run(command("cargo")
            .args(["+nightly", "fuzz", "run", &target, "--"])
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=20", "-verbosity=0"]))?;
    }
    Ok(())
}
