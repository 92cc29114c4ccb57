//! What the emulator is told: one TOML file, or these values.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::{error, fmt};

use serde::Deserialize;

use crate::fault::{self, Fault};

/// What an emulator is started with. Each value has a default.
///
/// ```
/// use ocisign_emulator::Config;
///
/// let config = Config::from_toml(
///     r#"
///     listen = "127.0.0.1:0"
///     [lifetimes]
///     resource = 5
///     "#,
/// )?;
/// assert_eq!(config.lifetimes.resource, 5);
/// assert_eq!(config.region.id, "us-ashburn-1");
/// # Ok::<(), ocisign_emulator::ConfigError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it answers over HTTP: a loopback address. Port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Where it answers over TLS, as the proxymux of OKE too, whose port SDKs have built in.
    pub tls_listen: SocketAddr,
    /// Whether these may be addresses that other machines reach, as in a container. Whoever
    /// reaches it can have every key and change every rule.
    pub danger_listen_beyond_loopback: bool,
    /// Where it writes keys, tokens and certificates; without one, a folder that goes with it.
    pub directory: Option<PathBuf>,
    /// The time to start at, in seconds since 1970; without one, the machine's.
    pub time: Option<i64>,
    /// How far a request's date may be off, in seconds.
    pub skew: i64,
    /// Further values of the header `host` that it answers to; `*.example.com` is any below.
    pub hosts: Vec<String>,
    /// Origins of browsers that may call it; none by default.
    pub cors: Vec<String>,
    /// The longest body that it reads, in bytes.
    pub max_body: usize,
    /// How long the dynamic groups of a caller are remembered, in seconds: 900 at OCI.
    pub membership_cache: i64,
    /// How long what it gives is valid.
    pub lifetimes: Lifetimes,
    /// The region that it is.
    pub region: RegionConfig,
    /// The tenancy, which is the root compartment too.
    pub tenancy: TenancyConfig,
    /// Compartments below it. One that is only mentioned elsewhere lies in the tenancy.
    pub compartments: Vec<CompartmentConfig>,
    /// Users with an API key.
    pub users: Vec<UserConfig>,
    /// The instance whose metadata it serves.
    pub instance: InstanceConfig,
    /// Resources that can be principals: a function in an application. The environment of a
    /// resource principal is the first one's.
    pub resources: Vec<ResourceConfig>,
    /// The pod behind the service account token.
    pub workload: WorkloadConfig,
    /// The files of a resource principal 2.2.
    pub files: FilesConfig,
    /// Who signs tokens.
    pub authority: AuthorityConfig,
    /// Clients of the identity domain.
    pub domain_clients: Vec<DomainClientConfig>,
    /// Secrets.
    pub secrets: Vec<SecretConfig>,
    /// Buckets, empty at first.
    pub buckets: Vec<BucketConfig>,
    /// Dynamic groups.
    pub dynamic_groups: Vec<DynamicGroupConfig>,
    /// Policy statements. Without any, each authenticated caller may do everything.
    pub policies: Vec<String>,
    /// How it misbehaves.
    pub faults: Vec<Fault>,
}

impl Config {
    /// Read a configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] that names the key and its line.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError(error.to_string().trim_end().to_owned()))
    }

    /// Whether each value is one that can be, and each name is its own.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_numbers()?;
        fault::check(&self.faults)?;
        unique("resources", self.resources.iter().map(|it| &it.id))?;
        unique("secrets", self.secrets.iter().map(|it| &it.id))?;
        unique("buckets", self.buckets.iter().map(|it| &it.name))?;
        unique("users", self.users.iter().map(|it| &it.id))?;
        let tags = self.resources.iter().flat_map(|it| it.tags.keys());
        match tags.chain(self.instance.tags.keys()).find(|name| !name.contains('.')) {
            Some(name) => Err(ConfigError(format!("tags: `{name}` has no namespace and dot"))),
            None => Ok(()),
        }
    }

    fn check_numbers(&self) -> Result<(), ConfigError> {
        let Lifetimes { certificate, instance, resource, session, workload } = self.lifetimes;
        let years = |years: i64| years * 365 * 86_400;
        for (name, value, least, most) in [
            ("lifetimes.certificate", certificate, 1, years(10)),
            ("lifetimes.instance", instance, 1, years(10)),
            ("lifetimes.resource", resource, 1, years(10)),
            ("lifetimes.session", session, 1, years(10)),
            ("lifetimes.workload", workload, 1, years(10)),
            ("membership_cache", self.membership_cache, 0, years(10)),
            ("skew", self.skew, 0, i64::MAX),
            ("time", self.time.unwrap_or_default(), 0, years(8_000)),
            ("max_body", i64::try_from(self.max_body).unwrap_or(0), 1, i64::MAX),
        ] {
            if !(least..=most).contains(&value) {
                return Err(ConfigError(format!("{name}: not from {least} to {most}")));
            }
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 12200)),
            tls_listen: SocketAddr::from(([127, 0, 0, 1], 12250)),
            danger_listen_beyond_loopback: false,
            directory: None,
            time: None,
            skew: 300,
            hosts: Vec::new(),
            cors: Vec::new(),
            max_body: 16 << 20,
            membership_cache: 0,
            lifetimes: Lifetimes::default(),
            region: RegionConfig::default(),
            tenancy: TenancyConfig::default(),
            compartments: vec![CompartmentConfig::default()],
            users: vec![UserConfig::default()],
            instance: InstanceConfig::default(),
            resources: function_in_application(),
            workload: WorkloadConfig::default(),
            files: FilesConfig::default(),
            authority: AuthorityConfig::default(),
            domain_clients: vec![DomainClientConfig::default()],
            secrets: vec![SecretConfig::default()],
            buckets: vec![BucketConfig::default()],
            dynamic_groups: Vec::new(),
            policies: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// A table of the file, its fields with their defaults.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

table! {
    /// How long things are valid, in seconds.
    Lifetimes {
        /// Certificates of the instance, which are replaced after half of it.
        certificate: i64 = 3_600,
        /// Tokens of the instance.
        instance: i64 = 1_200,
        /// Tokens of resources.
        resource: i64 = 1_200,
        /// Tokens of users.
        session: i64 = 3_600,
        /// Tokens of pods.
        workload: i64 = 1_200,
    }
}

table! {
    /// The region.
    RegionConfig {
        /// Its name.
        id: String = "us-ashburn-1".into(),
        /// Its code of three letters.
        key: String = "iad".into(),
        /// Its realm.
        realm: String = "oc1".into(),
        /// The domain of its realm.
        domain: String = "oraclecloud.com".into(),
    }
}

table! {
    /// The tenancy.
    TenancyConfig {
        /// OCID.
        id: String = TENANCY.into(),
        /// Name.
        name: String = "example".into(),
        /// Its namespace of Object Storage.
        namespace: String = "examplenamespace".into(),
    }
}

table! {
    /// A compartment.
    CompartmentConfig {
        /// OCID.
        id: String = COMPARTMENT.into(),
        /// Name.
        name: String = "example".into(),
        /// OCID of the compartment that it is in; without one, the tenancy.
        parent: Option<String> = None,
    }
}

table! {
    /// A user with an API key.
    UserConfig {
        /// OCID.
        id: String = "ocid1.user.oc1..aaaaaaaaexampleuser".into(),
        /// Names of the user's groups.
        groups: Vec<String> = vec!["Administrators".into()],
        /// Private key in PEM; without one, the emulator's own.
        key_file: Option<PathBuf> = None,
    }
}

table! {
    /// The instance.
    InstanceConfig {
        /// OCID.
        id: String = "ocid1.instance.oc1.iad.anuwexampleinstance".into(),
        /// OCID of its compartment.
        compartment: String = COMPARTMENT.into(),
        /// Its defined tags, as `"namespace.key" = "value"`.
        tags: BTreeMap<String, String> = BTreeMap::new(),
        /// Its certificate in PEM, with `key_file` and `intermediate_file`; without one, it is made.
        certificate_file: Option<PathBuf> = None,
        /// The key of that certificate.
        key_file: Option<PathBuf> = None,
        /// The certificate that signed it.
        intermediate_file: Option<PathBuf> = None,
    }
}

table! {
    /// A resource that can be a principal.
    ResourceConfig {
        /// OCID.
        id: String = "ocid1.fnfunc.oc1.iad.aaaaaaaaexamplefunction".into(),
        /// Type, as in `resource.type` of a matching rule.
        r#type: String = "fnfunc".into(),
        /// OCID of its compartment.
        compartment: String = COMPARTMENT.into(),
        /// Its defined tags, as `"namespace.key" = "value"`.
        tags: BTreeMap<String, String> = BTreeMap::new(),
        /// Private key in PEM; without one, the emulator's own.
        key_file: Option<PathBuf> = None,
        /// OCID of the resource that it is nested in, for version 3.0.
        parent: Option<String> = None,
        /// What `security-context` has to say for version 2.1.2; without one, anything.
        security_context: Option<String> = None,
    }
}

table! {
    /// The pod.
    WorkloadConfig {
        /// OCID of its cluster.
        cluster: String = "ocid1.cluster.oc1.iad.aaaaaaaaexamplecluster".into(),
        /// OCID of its compartment.
        compartment: String = COMPARTMENT.into(),
        /// Its namespace.
        namespace: String = "default".into(),
        /// Its service account.
        service_account: String = "example".into(),
        /// Whether the cluster is an enhanced one; the others have no workload identity.
        enhanced: bool = true,
    }
}

table! {
    /// The files of a resource principal 2.2.
    FilesConfig {
        /// Seconds between two rotations, 0 for none; without a number, half of what the
        /// resource's tokens are valid.
        rotate: Option<u64> = None,
        /// How the two files are replaced.
        mode: Rotation = Rotation::Atomic,
    }
}

/// How the files of a resource principal are replaced.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Each file in one step, key and token at once.
    #[default]
    Atomic,
    /// The key, and the token a second later.
    KeyFirst,
    /// Both, the token ending with a line end.
    Newline,
    /// Half of each file, and the rest a second later.
    Partial,
    /// The token, and the key a second later.
    TokenFirst,
}

table! {
    /// Who signs tokens.
    AuthorityConfig {
        /// The id of its key.
        kid: String = "asw_oc1_emulator".into(),
        /// Private key in PEM; without one, the emulator's own.
        key_file: Option<PathBuf> = None,
    }
}

table! {
    /// A client of the identity domain.
    DomainClientConfig {
        /// Its id.
        id: String = "example-client".into(),
        /// Its secret.
        secret: String = "example-secret".into(),
    }
}

table! {
    /// A secret.
    SecretConfig {
        /// OCID.
        id: String = "ocid1.vaultsecret.oc1.iad.amaaexamplesecret".into(),
        /// Name.
        name: String = "example".into(),
        /// OCID of its vault.
        vault: String = "ocid1.vault.oc1.iad.examplevault".into(),
        /// OCID of its compartment.
        compartment: String = COMPARTMENT.into(),
        /// The versions of its content, the last of them the current.
        versions: Vec<String> = vec!["s3cret".into()],
    }
}

table! {
    /// A bucket.
    BucketConfig {
        /// Name.
        name: String = "example".into(),
        /// OCID of its compartment.
        compartment: String = COMPARTMENT.into(),
    }
}

table! {
    /// A dynamic group.
    DynamicGroupConfig {
        /// Name.
        name: String = String::new(),
        /// OCID; without one, made of the name.
        id: Option<String> = None,
        /// Its matching rule.
        rule: String = String::new(),
    }
}

/// Whether no two have the same name.
fn unique<'a>(list: &str, names: impl Iterator<Item = &'a String>) -> Result<(), ConfigError> {
    let mut known = HashSet::new();
    match names.into_iter().find(|&name| !known.insert(name)) {
        Some(name) => Err(ConfigError(format!("{list}: `{name}` is there twice"))),
        None => Ok(()),
    }
}

fn function_in_application() -> Vec<ResourceConfig> {
    let application = "ocid1.fnapp.oc1.iad.aaaaaaaaexampleapplication".to_owned();
    let function =
        ResourceConfig { parent: Some(application.clone()), ..ResourceConfig::default() };
    let r#type = "fnapp".to_owned();
    vec![function, ResourceConfig { id: application, r#type, ..ResourceConfig::default() }]
}

const TENANCY: &str = "ocid1.tenancy.oc1..aaaaaaaaexampletenancy";
const COMPARTMENT: &str = "ocid1.compartment.oc1..aaaaaaaaexamplecompartment";

/// What is wrong with a configuration; names the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn an_empty_file_is_the_default() {
        let config = Config::from_toml("").unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn an_error_names_the_key_and_its_line() {
        for (text, key) in [
            ("lisen = 1", "lisen"),
            ("listen = 1", "listen = 1"),
            ("[[resources]]\nid = 'a'\ncolour = 'b'", "colour"),
            ("[files]\nmode = 'sideways'", "sideways"),
            ("skew = ", "skew"),
            ("[[faults]]\non = 'GET /'\nkind = 'nap'", "nap"),
        ] {
            let error = Config::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("line "), "{text}: {error}");
        }
    }
}
