//! A decision in words, for a person who wonders about a 404.

use super::caller::CallerKind;
use super::decide::{Case, Fit, MAX_VALUE};
use super::error::shorten;
use super::policies::{Attached, Policies};
use super::resource::find_permission;
use super::statement::{DEFAULT_DOMAIN, Grant, GroupRef, Subject};

/// Which statement gives which permission.
pub(super) fn given(policies: &Policies, given: &[(&str, usize)]) -> String {
    let each = given
        .iter()
        .map(|&(permission, index)| format!("{permission} by {}", statement(policies, index)));
    each.collect::<Vec<_>>().join("; ")
}

/// Why nothing gives these permissions.
pub(super) fn denial(case: &Case<'_>, permissions: &[&str]) -> String {
    let place = match case.here {
        Some(here) => format!("in {}", place(case.policies, here)),
        None => format!("in the unknown compartment {}", quoted(case.what.compartment_id)),
    };
    format!(
        "{operation} {place} is denied: no statement gives {wanted} to {who}; {closest}",
        operation = shorten(case.what.operation, MAX_VALUE),
        wanted = permissions.join(" or "),
        who = caller(case),
        closest = closest(case, permissions),
    )
}

fn closest(case: &Case<'_>, permissions: &[&str]) -> String {
    let mut best: Option<(usize, &Attached, Fit, &str)> = None;
    for (index, attached) in case.policies.statements.iter().enumerate() {
        for &permission in permissions {
            let fit = case.fits(attached, permission);
            if best.is_none_or(|(_, _, best, _)| fit.score() > best.score()) {
                best = Some((index, attached, fit, permission));
            }
        }
    }
    let Some((index, attached, fit, permission)) = best else {
        return "there are no statements".into();
    };
    let reasons = reasons(case, attached, fit, permission).join("; ");
    format!("closest is {}: {reasons}", statement(case.policies, index))
}

/// What is wrong with a statement, for each part that does not fit.
fn reasons(case: &Case<'_>, attached: &Attached, fit: Fit, permission: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if !fit.subject {
        reasons.push(format!("subject: {}", about_subject(case, &attached.statement.subject)));
    }
    if !fit.permission {
        let grant = about_grant(&attached.statement.grant, permission);
        reasons.push(format!("permission: {grant}"));
    }
    if !fit.location {
        let there = place(case.policies, attached.location);
        let reason = match case.here {
            Some(here) => format!("{} is not in {there}", place(case.policies, here)),
            None => "the compartment is not defined".into(),
        };
        reasons.push(format!("location: {reason}"));
    }
    if let (false, Some(condition)) = (fit.condition, &attached.statement.condition) {
        let values = |name: &str| case.values(name, permission);
        reasons.push(format!("condition: {}", condition.explain(&values)));
    }
    reasons
}

fn about_subject(case: &Case<'_>, subject: &Subject) -> String {
    let Policies { groups, dynamic_groups, .. } = case.policies;
    let is_group = |group: &GroupRef| groups.iter().any(|it| it.is(group));
    let is_dynamic = |group: &GroupRef| dynamic_groups.iter().any(|it| it.group.is(group));
    let describe = |refs: &[GroupRef], word: &str, own: &dyn Fn(&GroupRef) -> bool, other: &str| {
        let is_other = |group: &GroupRef| !own(group) && (is_group(group) || is_dynamic(group));
        let each = refs.iter().take(MAX_LISTED).map(|group| match name(group) {
            name if own(group) => format!("the caller is not in {word} {name}"),
            name if is_other(group) => format!("{name} is a {other}, not a {word}"),
            name => format!("there is no {word} {name}"),
        });
        each.collect::<Vec<_>>().join(", ")
    };
    match (subject, case.who.is_user()) {
        (Subject::Anyone, _) => String::new(),
        (Subject::DynamicGroups(_), true) => {
            "it is about dynamic groups, and the caller is a user".into()
        }
        (Subject::DynamicGroups(refs), false) => {
            describe(refs, "dynamic group", &is_dynamic, "group")
        }
        (Subject::Groups(refs), _) => {
            let described = describe(refs, "group", &is_group, "dynamic group");
            if case.who.is_user() {
                described
            } else {
                format!("it is about groups of users, and the caller is none ({described})")
            }
        }
    }
}

fn about_grant(grant: &Grant, permission: &str) -> String {
    let home = find_permission(permission);
    match grant {
        Grant::Permissions(_) => format!("{permission} is not listed"),
        Grant::Verb(verb, resource) => {
            let (verb, name) = (verb.name(), resource.name());
            let hint = match (resource.least_verb(permission), home) {
                (Some(least), _) => format!("`{} {name}` does", least.name()),
                (None, Some((it, _))) => format!("it belongs to {}", it.name),
                (None, None) => "nothing does".into(),
            };
            format!("`{verb} {name}` does not give {permission}, {hint}")
        }
    }
}

fn caller(case: &Case<'_>) -> String {
    let who = case.who;
    let listed = |names: Vec<&str>, word: &str| match names.as_slice() {
        [] => format!("in no {word}"),
        [one] => format!("in the {word} {}", quoted(one)),
        several => {
            let listed = several.iter().take(MAX_LISTED).map(|it| quoted(it));
            let listed = listed.collect::<Vec<_>>().join(", ");
            let more = several.len().saturating_sub(MAX_LISTED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("in the {word}s {listed}{more}")
        }
    };
    let groups = if who.is_user() {
        let known = |id: &&str| case.policies.groups.iter().find(|it| it.id == **id);
        let names = who.groups.iter().map(|id| known(id).map_or(*id, |it| it.name.as_str()));
        listed(names.collect(), "group")
    } else {
        let groups = case.policies.dynamic_groups.iter().zip(&case.members);
        let names = groups.filter(|(_, member)| **member).map(|(it, _)| it.group.name.as_str());
        listed(names.collect(), "dynamic group")
    };
    let kind = match who.kind {
        CallerKind::Instance => "the instance".into(),
        CallerKind::Resource { resource_type } => {
            format!("the resource of type {}", quoted(resource_type))
        }
        CallerKind::User => "the user".to_owned(),
    };
    format!("{kind} {}, which is {groups}", quoted(who.id))
}

fn statement(policies: &Policies, index: usize) -> String {
    let text = policies.statements.get(index).map_or("", |it| &it.statement.text);
    format!("statement {} (`{}`)", index + 1, shorten(text, MAX_STATEMENT))
}

fn place(policies: &Policies, index: usize) -> String {
    match policies.path(index) {
        path if index == 0 => path,
        path => format!("compartment {}", quoted(&path)),
    }
}

fn name(group: &GroupRef) -> String {
    match group {
        GroupRef::Id(id) => quoted(id),
        GroupRef::Name { domain, name } if domain.eq_ignore_ascii_case(DEFAULT_DOMAIN) => {
            quoted(name)
        }
        GroupRef::Name { domain, name } => quoted(&format!("{domain}/{name}")),
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", shorten(text, MAX_VALUE))
}

const MAX_LISTED: usize = 10;
const MAX_STATEMENT: usize = 500;
