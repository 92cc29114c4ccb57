//! A resource, such as a function: the variables that make it a principal.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

use crate::error::SignError;
use crate::federation::error::ExchangeFault;
use crate::federation::instance::InstancePrincipal;
use crate::federation::variables::{VariableError, VariableFault, Variables};
use crate::region::{Region, RegionSources};

/// How to act as the resource as which the program runs: all versions of it.
///
/// It is read from the variables `OCI_RESOURCE_PRINCIPAL_…` that OCI sets. What may be a
/// path or a literal is taken as a path when it is an absolute one; all is trimmed.
///
/// Source: Oracle's SDKs; no document has the variables of all versions.
///
/// ```
/// use ocisign_core::{InstancePrincipal, ResourcePrincipal, RegionSources};
///
/// let variables = |name: &str| match name {
///     "OCI_RESOURCE_PRINCIPAL_VERSION" => Some("2.2".to_string()),
///     "OCI_RESOURCE_PRINCIPAL_RPST" => Some("/run/rpst".to_string()),
///     _ => None,
/// };
/// let read = |path: &str| Err(format!("{path:?}: not found"));
/// let error = ResourcePrincipal::from_variables(
///     &variables, &read, InstancePrincipal::new(), &RegionSources::default(),
/// ).unwrap_err();
/// assert_eq!(error.code(), "FILE_UNREADABLE");
/// assert_eq!(error.to_string(), "OCI_RESOURCE_PRINCIPAL_RPST: \"/run/rpst\": not found");
/// ```
pub struct ResourcePrincipal {
    pub(crate) leaf: Leaf,
    pub(crate) parent: Option<Parent>,
    pub(crate) region: Option<Region>,
}

/// What proves the resource itself.
pub(crate) enum Leaf {
    /// Version 1.1: the instance on which it runs asks for its token.
    Instance {
        instance: InstancePrincipal,
        rpt_endpoint: String,
        rpt_path: String,
        /// Without it the metadata service is asked.
        id: Option<String>,
        /// Without it, that of the region.
        rpst_endpoint: Option<String>,
    },
    /// Versions 2.1, 2.1.1 and 2.1.2: its own key asks.
    Key {
        pair: Pem,
        key_id: String,
        rpt_url: String,
        rpst_endpoint: String,
        context: Option<String>,
    },
    /// Version 2.2: token and key are there.
    Token { token: Zeroizing<String>, pair: Pem },
}

/// A private key and what opens it.
pub(crate) struct Pem {
    pub(crate) text: Zeroizing<String>,
    pub(crate) passphrase: Option<Zeroizing<String>>,
}

/// Version 3.0: the resource within which another one is.
#[derive(Clone)]
pub(crate) struct Parent {
    pub(crate) rpt_url: String,
    pub(crate) rpst_endpoint: String,
}

impl ResourcePrincipal {
    /// What the variables say. `variable` looks one up; `read` reads a file, and says in its
    /// own words, without the content, why it could not. `instance` is who asks in version 1.1.
    ///
    /// # Errors
    ///
    /// [`VariableError`], which names the variable and never its value.
    pub fn from_variables(
        variable: &dyn Fn(&str) -> Option<String>,
        read: &dyn Fn(&str) -> Result<Zeroizing<String>, String>,
        instance: InstancePrincipal,
        regions: &RegionSources<'_>,
    ) -> Result<Self, VariableError> {
        let own = Variables::new(variable, read, PREFIX, "");
        let version = own.require("VERSION")?;
        let parent = match version.as_str() {
            "3.0" => {
                let parent = Variables::new(variable, read, PREFIX, "_FOR_PARENT_RESOURCE");
                Some(Parent {
                    rpt_url: parent.url("RPT_URL")?,
                    rpst_endpoint: parent.endpoint("RPST_ENDPOINT")?,
                })
            }
            _ => None,
        };
        let (leaf, version) = if parent.is_some() {
            let leaf = Variables::new(variable, read, PREFIX, LEAF);
            let version = leaf.require("VERSION")?;
            (leaf, version)
        } else {
            (own, version)
        };
        Ok(Self {
            region: leaf.region(regions)?,
            leaf: Leaf::read(&leaf, &version, instance, parent.is_some())?,
            parent,
        })
    }

    /// The variables that a fault is about which comes before the first call.
    pub(crate) fn given(&self, fault: &ExchangeFault) -> String {
        let suffix = if self.parent.is_some() { LEAF } else { "" };
        let name = |name| [PREFIX, name, suffix].concat();
        match (&self.leaf, fault) {
            (Leaf::Instance { .. }, _) => String::new(),
            (_, ExchangeFault::Credential(SignError::InvalidKey(_))) => name("PRIVATE_PEM"),
            (_, ExchangeFault::Credential(SignError::KeyMismatch)) => {
                [name("RPST"), name("PRIVATE_PEM")].join(" and ")
            }
            _ => name("RPST"),
        }
    }

    /// Its region, where a variable says it.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }
}

impl Leaf {
    fn read(
        variables: &Variables<'_>,
        version: &str,
        instance: InstancePrincipal,
        nested: bool,
    ) -> Result<Self, VariableError> {
        match version {
            "1.1" => Ok(Self::Instance {
                instance,
                rpt_endpoint: variables.endpoint("RPT_ENDPOINT")?,
                rpt_path: variables
                    .text("RPT_PATH")?
                    .unwrap_or_else(|| "/20180711/resourcePrincipalToken/{id}".to_owned()),
                id: variables.text("RPT_ID")?,
                rpst_endpoint: variables.optional_endpoint("RPST_ENDPOINT")?,
            }),
            "2.1" | "2.1.1" | "2.1.2" => Self::by_key(variables, version),
            "2.2" => Ok(Self::Token {
                token: variables.path_or_literal("RPST")?,
                pair: pair(variables)?,
            }),
            _ => Err(variables.error(
                "VERSION",
                VariableFault::Expected(if nested {
                    "1.1, 2.1, 2.1.1, 2.1.2 or 2.2"
                } else {
                    "1.1, 2.1, 2.1.1, 2.1.2, 2.2 or 3.0"
                }),
            )),
        }
    }

    fn by_key(variables: &Variables<'_>, version: &str) -> Result<Self, VariableError> {
        let id = variables.require("RESOURCE_ID")?;
        let (key_id, name) = match version {
            "2.1" => (format!("resource/v2.1/{id}"), "resourcePrincipalTokenV2"),
            "2.1.1" => {
                let tenancy = variables.require("TENANCY_ID")?;
                (format!("resource/v2.1.1/{tenancy}/{id}"), "resourcePrincipalTokenV2")
            }
            _ => {
                let tenancy = variables.require("TENANCY_ID")?;
                (format!("resource/v2.1.2/{tenancy}/{id}"), "resourcePrincipalTokenV212")
            }
        };
        let path = variables.text("RPT_PATH")?;
        let path = path.unwrap_or_else(|| format!("/20180711/{name}/{{id}}"));
        let context = match version {
            "2.1.2" => Some(variables.require("SECURITY_CONTEXT")?),
            _ => None,
        };
        Ok(Self::Key {
            pair: pair(variables)?,
            key_id,
            rpt_url: rpt_url(&variables.endpoint("RPT_ENDPOINT")?, &path, &id),
            rpst_endpoint: variables.endpoint("RPST_ENDPOINT")?,
            context,
        })
    }
}

fn pair(variables: &Variables<'_>) -> Result<Pem, VariableError> {
    Ok(Pem {
        text: variables.path_or_literal("PRIVATE_PEM")?,
        passphrase: variables.optional_path_or_literal("PRIVATE_PEM_PASSPHRASE")?,
    })
}

/// Where a resource's token is: its id in the path, or behind it.
pub(crate) fn rpt_url(endpoint: &str, path: &str, id: &str) -> String {
    let path = path.trim_matches('/');
    let place = ["{id}", "{}"].into_iter().find(|place| path.contains(place));
    match place {
        Some(place) => format!("{endpoint}/{}", path.replacen(place, id, 1)),
        None => format!("{endpoint}/{path}/{id}"),
    }
}

/// Which kind it is, and nothing of key or token.
impl fmt::Debug for ResourcePrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leaf = match &self.leaf {
            Leaf::Instance { .. } => "instance",
            Leaf::Key { .. } => "key",
            Leaf::Token { .. } => "token",
        };
        f.debug_struct("ResourcePrincipal")
            .field("leaf", &leaf)
            .field("nested", &self.parent.is_some())
            .field("region", &self.region)
            .finish()
    }
}

const PREFIX: &str = "OCI_RESOURCE_PRINCIPAL_";
const LEAF: &str = "_FOR_LEAF_RESOURCE";

#[cfg(test)]
mod tests {
    use super::rpt_url;

    #[test]
    fn the_id_goes_where_the_path_says_or_behind_it() {
        for (path, url) in [
            ("/a/{id}", "https://h/a/ocid1"),
            ("/a/{}/b", "https://h/a/ocid1/b"),
            ("/a", "https://h/a/ocid1"),
            ("a/", "https://h/a/ocid1"),
        ] {
            assert_eq!(rpt_url("https://h", path, "ocid1"), url);
        }
    }
}
