//! A pod in a Kubernetes cluster of OCI (OKE).

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::federation::call;
use crate::federation::call::Draft;
use crate::federation::error::ExchangeFault;
use crate::federation::http::Endpoint;
use crate::federation::variables::{VariableError, VariableFault, Variables, no_file};
use crate::region::{Region, RegionSources};
use crate::request::trim_text;
use crate::security_token::SecurityToken;
use crate::signing_key::SigningKey;
use crate::time::UnixTime;

/// How to act as the workload of an OKE cluster in which the program runs.
pub struct WorkloadIdentity {
    host: String,
    port: u16,
    token: Zeroizing<String>,
    pub(crate) region: Option<Region>,
}

impl WorkloadIdentity {
    /// By the proxymux at this host (`KUBERNETES_SERVICE_HOST`) and the service account
    /// token of the pod, read anew for each exchange: the cluster rotates it.
    ///
    /// ```
    /// use ocisign_core::WorkloadIdentity;
    ///
    /// let workload = WorkloadIdentity::new("10.96.0.1", "e30.e30.c2ln");
    /// assert!(format!("{workload:?}").contains("https://10.96.0.1:12250/"));
    /// ```
    #[must_use]
    pub fn new(host: &str, service_account_token: &str) -> Self {
        Self {
            host: host.trim().into(),
            port: 12_250,
            token: Zeroizing::new(trim_text(service_account_token).into()),
            region: None,
        }
    }

    /// The same, as the variables of a pod say: `KUBERNETES_SERVICE_HOST`,
    /// `KUBERNETES_SERVICE_PORT_PROXYMUX` and `OCI_RESOURCE_PRINCIPAL_REGION`.
    ///
    /// # Errors
    ///
    /// Which variable is missing, or what it should be.
    ///
    /// ```
    /// use ocisign_core::{RegionSources, WorkloadIdentity};
    ///
    /// let variable = |name: &str| match name {
    ///     "KUBERNETES_SERVICE_HOST" => Some("10.96.0.1".to_owned()),
    ///     "KUBERNETES_SERVICE_PORT_PROXYMUX" => Some("proxymux".to_owned()),
    ///     _ => None,
    /// };
    /// let regions = RegionSources::default();
    /// let error = WorkloadIdentity::from_variables(&variable, "e30.e30.c2ln", &regions);
    /// let message = error.unwrap_err().to_string();
    /// assert_eq!(message, "KUBERNETES_SERVICE_PORT_PROXYMUX: not the number of a port");
    /// ```
    pub fn from_variables(
        variable: &dyn Fn(&str) -> Option<String>,
        service_account_token: &str,
        regions: &RegionSources<'_>,
    ) -> Result<Self, VariableError> {
        let pod = Variables::new(variable, &no_file, "", "");
        let mut workload = Self::new(&pod.require(HOST)?, service_account_token);
        if let Some(port) = pod.text(PORT)? {
            let wrong = || pod.error(PORT, VariableFault::Expected("the number of a port"));
            workload.port = port.parse().map_err(|_| wrong())?;
        }
        if let Some(name) = pod.text(REGION)? {
            let wrong = || pod.error(REGION, VariableFault::Expected("a region"));
            workload.region = Some(Region::lookup(&name, regions).map_err(|_| wrong())?);
        }
        Ok(workload)
    }

    /// Another port than 12250: `KUBERNETES_SERVICE_PORT_PROXYMUX`.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The region, where it is known: `OCI_RESOURCE_PRINCIPAL_REGION`.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// POST the pod's public key with the service account's token.
    pub(crate) fn request(&self, key: &dyn SigningKey, request_id: &str) -> Draft<'static> {
        call::draft(Endpoint::Workload, "POST", self.url())
            .header("authorization", &Zeroizing::new(format!("Bearer {}", *self.token)))
            .header("opc-request-id", request_id)
            .json(&json!({ "podKey": call::spki(key) }))
    }

    fn url(&self) -> String {
        // RFC 3986, section 3.2.2: an IPv6 address stands in brackets.
        let bare = self.host.contains(':') && !self.host.starts_with('[');
        let (open, close) = if bare { ("[", "]") } else { ("", "") };
        format!("https://{open}{}{close}:{}/resourcePrincipalSessionTokens", self.host, self.port)
    }

    /// Whether the service account's token can still be of use.
    pub(crate) fn check(&self, now: UnixTime) -> Result<(), ExchangeFault> {
        let token = SecurityToken::parse(&self.token).map_err(ExchangeFault::Credential)?;
        match token.expires() {
            Some(at) if at <= now => Err(self.of_no_use(None)),
            _ => Ok(()),
        }
    }

    /// Why the service account's token did not help: whom it is for, and until when.
    pub(crate) fn of_no_use(&self, refused: Option<u16>) -> ExchangeFault {
        let expires = SecurityToken::parse(&self.token).ok().and_then(|token| token.expires());
        ExchangeFault::ServiceAccount {
            audience: self.audience().unwrap_or_default(),
            expires,
            refused,
        }
    }

    /// RFC 7519, section 4.1.3: one name or several. They are no secret.
    fn audience(&self) -> Option<String> {
        let claims = URL_SAFE_NO_PAD.decode(self.token.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&Zeroizing::new(claims)).ok()?;
        let names = match claims.get("aud")? {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
            name => vec![name.as_str()?],
        };
        Some(names.join(", ").chars().take(MAX_AUDIENCE).collect())
    }
}

/// The answer: base64, possibly as a JSON string, of a JSON object with a `token`.
pub(crate) fn token(body: &[u8]) -> Option<Zeroizing<String>> {
    let text = core::str::from_utf8(body).ok()?.trim();
    let text = match serde_json::from_slice(text.as_bytes()) {
        Ok(Value::String(text)) => Zeroizing::new(text),
        _ => Zeroizing::new(text.into()),
    };
    let json = Zeroizing::new(STANDARD.decode(text.as_bytes()).ok()?);
    call::member(&json, "token")
}

/// Where it goes, and nothing of the token.
impl fmt::Debug for WorkloadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadIdentity")
            .field("url", &self.url())
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// In characters, as an error shows it.
const MAX_AUDIENCE: usize = 200;
const HOST: &str = "KUBERNETES_SERVICE_HOST";
const PORT: &str = "KUBERNETES_SERVICE_PORT_PROXYMUX";
const REGION: &str = "OCI_RESOURCE_PRINCIPAL_REGION";
