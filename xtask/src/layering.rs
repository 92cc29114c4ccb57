//! The arrows inside `core` run one way, and this holds them.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::shell::root;

/// Each module may name those above it.
const ORDER: [&str; 24] = [
    "time",
    "error",
    "url",
    "request",
    "signing_string",
    "authorization",
    "pem",
    "key_options",
    "public_key",
    "encryption",
    "private_key",
    "signing_key",
    "rsa_key",
    "key_id",
    "security_token",
    "credential",
    "sign",
    "verify",
    "profile",
    "region",
    "backoff",
    "certificate",
    "generation",
    "federation",
];

/// Fail for a module that is not in the order, or names one that comes after it.
pub(crate) fn check() -> Result {
    let mut faults = Vec::new();
    for entry in fs::read_dir(root().join("core/src"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "lib" {
            continue;
        }
        let Some(place) = ORDER.iter().position(|known| *known == name) else {
            faults.push(format!("core/src/{name}.rs has no place in the order"));
            continue;
        };
        // A folder belongs to the module of its name.
        for used in uses(&source(&path)?) {
            let allowed = ORDER.iter().take(place + 1).any(|known| *known == used);
            if !allowed {
                faults.push(format!("core/src/{name}.rs uses `{used}`, which comes after it"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// The text of a file, or of all files in a folder.
fn source(path: &Path) -> Result<String> {
    if !path.is_dir() {
        return Ok(fs::read_to_string(path)?);
    }
    let mut text = String::new();
    for entry in fs::read_dir(path)? {
        text += &source(&entry?.path())?;
    }
    Ok(text)
}

/// The modules that a file names as `crate::…`, its tests and comments aside.
fn uses(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>()
        })
        // What stands in braces is not read, so that it is refused: no module is named `{`.
        .map(|module| if module.is_empty() { "{".into() } else { module })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{check, uses};

    #[test]
    fn the_arrows_in_core_run_one_way() {
        check().unwrap();
    }

    #[test]
    fn every_use_of_another_module_is_seen() {
        let text = "use crate::{a, b};\nuse crate::url;\n// crate::not\nlet x = crate::pem::sections(crate::time::now());\n\
                    pub(crate) fn f() {}\n#[cfg(test)]\nuse crate::later;";
        assert_eq!(uses(text), ["{", "url", "pem", "time"]);
    }
}
