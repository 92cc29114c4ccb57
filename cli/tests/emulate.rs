//! `ocisign emulate`, with a program in the emulator's place: what it does is tested with it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn the_emulator_is_found_on_the_path_and_gets_every_argument_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ocisign-emulator");
    fs::write(&program, "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();

    let ocisign = copy(&folder);
    for (args, seen) in [
        (&["--help", "--config=a b", "--", "sh", "-c"][..], "<--help><--config=a b><--><sh><-c>"),
        (&["--", "sh", "--", "x"], "<--><sh><--><x>"),
        (&[], "<>"),
    ] {
        let output = Command::new(&ocisign)
            .arg("emulate")
            .args(args)
            .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), seen);
        assert_eq!(output.status.code(), Some(7));
    }
}

#[test]
fn without_the_emulator_it_is_said_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let ocisign = copy(&folder);
    let output = Command::new(&ocisign).arg("emulate").env("PATH", "/bin").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("ocisign: EMULATOR_NOT_FOUND: "), "{text}");
    assert!(text.contains("cargo install --locked --path emulator"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

/// The command in a folder of its own, so that no emulator is beside it.
fn copy(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let alone = folder.path().join("alone");
    fs::create_dir(&alone).unwrap();
    let ocisign = alone.join("ocisign");
    // A link is not written to, and so not "busy" while another test forks.
    let built = env!("CARGO_BIN_EXE_ocisign");
    fs::hard_link(built, &ocisign).or_else(|_| fs::copy(built, &ocisign).map(drop)).unwrap();
    ocisign
}
