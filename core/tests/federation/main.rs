//! Exchanges without any I/O: what they ask, what they make of each answer, and that they end.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod drive;
mod made;
mod random;
mod replay;
mod requests;
mod retries;
mod variables;
mod world;
