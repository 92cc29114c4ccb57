//! What can be told without running anything.

use crate::shell::{cargo, read, run};
use crate::{Result, layering, setup};

/// Format, clippy, docs, layering, dependencies, licences.
pub(crate) fn run_all() -> Result {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // Of the whole workspace too: of one package the dependencies would be other builds.
    for world in ["ocisign-component/signing", "ocisign-component/federation"] {
        let clippy = ["clippy", "--workspace", "--features", world];
        run(cargo().args(clippy).args(["--", "-D", "warnings"]))?;
    }
    // The help of a command is no documentation of a library.
    let doc = ["doc", "--workspace", "--exclude=ocisign-cli", "--exclude=xtask", "--no-deps"];
    // As docs.rs builds it.
    let features = ["--features", "ocisign/http,ocisign/reqwest,ocisign/tower", "--quiet"];
    run(cargo().args(doc).args(features).env("RUSTDOCFLAGS", "-D warnings"))?;
    layering::check()?;
    // RUSTSEC-2023-0071 has no patched version, so native packages do without the crate.
    depends_on_none("ocisign-cli", &["rsa"])?;
    // What judges ocisign shares nothing with it.
    depends_on_none("ocisign-emulator", &["ocisign", "ocisign-core", "ocisign-vectors", "rsa"])?;
    setup::cargo_tool("cargo-deny", "0.20.2")?;
    run(cargo().args(["deny", "--all-features", "check", "bans", "licenses", "sources"]))
}

/// Fail if a package depends on one of these crates, its tests aside.
fn depends_on_none(package: &str, crates: &[&str]) -> Result {
    let tree = ["tree", "--package", package, "--edges", "normal,build", "--prefix", "none"];
    let tree = read(cargo().args(tree))?;
    if !tree.contains("aws-lc-rs v") {
        return Err(format!("the dependencies of {package} could not be read").into());
    }
    let is_one = |line: &&str| crates.iter().any(|name| line.starts_with(&format!("{name} v")));
    match tree.lines().find(is_one) {
        Some(line) => Err(format!("{package} depends on {line}").into()),
        None => Ok(()),
    }
}
