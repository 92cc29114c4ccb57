//! The command `ocisign`.
#![forbid(unsafe_code)]

fn main() {}
