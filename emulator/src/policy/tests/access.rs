//! Who may do what, with the examples of Oracle's documentation.

use super::*;

#[test]
fn nothing_is_allowed_without_a_statement_but_what_needs_no_permission() {
    let policies = tenancy(&[]);
    for who in [INSTANCE, FUNCTION, USER] {
        for what in [GET, Operation::ListRegions, Operation::GetNamespace { of_compartment: true }]
        {
            assert!(!may(&policies, &who, what, TENANCY));
        }
        let free = Operation::GetNamespace { of_compartment: false };
        let decision = policies.decide(&who, &Request::new(free, TENANCY, &[]));
        assert!(decision.allowed);
        assert_eq!(decision.explanation, "GetNamespace is allowed: it needs no permission");
    }
}

#[test]
fn a_subject_is_whom_it_names() {
    let xyz = Caller { groups: &["ocid1.group.oc1..admins", "ocid1.group.oc1..b"], ..USER };
    for (subject, instance, function, user, other) in [
        ("any-user", true, true, true, true),
        ("any-group", true, true, true, true),
        ("group XYZ", false, false, true, false),
        ("group 'Default'/'XYZ'", false, false, true, false),
        ("group default/XYZ", false, false, true, false),
        ("group id ocid1.group.oc1..xyz", false, false, true, false),
        ("group Administrators, XYZ", false, false, true, true),
        ("group Domain-B/Admins", false, false, false, true),
        ("group Admins", false, false, false, false),
        ("group xyz", false, false, false, false),
        ("group apps", false, false, false, false),
        ("dynamic-group apps", true, false, false, false),
        ("dynamic-group id ocid1.dynamicgroup.oc1..fn", false, true, false, false),
        ("dynamic-group apps, functions", true, true, false, false),
        ("dynamic-group tagged", false, true, false, false),
        ("dynamic-group XYZ", false, false, false, false),
    ] {
        let policies = tenancy(&[&format!("Allow {subject} to read objects in tenancy")]);
        let expected = [(INSTANCE, instance), (FUNCTION, function), (USER, user), (xyz, other)];
        for (who, allowed) in expected {
            assert_eq!(may(&policies, &who, GET, PROD), allowed, "{subject}: {}", who.id);
        }
    }
}

#[test]
fn groups_given_for_an_instance_do_not_count() {
    let policies = tenancy(&["Allow group XYZ to read objects in tenancy"]);
    let who = Caller { groups: USER.groups, ..INSTANCE };
    assert!(!may(&policies, &who, GET, PROD));
}

#[test]
fn a_location_covers_its_child_compartments_and_no_others() {
    for (location, allowed) in [
        ("tenancy", [true, true, true, true]),
        ("compartment Prod", [false, true, true, false]),
        ("compartment Prod:Apps", [false, false, true, false]),
        ("compartment id ocid1.compartment.oc1..prod", [false, true, true, false]),
        ("compartment id ocid1.tenancy.oc1..t", [true, true, true, true]),
        ("compartment Dev", [false, false, false, true]),
    ] {
        let policies = tenancy(&[&format!("Allow any-user to read objects in {location}")]);
        for (compartment, allowed) in [TENANCY, PROD, APPS, DEV].into_iter().zip(allowed) {
            assert_eq!(may(&policies, &USER, GET, compartment), allowed, "{location}");
        }
        assert!(!may(&policies, &USER, GET, "ocid1.compartment.oc1..unknown"), "{location}");
    }
}

#[test]
fn verbs_on_objects_give_what_oracles_table_says() {
    use Operation::{DeleteObject, HeadObject, ListObjects, PutObject};
    let create = PutObject { overwrites: false };
    let overwrite = PutObject { overwrites: true };
    for (grant, allowed) in [
        ("inspect objects", &[HeadObject, ListObjects][..]),
        ("read objects", &[HeadObject, ListObjects, GET]),
        ("use objects", &[HeadObject, ListObjects, GET, overwrite]),
        ("manage objects", &[HeadObject, ListObjects, GET, overwrite, create, DeleteObject]),
        ("manage object-family", &[HeadObject, ListObjects, GET, overwrite, create, DeleteObject]),
        ("manage all-resources", &[HeadObject, ListObjects, GET, overwrite, create, DeleteObject]),
        ("manage buckets", &[]),
        ("{OBJECT_READ}", &[HeadObject, GET]),
        ("{OBJECT_CREATE, object_inspect}", &[HeadObject, ListObjects, create]),
    ] {
        let policies = tenancy(&[&format!("Allow any-user to {grant} in tenancy")]);
        for what in [GET, DeleteObject, HeadObject, ListObjects, create, overwrite] {
            assert_eq!(
                may(&policies, &USER, what, DEV),
                allowed.contains(&what),
                "{grant}, {what:?}"
            );
        }
    }
}

#[test]
fn the_other_services_need_what_oracle_says() {
    for (grant, what) in [
        ("inspect tenancies", Operation::GetTenancy),
        ("inspect tenancies", Operation::ListRegions),
        ("inspect vcns", Operation::ListVcns),
        ("use virtual-network-family", Operation::ListVcns),
        ("read secret-bundles", Operation::GetSecretBundle),
        ("read secret-family", Operation::GetSecretBundleByName),
        ("inspect secret-bundles", Operation::ListSecretBundleVersions),
        ("read buckets", Operation::GetBucket),
        ("{AUTHENTICATION_INSPECT}", Operation::AuthenticateClient),
        ("{GROUP_MEMBERSHIP_INSPECT}", Operation::FilterGroupMembership),
        ("manage objectstorage-namespaces", Operation::GetNamespace { of_compartment: true }),
    ] {
        let policies = tenancy(&[&format!("Allow any-user to {grant} in tenancy")]);
        assert!(may(&policies, &USER, what, TENANCY), "{grant}, {what:?}");
    }
    for (grant, what) in [
        ("manage compartments", Operation::GetTenancy),
        ("inspect secret-bundles", Operation::GetSecretBundle),
        ("manage secrets", Operation::GetSecretBundle),
        ("manage vaults", Operation::GetSecretBundle),
        ("inspect buckets", Operation::GetBucket),
        ("{GROUP_MEMBERSHIP_INSPECT}", Operation::AuthenticateClient),
        ("read object-family", Operation::GetNamespace { of_compartment: true }),
    ] {
        let policies = tenancy(&[&format!("Allow any-user to {grant} in tenancy")]);
        assert!(!may(&policies, &USER, what, TENANCY), "{grant}, {what:?}");
    }
}

#[test]
fn oracles_writers_may_create_and_list_in_one_bucket_only() {
    let policies = tenancy(&[
        "Allow group XYZ to read buckets in compartment Prod",
        "Allow group XYZ to manage objects in compartment Prod where all \
         {target.bucket.name='BucketA', any {request.permission='OBJECT_CREATE', \
         request.permission='OBJECT_INSPECT'}}",
    ]);
    let may = |what, bucket| {
        let variables = [("target.bucket.name", bucket)];
        policies.decide(&USER, &Request::new(what, PROD, &variables)).allowed
    };
    for bucket in ["BucketA", "bucketa"] {
        assert!(may(Operation::PutObject { overwrites: false }, bucket));
        assert!(may(Operation::ListObjects, bucket));
        assert!(!may(Operation::PutObject { overwrites: true }, bucket));
        assert!(!may(GET, bucket) && !may(Operation::DeleteObject, bucket));
    }
    assert!(!may(Operation::ListObjects, "BucketB"));
    assert!(may(Operation::GetBucket, "BucketB"));
}

#[test]
fn oracles_permissions_and_operations_narrow_a_verb() {
    let each = |condition: &str| {
        let policies =
            tenancy(&[&format!("Allow group XYZ to manage groups in tenancy where {condition}")]);
        [
            ("ListGroups", "GROUP_INSPECT"),
            ("GetGroup", "GROUP_INSPECT"),
            ("CreateGroup", "GROUP_CREATE"),
            ("UpdateGroup", "GROUP_UPDATE"),
            ("DeleteGroup", "GROUP_DELETE"),
        ]
        .map(|(operation, permission)| {
            policies.decide(&USER, &asks(operation, &[permission])).allowed
        })
    };
    let but_delete = [true, true, true, true, false];
    assert_eq!(
        each(
            "any {request.permission='GROUP_INSPECT', request.permission='GROUP_CREATE', \
              request.permission='GROUP_UPDATE'}"
        ),
        but_delete
    );
    assert_eq!(each("request.permission != 'GROUP_DELETE'"), but_delete);
    assert_eq!(
        each(
            "any {request.operation='ListGroups', request.operation='GetGroup', \
              request.operation='CreateGroup', request.operation='UpdateGroup'}"
        ),
        but_delete
    );
    assert_eq!(
        each("all {request.permission='GROUP_INSPECT', request.operation='ListGroups'}"),
        [true, false, false, false, false]
    );
}

#[test]
fn oracles_group_admins_are_declined_where_no_group_is_named() {
    let mut policies = tenancy(&[
        "Allow group XYZ to use users in tenancy where target.group.name != 'Administrators'",
        "Allow group XYZ to use groups in tenancy where target.group.name != 'Administrators'",
    ]);
    let add = asks("AddUserToGroup", &["GROUP_UPDATE", "USER_UPDATE"]);
    let to = |name: &'static [(&'static str, &'static str)]| Request { variables: name, ..add };
    assert!(policies.decide(&USER, &to(&[("target.group.name", "A-Users")])).allowed);
    assert!(!policies.decide(&USER, &to(&[("target.group.name", "administrators")])).allowed);
    assert!(!policies.decide(&USER, &asks("ListUsers", &["USER_INSPECT"])).allowed);
    assert!(!policies.decide(&USER, &asks("UpdateUser", &["USER_UPDATE"])).allowed);

    policies.add_statement(TENANCY, "Allow group XYZ to inspect users in tenancy").unwrap();
    assert!(policies.decide(&USER, &asks("ListUsers", &["USER_INSPECT"])).allowed);
    assert!(!policies.decide(&USER, &asks("UpdateUser", &["USER_UPDATE"])).allowed);
}

#[test]
fn several_statements_together_give_what_an_operation_needs() {
    let get = asks("GetUserGroupMembership", &["USER_INSPECT", "GROUP_INSPECT"]);
    let users = "Allow group XYZ to inspect users in tenancy";
    let groups = "Allow any-user to inspect groups in tenancy";
    assert!(!tenancy(&[users]).decide(&USER, &get).allowed);
    assert!(!tenancy(&[groups]).decide(&USER, &get).allowed);
    let decision = tenancy(&[groups, users]).decide(&USER, &get);
    assert!(decision.allowed);
    assert_eq!(
        decision.explanation,
        "GetUserGroupMembership is allowed: USER_INSPECT by statement 2 (`Allow group XYZ to \
         inspect users in tenancy`); GROUP_INSPECT by statement 1 (`Allow any-user to inspect \
         groups in tenancy`)"
    );
}

#[test]
fn the_request_and_its_caller_give_variables_of_their_own() {
    for (condition, instance, function, user) in [
        ("request.principal.type = 'instance'", true, false, false),
        ("request.principal.type = 'FnFunc'", false, true, false),
        ("request.principal.type = 'user'", false, false, true),
        ("request.principal.id = /ocid1.instance.*/", true, false, false),
        ("request.principal.compartment.id = 'ocid1.compartment.oc1..apps'", true, false, false),
        ("request.resource.compartment.id = 'ocid1.compartment.oc1..dev'", false, true, false),
        ("request.user.id = /*/", false, false, true),
        ("request.groups.id = 'ocid1.group.oc1..xyz'", false, false, true),
        ("request.operation in ('getobject', 'PutObject')", true, true, true),
        ("target.compartment.name = 'prod'", true, true, true),
        ("target.compartment.id != 'ocid1.compartment.oc1..prod'", false, false, false),
        ("Target.Bucket.Name = 'b'", true, true, true),
        ("target.bucket.tag.ops.env != 'prod'", false, false, false),
    ] {
        let statement = format!("Allow any-user to read objects in tenancy where {condition}");
        let policies = tenancy(&[&statement]);
        let request = Request::new(GET, PROD, &[("target.bucket.name", "b")]);
        for (who, allowed) in [(INSTANCE, instance), (FUNCTION, function), (USER, user)] {
            assert_eq!(policies.decide(&who, &request).allowed, allowed, "{condition}: {}", who.id);
        }
    }
}

#[test]
fn a_policy_attached_below_the_tenancy_stays_there() {
    let mut policies = tenancy(&[]);
    let read = "Allow any-user to read objects in";
    assert_eq!(policies.add_statement(PROD, &format!("{read} compartment Apps")), Ok(1));
    assert!(may(&policies, &USER, GET, APPS) && !may(&policies, &USER, GET, PROD));
    assert!(policies.add_statement(PROD, &format!("{read} tenancy")).is_err());
    assert!(policies.add_statement(PROD, &format!("{read} compartment Dev")).is_err());
}

#[test]
fn the_dynamic_groups_of_a_caller_are_those_whose_rule_matches() {
    let policies = tenancy(&[]);
    let of = |who| policies.dynamic_groups_of(&who).collect::<Vec<_>>();
    assert_eq!(of(INSTANCE), ["ocid1.dynamicgroup.oc1..apps"]);
    assert_eq!(of(FUNCTION), ["ocid1.dynamicgroup.oc1..fn", "ocid1.dynamicgroup.oc1..tag"]);
    assert_eq!(of(USER), [""; 0]);
}
