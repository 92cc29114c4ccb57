//! The command `ocisign-emulator`, run as people run it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use plain::process::{Process, command, terminate, wait};
use plain::{COMPARTMENT, Caller, FUNCTION, SECRET, TENANCY, VAULT, call};
use tempfile::tempdir;

const APPLICATION: &str = "ocid1.fnapp.oc1.iad.aaaaaaaaexampleapp";

/// What a run of the command gave.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Run {
    /// What standard error says after the code of a run that did not start.
    #[track_caller]
    fn refused(&self, code: &str) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""), "{self:?}");
        let rest = self.stderr.strip_prefix("ocisign-emulator: ").unwrap();
        let rest = rest.strip_prefix(code).unwrap_or_else(|| panic!("{self:?}"));
        rest.strip_prefix(": ").unwrap().trim_end()
    }
}

/// The environment of the child, by name.
fn environment(args: &[&str]) -> HashMap<String, String> {
    let mut command = command();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OCI")) {
        command.env_remove(name);
    }
    let run = run(command.args(args).args(["--", "env"]));
    assert_eq!(run.code, Some(0), "{run:?}");
    let pairs = run.stdout.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn resource_principal(environment: &HashMap<String, String>) -> Vec<&str> {
    let names = environment.keys().filter_map(|name| name.strip_prefix("OCI_RESOURCE_PRINCIPAL_"));
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn the_exit_code_is_the_commands() {
    for code in [0, 1, 2, 42, 255] {
        let script = format!("exit {code}");
        let run = run(command().args(["--", "sh", "-c", &script]));
        assert_eq!(run.code, Some(code));
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }
    let run = run(command().args(["--", "sh", "-c", "kill -KILL $$"]));
    assert!(run.code.is_some_and(|code| code != 0), "{run:?}");
}

#[test]
fn the_command_has_its_arguments_its_input_and_its_output() {
    let run = run(command().args([
        "--",
        "sh",
        "-c",
        "printf '%s|' \"$@\"; echo b >&2",
        "a",
        "--quiet",
        "--",
        "c d",
    ]));
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "--quiet|--|c d|"));
    assert_eq!(run.stderr, "b\n");
    let mut child =
        command().args(["--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"through").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"through");
}

#[test]
fn the_environment_points_to_the_emulator() {
    let it = environment(&[]);
    let url = &it["OCISIGN_EMULATOR"];
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"));
    assert!(it["OCISIGN_EMULATOR_TLS"].starts_with("https://127.0.0.1:"));
    assert_eq!(it["OCI_METADATA_BASE_URL"], format!("{url}/opc/v2"));
    assert_eq!(&it["OCI_SDK_AUTH_CLIENT_REGION_URL"], url);
    let tls = format!(
        "https://{}:{}",
        it["KUBERNETES_SERVICE_HOST"], it["KUBERNETES_SERVICE_PORT_PROXYMUX"]
    );
    assert_eq!(tls, it["OCISIGN_EMULATOR_TLS"]);
    for (name, value) in [
        ("OCISIGN_EMULATOR_TENANCY", TENANCY),
        ("OCISIGN_EMULATOR_COMPARTMENT", COMPARTMENT),
        ("OCISIGN_EMULATOR_SECRET", SECRET),
        ("OCISIGN_EMULATOR_VAULT", VAULT),
        ("OCISIGN_EMULATOR_NAMESPACE", "examplenamespace"),
        ("OCISIGN_EMULATOR_BUCKET", "example"),
        ("OCI_RESOURCE_PRINCIPAL_REGION", "us-ashburn-1"),
    ] {
        assert_eq!(it[name], value, "{name}");
    }
    assert_eq!(it["OCI_CONFIG_FILE"], it["OCI_CLI_CONFIG_FILE"]);
    // The folder went with it.
    assert!(!Path::new(&it["OCISIGN_EMULATOR_DIRECTORY"]).exists());
}

#[test]
fn the_files_of_the_environment_are_there_while_the_command_runs() {
    let script = "cat \"$OCI_CONFIG_FILE\" \"$OCISIGN_EMULATOR_CA\" \
                  \"$OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN\" \
                  \"$OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH\" \
                  \"$OCI_RESOURCE_PRINCIPAL_RPST\" \"$OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM\"";
    let run = run(command().args(["--resource-principal", "--", "sh", "-c", script]));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    for part in ["[DEFAULT]", "[SESSION]", "BEGIN CERTIFICATE", "BEGIN RSA PRIVATE KEY"] {
        assert!(run.stdout.contains(part), "{part}");
    }
}

#[test]
fn each_version_of_resource_principals_has_its_variables() {
    let endpoints = ["REGION", "RPST_ENDPOINT", "RPT_ENDPOINT", "VERSION"];
    let own = ["PRIVATE_PEM", "RESOURCE_ID", "TENANCY_ID"];
    for (version, names) in [
        ("1.1", [&endpoints[..], &["RPT_ID"]].concat()),
        ("2.1", [&endpoints[..], &own].concat()),
        ("2.1.1", [&endpoints[..], &own].concat()),
        ("2.1.2", [&endpoints[..], &own, &["SECURITY_CONTEXT"]].concat()),
        ("2.2", vec!["REGION", "VERSION", "RPST", "PRIVATE_PEM"]),
    ] {
        let it = environment(&[&format!("--resource-principal={version}")]);
        let found = resource_principal(&it);
        for name in &names {
            assert!(found.contains(name), "{version}: {name} is not in {found:?}");
        }
        assert_eq!(it["OCI_RESOURCE_PRINCIPAL_VERSION"], version);
        let url = &it["OCISIGN_EMULATOR"];
        for name in ["RPT_ENDPOINT", "RPST_ENDPOINT"] {
            let endpoint = it.get(&format!("OCI_RESOURCE_PRINCIPAL_{name}"));
            assert!(endpoint.is_none_or(|endpoint| endpoint == url), "{version}");
        }
        for name in ["RPT_ID", "RESOURCE_ID"] {
            let id = it.get(&format!("OCI_RESOURCE_PRINCIPAL_{name}"));
            assert!(id.is_none_or(|id| id == FUNCTION), "{version}");
        }
        let pem = it.get("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM");
        let file = if version == "2.2" { "resource_principal/private.pem" } else { "resource.pem" };
        assert!(pem.is_none_or(|pem| pem.ends_with(file)), "{version}");
    }
    assert_eq!(resource_principal(&environment(&[])), ["REGION"]);
    let plain = environment(&["--resource-principal"]);
    assert_eq!(plain["OCI_RESOURCE_PRINCIPAL_VERSION"], "2.2");
}

#[test]
fn a_nested_resource_principal_has_its_leaf_and_the_way_to_its_parent() {
    let folder = tempdir().unwrap();
    let config = folder.path().join("emulator.toml");
    fs::write(
        &config,
        format!(
            "[[resources]]\nid = '{FUNCTION}'\nparent = '{APPLICATION}'\n\
             [[resources]]\nid = '{APPLICATION}'\ntype = 'fnapp'\n"
        ),
    )
    .unwrap();
    let it = environment(&["--config", config.to_str().unwrap(), "--resource-principal=3.0"]);
    let url = &it["OCISIGN_EMULATOR"];
    let get = |name: &str| it[&format!("OCI_RESOURCE_PRINCIPAL_{name}")].as_str();
    assert_eq!(get("VERSION"), "3.0");
    assert_eq!(get("VERSION_FOR_LEAF_RESOURCE"), "2.2");
    assert_eq!(get("REGION_FOR_LEAF_RESOURCE"), "us-ashburn-1");
    assert_eq!(get("RPST_ENDPOINT_FOR_PARENT_RESOURCE"), url);
    let parent = format!("{url}/20180711/resourcePrincipalToken/{APPLICATION}");
    assert_eq!(get("RPT_URL_FOR_PARENT_RESOURCE"), parent);
    assert!(get("RPST_FOR_LEAF_RESOURCE").ends_with("resource_principal/rpst"));
    assert!(get("PRIVATE_PEM_FOR_LEAF_RESOURCE").ends_with("resource_principal/private.pem"));
}

#[cfg(unix)]
#[test]
fn without_a_command_it_prints_the_environment_and_runs_until_it_is_asked_to_end() {
    let mut process = Process::start(&["--quiet"]);
    let folder = process.exports["OCISIGN_EMULATOR_DIRECTORY"].clone();
    Caller::user(process.url()).get("/echo").with(200);
    assert!(Path::new(&folder).exists());
    let status = process.end().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(!Path::new(&folder).exists());
}

#[cfg(unix)]
#[test]
fn asked_to_end_as_soon_as_it_has_spoken_it_ends_in_order() {
    for _ in 0..10 {
        let mut process = Process::start(&["--quiet"]);
        let folder = process.exports["OCISIGN_EMULATOR_DIRECTORY"].clone();
        let status = process.end().unwrap();
        let left = Path::new(&folder).exists();
        if left {
            fs::remove_dir_all(&folder).unwrap();
        }
        assert_eq!((status.code(), left), (Some(0), false), "{status}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_as_well() {
    let mut child = command().stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let id = child.id().to_string();
    Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert_eq!(wait(&mut child).unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn asked_to_end_while_a_command_runs_it_takes_the_folder_with_it() {
    let script = "echo \"$OCISIGN_EMULATOR_DIRECTORY\"; exec sleep 20";
    let mut child =
        command().args(["--", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut folder = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut folder).unwrap();
    let folder = Path::new(folder.trim());
    assert!(folder.exists());
    terminate(child.id());
    wait(&mut child).unwrap();
    let left = folder.exists();
    if left {
        fs::remove_dir_all(folder).unwrap();
    }
    assert!(!left, "keys and tokens are left behind");
}

#[test]
fn a_shell_reads_the_exports_whatever_the_folder_is_called() {
    let above = tempdir().unwrap();
    let folder = above.path().join("it's $HOME `a` \"b\"");
    let mut child = command()
        .arg("--directory")
        .arg(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut exports = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        exports += &(line + "\n");
        if exports.contains("OCISIGN_EMULATOR_BUCKET") {
            break;
        }
    }
    let script = format!("{exports}printf %s \"$OCI_CONFIG_FILE\"");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    terminate(child.id());
    wait(&mut child).unwrap();
    assert_eq!(output.stdout, folder.join("config").to_str().unwrap().as_bytes());
    assert!(folder.join("config").exists());
}

#[test]
fn a_relative_folder_is_found_from_anywhere() {
    let above = tempdir().unwrap();
    let script = "cd / && cat \"$OCI_CONFIG_FILE\" && \
                  cat \"$(sed -n 's/^key_file=//p' \"$OCI_CONFIG_FILE\" | head -1)\"";
    let mut command = command();
    command.current_dir(above.path()).args(["--directory", "oci", "--", "sh", "-c", script]);
    let run = run(&mut command);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("BEGIN RSA PRIVATE KEY"));
}

#[test]
fn the_arguments_go_before_the_configuration() {
    let folder = tempdir().unwrap();
    let config = folder.path().join("emulator.toml");
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    // Port 1 is nobody's to have.
    fs::write(
        &config,
        format!(
            "listen = '192.0.2.1:1'\ntls_listen = '192.0.2.1:1'\ndirectory = '{}'",
            one.display()
        ),
    )
    .unwrap();
    let run = run(command()
        .arg("--config")
        .arg(&config)
        .arg("--directory")
        .arg(&other)
        .args(["--", "true"]));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(other.join("config").exists() && !one.exists());
}

#[test]
fn a_configuration_with_an_unknown_key_is_refused_with_key_and_line() {
    let folder = tempdir().unwrap();
    let config = folder.path().join("emulator.toml");
    for (text, key, line) in [
        ("skew = 1\nskwe = 2\n", "skwe", "line 2"),
        ("[lifetimes]\n\nresurce = 1\n", "resurce", "line 3"),
        ("[[faults]]\non = 'GET /'\nkind = 'nap'\n", "nap", "line 3"),
        ("skew = 'a'\n", "skew", "line 1"),
        ("skew = \n", "skew", "line 1"),
    ] {
        fs::write(&config, text).unwrap();
        let run = run(command().arg("--config").arg(&config).args(["--", "true"]));
        let said = run.refused("INVALID_CONFIG");
        assert!(said.starts_with(config.to_str().unwrap()), "{said}");
        assert!(said.contains(key) && said.contains(line), "{said}");
    }
    fs::write(&config, "policies = ['Allow everything']").unwrap();
    let run = run(command().arg("--config").arg(&config).args(["--", "true"]));
    assert!(run.refused("INVALID_CONFIG").contains("Allow everything"));
}

#[test]
fn a_configuration_that_names_a_wrong_file_is_refused_with_its_path() {
    let folder = tempdir().unwrap();
    let config = folder.path().join("emulator.toml");
    let key = folder.path().join("key.pem");
    for content in [None, Some("no key")] {
        if let Some(content) = content {
            fs::write(&key, content).unwrap();
        }
        fs::write(&config, format!("[authority]\nkey_file = '{}'", key.display())).unwrap();
        let run = run(command().arg("--config").arg(&config).args(["--", "true"]));
        let said = run.refused("INVALID_CONFIG");
        assert!(said.contains(key.to_str().unwrap()), "{said}");
    }
    fs::write(&config, "[instance]\ncertificate_file = 'a'").unwrap();
    let run = run(command().arg("--config").arg(&config).args(["--", "true"]));
    assert!(run.refused("INVALID_CONFIG").contains("certificate_file"));
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let binary = folder.path().join("binary.toml");
    fs::write(&binary, b"\xff\xfe").unwrap();
    for path in [&missing, &binary, &folder.path().to_owned()] {
        let run = run(command().arg("--config").arg(path).args(["--", "true"]));
        assert!(run.refused("FILE_UNREADABLE").starts_with(path.to_str().unwrap()));
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--listen", "--tls-listen"] {
        let other = if option == "--listen" { "--tls-listen" } else { "--listen" };
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocisign-emulator"));
        let run = run(command.args([option, &address, other, "127.0.0.1:0", "--", "true"]));
        let key = option.trim_start_matches('-').replace('-', "_");
        let said = format!("{key}: {address}: ");
        assert!(run.refused("ADDRESS_UNAVAILABLE").starts_with(&said), "{run:?}");
    }
}

#[test]
fn an_address_that_others_reach_is_refused_unless_that_is_asked_for() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        for option in ["--listen", "--tls-listen"] {
            let other = if option == "--listen" { "--tls-listen" } else { "--listen" };
            let mut command = Command::new(env!("CARGO_BIN_EXE_ocisign-emulator"));
            let run = run(command.args([option, address, other, "127.0.0.1:0", "--", "true"]));
            let said = run.refused("ADDRESS_UNAVAILABLE");
            assert!(said.starts_with(address), "{said}");
            assert!(said.contains("danger_listen_beyond_loopback"), "{said}");
        }
    }
    let folder = tempdir().unwrap();
    let config = folder.path().join("emulator.toml");
    fs::write(&config, "danger_listen_beyond_loopback = true\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocisign-emulator"));
    command.arg("--config").arg(&config);
    let run =
        run(command.args(["--listen", "0.0.0.0:0", "--tls-listen", "127.0.0.1:0", "--", "true"]));
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let above = tempdir().unwrap();
    let file = above.path().join("file");
    fs::write(&file, "").unwrap();
    let run = run(command().arg("--directory").arg(&file).args(["--", "true"]));
    assert!(run.refused("DIRECTORY_UNWRITABLE").starts_with(file.to_str().unwrap()));
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let run = run(command().args(["--", "ocisign-no-such-command", "a"]));
    assert!(run.refused("COMMAND_NOT_STARTED").starts_with("ocisign-no-such-command: "));
}

#[test]
fn what_is_typed_wrongly_is_usage() {
    for args in [
        &["--resource-principal=2.3"][..],
        &["--resource-principal", "2.2"],
        &["--listen", "here"],
        &["--unknown"],
        &["true"],
    ] {
        let run = run(command().args(args).stdout(Stdio::null()));
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(run.stderr.contains("--help"), "{run:?}");
    }
}

#[test]
fn there_is_a_line_for_each_request_and_none_when_quiet() {
    for quiet in [false, true] {
        let mut command = command();
        if quiet {
            command.arg("--quiet");
        }
        let mut child = command
            .args(["--", "sh", "-c", "echo \"$OCISIGN_EMULATOR\"; read line; exit 7"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let url = url.trim();
        Caller::user(url).get("/echo?secret").with(200);
        call(url, "GET", "/echo", &[], &[]).with(401);
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(7));
        let said = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        if quiet {
            assert_eq!(said, "");
        } else {
            assert_eq!(lines.len(), 2, "{said}");
            assert!(lines[0].contains("200 GET /echo by user ocid1.user"), "{said}");
            assert!(lines[1].contains("401 GET /echo: there is no authorization"), "{said}");
            assert!(!said.contains("secret"));
        }
    }
}

#[test]
fn a_line_of_the_log_stays_one_line_without_controls() {
    let mut child = command()
        .args(["--", "sh", "-c", "echo \"$OCISIGN_EMULATOR\"; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let url = url.trim();
    for (path, body) in [
        ("/emulator/faults", r#"[{"kind":"\n\u001b[2Jforged\u009b"}]"#),
        ("/emulator/faults", r#"[{"\n\u001b[2Jforged\u009b":1}]"#),
        (
            "/emulator/policies",
            r#"{"dynamic_groups":[],"policies":["Allow\n\u001b[2Jforged\u009b"]}"#,
        ),
    ] {
        call(url, "PUT", path, &[], body.as_bytes()).with(400);
    }
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.replace('\n', "").contains(char::is_control), "{said:?}");
    assert_eq!(said.lines().count(), 3, "{said:?}");
}
