//! Variables of an environment, looked up by a function that the caller gives.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;

use zeroize::Zeroizing;

use crate::region::{Region, RegionSources};
use crate::request::trim_text;
use crate::url;

/// The variables that start and end in the same way.
#[derive(Clone, Copy)]
pub(crate) struct Variables<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    read: &'a dyn Fn(&str) -> Result<Zeroizing<String>, String>,
    prefix: &'static str,
    suffix: &'static str,
}

impl<'a> Variables<'a> {
    pub(crate) fn new(
        variable: &'a dyn Fn(&str) -> Option<String>,
        read: &'a dyn Fn(&str) -> Result<Zeroizing<String>, String>,
        prefix: &'static str,
        suffix: &'static str,
    ) -> Self {
        Self { variable, read, prefix, suffix }
    }

    /// A value that is no secret. An empty one counts as none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, VariableError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        if value.chars().any(char::is_control) {
            return Err(self.error(name, VariableFault::Expected("one line of text")));
        }
        Ok(Some(value.as_str().to_owned()))
    }

    pub(crate) fn require(&self, name: &str) -> Result<String, VariableError> {
        self.text(name)?.ok_or_else(|| self.error(name, VariableFault::Missing))
    }

    /// A whole URL, as it stands.
    pub(crate) fn url(&self, name: &str) -> Result<String, VariableError> {
        let url = self.require(name)?;
        match url::parse(&url) {
            Ok(_) => Ok(url),
            Err(_) => Err(self.error(name, VariableFault::Expected("an http or https URL"))),
        }
    }

    /// A URL that a path is put behind, without a slash at its end.
    pub(crate) fn endpoint(&self, name: &str) -> Result<String, VariableError> {
        self.optional_endpoint(name)?.ok_or_else(|| self.error(name, VariableFault::Missing))
    }

    pub(crate) fn optional_endpoint(&self, name: &str) -> Result<Option<String>, VariableError> {
        let Some(url) = self.text(name)? else { return Ok(None) };
        if url::parse(&url).is_err() || url.contains(['?', '#']) {
            let expected = "an http or https URL without query or fragment";
            return Err(self.error(name, VariableFault::Expected(expected)));
        }
        Ok(Some(url.trim_end_matches('/').into()))
    }

    /// A secret, or the absolute path of a file that holds it.
    pub(crate) fn path_or_literal(&self, name: &str) -> Result<Zeroizing<String>, VariableError> {
        self.optional_path_or_literal(name)?.ok_or_else(|| self.error(name, VariableFault::Missing))
    }

    pub(crate) fn optional_path_or_literal(
        &self,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, VariableError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        if !is_absolute_path(&value) {
            return Ok(Some(value));
        }
        let text = (self.read)(&value).map_err(|reason| {
            // What cannot be read may be a passphrase that begins as a path does.
            let secret = name.ends_with("PASSPHRASE");
            let reason =
                if secret { "the file that it names cannot be read".into() } else { reason };
            self.error(name, VariableFault::Unreadable(reason))
        })?;
        let text = trimmed(&text);
        if text.is_empty() {
            return Err(self.error(name, VariableFault::Expected("a file that is not empty")));
        }
        Ok(Some(text))
    }

    pub(crate) fn region(
        &self,
        sources: &RegionSources<'_>,
    ) -> Result<Option<Region>, VariableError> {
        let Some(name) = self.optional_path_or_literal("REGION")? else { return Ok(None) };
        let region = Region::lookup(&name, sources);
        region.map(Some).map_err(|_| self.error("REGION", VariableFault::Expected("a region")))
    }

    pub(crate) fn error(&self, name: &str, fault: VariableFault) -> VariableError {
        VariableError { name: [self.prefix, name, self.suffix].concat(), fault }
    }

    fn value(&self, name: &str) -> Option<Zeroizing<String>> {
        let value = (self.variable)(&[self.prefix, name, self.suffix].concat())?;
        let value = Zeroizing::new(value);
        Some(trimmed(&value)).filter(|value| !value.is_empty())
    }
}

/// For variables of which none names a file.
pub(crate) fn no_file(_: &str) -> Result<Zeroizing<String>, String> {
    Err("it may not be the path of a file".into())
}

fn trimmed(text: &str) -> Zeroizing<String> {
    Zeroizing::new(trim_text(text).into())
}

/// Neither a token nor PEM begins like one, on any system.
fn is_absolute_path(text: &str) -> bool {
    let drive = text.get(1..3).is_some_and(|drive| drive == ":\\" || drive == ":/");
    text.starts_with('/') || drive
}

/// Which variable of the environment is at fault, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VariableError {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub fault: VariableFault,
}

/// What is wrong with a variable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VariableFault {
    /// Its value is not what it has to be: what was expected.
    Expected(&'static str),
    /// It is not set, or empty.
    Missing,
    /// The file that it names could not be read: the reader's own words.
    Unreadable(String),
}

impl VariableError {
    /// This variable, with what is wrong with it.
    #[must_use]
    pub fn new(name: &str, fault: VariableFault) -> Self {
        Self { name: name.to_string(), fault }
    }

    /// A variable that has to be set, and is not.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::new(name, VariableFault::Missing)
    }

    /// The stable code, equal in all languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.fault {
            VariableFault::Expected(_) => "INVALID_VARIABLE",
            VariableFault::Missing => "MISSING_VARIABLE",
            VariableFault::Unreadable(_) => "FILE_UNREADABLE",
        }
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.fault {
            VariableFault::Expected(what) => write!(f, "not {what}"),
            VariableFault::Missing => f.write_str("not set"),
            VariableFault::Unreadable(reason) => f.write_str(reason),
        }
    }
}

impl core::error::Error for VariableError {}
