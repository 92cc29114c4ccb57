//! The variables that make a resource principal, right and wrong.

use std::collections::BTreeMap;

use ocisign_core::{Exchange, InstancePrincipal, RegionSources, ResourcePrincipal, VariableError};

use crate::drive::{Run, assert_hidden, run};
use crate::made::{
    OTHER_KEY, PASSPHRASE, RealKeys, SESSION_KEY, claims, public_key, session_key, token,
    vector_key,
};
use crate::world::{ENTROPY, answer, complete, exchange_of, nested, resource_principal};

const VERSIONS: [&str; 5] = ["1.1", "2.1", "2.1.1", "2.1.2", "2.2"];
/// What is there in a complete set, and need not be.
const OPTIONAL: [&str; 2] = ["REGION", "RPT_PATH"];

#[test]
fn each_version_is_complete_with_its_variables() {
    for version in VERSIONS {
        run(exchange_of(resource_principal(&complete(version))), answer).ready();
        run(exchange_of(resource_principal(&nested(version))), answer).ready();
    }
}

#[test]
fn each_missing_variable_is_named() {
    let missing = |variables: &BTreeMap<String, String>| {
        for name in variables.keys() {
            let optional = OPTIONAL
                .iter()
                .any(|optional| name.trim_end_matches("_FOR_LEAF_RESOURCE").ends_with(optional));
            for value in [None, Some(""), Some(" \r\n"), Some("\u{feff}")] {
                let mut others = variables.clone();
                match value {
                    Some(value) => drop(others.insert(name.clone(), value.into())),
                    None => drop(others.remove(name)),
                }
                match resource_principal(&others) {
                    Ok(_) => assert!(optional, "{name}"),
                    Err(error) => {
                        assert_eq!((error.code(), &error.name), ("MISSING_VARIABLE", name));
                        assert_eq!(error.to_string(), format!("{name}: not set"));
                    }
                }
            }
        }
    };
    for version in VERSIONS {
        missing(&complete(version));
        missing(&nested(version));
    }
}

#[test]
fn a_version_that_there_is_none_of_is_named() {
    for version in ["1.0", "2", "2.1.3", "3.0 ", "3.0.0", "4", "2.2\n3.0", "v2.2"] {
        let variables = BTreeMap::from([("OCI_RESOURCE_PRINCIPAL_VERSION".into(), version.into())]);
        let error = resource_principal(&variables).unwrap_err();
        if version == "3.0 " {
            // It is trimmed, and complains of the parent.
            assert_eq!(error.name, "OCI_RESOURCE_PRINCIPAL_RPT_URL_FOR_PARENT_RESOURCE");
            continue;
        }
        assert_eq!(
            (error.code(), &*error.name),
            ("INVALID_VARIABLE", "OCI_RESOURCE_PRINCIPAL_VERSION")
        );
    }
    // A resource within a resource within a resource is not said by variables.
    let mut variables = nested("2.2");
    let name = "OCI_RESOURCE_PRINCIPAL_VERSION_FOR_LEAF_RESOURCE";
    variables.insert(name.into(), "3.0".into());
    let error = resource_principal(&variables).unwrap_err();
    assert_eq!((error.code(), &*error.name), ("INVALID_VARIABLE", name));
    assert_eq!(error.to_string(), format!("{name}: not 1.1, 2.1, 2.1.1, 2.1.2 or 2.2"));
}

#[test]
fn an_endpoint_that_is_no_url_is_named_and_not_shown() {
    let mut tried = 0;
    for version in VERSIONS {
        for variables in [complete(version), nested(version)] {
            let names = variables
                .keys()
                .filter(|name| name.contains("_ENDPOINT") || name.contains("_RPT_URL"));
            for name in names {
                for bad in [
                    "auth.example.com",
                    "ftp://auth.example.com",
                    "https://",
                    "https://h h/",
                    "https://h/\u{e9}",
                    "https://user:a-password-of-somebody@h",
                    "https://h:66666",
                    "https://h\nhost: x",
                ] {
                    let mut variables = variables.clone();
                    variables.insert(name.clone(), bad.into());
                    let error = resource_principal(&variables).unwrap_err();
                    assert_eq!((error.code(), &error.name), ("INVALID_VARIABLE", name), "{bad}");
                    assert!(!format!("{error} {error:?}").contains("a-password"));
                    tried += 1;
                }
                for with_more in ["https://h?a=b", "https://h/#a"] {
                    let mut variables = variables.clone();
                    variables.insert(name.clone(), with_more.into());
                    // A path goes behind an endpoint; the URL of a parent is whole.
                    let whole = name.contains("_RPT_URL");
                    assert_eq!(resource_principal(&variables).is_ok(), whole, "{name}");
                }
            }
        }
    }
    // Those of 1.1, three times those of 2.1, and those of 2.2; then with a parent's two.
    assert_eq!(tried, 8 * ((1 + 3 * 2) + (3 + 3 * 4 + 2)));
}

#[test]
fn a_slash_at_the_end_of_an_endpoint_is_not_doubled() {
    let mut variables = complete("2.1");
    for (name, value) in &mut variables {
        if name.contains("_ENDPOINT") {
            value.push('/');
        }
    }
    let with = run(exchange_of(resource_principal(&variables)), answer);
    let without = run(exchange_of(resource_principal(&complete("2.1"))), answer);
    assert_eq!(with.calls(), without.calls());
}

#[test]
fn token_key_passphrase_and_region_are_each_a_path_or_a_literal() {
    let encrypted = vector_key("test-key.pkcs8-enc.pem");
    let token = token(&claims(&session_key()));
    let values = [
        ("RPST", &*token),
        ("PRIVATE_PEM", &*encrypted),
        ("PRIVATE_PEM_PASSPHRASE", PASSPHRASE),
        ("REGION", "phx"),
    ];
    let folders = ["/run/rp/", "C:\\rp\\", "d:/rp/"];
    let dresses: [fn(&str) -> String; 6] = [
        |text| text.into(),
        |text| format!("{text}\n"),
        |text| format!("{}\r\n", text.replace('\n', "\r\n")),
        |text| format!("\u{feff}{text}"),
        |text| format!(" \t{text} \n\n"),
        |text| if text.starts_with("ey") { format!("ST${text}\n") } else { text.into() },
    ];
    for paths in 0..16 {
        for (at, dress) in dresses.iter().enumerate() {
            let folder = folders[(at + paths) % 3];
            let (mut variables, mut files) = (BTreeMap::new(), BTreeMap::new());
            variables.insert("OCI_RESOURCE_PRINCIPAL_VERSION".to_owned(), dress("2.2"));
            for (bit, (name, value)) in values.iter().enumerate() {
                let variable = format!("OCI_RESOURCE_PRINCIPAL_{name}");
                if paths >> bit & 1 == 1 {
                    let path = format!("{folder}{name}");
                    variables.insert(variable, format!("{path}\n"));
                    files.insert(path, dress(value));
                } else {
                    variables.insert(variable, dress(value));
                }
            }
            let run = with_files(&variables, &files).unwrap();
            let id = run.ready().key_id().as_str().to_owned();
            assert_eq!(id, format!("ST${token}"), "{paths:b} {at}");
            assert_eq!(run.exchange.region().unwrap().id(), "us-phoenix-1");
            assert_eq!(*run.ready().public_key(), session_key());
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_or_is_empty_is_named() {
    for name in ["RPST", "PRIVATE_PEM", "PRIVATE_PEM_PASSPHRASE", "REGION"] {
        let mut variables = complete("2.2");
        let variable = format!("OCI_RESOURCE_PRINCIPAL_{name}");
        variables.insert(variable.clone(), "/run/rp/file".into());
        let error = with_files(&variables, &BTreeMap::new()).map(drop).unwrap_err();
        assert_eq!((error.code(), &error.name), ("FILE_UNREADABLE", &variable));
        // A passphrase may begin as a path does: then the reader's words would hold it.
        let reason = match name {
            "PRIVATE_PEM_PASSPHRASE" => "the file that it names cannot be read",
            _ => "/run/rp/file: not found",
        };
        assert_eq!(error.to_string(), format!("{variable}: {reason}"));
        for empty in ["", "\n", "\u{feff}\r\n "] {
            let files = BTreeMap::from([("/run/rp/file".to_owned(), empty.to_owned())]);
            let error = with_files(&variables, &files).map(drop).unwrap_err();
            assert_eq!((error.code(), &error.name), ("INVALID_VARIABLE", &variable));
            assert_eq!(error.to_string(), format!("{variable}: not a file that is not empty"));
        }
    }
}

#[test]
fn what_is_no_absolute_path_is_a_literal() {
    for token in ["rpst", "./rpst", "~/rpst", "run/rp/rpst", "file:///run/rpst"] {
        let mut variables = complete("2.2");
        variables.insert("OCI_RESOURCE_PRINCIPAL_RPST".into(), token.into());
        assert_eq!(with(&variables).error().code(), "INVALID_TOKEN", "{token}");
        assert_eq!(with(&variables).error().call, "OCI_RESOURCE_PRINCIPAL_RPST");
    }
    let mut variables = complete("2.2");
    let other = token(&claims(&public_key(&SESSION_KEY)));
    variables.insert("OCI_RESOURCE_PRINCIPAL_RPST".into(), other);
    let both = "OCI_RESOURCE_PRINCIPAL_RPST and OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM";
    assert_eq!(
        (with(&variables).error().code(), &*with(&variables).error().call),
        ("KEY_MISMATCH", both)
    );
    let mut variables = complete("2.2");
    variables.insert("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM".into(), "~/key.pem".into());
    let run = with(&variables);
    assert_eq!(run.error().code(), "INVALID_KEY");
    let said = "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM: a path was given where the text of a key was \
                expected";
    assert_eq!(run.error().to_string(), said);
}

#[test]
fn a_region_that_is_none_is_named() {
    let mut variables = complete("2.2");
    let name = "OCI_RESOURCE_PRINCIPAL_REGION";
    variables.insert(name.into(), "two words".into());
    let error = resource_principal(&variables).unwrap_err();
    assert_eq!(error.to_string(), format!("{name}: not a region"));
    assert_eq!(error.code(), "INVALID_VARIABLE");
}

#[test]
fn an_encrypted_key_needs_its_own_passphrase_and_a_plain_one_ignores_any() {
    let encrypted = vector_key("test-key.pkcs8-enc.pem");
    let legacy = vector_key("test-key.legacy-aes256.pem");
    let missing = Some("the private key is encrypted, and no passphrase was given");
    let wrong = Some("the passphrase does not open the private key");
    for (key, passphrase, fault) in [
        (&encrypted, Some(PASSPHRASE), None),
        (&legacy, Some(PASSPHRASE), None),
        (&encrypted, Some("not-the-passphrase"), wrong),
        (&encrypted, None, missing),
        (&encrypted, Some(""), missing),
        (&*SESSION_KEY, Some("not-the-passphrase"), None),
        (&*SESSION_KEY, None, None),
    ] {
        let mut variables = complete("2.2");
        let mut set = |name: &str, value: &str| {
            variables.insert(format!("OCI_RESOURCE_PRINCIPAL_{name}"), value.into());
        };
        set("RPST", &token(&claims(&session_key())));
        set("PRIVATE_PEM", key);
        if let Some(passphrase) = passphrase {
            set("PRIVATE_PEM_PASSPHRASE", passphrase);
        }
        let run = with(&variables);
        let said = run.result.as_ref().err().map(ToString::to_string);
        let named = |fault| format!("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM: {fault}");
        assert_eq!(said, fault.map(named));
        if fault.is_some() {
            assert_eq!(run.error().code(), "INVALID_KEY");
        }
    }
}

#[test]
fn a_token_and_a_key_that_do_not_belong_together_are_a_mismatch() {
    let mut variables = complete("2.2");
    variables.insert("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM".into(), SESSION_KEY.clone());
    assert_eq!(with(&variables).error().code(), "KEY_MISMATCH");
}

#[test]
fn what_stands_in_a_path_or_a_header_is_one_line() {
    for name in ["RESOURCE_ID", "TENANCY_ID", "SECURITY_CONTEXT", "RPT_PATH"] {
        let mut variables = complete("2.1.2");
        let variable = format!("OCI_RESOURCE_PRINCIPAL_{name}");
        variables.insert(variable.clone(), "one\r\nhost: two".into());
        let error = resource_principal(&variables).unwrap_err();
        assert_eq!((error.code(), &error.name), ("INVALID_VARIABLE", &variable));
    }
}

#[test]
fn neither_a_principal_nor_an_error_shows_a_value() {
    let encrypted = vector_key("test-key.pkcs8-enc.pem");
    let token = token(&claims(&session_key()));
    let secrets = [&*token, &*encrypted, PASSPHRASE, &**OTHER_KEY];
    let mut variables = complete("2.2");
    for (name, value) in
        [("RPST", &*token), ("PRIVATE_PEM", &encrypted), ("PRIVATE_PEM_PASSPHRASE", PASSPHRASE)]
    {
        variables.insert(format!("OCI_RESOURCE_PRINCIPAL_{name}"), value.into());
    }
    let shown = format!("{:?}", resource_principal(&variables).unwrap());
    assert_hidden(&shown, &secrets);
    // A region is shown: it is part of a host's name.
    for name in variables.keys().filter(|name| !name.ends_with("_REGION")) {
        for secret in secrets {
            let mut swapped = variables.clone();
            swapped.insert(name.clone(), secret.into());
            let shown = match resource_principal(&swapped) {
                Ok(resource) => {
                    let exchange = Exchange::resource_principal(
                        resource,
                        std::sync::Arc::new(RealKeys),
                        ENTROPY,
                    );
                    format!("{:?} {exchange:?}", exchange.next_step(0))
                }
                Err(error) => format!("{error} {error:?}"),
            };
            let lines: Vec<&str> = secret.lines().filter(|line| !line.starts_with('-')).collect();
            assert_hidden(&shown, &lines);
        }
    }
}

/// The exchange of these variables, driven to its end with real keys.
fn with(variables: &BTreeMap<String, String>) -> Run {
    with_files(variables, &BTreeMap::new()).unwrap()
}

fn with_files(
    variables: &BTreeMap<String, String>,
    files: &BTreeMap<String, String>,
) -> Result<Run, VariableError> {
    let read = |path: &str| match files.get(path) {
        Some(text) => Ok(text.clone().into()),
        None => Err(format!("{path}: not found")),
    };
    let resource = ResourcePrincipal::from_variables(
        &|name| variables.get(name).cloned(),
        &read,
        InstancePrincipal::new(),
        &RegionSources::default(),
    )?;
    let exchange = Exchange::resource_principal(resource, std::sync::Arc::new(RealKeys), ENTROPY);
    Ok(run(exchange, answer))
}
