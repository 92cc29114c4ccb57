//! The environment of the process, or one that stands in for it.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where sources look: variables, and the home directory.
///
/// ```
/// use ocisign::Environment;
///
/// let environment = Environment::of([("OCI_CLI_PROFILE", "PROD")]);
/// assert_eq!(environment.variable("OCI_CLI_PROFILE").as_deref(), Some("PROD"));
/// assert_eq!(environment.variable("HOME"), None);
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    /// Without them, those of the process.
    variables: Option<BTreeMap<String, String>>,
}

impl Environment {
    /// The environment of this process, as it is when it is looked at.
    #[must_use]
    pub const fn process() -> Self {
        Self { variables: None }
    }

    /// These variables and no others, for tests and for programs that have their own.
    #[must_use]
    pub fn of<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { variables: Some(pairs.collect()) }
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        let value = match &self.variables {
            Some(variables) => variables.get(name).cloned(),
            None => env::var(name).ok(),
        };
        value.filter(|value| !value.trim().is_empty())
    }

    /// The home directory.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        match &self.variables {
            Some(_) => self.variable("HOME").map(PathBuf::from),
            None => env::home_dir().filter(|home| home != Path::new("")),
        }
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variables {
            Some(variables) => f.debug_list().entries(variables.keys()).finish(),
            None => f.write_str("the process's"),
        }
    }
}
