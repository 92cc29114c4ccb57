#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::duration_suboptimal_units, reason = "the rules speak of seconds")]
#![allow(clippy::unchecked_time_subtraction, reason = "a test that underflows has failed")]
//! The rules by which credentials follow each other: one by one, and in years of bad weather.
//!
//! Numbers of cases, as in `case 22`, are those of the list of faults that a signer has to
//! bear; they stand in the names of tests and of the simulation's faults.

mod rejections;
mod rules;
mod simulation;
mod support;
mod weather;
mod witness;
mod world;
