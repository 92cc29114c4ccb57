//! Every kind of principal, against the emulator: it signs, and is who it should be.
#![allow(clippy::unwrap_used, clippy::panic)]

mod emulated;

use emulated::{Emulated, kind};
use ocisign::{
    Chain, ConfigSource, EnvironmentSource, InstanceSource, Kind, ResourceSource, Signer,
    WorkloadSource,
};
use ocisign_emulator::{Config, ResourcePrincipal};

const REGIONS: &str = "/20160918/regions";

fn acts(emulated: &Emulated, signer: &Signer, caller: &str) {
    let (status, signed) = emulated.get(signer, REGIONS).unwrap();
    assert_eq!(status, 200, "{:?}", emulated.emulator.log().last());
    assert_eq!(signed.generation(), 1);
    assert!(emulated.caller().starts_with(caller), "{}", emulated.caller());
}

#[test]
fn an_instance_acts_as_itself_by_its_certificate() {
    let emulated = Emulated::start(Config::default());
    let signer = emulated.builder(InstanceSource::new()).build();
    acts(&emulated, &signer, "instance");
    assert_eq!(kind(&signer), Kind::InstancePrincipal);
    let region = signer.identity().unwrap().region.clone().unwrap();
    assert_eq!((region.id(), region.realm()), ("us-ashburn-1", Some("oc1")));
    assert_eq!(emulated.count("POST", "/v1/x509"), 1);
    assert_eq!(emulated.count("GET", "/opc/v2/identity/cert.pem"), 1);
}

#[test]
fn a_resource_acts_as_itself_in_every_version() {
    for version in ["1.1", "2.1", "2.1.1", "2.1.2", "2.2", "3.0"] {
        let mut emulated = Emulated::start(Config::default());
        emulated.acting = Some(version.parse::<ResourcePrincipal>().unwrap());
        let signer = emulated.builder(ResourceSource::new()).build();
        acts(&emulated, &signer, "resource");
        assert_eq!(kind(&signer), Kind::ResourcePrincipal, "{version}");
        let identity = signer.identity().unwrap();
        assert_eq!(identity.origin, format!("OCI_RESOURCE_PRINCIPAL_VERSION is {version}"));
    }
}

#[test]
fn a_function_needs_no_network() {
    let mut emulated = Emulated::start(Config::default());
    emulated.acting = Some(ResourcePrincipal::V2_2);
    let signer = emulated.builder(ResourceSource::new()).build();
    signer.warm().unwrap();
    assert!(emulated.emulator.log().is_empty());
}

#[test]
fn a_pod_acts_as_its_workload_over_the_clusters_own_tls() {
    let emulated = Emulated::start(Config::default());
    let token = emulated.emulator.file("kubernetes/token");
    let signer = emulated.builder(WorkloadSource::new().token_file(token)).build();
    acts(&emulated, &signer, "workload");
    assert_eq!(kind(&signer), Kind::WorkloadIdentity);
}

#[test]
fn a_user_acts_by_the_configuration_file_with_key_or_session() {
    let emulated = Emulated::start(Config::default());
    for (profile, expected) in [("DEFAULT", Kind::ApiKey), ("SESSION", Kind::SessionToken)] {
        let signer = emulated.builder(ConfigSource::new().profile(profile)).build();
        acts(&emulated, &signer, "user");
        assert_eq!(kind(&signer), expected);
    }
}

#[test]
fn a_user_acts_by_variables_alone() {
    let emulated = Emulated::start(Config::default());
    let text = std::fs::read_to_string(emulated.emulator.file("config")).unwrap();
    let profile = ocisign::Profile::parse(&text, "DEFAULT").unwrap();
    let get = |key: &str| profile.get(key).unwrap();
    let environment = emulated.environment(&[
        ("OCI_CLI_TENANCY", get("tenancy")),
        ("OCI_CLI_USER", get("user")),
        ("OCI_CLI_FINGERPRINT", get("fingerprint")),
        ("OCI_CLI_KEY_FILE", get("key_file")),
    ]);
    let signer = Signer::builder(EnvironmentSource::new()).environment(environment).build();
    acts(&emulated, &signer, "user");
}

#[test]
fn a_region_that_cannot_be_one_is_an_error_that_names_what_sets_it() {
    let emulated = Emulated::start(Config::default());
    for name in ["OCI_CLI_REGION", "OCI_REGION"] {
        let environment = emulated.environment(&[(name, "us ashburn")]);
        let signer = Signer::builder(ConfigSource::new()).environment(environment).build();
        let warm = signer.warm();
        if name == "OCI_REGION" {
            warm.unwrap(); // the profile has one
            continue;
        }
        let error = warm.unwrap_err();
        assert_eq!(error.code(), "INVALID_REGION");
        assert!(error.to_string().contains("OCI_CLI_REGION: the region is"), "{error}");
    }
    let text = std::fs::read_to_string(emulated.emulator.file("config")).unwrap();
    let changed: String = text
        .lines()
        .map(|line| if line.starts_with("region") { "region=../x" } else { line })
        .flat_map(|line| [line, "\n"])
        .collect();
    let path = emulated.emulator.file("changed");
    std::fs::write(&path, changed).unwrap();
    let error = emulated.builder(ConfigSource::new().path(path)).build().warm().unwrap_err();
    assert_eq!(error.code(), "INVALID_REGION");
    assert!(error.to_string().contains("region: the region is"), "{error}");

    let environment = emulated.environment(&[("OCI_RESOURCE_PRINCIPAL_REGION", "a/b")]);
    let pod = WorkloadSource::new().token_file(emulated.emulator.file("kubernetes/token"));
    let error = Signer::builder(pod).environment(environment).build().warm().unwrap_err();
    assert_eq!(error.code(), "INVALID_VARIABLE");
    assert!(error.to_string().contains("OCI_RESOURCE_PRINCIPAL_REGION: not a region"), "{error}");
}

#[test]
fn the_default_chain_finds_whoever_is_there_most_specifically() {
    let mut emulated = Emulated::start(Config::default());
    let signer = emulated.builder(Chain::new()).build();
    acts(&emulated, &signer, "user"); // the configuration file that the emulator wrote
    emulated.acting = Some(ResourcePrincipal::V2_2);
    let signer = emulated.builder(Chain::new()).build();
    acts(&emulated, &signer, "resource");
    let auth = emulated.environment(&[("OCI_CLI_AUTH", "instance_principal")]);
    let signer = Signer::builder(Chain::new()).environment(auth).build();
    acts(&emulated, &signer, "instance");
}

#[test]
fn an_asynchronous_caller_waits_for_the_first_credential_without_a_runtime_of_ours() {
    let emulated = Emulated::start(Config::default());
    let signer = emulated.builder(InstanceSource::new()).build();
    let url = [&emulated.emulator.url(), REGIONS].concat();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let signed = runtime.block_on(async {
        let request = ocisign::Request::new("GET", &url);
        let (one, two) = tokio::join!(signer.sign_async(&request), signer.sign_async(&request));
        assert_eq!((one.unwrap().generation(), emulated.count("POST", "/v1/x509")), (1, 1));
        two.unwrap()
    });
    assert_eq!(emulated::send(&url, &signed), 200);
}
