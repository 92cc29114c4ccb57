//! The rules by which credentials follow each other: one by one, and in years of bad weather.
//!
//! Numbers of cases, as in `case 22`, are those of the list of faults that a signer has to
//! bear; they stand in the names of tests and of the simulation's faults.
#![allow(clippy::unwrap_used, clippy::panic)]

mod rejections;
mod rules;
mod support;
