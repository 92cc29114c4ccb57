//! The environment of a program that calls the emulator as OCI's clients call OCI.

use std::str::FromStr;

use crate::config::Config;
use crate::emulator::Emulator;

/// How a resource is to be a principal: the version of its environment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResourcePrincipal {
    /// 1.1: an instance asks for the resource's token.
    V1_1,
    /// 2.1: the resource's own key asks.
    V2_1,
    /// 2.1.1: as 2.1, with the tenancy in the key id.
    V2_1_1,
    /// 2.1.2: as 2.1.1, with a security context.
    V2_1_2,
    /// 2.2: key and token in files, as in Functions.
    V2_2,
    /// 3.0: nested in another resource, by a leaf of 2.2.
    V3_0,
}

impl ResourcePrincipal {
    const ALL: [(Self, &'static str); 6] = [
        (Self::V1_1, "1.1"),
        (Self::V2_1, "2.1"),
        (Self::V2_1_1, "2.1.1"),
        (Self::V2_1_2, "2.1.2"),
        (Self::V2_2, "2.2"),
        (Self::V3_0, "3.0"),
    ];
}

/// ```
/// use ocisign_emulator::ResourcePrincipal;
///
/// assert_eq!("2.2".parse(), Ok(ResourcePrincipal::V2_2));
/// assert!("2.3".parse::<ResourcePrincipal>().is_err());
/// ```
impl FromStr for ResourcePrincipal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|(_, name)| *name == text);
        found.map(|(version, _)| version).ok_or("not one of 1.1, 2.1, 2.1.1, 2.1.2, 2.2, 3.0")
    }
}

pub(crate) fn environment(
    config: &Config,
    emulator: &Emulator,
    acting: Option<ResourcePrincipal>,
) -> Vec<(String, String)> {
    let url = emulator.url();
    let tls = emulator.tls_url();
    let (host, port) = tls.trim_start_matches("https://").rsplit_once(':').unwrap_or_default();
    let path = |name: &str| emulator.file(name).display().to_string();
    let mut variables = vec![
        ("OCISIGN_EMULATOR", url.clone()),
        ("OCISIGN_EMULATOR_TLS", tls.clone()),
        ("OCISIGN_EMULATOR_CA", path("ca.pem")),
        ("OCISIGN_EMULATOR_DIRECTORY", path("")),
        ("OCISIGN_EMULATOR_TENANCY", config.tenancy.id.clone()),
        ("OCISIGN_EMULATOR_NAMESPACE", config.tenancy.namespace.clone()),
        ("OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN", path("kubernetes/token")),
        ("OCI_METADATA_BASE_URL", format!("{url}/opc/v2")),
        ("OCI_SDK_AUTH_CLIENT_REGION_URL", url.clone()),
        ("OCI_CONFIG_FILE", path("config")),
        ("OCI_CLI_CONFIG_FILE", path("config")),
        ("KUBERNETES_SERVICE_HOST", host.to_owned()),
        ("KUBERNETES_SERVICE_PORT_PROXYMUX", port.to_owned()),
        ("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH", path("kubernetes/ca.crt")),
        ("OCI_RESOURCE_PRINCIPAL_REGION", config.region.id.clone()),
    ];
    if let Some(compartment) = config.compartments.first() {
        variables.push(("OCISIGN_EMULATOR_COMPARTMENT", compartment.id.clone()));
    }
    if let Some(secret) = config.secrets.first() {
        variables.push(("OCISIGN_EMULATOR_SECRET", secret.id.clone()));
        variables.push(("OCISIGN_EMULATOR_SECRET_NAME", secret.name.clone()));
        variables.push(("OCISIGN_EMULATOR_VAULT", secret.vault.clone()));
    }
    if let Some(bucket) = config.buckets.first() {
        variables.push(("OCISIGN_EMULATOR_BUCKET", bucket.name.clone()));
    }
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
    let acting = acting.into_iter().flat_map(|version| resource(config, &url, &path, version));
    variables.chain(acting).collect()
}

/// The variables whose names start with `OCI_RESOURCE_PRINCIPAL_`.
fn resource(
    config: &Config,
    url: &str,
    path: &dyn Fn(&str) -> String,
    version: ResourcePrincipal,
) -> Vec<(String, String)> {
    use ResourcePrincipal as V;

    let name = V::ALL.into_iter().find(|(known, _)| *known == version).map_or("", |(_, name)| name);
    let mut variables = vec![("VERSION", name.to_owned())];
    let first = config.resources.first();
    let id = first.map(|resource| resource.id.clone()).unwrap_or_default();
    let endpoints = [("RPT_ENDPOINT", url.to_owned()), ("RPST_ENDPOINT", url.to_owned())];
    let files = [
        ("RPST", path("resource_principal/rpst")),
        ("PRIVATE_PEM", path("resource_principal/private.pem")),
    ];
    match version {
        V::V1_1 => {
            variables.extend(endpoints);
            variables.push(("RPT_ID", id));
            variables.push(("RPT_PATH", "/20180711/resourcePrincipalToken/{id}".to_owned()));
        }
        V::V2_1 | V::V2_1_1 | V::V2_1_2 => {
            variables.extend(endpoints);
            variables.push(("RESOURCE_ID", id));
            variables.push(("TENANCY_ID", config.tenancy.id.clone()));
            variables.push(("PRIVATE_PEM", path("resource.pem")));
            if version == V::V2_1_2 {
                let context = first.and_then(|resource| resource.security_context.clone());
                let context = context.unwrap_or_else(|| "example".to_owned());
                variables.push(("SECURITY_CONTEXT", context));
            }
        }
        V::V2_2 => variables.extend(files),
        V::V3_0 => {
            let parent = first.and_then(|resource| resource.parent.clone()).unwrap_or_default();
            let parent = format!("{url}/20180711/resourcePrincipalToken/{parent}");
            variables.push(("RPT_URL_FOR_PARENT_RESOURCE", parent));
            variables.push(("RPST_ENDPOINT_FOR_PARENT_RESOURCE", url.to_owned()));
            variables.push(("VERSION_FOR_LEAF_RESOURCE", "2.2".to_owned()));
            variables.push(("REGION_FOR_LEAF_RESOURCE", config.region.id.clone()));
            let [(_, token), (_, key)] = files;
            variables.push(("RPST_FOR_LEAF_RESOURCE", token));
            variables.push(("PRIVATE_PEM_FOR_LEAF_RESOURCE", key));
        }
    }
    let named = |(name, value)| (format!("OCI_RESOURCE_PRINCIPAL_{name}"), value);
    variables.into_iter().map(named).collect()
}
