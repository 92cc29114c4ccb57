//! Whether a request is allowed, and why.

use super::caller::Caller;
use super::error::{one_line, shorten};
use super::explain;
use super::operation::{Needs, Operation};
use super::policies::{Attached, Policies};
use super::resource::find_permission;
use super::statement::{Grant, GroupRef, Subject};

/// What a caller asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The value of `request.operation`.
    pub(crate) operation: &'a str,
    /// The permissions that it needs.
    pub(crate) needs: Needs<'a>,
    /// The OCID of the compartment that the target lies in, or the tenancy's.
    pub(crate) compartment_id: &'a str,
    /// What else a condition may ask for: `target.bucket.name` and the like. A name that comes
    /// twice has several values; one that the module gives by itself is overridden.
    pub(crate) variables: &'a [(&'a str, &'a str)],
}

impl<'a> Request<'a> {
    /// One operation on what lies in this compartment.
    pub(crate) const fn new(
        operation: Operation,
        compartment_id: &'a str,
        variables: &'a [(&'a str, &'a str)],
    ) -> Self {
        let (operation, needs) = (operation.name(), operation.needs());
        Self { operation, needs, compartment_id, variables }
    }
}

/// The answer to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Decision {
    /// Whether the caller may.
    pub(crate) allowed: bool,
    /// Why, in one line for the log: the statements that allow it; or the groups that the caller
    /// is in, and the statement that comes closest with what is wrong about it.
    ///
    /// It holds names and ids of the request, without controls and cut in length; no secret.
    pub(crate) explanation: String,
}

impl Policies {
    /// Whether the statements allow this request.
    ///
    /// Each permission is looked for by itself, with `request.permission` set to it: several
    /// statements may together give what an operation needs. What no statement allows is denied.
    ///
    /// Given without being in `variables`: `request.operation`, `request.permission`,
    /// `request.principal.id`, `request.principal.type`, `request.principal.compartment.id`,
    /// `target.compartment.id` and `target.compartment.name`; of users `request.user.id` and
    /// `request.groups.id`; of others `request.resource.compartment.id`.
    pub(crate) fn decide(&self, who: &Caller<'_>, what: &Request<'_>) -> Decision {
        let here = self.find(what.compartment_id);
        let members = self.dynamic_groups.iter().map(|it| it.rule.matches(who)).collect();
        let case = Case { policies: self, who, what, here, members };
        let permissions = what.needs.permissions();
        let mut given = Vec::new();
        for &permission in permissions {
            let found = self.statements.iter().position(|it| case.fits(it, permission).is_whole());
            match (found, what.needs) {
                (Some(index), Needs::Any(_)) => {
                    return allowed(what, &explain::given(self, &[(permission, index)]));
                }
                (Some(index), Needs::All(_)) => given.push((permission, index)),
                (None, Needs::Any(_)) => {}
                (None, Needs::All(_)) => return denied(&explain::denial(&case, &[permission])),
            }
        }
        match what.needs {
            Needs::Any(_) => denied(&explain::denial(&case, permissions)),
            Needs::All([]) => allowed(what, "it needs no permission"),
            Needs::All(_) => allowed(what, &explain::given(self, &given)),
        }
    }
}

fn allowed(what: &Request<'_>, reason: &str) -> Decision {
    let operation = shorten(what.operation, MAX_VALUE);
    let explanation = one_line(&format!("{operation} is allowed: {reason}"));
    Decision { allowed: true, explanation }
}

fn denied(reason: &str) -> Decision {
    Decision { allowed: false, explanation: one_line(reason) }
}

/// A request against the policies.
pub(super) struct Case<'a> {
    pub(super) policies: &'a Policies,
    pub(super) who: &'a Caller<'a>,
    pub(super) what: &'a Request<'a>,
    /// The compartment of the request, if it is known.
    pub(super) here: Option<usize>,
    /// For each dynamic group, whether the caller is in it.
    pub(super) members: Vec<bool>,
}

/// Which parts of a statement fit a request.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of a statement")]
pub(super) struct Fit {
    pub(super) subject: bool,
    pub(super) permission: bool,
    /// It gives another permission on the same resource type.
    same_type: bool,
    pub(super) location: bool,
    pub(super) condition: bool,
}

impl Fit {
    pub(super) const fn is_whole(self) -> bool {
        self.subject && self.permission && self.location && self.condition
    }

    /// How close it comes. A statement on the same resource type for somebody else says more
    /// than one on another type for the caller.
    pub(super) fn score(self) -> u32 {
        let permission = if self.permission { 6 } else { 3 * u32::from(self.same_type) };
        let condition = 2 * u32::from(self.condition);
        permission + 5 * u32::from(self.subject) + 3 * u32::from(self.location) + condition
    }
}

impl Case<'_> {
    pub(super) fn fits(&self, attached: &Attached, permission: &str) -> Fit {
        let statement = &attached.statement;
        let gives = statement.grant.gives(permission);
        Fit {
            subject: self.is_about_caller(&statement.subject),
            permission: gives,
            same_type: gives || touches_type_of(&statement.grant, permission),
            location: self.here.is_some_and(|it| self.policies.lies_in(it, attached.location)),
            condition: match &statement.condition {
                Some(condition) => condition.holds(&|name: &str| self.values(name, permission)),
                None => true,
            },
        }
    }

    /// Whether the caller is in this group of users.
    pub(super) fn in_group(&self, group: &GroupRef) -> bool {
        let in_id = |id: &str| self.who.is_user() && self.who.groups.contains(&id);
        match group {
            GroupRef::Id(id) => in_id(id),
            name @ GroupRef::Name { .. } => {
                self.policies.groups.iter().any(|it| it.is(name) && in_id(&it.id))
            }
        }
    }

    /// Whether the caller is in this dynamic group.
    pub(super) fn in_dynamic_group(&self, group: &GroupRef) -> bool {
        let mut groups = self.policies.dynamic_groups.iter().zip(&self.members);
        groups.any(|(it, member)| *member && it.group.is(group))
    }

    fn is_about_caller(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Anyone => true,
            Subject::DynamicGroups(groups) => groups.iter().any(|it| self.in_dynamic_group(it)),
            Subject::Groups(groups) => groups.iter().any(|it| self.in_group(it)),
        }
    }

    /// The values of a variable, in any case of its name; none if the request does not have it.
    pub(super) fn values<'b>(&'b self, name: &str, permission: &'b str) -> Vec<&'b str> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let given = self.what.variables.iter().filter(|(known, _)| is(known));
        let given: Vec<&str> = given.map(|(_, value)| *value).collect();
        if !given.is_empty() {
            return given;
        }
        let user = self.who.is_user();
        let lowercase = name.to_ascii_lowercase();
        let value = match lowercase.as_str() {
            "request.groups.id" if user => return self.who.groups.to_vec(),
            "request.operation" => Some(self.what.operation),
            "request.permission" => Some(permission),
            "request.principal.compartment.id" => Some(self.who.compartment_id),
            "request.principal.id" => Some(self.who.id),
            "request.principal.type" => Some(self.who.principal_type()),
            "request.resource.compartment.id" if !user => Some(self.who.compartment_id),
            "request.user.id" if user => Some(self.who.id),
            "target.compartment.id" => Some(self.what.compartment_id),
            "target.compartment.name" => self.here.map(|it| self.policies.compartment_name(it)),
            _ => None,
        };
        value.into_iter().collect()
    }
}

fn touches_type_of(grant: &Grant, permission: &str) -> bool {
    let wanted = find_permission(permission).map(|(it, _)| it.name);
    wanted.is_some()
        && match grant {
            Grant::Permissions(given) => {
                given.iter().any(|it| find_permission(it).map(|(it, _)| it.name) == wanted)
            }
            Grant::Verb(_, resource) => resource.least_verb(permission).is_some(),
        }
}

pub(super) const MAX_VALUE: usize = 100;
