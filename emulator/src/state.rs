//! What the emulator knows, for all requests at once.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::access::Access;
use crate::certificate::{Certificate, Subject};
use crate::clock::Clock;
use crate::config::{
    Config, ConfigError, DynamicGroupConfig, InstanceConfig, ResourceConfig, UserConfig,
};
use crate::fault::FaultPlan;
use crate::key::{Key, PublicKey};
use crate::log::Log;
use crate::service::objects::Objects;
use crate::token::{Claims, Issuer};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) issuer: Issuer,
    pub(crate) users: Vec<User>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) workload_key: Key,
    pub(crate) session_key: Key,
    pub(crate) root: (Key, Certificate),
    pub(crate) intermediate: Certificate,
    /// With what certificates are renewed; none where they were given.
    renewer: Option<Key>,
    instance: Mutex<Arc<InstanceIdentity>>,
    pub(crate) access: Mutex<Access>,
    pub(crate) faults: Mutex<FaultPlan>,
    pub(crate) objects: Mutex<Objects>,
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) config: UserConfig,
    pub(crate) key: Key,
    /// `tenancy/user/fingerprint`.
    pub(crate) key_id: String,
}

#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) config: ResourceConfig,
    pub(crate) key: Key,
}

/// What the metadata service gives at one time.
#[derive(Debug)]
pub(crate) struct InstanceIdentity {
    pub(crate) certificate: Certificate,
    pub(crate) key: Key,
    /// While the next is not due.
    pub(crate) fresh: Range<i64>,
}

impl State {
    pub(crate) fn new(config: Config, log: Log) -> Result<Self, ConfigError> {
        config.check()?;
        let clock = Clock::default();
        if let Some(time) = config.time {
            clock.set(time);
        }
        let now = clock.now();
        let root_key = built_in(include_str!("../keys/root.pem"))?;
        let intermediate_key = built_in(include_str!("../keys/intermediate.pem"))?;
        let root = certify(ROOT, ROOT, true, ALWAYS, &root_key, &root_key)?;
        let own = certify(INTERMEDIATE, ROOT, true, ALWAYS, &intermediate_key, &root_key)?;

        let given = given_identity(&config.instance)?;
        let (instance, intermediate, renewer) = if let Some((identity, intermediate)) = given {
            (identity, intermediate, None)
        } else {
            let key = built_in(include_str!("../keys/instance.pem"))?;
            let identity = certify_instance(&config, now, key, &intermediate_key)?;
            (identity, own, Some(intermediate_key))
        };
        let authority =
            key(config.authority.key_file.as_deref(), include_str!("../keys/authority.pem"))?;
        let resource = |(at, config): (usize, &ResourceConfig)| {
            let own =
                [include_str!("../keys/resource.pem"), include_str!("../keys/application.pem")];
            let own = own.get(at).copied();
            let key = key_of("resources", at, config.key_file.as_deref(), own)?;
            Ok(Resource { config: config.clone(), key })
        };
        Ok(Self {
            issuer: Issuer::new(authority, &config.authority.kid),
            users: config
                .users
                .iter()
                .enumerate()
                .map(|(at, user)| User::new(at, user, &config.tenancy.id))
                .collect::<Result<_, _>>()?,
            resources: config
                .resources
                .iter()
                .enumerate()
                .map(resource)
                .collect::<Result<_, _>>()?,
            workload_key: built_in(include_str!("../keys/workload.pem"))?,
            session_key: built_in(include_str!("../keys/session.pem"))?,
            root: (root_key, root),
            intermediate,
            renewer,
            instance: Mutex::new(Arc::new(instance)),
            access: Mutex::new(Access::new(&config)?),
            faults: Mutex::new(FaultPlan::new(config.faults.clone())),
            objects: Mutex::default(),
            clock,
            log,
            config,
        })
    }

    /// A token that binds these claims to this key.
    pub(crate) fn bind(
        &self,
        mut claims: Claims,
        key: &PublicKey,
        issued: i64,
        lifetime: i64,
    ) -> String {
        claims.extend(self::claims(&json!({
            "iss": "authService.oracle.com",
            "aud": "oci",
            "iat": issued,
            "exp": issued.saturating_add(lifetime),
            "jti": crate::random::id(),
            "jwk": key.jwk("emulator").to_string(),
        })));
        self.issuer.mint(&claims)
    }

    pub(crate) fn instance(&self) -> Arc<InstanceIdentity> {
        Arc::clone(&crate::lock(&self.instance))
    }

    /// Give the instance a new key and a certificate for it. Takes as long as a key takes.
    pub(crate) fn rotate_instance(&self) -> Result<(), ConfigError> {
        let Some(renewer) = &self.renewer else { return Ok(()) };
        let key = Key::make().map_err(ConfigError)?;
        let identity = certify_instance(&self.config, self.clock.now(), key, renewer)?;
        *crate::lock(&self.instance) = Arc::new(identity);
        Ok(())
    }

    /// Judge callers by these, or go on as before if they are not good.
    pub(crate) fn set_policies(
        &self,
        dynamic_groups: Vec<DynamicGroupConfig>,
        policies: Vec<String>,
    ) -> Result<(), ConfigError> {
        let config = Config { dynamic_groups, policies, ..self.config.clone() };
        crate::lock(&self.access).replace(&config)
    }

    pub(crate) fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.config.id == id)
    }

    /// The claims of a resource's token, but for its key and its times.
    pub(crate) fn resource_claims(&self, resource: &ResourceConfig) -> Claims {
        let tenancy = &self.config.tenancy.id;
        claims(&json!({
            "ptype": "resource", "ttype": "res", "sub": resource.id, "tenant": tenancy,
            "res_id": resource.id, "res_type": resource.r#type, "res_tenant": tenancy,
            "res_compartment": resource.compartment, "res_tag": tags(&resource.tags),
        }))
    }

    /// The tags of whoever has this OCID, as `namespace.key` and value.
    pub(crate) fn tags(&self, id: &str) -> HashMap<String, String> {
        let instance = (self.config.instance.id == id).then_some(&self.config.instance.tags);
        let tags = instance.or_else(|| self.resource(id).map(|resource| &resource.config.tags));
        tags.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl User {
    fn new(at: usize, config: &UserConfig, tenancy: &str) -> Result<Self, ConfigError> {
        let own = (at == 0).then_some(include_str!("../keys/user.pem"));
        let key = key_of("users", at, config.key_file.as_deref(), own)?;
        let key_id = format!("{tenancy}/{}/{}", config.id, key.fingerprint());
        Ok(Self { config: config.clone(), key, key_id })
    }
}

pub(crate) fn claims(value: &serde_json::Value) -> Claims {
    value.as_object().cloned().unwrap_or_default()
}

fn tags(tags: &std::collections::BTreeMap<String, String>) -> String {
    json!(tags).to_string()
}

/// The certificate, the key and the intermediate that the configuration names.
fn given_identity(
    config: &InstanceConfig,
) -> Result<Option<(InstanceIdentity, Certificate)>, ConfigError> {
    let files = (&config.certificate_file, &config.key_file, &config.intermediate_file);
    let (certificate, key_file, intermediate) = match files {
        (None, None, None) => return Ok(None),
        (Some(certificate), Some(key), Some(intermediate)) => (certificate, key, intermediate),
        _ => {
            return Err(ConfigError(
                "instance: certificate_file, key_file and intermediate_file go together".into(),
            ));
        }
    };
    let certificate_of = |path: &Path| {
        Certificate::from_text(&read(path)?)
            .ok_or_else(|| ConfigError(format!("{}: no certificate in PEM", path.display())))
    };
    let key = key(Some(key_file), "")?;
    let certificate = certificate_of(certificate)?;
    let identity = InstanceIdentity { certificate, key, fresh: i64::MIN..i64::MAX };
    Ok(Some((identity, certificate_of(intermediate)?)))
}

fn certify_instance(
    config: &Config,
    now: i64,
    key: Key,
    issuer: &Key,
) -> Result<InstanceIdentity, ConfigError> {
    let instance = &config.instance;
    let (id, compartment, tenancy) = (&instance.id, &instance.compartment, &config.tenancy.id);
    let name = format!(
        "OU=opc-certtype:instance,OU=opc-compartment:{compartment},OU=opc-instance:{id},\
         OU=opc-tenant:{tenancy},CN={id}"
    );
    let validity = (now - 300, now + config.lifetimes.certificate);
    let certificate = certify(&name, INTERMEDIATE, false, validity, &key, issuer)?;
    // The clock may be set back, too.
    let fresh = now - 300..now + config.lifetimes.certificate.div_euclid(2);
    Ok(InstanceIdentity { certificate, key, fresh })
}

fn certify(
    name: &str,
    issuer: &str,
    authority: bool,
    validity: (i64, i64),
    key: &Key,
    issuer_key: &Key,
) -> Result<Certificate, ConfigError> {
    let subject = Subject { name, issuer, authority, validity };
    Certificate::make(&subject, key, issuer_key)
        .map_err(|error| ConfigError(format!("no certificate can be made for {name}: {error}")))
}

/// The key of a file, or one that is built in.
fn key(file: Option<&Path>, own: &str) -> Result<Key, ConfigError> {
    let Some(path) = file else { return built_in(own) };
    Key::from_pem(&read(path)?).map_err(|error| ConfigError(format!("{}: {error}", path.display())))
}

/// The key of the entry at this place of a list. No two have the same.
fn key_of(
    list: &str,
    at: usize,
    file: Option<&Path>,
    own: Option<&str>,
) -> Result<Key, ConfigError> {
    if file.is_none() && own.is_none() {
        let fault = "is missing, and there is no further key built in";
        return Err(ConfigError(format!("{list}[{at}].key_file: {fault}")));
    }
    key(file, own.unwrap_or_default())
        .map_err(|ConfigError(error)| ConfigError(format!("{list}[{at}].key_file: {error}")))
}

fn built_in(pem: &str) -> Result<Key, ConfigError> {
    Key::from_pem(pem).map_err(ConfigError)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|error| ConfigError(format!("{}: {error}", path.display())))
}

/// Whatever the clock is set to: from 1970 to the end of 9999.
const ALWAYS: (i64, i64) = (0, 253_402_300_799);
const ROOT: &str = "CN=ocisign emulator instance identity root";
const INTERMEDIATE: &str = "CN=ocisign emulator instance identity intermediate";
