//! Nothing that any command prints holds a key or a token, whatever goes wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod command;
mod emulated;

use std::fs;

use emulated::Emulated;
use ocisign_emulator::{Config, FaultKind, ResourcePrincipal};

/// Pieces of what must not be seen.
fn secrets(emulated: &Emulated) -> Vec<String> {
    let files = [
        "api_key.pem",
        "session/key.pem",
        "session/token",
        "resource.pem",
        "resource_principal/private.pem",
        "resource_principal/rpst",
        "kubernetes/token",
    ];
    let mut pieces = Vec::new();
    for name in files {
        let text = fs::read_to_string(emulated.emulator.file(name)).unwrap();
        let token = name.ends_with("token") || name.ends_with("rpst");
        let parts: Vec<&str> = if token {
            // The first part of each is the same, and known to all.
            text.trim().split('.').skip(1).collect()
        } else {
            text.lines().filter(|line| !line.starts_with("---")).skip(1).collect()
        };
        pieces.extend(parts.iter().filter(|part| part.len() >= 24).map(|part| part[..24].into()));
    }
    assert!(pieces.len() > 50);
    pieces
}

#[test]
fn no_output_of_any_command_holds_a_key_or_a_token() {
    let mut emulated = Emulated::start(Config::default());
    let secrets = secrets(&emulated);
    let (tls, plain) = (emulated.emulator.tls_url(), emulated.emulator.url());
    let [good, missing] = ["/20160918/regions", "/20160918/none"].map(|path| tls.clone() + path);
    let echo = plain.clone() + "/echo";
    let id = emulated.environment("OCISIGN_EMULATOR_SECRET");
    let commands: [&[&str]; 14] = [
        &["whoami"],
        &["whoami", "--json"],
        &["request", "GET", &good],
        &["request", "GET", &good, "--include"],
        &["request", "GET", &missing, "--include"],
        &["request", "POST", &echo, "--data", "a"],
        &["request", "POST", &echo, "--header", "opc-obo-token: a"],
        &["request", "GET", "http://127.0.0.1:1/"],
        &["secret", "get", &id, "--endpoint", &tls],
        &["secret", "get", "none", "--endpoint", &plain],
        &["secret", "get", "none", "--endpoint", "nonsense"],
        &["sign", "--method", "GET", "--url", "https://h/ "],
        &["sign", "--method", "GET", "--url", "https://h/", "--now", "99999999999999"],
        &["verify", "--method", "GET", "--url", &good, "--public-key-file", "none"],
    ];
    let key = emulated.emulator.file("session/key.pem").display().to_string();
    let token = emulated.emulator.file("session/token").display().to_string();
    let wrong = format!("[DEFAULT]\nkey_file={token}\nsecurity_token_file={key}\n");
    let wrong = command::file(&emulated.home, "wrong", wrong);
    let faults = [None, Some(FaultKind::Garbage), Some(FaultKind::WrongJwk)];
    for acting in [None, Some(ResourcePrincipal::V2_2), Some(ResourcePrincipal::V2_1)] {
        emulated.acting = acting;
        let identities: [&[&str]; 5] = [
            &[],
            &["--profile", "SESSION"],
            &["--auth", "instance_principal"],
            &["--auth", "oke_workload_identity"],
            &["--config", &wrong],
        ];
        for (args, identity) in commands.iter().flat_map(|args| identities.map(|it| (args, it))) {
            // The others by the first command alone: it is who they are that goes wrong.
            let many = if args.len() == 1 { &faults[..] } else { &faults[..1] };
            for fault in many {
                match fault {
                    Some(kind) => emulated.fault("* /v1*", 9, *kind, None),
                    None => emulated.emulator.set_faults(vec![]),
                }
                let verify = args[0] == "verify";
                let run = emulated.run(&[*args, if verify { &[] } else { identity }].concat());
                // The first letters of every token, of those too that were made meanwhile.
                for secret in secrets.iter().map(String::as_str).chain(["eyJ", "PRIVATE KEY"]) {
                    let seen = run.stdout.contains(secret) || run.stderr.contains(secret);
                    assert!(!seen, "{args:?} {identity:?}: {secret}: {run:?}");
                }
            }
        }
    }
}
