//! From the name of a region to the endpoints of its services.

use alloc::format;
use alloc::string::String;

use serde_json::Value;

use crate::error::RegionError;

mod table;

/// Where regions that are not in the table are looked up. All of it is text
/// that the caller has read; nothing is opened here.
///
/// ```
/// use ocisign_core::{Region, RegionSources, Service};
///
/// let mut sources = RegionSources::default();
/// sources.region_metadata = Some(
///     r#"{"realmKey":"oc99","realmDomainComponent":"example.com","regionKey":"xyz","regionIdentifier":"xx-example-1"}"#,
/// );
/// let region = Region::lookup("XYZ", &sources)?;
/// assert_eq!(region.endpoint(Service::Auth), "https://auth.xx-example-1.example.com");
/// # Ok::<(), ocisign_core::RegionError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RegionSources<'a> {
    /// The text of `~/.oci/regions-config.json`: an array of region metadata.
    pub regions_config: Option<&'a str>,
    /// The value of `OCI_REGION_METADATA`: one object of region metadata.
    pub region_metadata: Option<&'a str>,
    /// The second-level domain of regions that are known nowhere, such as
    /// `oraclecloud.com`: the value of `OCI_DEFAULT_REALM`, in spite of its name.
    pub default_domain: Option<&'a str>,
}

/// A region: its name, its realm, and the domain under which its services are.
///
/// Source: the tables of the official SDKs, which agree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Region {
    id: String,
    realm: Option<String>,
    domain: String,
}

impl Region {
    /// The region of this name or three-letter code, in any case.
    ///
    /// One that is not in the table is looked up in `regions_config`, then in
    /// `region_metadata`; then a name with a dot is taken as a whole domain; then
    /// the domain is `default_domain`, or realm `oc1`'s.
    ///
    /// # Errors
    ///
    /// [`RegionError::InvalidName`] for what cannot be part of a host name;
    /// [`RegionError::InvalidMetadata`] when a source is asked and cannot be read.
    ///
    /// ```
    /// use ocisign_core::{Region, RegionSources, Service};
    ///
    /// let region = Region::lookup("PHX", &RegionSources::default())?;
    /// assert_eq!(region.id(), "us-phoenix-1");
    /// assert_eq!(region.realm(), Some("oc1"));
    /// assert_eq!(
    ///     region.endpoint(Service::Secrets),
    ///     "https://secrets.vaults.us-phoenix-1.oci.oraclecloud.com"
    /// );
    /// # Ok::<(), ocisign_core::RegionError>(())
    /// ```
    pub fn lookup(name: &str, sources: &RegionSources<'_>) -> Result<Self, RegionError> {
        let name = host_part(name).ok_or(RegionError::InvalidName)?;
        if let Some(&(id, _, realm)) =
            table::REGIONS.iter().find(|&&(id, code, _)| id == name || code == name)
        {
            let (realm, domain) = table::REALMS
                .iter()
                .find(|known| known.0 == realm)
                .ok_or(RegionError::InvalidName)?;
            let (id, realm, domain) = (id.into(), Some((*realm).into()), (*domain).into());
            return Ok(Self { id, realm, domain });
        }
        if let Some(region) = Self::in_metadata(&name, sources)? {
            return Ok(region);
        }
        if name.contains('.') {
            return Ok(Self { id: name, realm: None, domain: String::new() });
        }
        if let Some(domain) = sources.default_domain {
            let domain = host_part(domain).ok_or(RegionError::InvalidMetadata("default domain"))?;
            return Ok(Self { id: name, realm: None, domain });
        }
        Ok(Self { id: name, realm: Some("oc1".into()), domain: "oraclecloud.com".into() })
    }

    fn in_metadata(name: &str, sources: &RegionSources<'_>) -> Result<Option<Self>, RegionError> {
        let read = |text: Option<&str>, member| {
            text.map(|text| {
                serde_json::from_slice(text.as_bytes())
                    .map_err(|_| RegionError::InvalidMetadata(member))
            })
            .transpose()
        };
        if let Some(config) = read(sources.regions_config, "regions-config")? {
            let Value::Array(regions) = config else {
                return Err(RegionError::InvalidMetadata("regions-config"));
            };
            for metadata in &regions {
                let (code, region) = Self::from_metadata(metadata)?;
                if region.id == name || code == name {
                    return Ok(Some(region));
                }
            }
        }
        if let Some(metadata) = read(sources.region_metadata, "region metadata")? {
            let (code, region) = Self::from_metadata(&metadata)?;
            if region.id == name || code == name {
                return Ok(Some(region));
            }
        }
        Ok(None)
    }

    /// A region's code, and the region.
    pub(crate) fn from_metadata(metadata: &Value) -> Result<(String, Self), RegionError> {
        let member = |name| {
            metadata
                .get(name)
                .and_then(Value::as_str)
                .and_then(host_part)
                .ok_or(RegionError::InvalidMetadata(name))
        };
        let code = member("regionKey")?;
        let region = Self {
            id: member("regionIdentifier")?,
            realm: Some(member("realmKey")?),
            domain: member("realmDomainComponent")?,
        };
        Ok((code, region))
    }

    /// The name, such as `us-phoenix-1`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The realm, such as `oc1`, where it is known.
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The second-level domain, such as `oraclecloud.com`; the whole name where
    /// that has a dot.
    #[must_use]
    pub fn domain(&self) -> &str {
        if self.domain.is_empty() { &self.id } else { &self.domain }
    }

    /// Where a service answers, without a path or a slash at the end.
    #[must_use]
    pub fn endpoint(&self, service: Service) -> String {
        if self.domain.is_empty() {
            return format!("https://{}.{}", service.name(), self.id);
        }
        let (prefix, infix) = service.template();
        format!("https://{prefix}.{}{infix}.{}", self.id, self.domain)
    }
}

/// A service of OCI that has an endpoint in each region.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Service {
    /// Identity's data plane: federation, session tokens.
    Auth,
    /// Core services: instances, networks, block volumes.
    Iaas,
    /// Identity's control plane.
    Identity,
    /// Object Storage.
    ObjectStorage,
    /// Reading secrets.
    Secrets,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Iaas => "iaas",
            Self::Identity => "identity",
            Self::ObjectStorage => "objectstorage",
            Self::Secrets => "secrets",
        }
    }

    /// What stands before the region, and between it and the domain.
    fn template(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity => ("identity", ".oci"),
            Self::Secrets => ("secrets.vaults", ".oci"),
            other => (other.name(), ""),
        }
    }
}

/// A name in lower case, if a host name may have it.
fn host_part(name: &str) -> Option<String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let labels = name.split('.').all(|label| !label.is_empty());
    let fits = labels && name.len() <= MAX_NAME && name.bytes().all(legal);
    fits.then(|| name.to_ascii_lowercase())
}

/// RFC 1035: a host name has at most 253 characters.
const MAX_NAME: usize = 253;
