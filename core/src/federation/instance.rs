//! A compute instance, which proves itself by the certificate of its metadata service.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::error::KeyError;
use crate::federation::call::Draft;
use crate::federation::error::ExchangeFault;
use crate::federation::http::{Endpoint, HttpRequest, shown};
use crate::federation::variables::{VariableError, Variables, no_file};
use crate::federation::{KeyBackend, call};
use crate::key_options::KeyOptions;
use crate::private_key::PrivateKeyDer;
use crate::region::{Region, RegionSources, Service};
use crate::signing_key::SigningKey;
use crate::time::UnixTime;

/// How to act as the compute instance on which the program runs.
///
/// ```
/// use ocisign_core::InstancePrincipal;
///
/// let instance = InstancePrincipal::new().metadata("http://127.0.0.1:12200/opc/v2/");
/// assert!(format!("{instance:?}").contains("127.0.0.1:12200/opc/v2"));
/// ```
#[derive(Clone)]
pub struct InstancePrincipal {
    metadata: String,
    federation: Option<String>,
    pub(crate) region: Option<Region>,
}

impl InstancePrincipal {
    /// By the metadata service at its usual address, and the endpoints of its region.
    #[must_use]
    pub fn new() -> Self {
        Self { metadata: METADATA.into(), federation: None, region: None }
    }

    /// The same, as the variables say: `OCI_METADATA_BASE_URL` and
    /// `OCI_SDK_AUTH_CLIENT_REGION_URL` replace the two addresses.
    ///
    /// # Errors
    ///
    /// Which variable is not a URL.
    ///
    /// ```
    /// use ocisign_core::InstancePrincipal;
    ///
    /// let variable = |name: &str| {
    ///     (name == "OCI_METADATA_BASE_URL").then(|| "http://[fd00:c1::a9fe:a9fe]/opc/v2".to_owned())
    /// };
    /// let instance = InstancePrincipal::from_variables(&variable)?;
    /// assert_eq!(instance.metadata_url(), "http://[fd00:c1::a9fe:a9fe]/opc/v2");
    /// # Ok::<(), ocisign_core::VariableError>(())
    /// ```
    pub fn from_variables(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, VariableError> {
        let variables = Variables::new(variable, &no_file, "", "");
        let mut instance = Self::new();
        if let Some(url) = variables.optional_endpoint("OCI_METADATA_BASE_URL")? {
            instance = instance.metadata(&url);
        }
        if let Some(url) = variables.optional_endpoint("OCI_SDK_AUTH_CLIENT_REGION_URL")? {
            instance = instance.federation(&url);
        }
        Ok(instance)
    }

    /// Another address of the metadata service, up to `/opc/v2`: `OCI_METADATA_BASE_URL`.
    #[must_use]
    pub fn metadata(mut self, base_url: &str) -> Self {
        self.metadata = base_url.trim().trim_end_matches('/').into();
        self
    }

    /// Another federation endpoint, such as `https://auth.us-phoenix-1.oraclecloud.com`:
    /// `OCI_SDK_AUTH_CLIENT_REGION_URL`. It may end in `/v1/x509`.
    #[must_use]
    pub fn federation(mut self, endpoint: &str) -> Self {
        let endpoint = endpoint.trim().trim_end_matches('/');
        self.federation = Some(endpoint.strip_suffix("/v1/x509").unwrap_or(endpoint).into());
        self
    }

    /// The region, where it is known: the metadata service is not asked for it.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// The address of the metadata service, up to `/opc/v2`.
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        &self.metadata
    }

    /// A request that finds out within a second whether this is an instance of OCI: the
    /// answer is 200 and an OCID. Other clouds have metadata services at the same address.
    #[must_use]
    pub fn probe(&self) -> HttpRequest {
        HttpRequest { time_limit: PROBE, ..self.ask("instance/id").request }
    }

    /// What the metadata service has under this path.
    pub(crate) fn ask(&self, path: &str) -> Draft<'static> {
        let url = [&self.metadata, "/", path].concat();
        call::draft(Endpoint::Metadata, "GET", url).header("authorization", "Bearer Oracle")
    }

    /// Where the region's authentication service is, as it was said or as it follows.
    pub(crate) fn auth(&self, region: Option<&Region>) -> String {
        let of_region = || region.map(|region| region.endpoint(Service::Auth));
        self.federation.clone().or_else(of_region).unwrap_or_default()
    }
}

/// Where it asks, and nothing of a password that stands in a URL.
impl fmt::Debug for InstancePrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstancePrincipal")
            .field("metadata", &shown(&self.metadata))
            .field("federation", &self.federation.as_deref().map(shown))
            .field("region", &self.region)
            .finish()
    }
}

impl Default for InstancePrincipal {
    fn default() -> Self {
        Self::new()
    }
}

/// What the metadata service gives an instance to prove itself with.
pub(crate) struct Identity {
    pub(crate) leaf: Certificate,
    pub(crate) key: Arc<dyn SigningKey>,
    pub(crate) intermediate: Certificate,
}

impl Identity {
    /// Whether the three were read on the same side of a rotation.
    pub(crate) fn fits(&self) -> bool {
        self.leaf.public_key == *self.key.public_key() && self.leaf.is_issued_by(&self.intermediate)
    }

    /// POST `/v1/x509`: the certificates and a public key for a token.
    ///
    /// The digest in the key id is SHA-256 and the fingerprint in lower case, as the SDKs
    /// for Go and, but for the case, Java have it.
    pub(crate) fn federate(&self, endpoint: &str, session_key: &dyn SigningKey) -> Draft<'_> {
        let tenancy = self.leaf.tenancy().unwrap_or_default();
        let key_id = format!("{tenancy}/fed-x509-sha256/{}", self.leaf.fingerprint);
        let body = json!({
            "certificate": self.leaf.base64,
            "fingerprintAlgorithm": "SHA256",
            "intermediateCertificates": [self.intermediate.base64],
            "publicKey": call::spki(session_key),
            "purpose": "DEFAULT",
        });
        call::draft(Endpoint::Service, "POST", [endpoint, "/v1/x509"].concat())
            .json(&body)
            .signed_by(&key_id, &*self.key)
    }
}

/// A certificate of the metadata service.
pub(crate) fn certificate(text: &str, now: UnixTime) -> Result<Certificate, ExchangeFault> {
    let certificate = Certificate::from_pem(text)
        .ok_or(ExchangeFault::InvalidAnswer("a certificate with an RSA key, in PEM"))?;
    // The metadata service has no TLS by which to learn the time: a clock that is a day ahead is
    // set right by the federation's answer, which judges the certificate too.
    if certificate.has_expired(now.saturating_sub(2 * DAY)) {
        return Err(ExchangeFault::Certificate("the certificate has expired"));
    }
    Ok(certificate)
}

/// The instance's own certificate, which has to name a tenancy.
pub(crate) fn leaf(text: &str, now: UnixTime) -> Result<Certificate, ExchangeFault> {
    let leaf = certificate(text, now)?;
    if leaf.tenancy().is_none() {
        return Err(ExchangeFault::Certificate("the certificate names no tenancy"));
    }
    Ok(leaf)
}

/// The private key of the instance's certificate.
pub(crate) fn key(text: &str, keys: &dyn KeyBackend) -> Result<Arc<dyn SigningKey>, KeyError> {
    keys.load(&PrivateKeyDer::from_pem(text, &KeyOptions::new())?)
}

/// `/instance/regionInfo`: the region with its realm and domain.
pub(crate) fn region_info(text: &str) -> Result<Region, ExchangeFault> {
    let metadata: Value = serde_json::from_slice(text.as_bytes())
        .map_err(|_| ExchangeFault::InvalidAnswer("region metadata in JSON"))?;
    Region::from_metadata(&metadata).map(|(_, region)| region).map_err(ExchangeFault::Region)
}

/// `/instance/region`: a name or a code.
pub(crate) fn region(text: &str) -> Result<Region, ExchangeFault> {
    Region::lookup(text.trim(), &RegionSources::default()).map_err(ExchangeFault::Region)
}

/// In seconds.
const DAY: u64 = 86_400;
const PROBE: Duration = Duration::from_secs(1);
const METADATA: &str = "http://169.254.169.254/opc/v2";
