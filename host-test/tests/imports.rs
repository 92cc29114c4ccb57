//! What the components ask of a host: read off the binary, whole.
#![allow(clippy::unwrap_used)]

use ocisign_host_test::{component, engine};

fn imports(file: &str) -> Vec<String> {
    let engine = engine(|config| {
        config.wasm_wide_arithmetic(true);
    })
    .unwrap();
    let component = component(&engine, file).unwrap();
    let ty = component.component_type();
    ty.imports(&engine).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn ocisign_wasm_imports_credentials_and_their_types_and_nothing_else() {
    let whole = ["ocisign:signing/types@0.1.0", "ocisign:signing/credentials@0.1.0"];
    assert_eq!(imports("ocisign.wasm"), whole);
    assert_eq!(imports("ocisign-wide.wasm"), whole);
}

#[test]
fn ocisign_core_wasm_imports_nothing_at_all() {
    assert_eq!(imports("ocisign-core.wasm"), [""; 0]);
}

#[test]
fn ocisign_federation_wasm_imports_nothing_at_all() {
    assert_eq!(imports("ocisign-federation.wasm"), [""; 0]);
}
