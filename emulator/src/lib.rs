//! OCI's identity plane on loopback.
//!
//! An [`Emulator`] answers as the instance metadata service, the authentication service, the
//! proxymux of OKE and a handful of services to call do. It verifies every request strictly, with
//! code that is none of ocisign's: it judges what ocisign signs. On request it misbehaves.
//!
//! Programs in other languages start the command `ocisign-emulator`.
//!
//! ```
//! use ocisign_emulator::{Config, Emulator};
//!
//! let mut config = Config::default();
//! config.listen = "127.0.0.1:0".parse().unwrap(); // any free port
//! config.tls_listen = "127.0.0.1:0".parse().unwrap();
//! let emulator = Emulator::start(config)?;
//! assert!(emulator.url().starts_with("http://127.0.0.1:"));
//! # Ok::<(), ocisign_emulator::StartError>(())
//! ```
#![forbid(unsafe_code)]

mod access;
mod answer;
mod authorization;
mod call;
mod certificate;
mod clock;
mod config;
mod emulator;
mod environment;
mod fault;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guard;
mod key;
mod log;
mod policy;
mod principal;
mod random;
mod server;
mod service;
mod state;
mod tls;
mod token;

use std::sync::{Mutex, MutexGuard, PoisonError};

// The public interface is:
pub use config::{
    AuthorityConfig, BucketConfig, CompartmentConfig, Config, ConfigError, DomainClientConfig,
    DynamicGroupConfig, FilesConfig, InstanceConfig, Lifetimes, RegionConfig, ResourceConfig,
    Rotation, SecretConfig, TenancyConfig, UserConfig, WorkloadConfig,
};
pub use emulator::{Emulator, StartError};
pub use environment::ResourcePrincipal;
pub use fault::{Fault, FaultKind};
pub use log::Entry;

/// What is in a mutex, also after a panic: each value is whole at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The examples of `docs/emulator.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/emulator.md")]
struct Document;
