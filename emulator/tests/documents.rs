//! What `docs/emulator.md` shows as a configuration is one.
#![allow(clippy::unwrap_used)]

use ocisign_emulator::{Config, Emulator};

#[test]
fn the_documented_configuration_starts_an_emulator() {
    let document = include_str!("../../docs/emulator.md");
    let text = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let mut config = Config::from_toml(text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    config.directory = Some(folder.path().to_owned());
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.tls_listen = config.listen;
    Emulator::start(config).unwrap();
    assert!(folder.path().join("resource_principal/rpst").is_file());
}
