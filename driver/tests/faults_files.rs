//! Files that change under a signer: in the wrong order, in part, into something else.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![cfg(unix)]

mod emulated;
mod faults;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use emulated::Emulated;
use faults::{KEY, OTHER_KEY, Virtual, key, message, parts, request, token, until, verifies};
use ocisign::{
    ConfigSource, Environment, NativeVerifyingKey, Refreshed, ResourceSource, Signer, SigningKey,
    VerifyingKey,
};
use ocisign_emulator::{Config, ResourcePrincipal, Rotation};
use tempfile::TempDir;

const VERSION: &str = "OCI_RESOURCE_PRINCIPAL_VERSION";
const RPST: &str = "OCI_RESOURCE_PRINCIPAL_RPST";
const PEM: &str = "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM";
const PASSPHRASE: &str = "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE";

/// A resource principal of version 2.2, its two files, and a clock.
struct Resource {
    clock: Virtual,
    directory: TempDir,
    signer: Signer,
}

impl Resource {
    /// Its token lives for twenty minutes, and generation 1 signs.
    fn new() -> Self {
        let resource = Self::unwarmed(&[]);
        resource.write(KEY, 1_200);
        resource.signer.warm().unwrap();
        resource
    }

    fn unwarmed(more: &[(&str, &str)]) -> Self {
        let (clock, directory) = (Virtual::new(), tempfile::tempdir().unwrap());
        let path = |name: &str| directory.path().join(name).display().to_string();
        let mut variables: Vec<(String, String)> = vec![
            (VERSION.into(), "2.2".into()),
            (RPST.into(), path("rpst")),
            (PEM.into(), path("pem")),
        ];
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let signer = Signer::builder(ResourceSource::new())
            .environment(Environment::of(variables))
            .clock(clock.clone())
            .build();
        Self { clock, directory, signer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn token(&self, pem: &str, lives: u64) -> String {
        token(pem, self.clock.time() + lives, "1")
    }

    /// Both files, each in one step.
    fn write(&self, pem: &str, lives: u64) {
        put(&self.path("pem"), pem.as_bytes());
        put(&self.path("rpst"), self.token(pem, lives).as_bytes());
    }

    /// What signs, and that it verifies.
    fn signs(&self) -> u64 {
        let start = Instant::now();
        let signed = self.signer.sign(&request()).unwrap();
        assert!(verifies(&signed));
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        signed.generation()
    }

    /// The code of a refresh that fails, after which the old generation signs.
    fn keeps(&self, what: &str) -> &'static str {
        let before = self.signer.status().generation;
        let error = self.signer.refresh().unwrap_err();
        assert_eq!(self.signs(), before, "{what}");
        error.code()
    }

    /// A new pair is taken without a restart.
    fn recovers(&self, pem: &str, what: &str) {
        let before = self.signer.status().generation;
        self.write(pem, 1_200);
        self.signer.refresh().unwrap();
        assert_eq!(self.signs(), before + 1, "{what}");
    }
}

/// Write a file in one step, whatever is at its place.
fn put(path: &Path, bytes: &[u8]) {
    let beside = path.with_extension("new");
    fs::write(&beside, bytes).unwrap();
    if path.is_dir() {
        fs::remove_dir(path).unwrap();
    }
    fs::rename(beside, path).unwrap();
}

#[test]
fn case_11_files_rotated_in_either_order_are_never_signed_with_as_a_pair() {
    let emulated = Arc::new(Emulated::start(Config::default()));
    let emulated_as = |rotation| {
        let mut variables = emulated.emulator.environment(Some(ResourcePrincipal::V2_2));
        variables.push(("HOME".into(), "/nowhere".into()));
        let signer =
            Signer::builder(ResourceSource::new()).environment(Environment::of(variables)).build();
        signer.warm().unwrap();
        let (before, done) = (signer.status().generation, AtomicBool::new(false));
        let mut failed = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                emulated.emulator.rotate_files(rotation).unwrap();
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                failed += u32::from(signer.refresh().is_err());
                assert!(verifies(&signer.sign(&request()).unwrap()), "{rotation:?}");
                thread::sleep(Duration::from_millis(5));
            }
        });
        signer.refresh().unwrap();
        let (status, signed) = emulated.get(&signer, "/20160918/regions").unwrap();
        assert_eq!((status, signed.generation()), (200, before + 1), "{rotation:?}");
        assert!(emulated.caller().starts_with("resource"));
        failed
    };
    for rotation in [Rotation::KeyFirst, Rotation::TokenFirst, Rotation::Partial] {
        // Some refreshes fell into the second between the two files.
        assert!(emulated_as(rotation) > 0, "{rotation:?}");
    }
    emulated_as(Rotation::Newline);
    emulated_as(Rotation::Atomic);
}

#[test]
fn case_11_files_rotated_five_seconds_apart_at_half_life_are_taken_once_they_fit() {
    for token_first in [false, true] {
        let resource = Resource::new();
        let token = resource.token(OTHER_KEY, 2_400);
        let (first, second) = if token_first {
            (("rpst", token.as_str()), ("pem", OTHER_KEY))
        } else {
            (("pem", OTHER_KEY), ("rpst", token.as_str()))
        };
        put(&resource.path(first.0), first.1.as_bytes());
        resource.clock.advance(661); // past half of the life, and its jitter
        assert_eq!(resource.signs(), 1);
        until("the refresh failed", || resource.signer.status().failures == 1);
        let error = resource.signer.status().last_error.unwrap();
        assert_eq!(error.code(), "KEY_MISMATCH");
        for _ in 0..5 {
            resource.clock.advance(1);
            assert_eq!(resource.signs(), 1);
            thread::sleep(Duration::from_millis(20));
        }
        put(&resource.path(second.0), second.1.as_bytes());
        let mut seconds = 0;
        while resource.signs() == 1 {
            resource.clock.advance(1);
            thread::sleep(Duration::from_millis(20));
            seconds += 1;
        }
        assert!(seconds <= 10, "{seconds}");
        assert_eq!(resource.signer.status().failures, 0);
    }
}

#[test]
fn case_12_what_surrounds_a_token_or_key_is_passed_over() {
    let resource = Resource::new();
    for (number, (before, after)) in [
        ("", "\n"),
        ("", "\r\n"),
        ("\u{feff}", ""),
        ("ST$", ""),
        ("\u{feff}ST$", "\r\n"),
        (" \n", "\n\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let pem = if number % 2 == 0 { OTHER_KEY } else { KEY };
        let bom = if before.starts_with('\u{feff}') { "\u{feff}" } else { "" };
        put(&resource.path("pem"), format!("{bom}{pem}{after}").as_bytes());
        let token = resource.token(pem, 1_200 + number as u64);
        put(&resource.path("rpst"), format!("{before}{token}{after}").as_bytes());
        resource.signer.refresh().unwrap();
        assert_eq!(resource.signs(), number as u64 + 2, "{before:?} {after:?}");
    }
    put(&resource.path("pem"), KEY.replace('\n', "\r\n").as_bytes());
    put(&resource.path("rpst"), resource.token(KEY, 1_300).as_bytes());
    resource.signer.refresh().unwrap();
    assert_eq!(resource.signs(), 8);
}

#[test]
fn case_12_a_file_that_is_written_in_part_or_empty_drops_nothing_that_is_valid() {
    let resource = Resource::new();
    let token = resource.token(OTHER_KEY, 1_200);
    let half = token.len() / 2;
    for (file, content, code) in [
        ("rpst", token[..half].to_owned(), "INVALID_TOKEN"),
        ("rpst", token[..token.find('.').unwrap()].to_owned(), "INVALID_TOKEN"),
        ("rpst", String::new(), "INVALID_VARIABLE"),
        ("rpst", "\n".to_owned(), "INVALID_VARIABLE"),
        ("rpst", "<html>502</html>".to_owned(), "INVALID_TOKEN"),
        ("pem", KEY[..KEY.len() / 2].to_owned(), "INVALID_KEY"),
        ("pem", String::new(), "INVALID_VARIABLE"),
        ("pem", "-----BEGIN PRIVATE KEY-----\n".to_owned(), "INVALID_KEY"),
    ] {
        let shown = content.get(..20).unwrap_or(&content);
        put(&resource.path(file), content.as_bytes());
        assert_eq!(resource.keeps(shown), code, "{file} {shown:?}");
        resource.write(KEY, 1_200);
        resource.signer.refresh().unwrap();
    }
    resource.recovers(OTHER_KEY, "after all of them");
}

#[test]
fn case_13_a_file_that_is_another_thing_drops_nothing_that_is_valid() {
    let resource = Resource::new();
    let root = resource.directory.path().metadata().unwrap().uid() == 0;
    let mut pem = OTHER_KEY;
    for file in ["rpst", "pem"] {
        let path = resource.path(file);
        let faults: [(&str, &dyn Fn()); 5] = [
            ("deleted", &|| fs::remove_file(&path).unwrap()),
            ("a directory", &|| {
                fs::remove_file(&path).unwrap();
                fs::create_dir(&path).unwrap();
            }),
            ("a dangling link", &|| {
                fs::remove_file(&path).unwrap();
                symlink("nowhere", &path).unwrap();
            }),
            ("larger than 1 MiB", &|| put(&path, &vec![b'a'; (1 << 20) + 1])),
            ("not to be read", &|| {
                if root {
                    // Who is root may read everything: without EACCES here.
                    fs::remove_file(&path).unwrap();
                } else {
                    fs::set_permissions(&path, PermissionsExt::from_mode(0o0)).unwrap();
                }
            }),
        ];
        for (what, fault) in faults {
            fault();
            assert_eq!(resource.keeps(what), "FILE_UNREADABLE", "{file} is {what}");
            resource.recovers(pem, what);
            pem = if pem == KEY { OTHER_KEY } else { KEY };
        }
    }
    if root {
        println!("EACCES was skipped: this is root");
    }
}

#[test]
fn case_13_links_that_kubernetes_flips_are_followed_and_never_half() {
    let resource = Resource::unwarmed(&[]);
    let flip = |number: u32, pem: &str| {
        let folder = resource.path(&format!("..{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("pem"), pem).unwrap();
        fs::write(folder.join("rpst"), resource.token(pem, 1_200 + u64::from(number))).unwrap();
        symlink(&folder, resource.path("..tmp")).unwrap();
        fs::rename(resource.path("..tmp"), resource.path("..data")).unwrap();
    };
    flip(0, KEY);
    symlink("..data/pem", resource.path("pem")).unwrap();
    symlink("..data/rpst", resource.path("rpst")).unwrap();
    let done = AtomicBool::new(false);
    let (mut taken, mut kept) = (0, 0);
    resource.signer.warm().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=100 {
                flip(number, if number % 2 == 0 { KEY } else { OTHER_KEY });
                thread::sleep(Duration::from_millis(2));
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            match resource.signer.refresh() {
                Ok(()) => taken += 1,
                Err(error) => {
                    assert_eq!(error.code(), "KEY_MISMATCH");
                    kept += 1;
                }
            }
            resource.signs();
        }
    });
    println!("{taken} refreshes took a pair, {kept} kept the one before");
    resource.signer.refresh().unwrap();
    assert!(resource.signer.status().valid);
}

#[test]
fn case_13_a_pipe_without_a_writer_stops_neither_the_signer_nor_its_recovery() {
    let resource = Resource::new();
    fs::remove_file(resource.path("rpst")).unwrap();
    assert!(Command::new("mkfifo").arg(resource.path("rpst")).status().unwrap().success());
    resource.clock.advance(661);
    for _ in 0..50 {
        assert_eq!(resource.signs(), 1);
        resource.clock.advance(2);
        thread::sleep(Duration::from_millis(2));
    }
    // It is read once: the one refresh waits for it. A writer that comes is heard.
    put(&resource.path("pem"), OTHER_KEY.as_bytes());
    fs::write(resource.path("rpst"), resource.token(OTHER_KEY, 1_200)).unwrap();
    let start = Instant::now();
    // The key was read after the token, or before: then the pair fits the next time.
    while resource.signs() == 1 && start.elapsed() < Duration::from_secs(5) {
        put(&resource.path("rpst"), resource.token(OTHER_KEY, 1_200).as_bytes());
        resource.clock.advance(2);
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(resource.signs(), 2);
}

#[test]
fn case_14_a_token_that_nobody_replaces_is_expired_with_its_path_and_when_it_was_written() {
    let resource = Resource::new();
    resource.clock.advance(1_198);
    assert_eq!(resource.signs(), 1);
    until("the refresh brought the same", || resource.signer.status().failures == 0);
    resource.clock.advance(2);
    let error = resource.signer.sign(&request()).unwrap_err();
    assert_eq!(error.code(), "EXPIRED");
    let path = resource.path("rpst");
    let text = error.to_string();
    let modified = path.metadata().unwrap().modified().unwrap();
    let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert!(text.contains(&format!("last written at {modified}")), "{text}");
    // By itself, once somebody writes.
    resource.write(OTHER_KEY, 1_200);
    resource.clock.advance(2);
    assert_eq!(resource.signs(), 2);
}

#[test]
fn case_14_a_session_of_the_configuration_file_says_its_token_file_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let clock = Virtual::new();
    fs::write(path("token"), token(KEY, clock.time() - 10, "1")).unwrap();
    fs::write(path("key"), KEY).unwrap();
    let text = format!(
        "[DEFAULT]\nregion=us-ashburn-1\nsecurity_token_file={}\nkey_file={}\n",
        path("token").display(),
        path("key").display()
    );
    fs::write(path("config"), text).unwrap();
    let source = ConfigSource::new().path(path("config")).profile("DEFAULT");
    let signer = Signer::builder(source).environment(Environment::of([("HOME", "/")])).build();
    let error = signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXPIRED");
    let text = error.to_string();
    assert!(text.contains(path("token").to_str().unwrap()), "{text}");
    assert!(text.contains("last written at"), "{text}");
}

#[test]
fn case_15_a_passphrase_is_taken_as_value_or_file_and_wrong_ones_are_named() {
    let encrypted = include_str!("../../vectors/keys/test-key.pkcs8-enc.pem");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("passphrase");
    fs::write(&file, "test-passphrase\n").unwrap();
    let file = file.to_str().unwrap();
    let missing = "/hunter2-is-no-path";
    for (pem, passphrase, expected) in [
        (encrypted, Some("test-passphrase"), Ok(())),
        (encrypted, Some(file), Ok(())),
        (encrypted, Some("wrong-passphrase"), Err("INVALID_KEY")),
        (encrypted, None, Err("INVALID_KEY")),
        (encrypted, Some(missing), Err("FILE_UNREADABLE")),
        (KEY, Some("not-needed"), Ok(())), // nothing here warns: there is nobody to tell
    ] {
        let given: Vec<_> = passphrase.iter().map(|value| (PASSPHRASE, *value)).collect();
        let resource = Resource::unwarmed(&given);
        put(&resource.path("pem"), pem.as_bytes());
        put(&resource.path("rpst"), resource.token(KEY, 1_200).as_bytes());
        let result = resource.signer.warm();
        assert_eq!(result.as_ref().map_err(ocisign::SignerError::code).copied(), expected);
        if let Err(error) = result {
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2") && !text.contains("wrong-passphrase"), "{text}");
        }
    }
}

#[test]
fn case_23_an_api_key_that_is_rotated_in_its_files_is_taken_at_the_next_look() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let config = |pem: &str| {
        let fingerprint = key(pem).public_key().fingerprint();
        let key_file = path("key").display().to_string();
        format!(
            "[DEFAULT]\ntenancy=ocid1.tenancy.oc1..a\nuser=ocid1.user.oc1..b\n\
             fingerprint={fingerprint}\nkey_file={key_file}\nregion=us-ashburn-1\n"
        )
    };
    let (clock, told) = (Virtual::new(), Arc::new(Mutex::new(Vec::new())));
    fs::write(path("config"), config(KEY)).unwrap();
    fs::write(path("key"), KEY).unwrap();
    let tell = told.clone();
    let signer = Signer::builder(ConfigSource::new().path(path("config")).profile("DEFAULT"))
        .environment(Environment::of([("HOME", "/")]))
        .clock(clock.clone())
        .on_refresh(move |refreshed| {
            tell.lock().unwrap().push(match refreshed {
                Refreshed::Failed(error) => error.code().to_owned(),
                Refreshed::New(generation) => format!("new {}", generation.number()),
                Refreshed::Unchanged => "unchanged".to_owned(),
            });
        })
        .build();
    let good = |signed: &ocisign::Signed, pem: &str| {
        let (key_id, signature) = parts(signed);
        let key = key(pem);
        assert!(key_id.ends_with(&key.public_key().fingerprint()));
        let verifying = NativeVerifyingKey::new(key.public_key()).unwrap();
        assert!(verifying.verify(message(signed).as_bytes(), &signature));
    };
    let first = signer.sign(&request()).unwrap();
    good(&first, KEY);
    fs::write(path("key"), OTHER_KEY).unwrap(); // the fingerprint comes later
    clock.advance(331);
    good(&signer.sign(&request()).unwrap(), KEY);
    until("it was looked at", || told.lock().unwrap().len() == 2);
    fs::write(path("config"), config(OTHER_KEY)).unwrap();
    clock.advance(2);
    good(&signer.sign(&request()).unwrap(), KEY); // the old one signs while the new one is read
    until("it was looked at again", || told.lock().unwrap().len() == 3);
    let second = signer.sign(&request()).unwrap();
    good(&second, OTHER_KEY);
    clock.advance(331);
    good(&signer.sign(&request()).unwrap(), OTHER_KEY);
    until("and again", || told.lock().unwrap().len() == 4);
    assert_eq!(*told.lock().unwrap(), ["new 1", "KEY_MISMATCH", "new 2", "unchanged"]);
    assert_eq!((first.generation(), second.generation()), (1, 2));
}
