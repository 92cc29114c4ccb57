//! What goes wrong on the way to a credential, over real sockets: bounded in time and size, a
//! typed error that names the call, and what is valid stays in use. Cases as in
//! `docs/reliability.md`.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../emulated/mod.rs"]
mod emulated;

mod chain;
mod federation;
mod metadata;
mod proxy;
mod random;
mod retries;
mod server;
mod session;
mod tls;
mod watch;
mod workload;
