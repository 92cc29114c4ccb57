//! The module from outside: a tenancy, and what its policies answer.

use super::error::Fault;
use super::operation::Needs;
use super::statement::Statement;
use super::*;

mod access;
mod explanations;
mod robustness;

const TENANCY: &str = "ocid1.tenancy.oc1..t";
const PROD: &str = "ocid1.compartment.oc1..prod";
const APPS: &str = "ocid1.compartment.oc1..apps";
const DEV: &str = "ocid1.compartment.oc1..dev";

/// The tenancy with `Prod`, `Prod:Apps` and `Dev`; groups, dynamic groups and these statements.
fn tenancy(statements: &[&str]) -> Policies {
    let mut policies = Policies::new(TENANCY, "acme");
    policies.add_compartment(PROD, "Prod", TENANCY).unwrap();
    policies.add_compartment(APPS, "Apps", PROD).unwrap();
    policies.add_compartment(DEV, "Dev", TENANCY).unwrap();
    for (name, id) in [
        ("Administrators", "ocid1.group.oc1..admins"),
        ("XYZ", "ocid1.group.oc1..xyz"),
        ("Domain-B/Admins", "ocid1.group.oc1..b"),
    ] {
        policies.add_group(name, id).unwrap();
    }
    for (name, id, rule) in [
        ("apps", "ocid1.dynamicgroup.oc1..apps", format!("instance.compartment.id = '{APPS}'")),
        ("functions", "ocid1.dynamicgroup.oc1..fn", "ALL {resource.type = 'fnfunc'}".into()),
        ("tagged", "ocid1.dynamicgroup.oc1..tag", "tag.Ops.Role.value = 'reader'".into()),
    ] {
        let rule = MatchingRule::parse(&rule).unwrap();
        policies.add_dynamic_group(name, id, rule).unwrap();
    }
    for text in statements {
        policies.add_statement(TENANCY, text).unwrap();
    }
    policies
}

const INSTANCE: Caller<'_> = Caller {
    id: "ocid1.instance.oc1.iad.i",
    kind: CallerKind::Instance,
    compartment_id: APPS,
    tags: &[],
    groups: &[],
};
const FUNCTION: Caller<'_> = Caller {
    id: "ocid1.fnfunc.oc1.iad.f",
    kind: CallerKind::Resource { resource_type: "fnfunc" },
    compartment_id: DEV,
    tags: &[("ops", "role", "reader")],
    groups: &[],
};
const USER: Caller<'_> = Caller {
    id: "ocid1.user.oc1..u",
    kind: CallerKind::User,
    compartment_id: TENANCY,
    tags: &[],
    groups: &["ocid1.group.oc1..xyz"],
};

fn may(policies: &Policies, who: &Caller<'_>, what: Operation, compartment_id: &str) -> bool {
    policies.decide(who, &Request::new(what, compartment_id, &[])).allowed
}

fn asks<'a>(operation: &'a str, permissions: &'a [&'a str]) -> Request<'a> {
    Request { operation, needs: Needs::All(permissions), compartment_id: TENANCY, variables: &[] }
}

const GET: Operation = Operation::GetObject;
