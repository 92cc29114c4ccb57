//! What the command line takes, and what it says of itself.
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;

use command::ocisign;

#[test]
fn options_that_exclude_or_need_one_another_are_wrong_usage() {
    const GET: [&str; 5] = ["sign", "--method", "GET", "--url", "https://h/"];
    const KEY: [&str; 4] = ["--key-id", "t/u/f", "--key-file", "k"];
    let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let with_get: [&[&str]; 13] = [
        &["--key-file", "k"],
        &["--key-id", "t/u/f"],
        &["--token-file", "t"],
        &["--key-id", "t/u/f", "--token-file", "t", "--key-file", "k"],
        &["--key-id", "t/u/f", "--profile", "P", "--key-file", "k"],
        &["--token-file", "t", "--profile", "P"],
        &["--profile", "P", "--key-file", "k"],
        &["--config", "c", "--key-id", "t/u/f", "--key-file", "k"],
        &["--auth", "api_key", "--key-id", "t/u/f", "--key-file", "k"],
        &["--auth", "api_key", "--profile", "P"],
        &["--auth", "nonsense"],
        &["--passphrase-file", "p"],
        &["--auth", "api_key", "--allow-weak-key"],
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
    let others: [&[&str]; 20] = [
        &["whoami", "positional"],
        &["whoami", "--auth", "nonsense"],
        &["whoami", "--auth", "api_key", "--profile", "P"],
        &["whoami", "--auth", "api_key", "--config", "c"],
        &["request"],
        &["request", "GET"],
        &["request", "CONNECT", "https://h/"],
        &["request", "GET", "https://h/", "--data", "a", "--data-file", "b"],
        &["request", "GET", "https://h/", "--header", "no-colon"],
        &["request", "GET", "https://h/", "--timeout", "0"],
        &["request", "GET", "/", "--service", "nonsense"],
        &["request", "GET", "/", "--service", "iaas", "--endpoint", "https://h"],
        &["secret"],
        &["secret", "get"],
        &["secret", "get", "--name", "n"],
        &["secret", "get", "--vault", "v"],
        &["secret", "get", "id", "--vault", "v"],
        &["secret", "get", "id", "--name", "n", "--vault", "v"],
        &["secret", "get", "id", "--stage", "NEXT"],
        &["secret", "get", "id", "--stage", "CURRENT", "--version-number", "1"],
    ];
    for args in others {
        ocisign(args).usage();
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
    for args in [
        &["hunter2"][..],
        &["whoami", "--auth", "hunter2"],
        &["request", "GET", "https://h/", "hunter2"],
        &["request", "GET", "https://h/", "--header", "hunter2"],
        &["secret", "get", "id", "hunter2"],
        &["secret", "get", "id", "--stage", "hunter2"],
    ] {
        let stderr = ocisign(args).usage();
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    for args in [
        &["--help"][..],
        &["explain", "-h"],
        &["request", "--help"],
        &["secret", "get", "--help"],
        &["sign", "--help"],
        &["sign", "-h"],
        &["verify", "--help"],
        &["whoami", "--help"],
    ] {
        let help = ocisign(args).good();
        for line in ["Exit codes:", "  0  good", "  1  refused", "  2  wrong usage"] {
            assert!(help.contains(line), "{help}");
        }
        assert!(help.lines().all(|line| line.len() <= 130), "{help}");
    }
    assert!(ocisign(&["--version"]).good().starts_with("ocisign "));
}
