//! The default chain: what it picks, what it says, and what it never does.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use ocisign::{Chain, Environment, Kind, SignerError, SourceError};
use ocisign_emulator::{Config, ResourcePrincipal};

use crate::emulated::Emulated;
use crate::server::{Server, held, http};
use crate::watch::{Seen, signer};

/// A machine where only a metadata service may be, at this address.
fn bare(metadata: &str) -> Seen {
    let home = "/nowhere/at/all";
    let url = [metadata, "/opc/v2"].concat();
    let variables = [("HOME", home), ("OCI_METADATA_BASE_URL", &url)];
    signer(Environment::of(variables), Chain::new())
}

#[track_caller]
fn passed_over(error: &SignerError) -> Vec<(Kind, String)> {
    let SignerError::NoCredential(source) = error else { panic!("{error}") };
    let SourceError::NotFound(passed) = &**source else { panic!("{error}") };
    passed.iter().map(|passed| (passed.kind, passed.reason.clone())).collect()
}

#[test]
fn a_configuration_or_a_token_that_was_named_is_not_passed_over() {
    let emulated = Emulated::start(Config::default());
    for (named, code) in [
        (("OCI_CLI_CONFIG_FILE", "/nowhere/config"), "FILE_UNREADABLE"),
        (("OCI_CONFIG_FILE", "/nowhere/config"), "FILE_UNREADABLE"),
        (("OCI_CLI_PROFILE", "PROD"), "FILE_UNREADABLE"),
        (("OCI_CLI_FINGERPRINT", "20:3b"), "MISSING_VARIABLE"),
        (("OCI_RESOURCE_PRINCIPAL_RPST", "/nowhere/rpst"), "MISSING_VARIABLE"),
    ] {
        let none = [("OCI_CLI_CONFIG_FILE", ""), ("OCI_CONFIG_FILE", ""), ("HOME", "/nowhere")];
        let seen = signer(emulated.environment(&[&none[..], &[named]].concat()), Chain::new());
        assert_eq!(seen.signer.warm().unwrap_err().code(), code, "{named:?}");
    }
}

#[test]
fn a_chain_picks_the_most_specific_identity_and_says_why_it_went_past_others() {
    let mut emulated = Emulated::start(Config::default());
    let config = emulated.emulator.file("config").display().to_string();
    let nowhere = [("OCI_CLI_CONFIG_FILE", ""), ("OCI_CONFIG_FILE", ""), ("HOME", "/nowhere")];
    let picks = |emulated: &Emulated, more: &[(&str, &str)]| {
        let seen = signer(emulated.environment(more), Chain::new());
        seen.signer.identity().unwrap()
    };
    let found = picks(&emulated, &nowhere);
    assert_eq!(found.kind, Kind::InstancePrincipal);
    let reasons: Vec<&str> =
        found.passed_over.iter().map(|passed| passed.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "OCI_RESOURCE_PRINCIPAL_VERSION is not set",
            "the pod has no service account token",
            "OCI_CLI_USER and OCI_CLI_KEY_CONTENT are not set",
            "/nowhere/.oci/config is not there",
        ]
    );
    let found = picks(&emulated, &[]);
    assert_eq!((found.kind, found.passed_over.len()), (Kind::ApiKey, 3));
    assert_eq!(found.origin, format!("profile \"DEFAULT\" of {config}"));
    let found = picks(&emulated, &[("OCI_CLI_PROFILE", "SESSION")]);
    assert_eq!(found.kind, Kind::SessionToken);
    emulated.acting = Some(ResourcePrincipal::V2_2);
    let found = picks(&emulated, &[]);
    assert_eq!((found.kind, found.passed_over.len()), (Kind::ResourcePrincipal, 0));
    let found = picks(&emulated, &[("OCI_CLI_AUTH", "instance_principal")]);
    assert_eq!((found.kind, found.passed_over.len()), (Kind::InstancePrincipal, 0));
}

#[test]
fn where_nobody_is_it_takes_a_second_and_is_remembered_for_five_minutes() {
    let silent = Server::start(|_| held(""));
    let seen = bare(&silent.url());
    let start = Instant::now();
    let error = seen.signer.refresh().unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(1_800), "{:?}", start.elapsed());
    assert_eq!(error.code(), "NO_CREDENTIAL");
    let said = format!(
        "there is no identity here: resource_principal: OCI_RESOURCE_PRINCIPAL_VERSION is not set; \
         oke_workload_identity: KUBERNETES_SERVICE_HOST is not set; api_key: OCI_CLI_USER and \
         OCI_CLI_KEY_CONTENT are not set; api_key: /nowhere/at/all/.oci/config is not there; \
         instance_principal: nobody answers at {}/opc/v2: no whole answer came in time",
        silent.url()
    );
    assert_eq!(error.to_string(), said);
    for _ in 0..5 {
        let start = Instant::now();
        let again = seen.signer.refresh().unwrap_err();
        assert_eq!(again.to_string(), said);
        assert!(start.elapsed() < Duration::from_millis(500));
    }
    assert_eq!(seen.calls.all().len(), 1);
    seen.clock.skip(Duration::from_secs(301));
    seen.signer.refresh().unwrap_err();
    assert_eq!(seen.calls.all().len(), 2);
}

#[test]
fn another_clouds_metadata_service_is_not_taken_for_ocis() {
    for (status, body) in [
        (404, "<?xml version=\"1.0\"?><html><head><title>404 - Not Found</title></head></html>"),
        (401, ""),
        (400, "{\"error\":\"Bad request. Required metadata header not specified\"}"),
        (200, "i-0123456789abcdef0"),
        (200, "{\"compute\":{\"azEnvironment\":\"AzurePublicCloud\"}}"),
        (302, ""),
    ] {
        let other = Server::start(move |_| http(status, "location: /login\r\n", body.as_bytes()));
        let seen = bare(&other.url());
        let error = seen.signer.warm().unwrap_err();
        let (kind, reason) = passed_over(&error).pop().unwrap();
        assert_eq!(kind, Kind::InstancePrincipal);
        let said = format!("what answers at {}/opc/v2 is not OCI's: {status}", other.url());
        assert_eq!(reason, said);
        assert_eq!(other.heard().len(), 1);
    }
}

#[test]
fn an_identity_that_is_half_there_is_an_error_that_names_the_variable_and_nobody_else_signs() {
    let mut emulated = Emulated::start(Config::default());
    let refused = |emulated: &Emulated, more: &[(&str, &str)], code: &str, words: &str| {
        let error = signer(emulated.environment(more), Chain::new()).signer.warm().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(words), "{more:?}: {error}");
    };
    for (set, missing) in [
        (vec![("OCI_CLI_USER", "ocid1.user.oc1..a")], "OCI_CLI_KEY_FILE: not set"),
        (
            vec![("OCI_CLI_KEY_CONTENT", include_str!("../../../vectors/keys/test-key.pem"))],
            "OCI_CLI_TENANCY: not set",
        ),
        (vec![("OCI_CLI_SECURITY_TOKEN_FILE", "/nowhere")], "OCI_CLI_KEY_FILE: not set"),
    ] {
        refused(&emulated, &set, "MISSING_VARIABLE", missing);
    }
    let auth = [("OCI_CLI_AUTH", "resource_principal")];
    refused(&emulated, &auth, "MISSING_VARIABLE", "OCI_RESOURCE_PRINCIPAL_VERSION: not set");
    let auth = [("OCI_CLI_AUTH", "oke_workload_identity"), ("KUBERNETES_SERVICE_HOST", "")];
    refused(&emulated, &auth, "MISSING_VARIABLE", "KUBERNETES_SERVICE_HOST: not set");
    refused(&emulated, &[("OCI_CLI_AUTH", "magic")], "UNSUPPORTED_AUTHENTICATION", "\"magic\"");
    let version = [("OCI_RESOURCE_PRINCIPAL_VERSION", "4.0")];
    refused(&emulated, &version, "INVALID_VARIABLE", "OCI_RESOURCE_PRINCIPAL_VERSION: not 1.1");

    let prefix = "OCI_RESOURCE_PRINCIPAL_";
    for (version, needs) in [
        (ResourcePrincipal::V2_2, vec!["PRIVATE_PEM"]),
        (
            ResourcePrincipal::V2_1_2,
            vec![
                "RESOURCE_ID",
                "TENANCY_ID",
                "SECURITY_CONTEXT",
                "PRIVATE_PEM",
                "RPT_ENDPOINT",
                "RPST_ENDPOINT",
            ],
        ),
        (ResourcePrincipal::V1_1, vec!["RPT_ENDPOINT"]),
        (
            ResourcePrincipal::V3_0,
            vec![
                "RPT_URL_FOR_PARENT_RESOURCE",
                "RPST_ENDPOINT_FOR_PARENT_RESOURCE",
                "VERSION_FOR_LEAF_RESOURCE",
                "RPST_FOR_LEAF_RESOURCE",
                "PRIVATE_PEM_FOR_LEAF_RESOURCE",
            ],
        ),
    ] {
        emulated.acting = Some(version);
        for name in needs {
            let name = [prefix, name].concat();
            let said = format!("{name}: not set");
            refused(&emulated, &[(&name, "")], "MISSING_VARIABLE", &said);
        }
    }
    // Its token is missing, so it may be a pod; without a cluster it is none.
    emulated.acting = Some(ResourcePrincipal::V2_2);
    let token = [("OCI_RESOURCE_PRINCIPAL_RPST", ""), ("KUBERNETES_SERVICE_HOST", "")];
    refused(&emulated, &token, "MISSING_VARIABLE", "OCI_RESOURCE_PRINCIPAL_RPST: not set");
    assert!(emulated.emulator.log().is_empty());
}

#[test]
fn the_most_specific_identity_is_not_passed_over_when_it_is_broken() {
    let mut emulated = Emulated::start(Config::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config").display().to_string();
    fs::write(&file, "[DEFAULT]\nuser=ocid1.user.oc1..a\n").unwrap();
    let own = [("OCI_CLI_CONFIG_FILE", &*file)];
    let seen = signer(emulated.environment(&own), Chain::new());
    assert_eq!(seen.signer.warm().unwrap_err().code(), "INVALID_PROFILE");

    emulated.acting = Some(ResourcePrincipal::V2_2);
    let rpst = [("OCI_RESOURCE_PRINCIPAL_RPST", "/nowhere/rpst")];
    let seen = signer(emulated.environment(&rpst), Chain::new());
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "FILE_UNREADABLE");
    assert!(error.to_string().contains("OCI_RESOURCE_PRINCIPAL_RPST"), "{error}");
    // Neither the configuration file nor the metadata service, which both are there.
    assert!(emulated.emulator.log().is_empty());
}

#[test]
fn a_chain_that_many_threads_ask_first_chooses_once() {
    let emulated = Emulated::start(Config::default());
    let more = [("OCI_CLI_CONFIG_FILE", ""), ("OCI_CONFIG_FILE", ""), ("HOME", "/nowhere")];
    let seen = signer(emulated.environment(&more), Chain::new());
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| emulated.get(&seen.signer, "/20160918/regions").unwrap());
        }
    });
    assert_eq!(emulated.count("GET", "/opc/v2/instance/id"), 1);
    assert_eq!(emulated.count("POST", "/v1/x509"), 1);
}
