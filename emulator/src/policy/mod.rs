//! OCI's access control: dynamic groups, policy statements, and who may do what.
//!
//! [`MatchingRule`] says which resources a dynamic group holds, [`Statement`] what a policy
//! allows, [`Policies`] keeps both with the compartments, and [`Policies::decide`] answers for a
//! [`Caller`] and a [`Request`] with a [`Decision`] that says why. [`Operation`] is the table of
//! what each API operation needs.
//!
//! The module computes and nothing else: no I/O, no clock, nothing but std. Every text ends in
//! bounded time, linear in its length: a rule or statement has at most 4,096 bytes and 8 nested
//! groups.
//!
//! # Where it differs from OCI
//!
//! Each type says what it does where Oracle's documentation leaves it open. Beyond that:
//!
//! - It knows the resource types of its own services and some of IAM, in `resource.rs`. Others
//!   are refused, and permissions with them; OCI takes statements about all its services.
//! - It has one tenancy. `define`, `endorse` and `admit` are refused, and so are `deny`, services
//!   as subjects, and conditions on the time with `before`, `after` and `between`.
//! - Tag variables (`request.principal.group.tag…`, `target.resource.tag…`) and others that the
//!   request is not given are not there, which makes a condition on them false.
//! - A change counts at once. At OCI it takes a while.

mod caller;
mod condition;
mod cursor;
mod decide;
mod error;
mod explain;
mod node;
mod operation;
mod policies;
mod resource;
mod rule;
mod statement;
#[cfg(test)]
mod tests;

pub(crate) use caller::{Caller, CallerKind};
pub(crate) use decide::{Decision, Request};
pub(crate) use operation::Operation;
pub(crate) use policies::Policies;
pub(crate) use rule::MatchingRule;
