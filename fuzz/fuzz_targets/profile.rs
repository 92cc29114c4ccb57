//! The name of a profile on the first line, and a configuration below it.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use ocisign_core::{Profile, ProfileError};
use ocisign_fuzz::{hidden, printed};

fuzz_target!(|input: &str| {
    let (name, text) = input.split_once('\n').unwrap_or(("DEFAULT", input));
    let profile = Profile::parse(text, name);
    // Lines may end in either way.
    if !text.contains('\r') && text.len() < 500_000 {
        let other = Profile::parse(&text.replace('\n', "\r\n"), name);
        assert_eq!(values(&profile), values(&other));
    }
    match profile {
        Ok(profile) => {
            let keys: BTreeSet<&str> = profile.keys().collect();
            assert_eq!(keys.len(), profile.keys().count(), "a key is there twice");
            for key in keys {
                assert!(!key.is_empty() && !key.bytes().any(|byte| byte.is_ascii_uppercase()));
                let value = profile.get(key).expect("its value");
                assert!(text.contains(value) && value.trim() == value && !value.contains('\n'));
            }
            if let Some(passphrase) = profile.passphrase()
                && !profile.keys().any(|key| key.contains(passphrase))
                && passphrase.len() >= 12
            {
                assert!(!format!("{profile:?}").contains(passphrase));
            }
        }
        Err(error) => {
            if let ProfileError::Invalid { line, .. } = error {
                assert!(line >= 1 && line <= text.lines().count());
                hidden(&printed(&error), text.as_bytes());
            } else {
                assert_eq!(error, ProfileError::NotFound(name.to_owned()));
            }
        }
    }
});

fn values(
    profile: &Result<Profile, ProfileError>,
) -> Result<Vec<(&str, Option<&str>)>, &ProfileError> {
    let profile = profile.as_ref()?;
    Ok(profile.keys().map(|key| (key, profile.get(key))).collect())
}
