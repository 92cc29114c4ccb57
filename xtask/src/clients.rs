//! Oracle's own SDKs against the emulator: the proof that they cannot tell it from OCI.

use std::fs;
use std::process::Command;

use crate::Result;
use crate::setup;
use crate::shell::{cargo, command, root, run, succeeds};

/// A client on one of the SDKs.
struct Client {
    name: &'static str,
    /// The tools that set it up.
    needs: &'static [&'static str],
    /// Gives the program and its arguments, ready to run.
    set_up: fn() -> Result<Vec<String>>,
    /// The versions of a resource principal that the SDK has, and gets right.
    resource_principals: &'static [&'static str],
}

const CLIENTS: [Client; 4] = [
    Client {
        name: "Python",
        needs: &["python3"],
        set_up: python,
        resource_principals: &["1.1", "2.1", "2.1.1", "2.1.2", "2.2"],
    },
    Client { name: "TypeScript", needs: &["npm"], set_up: node, resource_principals: &["2.2"] },
    Client { name: "Go", needs: &["go"], set_up: go, resource_principals: &["1.1", "2.2", "3.0"] },
    Client {
        name: "Java",
        needs: &["mvn", "javac"],
        set_up: java,
        resource_principals: &["1.1", "2.1", "2.1.1", "2.1.2", "2.2", "3.0"],
    },
];

/// What each SDK can be without being a resource.
const PRINCIPALS: [&str; 4] =
    ["api_key", "session_token", "instance_principal", "oke_workload_identity"];

/// Run each as each principal that it knows. Where a toolchain is missing, that SDK is left
/// out and that is said, but in CI, where none may be missing.
pub(crate) fn run_all() -> Result {
    run(cargo().args(["build", "--package", "ocisign-emulator"]))?;
    for client in &CLIENTS {
        let missing =
            client.needs.iter().find(|tool| !succeeds(command(tool).arg(version_of(tool))));
        if let Some(tool) = missing {
            let said = format!("the SDK for {} is not run: there is no {tool}", client.name);
            if std::env::var_os("CI").is_some() {
                return Err(said.into());
            }
            println!("{said}");
            continue;
        }
        let program = (client.set_up)()?;
        for principal in PRINCIPALS {
            run(emulator("2.2").args(&program).arg(principal))?;
        }
        for version in client.resource_principals {
            run(emulator(version).args(&program).arg("resource_principal"))?;
        }
    }
    Ok(())
}

/// The emulator, waiting for what it is to run. The SDKs have the proxymux's port built in.
pub(crate) fn emulator(version: &str) -> Command {
    let mut emulator = command(root().join("target/debug/ocisign-emulator"));
    emulator.args(["--quiet", "--listen=127.0.0.1:0", "--tls-listen=127.0.0.1:12250"]);
    emulator.arg(format!("--resource-principal={version}")).arg("--");
    emulator
}

fn python() -> Result<Vec<String>> {
    let python = setup::python("venv-clients", "emulator/clients/python/requirements.txt")?;
    Ok(vec![python.display().to_string(), "emulator/clients/python/client.py".into()])
}

fn node() -> Result<Vec<String>> {
    setup::npm("emulator/clients/node")?;
    Ok(vec!["node".into(), "emulator/clients/node/client.mjs".into()])
}

fn go() -> Result<Vec<String>> {
    let program = root().join("target/client-go").display().to_string();
    run(command("go").args(["build", "-C", "emulator/clients/go", "-o", &program, "."]))?;
    Ok(vec![program])
}

fn java() -> Result<Vec<String>> {
    let folder = root().join("target/client-java");
    let (pom, stamp) = (root().join("emulator/clients/java/pom.xml"), folder.join("pom.xml"));
    if fs::read(&stamp).ok() != Some(fs::read(&pom)?) {
        run(command("mvn")
            .args(["--batch-mode", "--quiet", "--strict-checksums", "--file"])
            .arg(&pom)
            .arg("dependency:copy-dependencies")
            .arg(format!("-DoutputDirectory={}", folder.join("lib").display())))?;
        fs::copy(&pom, &stamp)?;
    }
    let libraries = folder.join("lib/*").display().to_string();
    run(command("javac")
        .args(["-cp", &libraries, "-d"])
        .arg(&folder)
        .arg("emulator/clients/java/Client.java"))?;
    // This SDK wants a slash at the end, and the others do not.
    let script = "OCI_METADATA_BASE_URL=$OCI_METADATA_BASE_URL/ exec java -cp \"$0\" Client \"$1\"";
    let path = format!("{}:{libraries}", folder.display());
    Ok(vec!["sh".into(), "-c".into(), script.into(), path])
}

fn version_of(tool: &str) -> &'static str {
    if tool == "go" { "version" } else { "--version" }
}
