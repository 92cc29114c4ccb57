//! What a caller finds on its disk, while it stays and while it is replaced.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ocisign::{KeyOptions, PrivateKeyDer, Profile, ProfileSource, SecurityToken};
use ocisign_emulator::{Config, Emulator, Rotation, StartError};
use plain::{Caller, FUNCTION, TENANCY, USER, claims, config, reason, start, start_toml};
use tempfile::tempdir;

const KEY: &str = "resource_principal/private.pem";
const TOKEN: &str = "resource_principal/rpst";
const FILES: [&str; 11] = [
    "api_key.pem",
    "ca.pem",
    "config",
    "kubernetes/ca.crt",
    "kubernetes/token",
    "resource.pem",
    KEY,
    TOKEN,
    "session/key.pem",
    "session/token",
    "",
];

fn read(emulator: &Emulator, name: &str) -> String {
    fs::read_to_string(emulator.file(name)).unwrap()
}

/// What a reader of the two files finds at one moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Found {
    /// The key is the token's.
    Fitting,
    /// Both are whole, and do not belong together.
    Mismatch,
    /// One of them is not whole.
    Torn,
}

fn look(key: &Path, token: &Path) -> Found {
    let (pem, token) = (fs::read_to_string(key).unwrap(), fs::read_to_string(token).unwrap());
    let key = PrivateKeyDer::from_pem(&pem, &KeyOptions::new());
    let (Ok(key), Ok(token)) = (key, SecurityToken::parse(&token)) else { return Found::Torn };
    match token.session_key() {
        Some(bound) if bound == key.public_key() => Found::Fitting,
        Some(_) => Found::Mismatch,
        None => Found::Torn,
    }
}

/// What a reader sees while the files are replaced, each sight once and for how long.
fn watch(emulator: &Emulator, mode: Rotation) -> Vec<(Found, Duration)> {
    let (key, token) = (emulator.file(KEY), emulator.file(TOKEN));
    let before = read(emulator, TOKEN);
    thread::scope(|scope| {
        let rotation = scope.spawn(|| emulator.rotate_files(mode).unwrap());
        let mut seen = vec![(look(&key, &token), Instant::now())];
        while !rotation.is_finished() {
            let found = look(&key, &token);
            if seen.last().unwrap().0 != found {
                seen.push((found, Instant::now()));
            }
        }
        rotation.join().unwrap();
        assert_eq!(look(&key, &token), Found::Fitting);
        assert_ne!(read(emulator, TOKEN), before);
        let ends: Vec<Instant> = seen.iter().skip(1).map(|(_, at)| *at).collect();
        let ends = ends.into_iter().chain([Instant::now()]);
        seen.iter().zip(ends).map(|((found, at), end)| (*found, end - *at)).collect()
    })
}

/// How long a reader saw this.
fn time_of(seen: &[(Found, Duration)], wanted: Found) -> Duration {
    seen.iter().filter(|(found, _)| *found == wanted).map(|(_, time)| *time).sum()
}

#[test]
fn every_file_is_there_and_nobody_else_may_read_it() {
    let emulator = start();
    for name in FILES {
        let path = emulator.file(name);
        let metadata = fs::metadata(&path).unwrap();
        assert!(metadata.is_dir() || metadata.len() > 0, "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = metadata.permissions().mode() & 0o777;
            assert_eq!(mode, if name.is_empty() { 0o700 } else { 0o600 }, "{name}");
        }
    }
    assert_eq!(emulator.ca_file(), emulator.file("ca.pem"));
    // Nothing is left over of the writing.
    for folder in ["", "kubernetes", "resource_principal", "session"] {
        for entry in fs::read_dir(emulator.file(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(!name.to_string_lossy().ends_with(".new"), "{name:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_could_read_before_is_the_callers_alone_after() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempdir().unwrap();
    for name in ["api_key.pem", "api_key.pem.new"] {
        let path = folder.path().join(name);
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("config.new")).unwrap();
    let directory = Some(folder.path().to_owned());
    let emulator = Emulator::start(Config { directory, ..config() }).unwrap();
    let mode = fs::metadata(emulator.file("api_key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine", "it wrote through a link");
}

#[test]
fn the_profiles_give_credentials_that_are_accepted() {
    let emulator = start();
    let text = read(&emulator, "config");
    for name in ["DEFAULT", "SESSION"] {
        let profile = Profile::parse(&text, name).unwrap();
        let credential = ProfileSource::new(&profile).credential().unwrap();
        let caller = Caller::with(&emulator.url(), credential);
        let echoed = caller.get("/echo").with(200).json();
        assert_eq!(echoed["principal"]["id"], USER, "{name}");
        assert_eq!(echoed["principal"]["type"], "user", "{name}");
    }
    let profile = Profile::parse(&text, "SESSION").unwrap();
    assert!(ProfileSource::new(&profile).credential().unwrap().binding_checked());
}

#[test]
fn the_files_of_a_resource_principal_are_a_credential_that_is_accepted() {
    let emulator = start();
    let echoed = plain::function(&emulator).get("/echo").with(200).json();
    assert_eq!(echoed["principal"]["id"], FUNCTION);
    assert_eq!(echoed["principal"]["tenancy"], TENANCY);
    let claims = claims(&read(&emulator, TOKEN));
    assert_eq!((&claims["res_type"], &claims["ttype"]), (&"fnfunc".into(), &"res".into()));
    assert_eq!(look(&emulator.file(KEY), &emulator.file(TOKEN)), Found::Fitting);
}

#[test]
fn atomic_rotation_shows_no_torn_file_and_no_mismatch_for_long() {
    let emulator = start();
    for _ in 0..5 {
        let seen = watch(&emulator, Rotation::Atomic);
        assert_eq!(time_of(&seen, Found::Torn), Duration::ZERO, "{seen:?}");
        assert!(time_of(&seen, Found::Mismatch) < Duration::from_millis(700), "{seen:?}");
    }
}

#[test]
fn with_the_key_first_the_two_do_not_fit_for_a_second() {
    let emulator = start();
    let token = read(&emulator, TOKEN);
    let seen = watch(&emulator, Rotation::KeyFirst);
    assert_eq!(time_of(&seen, Found::Torn), Duration::ZERO, "{seen:?}");
    let mismatch = time_of(&seen, Found::Mismatch);
    assert!((800..5_000).contains(&mismatch.as_millis()), "{seen:?}");
    assert_ne!(read(&emulator, TOKEN), token);
}

#[test]
fn whichever_comes_first_it_is_the_one_that_is_new() {
    let emulator = start();
    for (mode, first, second) in
        [(Rotation::KeyFirst, KEY, TOKEN), (Rotation::TokenFirst, TOKEN, KEY)]
    {
        let before = [first, second].map(|name| read(&emulator, name));
        thread::scope(|scope| {
            let rotation = scope.spawn(|| emulator.rotate_files(mode).unwrap());
            while read(&emulator, first) == before[0] {
                thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(read(&emulator, second), before[1], "{mode:?}");
            assert_eq!(look(&emulator.file(KEY), &emulator.file(TOKEN)), Found::Mismatch);
            rotation.join().unwrap();
        });
        assert_ne!(read(&emulator, second), before[1], "{mode:?}");
    }
}

#[test]
fn a_caller_that_reads_the_two_in_between_is_refused() {
    let emulator = start();
    let token = read(&emulator, TOKEN);
    thread::scope(|scope| {
        let rotation = scope.spawn(|| emulator.rotate_files(Rotation::TokenFirst).unwrap());
        while read(&emulator, TOKEN) == token {
            thread::sleep(Duration::from_millis(1));
        }
        plain::function(&emulator).get("/echo").with(401);
        let expected = "the signature is not over this request, or not by this key";
        assert_eq!(reason(&emulator), expected);
        rotation.join().unwrap();
    });
    plain::function(&emulator).get("/echo").with(200);
}

#[test]
fn partial_rotation_shows_half_of_a_file_for_a_second() {
    let emulator = start();
    let (key, token) = (read(&emulator, KEY), read(&emulator, TOKEN));
    thread::scope(|scope| {
        let rotation = scope.spawn(|| emulator.rotate_files(Rotation::Partial).unwrap());
        while read(&emulator, TOKEN).len() > token.len() * 2 / 3 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(100));
        let half = read(&emulator, KEY);
        assert!(half.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
        assert!(!half.contains("-----END") && half.len() < key.len() * 2 / 3, "{half}");
        assert_eq!(look(&emulator.file(KEY), &emulator.file(TOKEN)), Found::Torn);
        rotation.join().unwrap();
    });
    let seen = watch(&emulator, Rotation::Partial);
    let torn = time_of(&seen, Found::Torn);
    assert!((800..5_000).contains(&torn.as_millis()), "{seen:?}");
}

#[test]
fn rotation_with_a_newline_ends_the_token_with_one() {
    let emulator = start();
    assert!(!read(&emulator, TOKEN).ends_with('\n'));
    let seen = watch(&emulator, Rotation::Newline);
    assert_eq!(time_of(&seen, Found::Torn), Duration::ZERO, "{seen:?}");
    let token = read(&emulator, TOKEN);
    assert!(token.ends_with('\n') && !token.trim_end().contains('\n'));
    plain::function(&emulator).get("/echo").with(200);
}

#[test]
fn the_old_token_and_the_new_are_both_good_until_they_expire() {
    let emulator = start_toml("[lifetimes]\nresource = 100");
    let start = plain::now();
    emulator.set_time(i64::try_from(start).unwrap());
    emulator.rotate_files(Rotation::Atomic).unwrap();
    let old = plain::function(&emulator);
    emulator.set_time(i64::try_from(start + 50).unwrap());
    emulator.rotate_files(Rotation::Atomic).unwrap();
    let new = plain::function(&emulator);
    for caller in [&old, &new] {
        caller.get("/echo").with(200);
    }
    emulator.set_time(i64::try_from(start + 120).unwrap());
    new.get("/echo").with(200);
    old.get("/echo").with(401);
    assert_eq!(reason(&emulator), "the token has expired");
    emulator.set_time(i64::try_from(start + 151).unwrap());
    new.get("/echo").with(401);
    assert_eq!(reason(&emulator), "the token has expired");
}

#[test]
fn files_are_rotated_on_a_timer() {
    let emulator = start_toml("[files]\nrotate = 1\nmode = 'newline'");
    let mut tokens = vec![read(&emulator, TOKEN)];
    let start = Instant::now();
    while tokens.len() < 3 && start.elapsed() < Duration::from_secs(20) {
        let token = read(&emulator, TOKEN);
        if *tokens.last().unwrap() != token {
            assert!(token.ends_with('\n'));
            tokens.push(token);
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(tokens.len(), 3, "it took {:?}", start.elapsed());
    assert!(start.elapsed() >= Duration::from_secs(2));
    // Between the key and the token there is a moment.
    let accepted = (0..5).any(|_| plain::function(&emulator).get("/echo").status == 200);
    assert!(accepted);
}

#[test]
fn rotations_at_the_same_time_end_with_two_files_that_fit() {
    let emulator = start();
    for round in 0..3 {
        thread::scope(|scope| {
            let modes = [Rotation::KeyFirst, Rotation::Atomic, Rotation::Newline, Rotation::Atomic];
            let emulator = &emulator;
            let rotate = |mode| emulator.rotate_files(mode).map_err(|error| error.to_string());
            let rotations = modes.map(|mode| scope.spawn(move || rotate(mode)));
            for rotation in rotations {
                assert_eq!(rotation.join().unwrap(), Ok(()), "round {round}");
            }
        });
        let found = look(&emulator.file(KEY), &emulator.file(TOKEN));
        assert_eq!(found, Found::Fitting, "round {round}");
    }
}

#[test]
fn the_folder_goes_with_the_emulator_that_made_it() {
    let emulator = start();
    let folder = emulator.file("");
    assert!(folder.is_dir());
    drop(emulator);
    assert!(!folder.exists());
}

#[test]
fn a_folder_that_was_given_stays_and_is_used_again() {
    let above = tempdir().unwrap();
    let folder = above.path().join("deep/below");
    let start = || Emulator::start(Config { directory: Some(folder.clone()), ..config() }).unwrap();
    let emulator = start();
    assert_eq!(emulator.file("config"), folder.join("config"));
    let token = read(&emulator, TOKEN);
    drop(emulator);
    assert_eq!(fs::read_to_string(folder.join(TOKEN)).unwrap(), token);
    let emulator = start();
    assert_ne!(read(&emulator, TOKEN), token);
    plain::function(&emulator).get("/echo").with(200);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let above = tempdir().unwrap();
    let file = above.path().join("file");
    fs::write(&file, "").unwrap();
    for directory in [file.clone(), file.join("below")] {
        let config = Config { directory: Some(directory.clone()), ..config() };
        let error = Emulator::start(config).unwrap_err();
        assert_eq!(error.code(), "DIRECTORY_UNWRITABLE");
        let shown = directory.display().to_string();
        assert!(error.to_string().starts_with(&shown), "{error}");
        assert!(matches!(error, StartError::Directory { .. }));
    }
    // A file of it that is a folder.
    fs::create_dir_all(above.path().join("config/a")).unwrap();
    let directory = Some(above.path().to_owned());
    let error = Emulator::start(Config { directory, ..config() }).unwrap_err();
    assert_eq!(error.code(), "DIRECTORY_UNWRITABLE");
    assert!(error.to_string().contains("config"), "{error}");
}

#[test]
fn a_folder_that_is_gone_fails_a_rotation_and_nothing_else() {
    let folder = tempdir().unwrap();
    let directory = Some(folder.path().join("a"));
    let emulator = Emulator::start(Config { directory, ..config() }).unwrap();
    let function = plain::function(&emulator);
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    let error = emulator.rotate_files(Rotation::Atomic).unwrap_err();
    assert_eq!(error.code(), "DIRECTORY_UNWRITABLE");
    assert!(error.to_string().contains("resource_principal"), "{error}");
    function.get("/echo").with(200);
}

#[test]
fn an_emulator_starts_inside_of_another_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let started = runtime.block_on(async {
        // As a test under `#[tokio::test]` would.
        let started = Emulator::start(config());
        let again = Emulator::start(Config { directory: Some("/dev/null/a".into()), ..config() });
        assert!(again.is_err());
        started.is_ok()
    });
    assert!(started);
}
