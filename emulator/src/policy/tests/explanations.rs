//! What a decision says.

use super::*;

/// What is said behind `closest is statement N (…): `.
fn reason(policies: &Policies, who: &Caller<'_>, what: Operation, compartment: &str) -> String {
    let variables = [("target.bucket.name", "b")];
    let decision = policies.decide(who, &Request::new(what, compartment, &variables));
    assert!(!decision.allowed, "{}", decision.explanation);
    let (_, closest) = decision.explanation.split_once("; closest is ").unwrap();
    let (number, rest) = closest.split_once(" (`").unwrap();
    format!("{number}: {}", rest.split_once("`): ").unwrap().1)
}

#[test]
fn a_denial_is_explained_in_one_line() {
    let policies = tenancy(&[
        "Allow any-user to inspect tenancies in tenancy",
        "Allow dynamic-group apps\n  to inspect objects\n  in compartment Prod",
    ]);
    let decision = policies.decide(&INSTANCE, &Request::new(GET, APPS, &[]));
    assert_eq!(
        decision.explanation,
        "GetObject in compartment `Prod:Apps` is denied: no statement gives OBJECT_READ to the \
         instance `ocid1.instance.oc1.iad.i`, which is in the dynamic group `apps`; closest is \
         statement 2 (`Allow dynamic-group apps to inspect objects in compartment Prod`): \
         permission: `inspect objects` does not give OBJECT_READ, `read objects` does"
    );
    let explain = |who, what, compartment| {
        tenancy(&[]).decide(&who, &Request::new(what, compartment, &[])).explanation
    };
    assert_eq!(
        explain(USER, Operation::HeadObject, TENANCY),
        "HeadObject in the tenancy is denied: no statement gives OBJECT_INSPECT or OBJECT_READ to \
         the user `ocid1.user.oc1..u`, which is in the group `XYZ`; there are no statements"
    );
    assert_eq!(
        explain(FUNCTION, Operation::GetTenancy, "ocid1.x"),
        "GetTenancy in the unknown compartment `ocid1.x` is denied: no statement gives \
         TENANCY_INSPECT to the resource of type `fnfunc` `ocid1.fnfunc.oc1.iad.f`, which is in \
         the dynamic groups `functions`, `tagged`; there are no statements"
    );
}

#[test]
fn a_denial_says_what_keeps_the_closest_statement_from_applying() {
    let noise = "Allow any-user to inspect tenancies in tenancy";
    for (statement, who, what, compartment, expected) in [
        (
            "Allow dynamic-group aps to read objects in tenancy",
            INSTANCE,
            GET,
            PROD,
            "subject: there is no dynamic group `aps`",
        ),
        (
            "Allow group apps to read objects in tenancy",
            USER,
            GET,
            PROD,
            "subject: `apps` is a dynamic group, not a group",
        ),
        (
            "Allow dynamic-group functions, XYZ to read objects in tenancy",
            INSTANCE,
            GET,
            PROD,
            "subject: the caller is not in dynamic group `functions`, `XYZ` is a group, not a \
             dynamic group",
        ),
        (
            "Allow dynamic-group apps to read objects in tenancy",
            USER,
            GET,
            PROD,
            "subject: it is about dynamic groups, and the caller is a user",
        ),
        (
            "Allow group Domain-B/Admins to read objects in tenancy",
            INSTANCE,
            GET,
            PROD,
            "subject: it is about groups of users, and the caller is none (the caller is not in \
             group `Domain-B/Admins`)",
        ),
        (
            "Allow any-user to read objects in compartment Prod:Apps",
            USER,
            GET,
            PROD,
            "location: compartment `Prod` is not in compartment `Prod:Apps`",
        ),
        (
            "Allow any-user to {OBJECT_CREATE} in tenancy",
            USER,
            GET,
            PROD,
            "permission: OBJECT_READ is not listed",
        ),
        (
            "Allow any-user to read objects in tenancy where target.bucket.name = 'a'",
            USER,
            GET,
            PROD,
            "condition: `target.bucket.name = 'a'` is false, because it is `b`",
        ),
        (
            "Allow any-user to read objects in tenancy where target.object.name = /a*/",
            USER,
            GET,
            PROD,
            "condition: `target.object.name = /a*/` is false, because the request has no \
             target.object.name",
        ),
        (
            "Allow group Administrators to manage objects in compartment Dev",
            USER,
            GET,
            PROD,
            "subject: the caller is not in group `Administrators`; location: compartment `Prod` is \
             not in compartment `Dev`",
        ),
    ] {
        // The unrelated statement for everyone must not come closer.
        let number = if statement.contains("compartment Dev") { 1 } else { 2 };
        let policies =
            if number == 1 { tenancy(&[statement]) } else { tenancy(&[noise, statement]) };
        let expected = format!("statement {number}: {expected}");
        assert_eq!(reason(&policies, &who, what, compartment), expected, "{statement}");
    }
}

#[test]
fn an_explanation_has_no_line_breaks_and_no_endless_values() {
    let statement = "Allow any-user to read objects in tenancy where target.object.name = 'x'";
    let policies = tenancy(&[statement]);
    let name = format!("a\r\nb\u{1b}[0m{}", "é".repeat(10_000));
    let variables = [("target.object.name", name.as_str())];
    let long = "o".repeat(5000);
    let request = Request { operation: &long, ..Request::new(GET, &long, &variables) };
    let explanation = policies.decide(&Caller { id: &name, ..USER }, &request).explanation;
    assert!(!explanation.contains(char::is_control));
    assert!(explanation.chars().count() < 1000, "{}", explanation.chars().count());
}
