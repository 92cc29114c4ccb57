//! All tests. Benchmarks and fuzzing run too, for seconds, so that they stay alive.

use crate::shell::{cargo, command, root, run};
use crate::{Result, clients, component, fuzz, lint, python, readme, setup, storm};

/// Run them all, the quick ones first.
pub(crate) fn run_all() -> Result {
    lint::run_all()?;
    component::build()?;
    // The benchmarks run too, each once.
    run(cargo().args(["test", "--workspace", "--all-targets"]))?;
    run(cargo().args(["test", "--workspace", "--doc"]))?;
    packages()?;
    hosts()?;
    python::test()?;
    clients::run_all()?;
    storm::run_both(SECONDS_OF_STORM, "dev")?;
    vectors()?;
    readme::run_all()?;
    fuzz::run_all(SECONDS_OF_FUZZING)
}

/// What would be published builds by itself.
fn packages() -> Result {
    let names = ["ocisign-core", "ocisign", "ocisign-emulator", "ocisign-cli"];
    let names = names.map(|name| ["--package", name]).concat();
    run(cargo().args(["package", "--quiet", "--allow-dirty"]).args(names))
}

/// The same components in other hosts.
fn hosts() -> Result {
    let python = setup::python("venv-hosts", "host-test/hosts/python/requirements.txt")?;
    run(command(python).args(["-m", "pytest", "--quiet", "host-test/hosts/python"]))?;
    let node = "host-test/hosts/node";
    setup::npm(node)?;
    run(command("npm").arg("test").current_dir(root().join(node)))
}

/// The vectors are what their second implementation makes of them.
fn vectors() -> Result {
    let python = setup::python("venv-vectors", "vectors/requirements.txt")?;
    run(command(python).args(["vectors/make.py", "--check"]))
}

const SECONDS_OF_FUZZING: u64 = 3;
const SECONDS_OF_STORM: u64 = 3;
