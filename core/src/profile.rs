//! The text of `~/.oci/config`, taken apart. Opening the file is the caller's.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::error::{ProfileError, ProfileFault};

/// One profile of a configuration file, with what it inherits from `[DEFAULT]`.
///
/// What the official readers read is read. Where they differ, the rule is:
///
/// - A key is split from its value at the first `=` or `:`; blanks around both
///   are dropped, and keys are taken in lower case.
/// - Lines that start with `#` or `;` are comments. There are no comments behind
///   a value, no quotes, no escapes and no interpolation.
/// - A key that the profile does not set is that of `[DEFAULT]`; an empty value
///   counts as set.
/// - A byte order mark is passed over; lines may end in LF or CRLF.
/// - A key or a section that stands twice is an error, wherever it stands.
///
/// Source: Oracle's documentation, "SDK and CLI Configuration File".
///
/// ```
/// use ocisign_core::Profile;
///
/// let text = "[DEFAULT]\nuser=ocid1.user.oc1..a\nregion=us-ashburn-1\n[PROD]\nregion = us-phoenix-1\n";
/// let profile = Profile::parse(text, "PROD")?;
/// assert_eq!(profile.get("user"), Some("ocid1.user.oc1..a"));
/// assert_eq!(profile.get("region"), Some("us-phoenix-1"));
/// # Ok::<(), ocisign_core::ProfileError>(())
/// ```
pub struct Profile {
    values: Vec<(String, Zeroizing<String>)>,
}

impl Profile {
    /// Read the profile of this name out of a text of at most 1,048,576 bytes.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Invalid`] for the first line, of whatever profile, that
    /// cannot be read; [`ProfileError::NotFound`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ProfileError> {
        let sections = sections(text)?;
        let find = |name: &str| sections.iter().find(|section| section.name == name);
        let own = find(name).ok_or_else(|| ProfileError::NotFound(name.to_string()))?;
        let inherited = find("DEFAULT").map_or(&[][..], |section| &section.values);
        let inherited = inherited.iter().filter(|(key, _)| !own.keys.contains(key));
        let values = own.values.iter().chain(inherited);
        Ok(Self {
            values: values
                .map(|(key, value)| (key.clone(), Zeroizing::new((*value).into())))
                .collect(),
        })
    }

    /// The value of this key, in lower case: `region`, `key_file`, …
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The value of this key, which must be there and not empty.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`].
    pub fn require(&self, key: &'static str) -> Result<&str, ProfileError> {
        self.get(key).filter(|value| !value.is_empty()).ok_or(ProfileError::Missing(key))
    }

    /// The passphrase of the private key: `pass_phrase`, or `passphrase` as the Go SDK has it.
    #[must_use]
    pub fn passphrase(&self) -> Option<&str> {
        self.get("pass_phrase").or_else(|| self.get("passphrase"))
    }

    /// The keys that are set, in order: the profile's own, then those of `[DEFAULT]`.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(key, _)| key.as_str())
    }
}

/// Keys without values: one may be a passphrase.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

#[derive(Default)]
struct Section<'a> {
    name: &'a str,
    /// The keys of `values`: a search for each of a million would take minutes.
    keys: BTreeSet<String>,
    values: Vec<(String, &'a str)>,
}

fn sections(text: &str) -> Result<Vec<Section<'_>>, ProfileError> {
    if let Some(read) = text.as_bytes().get(..MAX_TEXT).filter(|_| text.len() > MAX_TEXT) {
        let line = read.split(|&byte| byte == b'\n').count();
        return Err(ProfileError::Invalid { line, fault: ProfileFault::TooLong });
    }
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut names = BTreeSet::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let fail = |fault| ProfileError::Invalid { line: index + 1, fault };
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').ok_or(fail(ProfileFault::UnclosedSection))?.trim();
            if name.is_empty() {
                return Err(fail(ProfileFault::NoName));
            }
            if !names.insert(name) {
                return Err(fail(ProfileFault::DuplicateSection));
            }
            sections.push(Section { name, ..Section::default() });
            continue;
        }
        let section = sections.last_mut().ok_or(fail(ProfileFault::NoSection))?;
        let (key, value) = line.split_once(['=', ':']).ok_or(fail(ProfileFault::NoSeparator))?;
        let key = key.trim().to_ascii_lowercase();
        if key.is_empty() {
            return Err(fail(ProfileFault::NoName));
        }
        if !section.keys.insert(key.clone()) {
            return Err(fail(ProfileFault::DuplicateKey));
        }
        section.values.push((key, value.trim()));
    }
    Ok(sections)
}

const MAX_TEXT: usize = 1 << 20;
