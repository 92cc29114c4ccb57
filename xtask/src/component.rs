//! The components: built for a target that has no imports to give, made smaller
//! by wasm-opt, wrapped by wit-component.

use std::fs;
use std::path::PathBuf;

use wit_component::ComponentEncoder;

use crate::Result;
use crate::setup::{self, WASM};
use crate::shell::{cargo, command, root, run};

/// One artefact.
struct Artefact {
    file: &'static str,
    features: &'static str,
    profile: &'static str,
    rustflags: &'static [&'static str],
    wasm_opt: &'static [&'static str],
    /// It may not have more bytes than this.
    limit: usize,
}

const ARTEFACTS: [Artefact; 4] = [
    Artefact {
        file: "ocisign.wasm",
        features: "signing",
        profile: "component",
        // crypto-bigint takes 64-bit limbs on wasm, where a product of two has no instruction.
        rustflags: &["--cfg", "cpubits=\"32\""],
        wasm_opt: &["-O3"],
        limit: 300_000,
    },
    Artefact {
        file: "ocisign-wide.wasm",
        features: "signing",
        profile: "component-wide",
        rustflags: &["-Ctarget-feature=+wide-arithmetic"],
        wasm_opt: &["-O3", "--enable-wide-arithmetic"],
        limit: 500_000,
    },
    Artefact {
        file: "ocisign-core.wasm",
        features: "",
        profile: "component-core",
        // Seven kilobytes less, for a slower digest of bodies that most hosts hash themselves.
        rustflags: &["--cfg", "sha2_backend_soft=\"compact\""],
        wasm_opt: &["-Oz"],
        limit: 110_000,
    },
    Artefact {
        file: "ocisign-federation.wasm",
        features: "federation",
        profile: "component-federation",
        rustflags: &["--cfg", "cpubits=\"32\"", "--cfg", "sha2_backend_soft=\"compact\""],
        wasm_opt: &["-O3"],
        limit: 480_000,
    },
];

/// Build them all into `target/component`.
pub(crate) fn build() -> Result {
    build_some(&ARTEFACTS)
}

/// Build `ocisign.wasm` alone.
pub(crate) fn build_first() -> Result {
    build_some(&ARTEFACTS[..1])
}

fn build_some(artefacts: &[Artefact]) -> Result {
    setup::target(setup::WASM)?;
    let wasm_opt = setup::npm("component")?.join("binaryen/bin/wasm-opt");
    for artefact in artefacts {
        let module = compile(artefact)?;
        let small = module.with_extension("opt.wasm");
        run(command("node")
            .arg(&wasm_opt)
            .args(WASM_OPT)
            .args(artefact.wasm_opt)
            .arg(&module)
            .arg("-o")
            .arg(&small))?;
        let component = ComponentEncoder::default()
            .validate(true)
            .module(&fs::read(&small)?)
            .and_then(ComponentEncoder::encode)
            .map_err(|error| format!("{}: {error:#}", artefact.file))?;
        fs::write(folder().join(artefact.file), &component)?;
        println!("{}: {} bytes", artefact.file, component.len());
        if component.len() > artefact.limit {
            return Err(format!("{} has more than {} bytes", artefact.file, artefact.limit).into());
        }
    }
    Ok(())
}

/// Where the components are.
pub(crate) fn folder() -> PathBuf {
    root().join("target/component")
}

fn compile(artefact: &Artefact) -> Result<PathBuf> {
    // A folder each: other flags would make cargo build all anew each time.
    let target = folder().join(artefact.file.replace(".wasm", ""));
    let mut flags: Vec<String> = artefact.rustflags.iter().map(|&flag| flag.into()).collect();
    flags.push(STACK.into());
    // No path of the machine that builds goes into what it builds.
    flags.push(format!("--remap-path-prefix={}=ocisign", root().display()));
    if let Ok(home) = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME")) {
        flags.push(format!("--remap-path-prefix={home}=home"));
    }
    run(cargo()
        .args(["build", "--quiet", "--package", "ocisign-component", "--target", WASM])
        .args(["--profile", artefact.profile, "--features", artefact.features])
        .arg("--target-dir")
        .arg(&target)
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")))?;
    Ok(target.join(WASM).join(artefact.profile).join("ocisign_component.wasm"))
}

/// An eighth of the default: it is all that an instance's memory starts with.
const STACK: &str = "-Clink-arg=-zstack-size=131072";

/// The features that rustc takes for granted on this target, by name: with
/// `--all-features` wasm-opt writes what no engine reads yet.
const WASM_OPT: [&str; 9] = [
    "--strip-debug",
    "--strip-producers",
    "--enable-bulk-memory",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];
