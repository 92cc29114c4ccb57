//! What the command line takes, and what it says of itself.
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;

use command::ocisign;

#[test]
fn options_that_exclude_or_need_one_another_are_wrong_usage() {
    const GET: [&str; 5] = ["sign", "--method", "GET", "--url", "https://h/"];
    const KEY: [&str; 4] = ["--key-id", "t/u/f", "--key-file", "k"];
    let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let with_get: [&[&str]; 9] = [
        &[],
        &["--key-file", "k"],
        &["--key-id", "t/u/f"],
        &["--token-file", "t"],
        &["--key-id", "t/u/f", "--token-file", "t", "--key-file", "k"],
        &["--key-id", "t/u/f", "--profile", "P", "--key-file", "k"],
        &["--token-file", "t", "--profile", "P"],
        &["--profile", "P", "--key-file", "k"],
        &["--config", "c", "--key-id", "t/u/f", "--key-file", "k"],
    ];
    for args in with_get {
        ocisign(&[&GET, args].concat()).usage();
    }
    let with_key: [&[&str]; 13] = [
        &["--body-sha256", digest],
        &["--body-length", "0"],
        &["--body-sha256", digest, "--body-length", "0", "--body-file", "-"],
        &["--body-sha256", digest, "--body-length", "0", "--unsigned-body"],
        &["--body-length", "0", "--unsigned-body"],
        &["--body-file", "-", "--unsigned-body"],
        &["--body-sha256", "AAAA", "--body-length", "0"],
        &["--body-sha256", digest, "--body-length", "-1"],
        &["--now", "yesterday"],
        &["--header", "no-colon"],
        &["--method", "POST"],
        &["--unknown"],
        &["positional"],
    ];
    for args in with_key {
        ocisign(&[&GET[..], &KEY, args].concat()).usage();
    }
    for args in [&["sign", "--url", "https://h/"][..], &["sign", "--method", "GET"], &["inspect"]] {
        ocisign(&[args, &KEY].concat()).usage();
    }
    ocisign(&["verify", "--method", "GET", "--url", "https://h/"]).usage();
    assert_eq!(ocisign(&[]).code, 2);
}

#[test]
fn a_usage_error_names_the_option_and_not_what_was_typed() {
    for (args, named) in [
        (&["--header", "hunter2"][..], "'--header <NAME: VALUE>'"),
        (&["--now", "hunter2"], "'--now <UNIX>'"),
        (&["--body-sha256", "hunter2"], "'--body-sha256 <BASE64>'"),
        (&["--passphrase=hunter2"], "'--passphrase'"),
        (&["--json=hunter2"], "'--json'"),
        (&["hunter2"], "unexpected argument"),
        (&["-khunter2"], "unexpected argument"),
        (&["-----BEGIN hunter2"], "unexpected argument"),
    ] {
        let stderr = ocisign(&[&["sign"], args].concat()).usage();
        assert!(stderr.contains(named) && !stderr.contains("hunter2"), "{stderr}");
    }
    assert!(!ocisign(&["hunter2"]).usage().contains("hunter2"));
}

#[test]
fn help_lists_the_exit_codes() {
    for args in [
        &["--help"][..],
        &["sign", "--help"],
        &["verify", "--help"],
        &["sign", "-h"],
        &["explain", "-h"],
    ] {
        let help = ocisign(args).good();
        for line in ["Exit codes:", "  0  good", "  1  refused or invalid", "  2  wrong usage"] {
            assert!(help.contains(line), "{help}");
        }
        assert!(help.lines().all(|line| line.len() <= 130), "{help}");
    }
    assert!(ocisign(&["--version"]).good().starts_with("ocisign "));
}
