//! Who may do what, by groups, dynamic groups and policies.
#![allow(clippy::unwrap_used, clippy::panic)]

mod plain;

use ocisign_emulator::{DynamicGroupConfig, Emulator};
use plain::{
    CLUSTER, COMPARTMENT, Caller, FUNCTION, INSTANCE, SECRET, TENANCY, USER, call, function,
    instance, last, now, pod, put, reason, start, start_toml,
};
use serde_json::json;

/// Two buckets in two compartments, and somebody of each kind.
const BUCKETS: &str = "
    [[compartments]]
    id = 'ocid1.compartment.oc1..aaaaaaaaexamplecompartment'
    name = 'example'
    [[compartments]]
    id = 'ocid1.compartment.oc1..other'
    name = 'other'
    parent = 'ocid1.compartment.oc1..aaaaaaaaexamplecompartment'
    [[buckets]]
    name = 'reports'
    [[buckets]]
    name = 'salaries'
    [[buckets]]
    name = 'below'
    compartment = 'ocid1.compartment.oc1..other'
";

fn objects(bucket: &str) -> String {
    format!("/n/examplenamespace/b/{bucket}/o")
}

fn group(name: &str, rule: &str) -> DynamicGroupConfig {
    DynamicGroupConfig { name: name.to_owned(), id: None, rule: rule.to_owned() }
}

fn policies(emulator: &Emulator, groups: &[(&str, &str)], statements: &[&str]) {
    let groups = groups.iter().map(|(name, rule)| group(name, rule)).collect();
    let statements = statements.iter().map(|&statement| statement.to_owned()).collect();
    emulator.set_policies(groups, statements).unwrap();
}

/// Refused as OCI refuses; gives the reason in the log.
#[track_caller]
fn refused(emulator: &Emulator, caller: &Caller, target: &str) -> String {
    let reply = caller.get(target);
    assert_eq!(reply.code(), (404, "NotAuthorizedOrNotFound".to_owned()));
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "Authorization failed or requested resource not found.");
    let reason = reason(emulator);
    assert!(!message.contains(&reason));
    reason
}

#[test]
fn without_policies_everybody_who_signs_may_do_everything() {
    let emulator = start();
    let target = format!("/20160918/vcns?compartmentId={COMPARTMENT}");
    let url = emulator.url();
    for caller in [Caller::user(&url), instance(&url), function(&emulator), pod(&emulator)] {
        caller.get(&target).with(200);
        assert!(reason(&emulator).contains("there are no policies"));
    }
}

#[test]
fn an_instance_reads_the_one_bucket_that_it_may_read() {
    let emulator = start_toml(&format!(
        "policies = [\"Allow dynamic-group readers to read objects in compartment example \
         where target.bucket.name = 'reports'\", \
         'Allow group Administrators to manage objects in tenancy']\n\
         [[dynamic_groups]]\nname = 'readers'\n\
         rule = \"instance.compartment.id = '{COMPARTMENT}'\"\n{BUCKETS}"
    ));
    let url = emulator.url();
    let (user, instance) = (Caller::user(&url), instance(&url));
    for bucket in ["reports", "salaries", "below"] {
        user.send("PUT", &format!("{}/a", objects(bucket)), &[], b"text").with(200);
    }
    let own = format!("{}/a", objects("reports"));
    assert_eq!(instance.get(&own).with(200).text(), "text");
    let why = reason(&emulator);
    assert!(why.contains("OBJECT_READ") && why.contains("statement 1"), "{why}");
    assert_eq!(last(&emulator).caller, Some(format!("instance {INSTANCE}")));
    instance.send("HEAD", &own, &[], &[]).with(200);
    instance.get(&objects("reports")).with(200);
    for bucket in ["salaries", "below"] {
        let why = refused(&emulator, &instance, &format!("{}/a", objects(bucket)));
        assert!(why.contains("OBJECT_READ") && why.contains(bucket), "{why}");
        assert!(why.contains("target.bucket.name"), "{why}");
        refused(&emulator, &instance, &objects(bucket));
    }
    for (method, permission) in [("PUT", "OBJECT_OVERWRITE"), ("DELETE", "OBJECT_DELETE")] {
        instance.send(method, &own, &[], b"").with(404);
        let why = reason(&emulator);
        assert!(why.contains(permission) && why.contains("`read objects`"), "{why}");
    }
    instance.send("PUT", &format!("{}/b", objects("reports")), &[], b"").with(404);
    assert!(reason(&emulator).contains("OBJECT_CREATE"));
    // Nobody else is in the dynamic group.
    let why = refused(&emulator, &function(&emulator), &own);
    assert!(why.contains("in no dynamic group"), "{why}");
}

#[test]
fn a_refused_write_changes_nothing() {
    let emulator = start_toml(BUCKETS);
    let url = emulator.url();
    let (user, instance) = (Caller::user(&url), instance(&url));
    let object = format!("{}/a", objects("reports"));
    user.send("PUT", &object, &[], b"old").with(200);
    policies(&emulator, &[], &["Allow group Administrators to manage objects in tenancy"]);
    instance.send("PUT", &object, &[], b"new").with(404);
    instance.send("DELETE", &object, &[], &[]).with(404);
    assert_eq!(user.get(&object).with(200).text(), "old");
}

#[test]
fn a_function_is_known_by_its_tag() {
    let emulator = start_toml(&format!(
        "{BUCKETS}\n[[resources]]\nid = '{FUNCTION}'\n[resources.tags]\n'team.name' = 'blue'"
    ));
    let function = function(&emulator);
    let target = objects("reports");
    let statement = "Allow dynamic-group tagged to inspect objects in tenancy";
    for (rule, may) in [
        ("tag.team.name.value = 'blue'", true),
        ("tag.Team.Name.value='blue'", true),
        ("tag.team.name.value", true),
        ("tag.team.name.value = 'red'", false),
        ("tag.team.other.value", false),
        ("all {tag.team.name.value = 'blue', resource.type = 'fnfunc'}", true),
        ("all {tag.team.name.value = 'blue', resource.type = 'fnapp'}", false),
        ("any {tag.team.name.value = 'red', resource.type = 'fnfunc'}", true),
    ] {
        policies(&emulator, &[("tagged", rule)], &[statement]);
        if may {
            function.get(&target).with(200);
        } else {
            refused(&emulator, &function, &target);
        }
    }
}

#[test]
fn an_instance_is_known_by_its_tag() {
    let emulator = start_toml(&format!("{BUCKETS}\n[instance.tags]\n'team.name' = 'blue'"));
    let instance = instance(&emulator.url());
    let statement = "Allow dynamic-group tagged to inspect objects in tenancy";
    policies(&emulator, &[("tagged", "tag.team.name.value = 'blue'")], &[statement]);
    instance.get(&objects("reports")).with(200);
    refused(&emulator, &function(&emulator), &objects("reports"));
}

#[test]
fn a_function_is_known_by_its_compartment_and_its_id() {
    let emulator = start_toml(BUCKETS);
    let function = function(&emulator);
    let statement = "Allow dynamic-group functions to inspect objects in compartment example:other";
    let by_compartment = format!("resource.compartment.id = '{COMPARTMENT}'");
    let by_id = format!("resource.id = '{FUNCTION}'");
    for (rule, may) in [
        (by_compartment.as_str(), true),
        (by_id.as_str(), true),
        ("resource.compartment.id = 'ocid1.compartment.oc1..other'", false),
        ("instance.compartment.id = 'ocid1.compartment.oc1..aaaaaaaaexamplecompartment'", false),
        ("resource.id != 'a'", true),
    ] {
        policies(&emulator, &[("functions", rule)], &[statement]);
        if may {
            function.get(&objects("below")).with(200);
        } else {
            refused(&emulator, &function, &objects("below"));
        }
        // The statement is about the compartment below alone.
        let why = refused(&emulator, &function, &objects("reports"));
        assert!(!may || why.contains("location"), "{why}");
    }
}

#[test]
fn a_compartment_holds_those_below_it_and_not_the_tenancy() {
    let emulator = start_toml(BUCKETS);
    let function = function(&emulator);
    policies(&emulator, &[], &["Allow any-user to manage all-resources in compartment example"]);
    for bucket in ["reports", "below"] {
        function.get(&objects(bucket)).with(200);
    }
    refused(&emulator, &function, "/20160918/regions");
    refused(&emulator, &function, &format!("/20160918/tenancies/{TENANCY}"));
    refused(&emulator, &function, &format!("/20160918/vcns?compartmentId={TENANCY}"));
    function.get(&format!("/20160918/vcns?compartmentId={COMPARTMENT}")).with(200);
}

#[test]
fn a_workload_is_known_by_the_conditions_that_oke_documents() {
    let emulator = start();
    let pod = pod(&emulator);
    let target = format!("/20190301/secretbundles/{SECRET}");
    for (condition, may) in [
        ("request.principal.type = 'workload'", true),
        ("request.principal.namespace = 'default'", true),
        ("request.principal.service_account = 'example'", true),
        ("request.principal.cluster_id = 'ocid1.cluster.oc1.iad.aaaaaaaaexamplecluster'", true),
        ("request.principal.type = 'instance'", false),
        ("request.principal.namespace = 'kube-system'", false),
        ("request.principal.service_account = 'other'", false),
        ("request.principal.cluster_id = 'ocid1.cluster.oc1.iad.b'", false),
    ] {
        let statement =
            format!("Allow any-user to read secret-bundles in tenancy where {condition}");
        policies(&emulator, &[], &[&statement]);
        if may {
            pod.get(&target).with(200);
        } else {
            let why = refused(&emulator, &pod, &target);
            assert!(why.contains("condition"), "{why}");
        }
    }
    let all = format!(
        "Allow any-user to read secret-bundles in tenancy where all \
         {{request.principal.type = 'workload', request.principal.namespace = 'default', \
         request.principal.service_account = 'example', request.principal.cluster_id = '{CLUSTER}'}}"
    );
    policies(&emulator, &[], &[&all]);
    pod.get(&target).with(200);
    for other in [Caller::user(&emulator.url()), function(&emulator), instance(&emulator.url())] {
        refused(&emulator, &other, &target);
    }
}

#[test]
fn a_resource_is_a_principal_of_its_own_type() {
    // Oracle's documentation: `where ALL {request.principal.type = 'fnfunc', …}`.
    let emulator = start_toml(BUCKETS);
    for (wanted, may) in [("fnfunc", true), ("FnFunc", true), ("fnapp", false), ("instance", false)]
    {
        let statement = format!(
            "Allow any-user to inspect objects in tenancy where request.principal.type = '{wanted}'"
        );
        policies(&emulator, &[], &[&statement]);
        let status = function(&emulator).get(&objects("reports")).status;
        assert_eq!(status, if may { 200 } else { 404 }, "{wanted}: {}", reason(&emulator));
    }
}

#[test]
fn a_user_is_known_by_its_groups() {
    let emulator = start_toml(&format!("[[users]]\ngroups = ['Writers', 'Auditors']\n{BUCKETS}"));
    let url = emulator.url();
    let user = Caller::user(&url);
    let target = objects("reports");
    for (subject, may) in [
        ("group Writers", true),
        ("group Auditors", true),
        ("group 'Default'/'Writers'", true),
        ("group id ocid1.group.oc1..writers", true),
        ("group Others, Writers", true),
        ("group Others", false),
        ("group writers", false),
        ("dynamic-group Writers", false),
        ("any-user", true),
    ] {
        let statement = format!("Allow {subject} to inspect objects in tenancy");
        policies(&emulator, &[], &[&statement]);
        if may {
            user.get(&target).with(200);
        } else {
            let why = refused(&emulator, &user, &target);
            assert!(why.contains(USER) && why.contains("statement 1"), "{why}");
        }
    }
    policies(&emulator, &[], &["Allow group Writers to inspect objects in tenancy"]);
    let why = refused(&emulator, &instance(&url), &target);
    assert!(why.contains("it is about groups of users, and the caller is none"), "{why}");
}

#[test]
fn policies_over_http_are_those_of_the_library() {
    let emulator = start_toml(BUCKETS);
    let url = emulator.url();
    let (user, instance) = (Caller::user(&url), instance(&url));
    let target = objects("reports");
    let rules = json!({
        "dynamic_groups": [{ "name": "all", "rule": format!("instance.id = '{INSTANCE}'") }],
        "policies": ["Allow dynamic-group all to inspect objects in tenancy"],
    });
    put(&url, "/emulator/policies", &rules).with(204);
    instance.get(&target).with(200);
    refused(&emulator, &user, &target);
    put(&url, "/emulator/policies", &json!({ "dynamic_groups": [], "policies": [] })).with(204);
    user.get(&target).with(200);
}

#[test]
fn policies_that_cannot_be_read_are_named_and_the_old_ones_stay() {
    let emulator = start_toml(BUCKETS);
    let url = emulator.url();
    let user = Caller::user(&url);
    policies(&emulator, &[], &["Allow group Nobody to inspect objects in tenancy"]);
    let rule = json!([{ "name": "a", "rule": "instance.name = 'b'" }]);
    for (rules, words) in [
        (json!({ "dynamic_groups": [], "policies": ["Allow"] }), ["policies", "Allow"]),
        (
            json!({ "dynamic_groups": [], "policies": ["Allow any-user to fly objects in tenancy"] }),
            ["policies", "fly"],
        ),
        (
            json!({ "dynamic_groups": [], "policies": ["Allow any-user to read objects in compartment b"] }),
            ["policies", "compartment"],
        ),
        (json!({ "dynamic_groups": rule, "policies": [] }), ["dynamic_groups", "instance.name"]),
        (json!({ "dynamic_groups": [{ "nam": "a" }], "policies": [] }), ["nam", "unknown"]),
        (json!({ "policies": [] }), ["dynamic_groups", "missing"]),
        (json!([]), ["invalid", "length"]),
    ] {
        let reply = put(&url, "/emulator/policies", &rules).with(400);
        let text = reply.json()["message"].as_str().unwrap().to_owned();
        for word in words {
            assert!(text.contains(word), "{text}");
        }
        refused(&emulator, &user, &objects("reports"));
    }
    let error = emulator.set_policies(vec![group("a", "b")], Vec::new()).unwrap_err().to_string();
    assert!(error.contains("dynamic_groups") && error.contains("`a`"), "{error}");
    refused(&emulator, &user, &objects("reports"));
}

#[test]
fn a_configuration_with_a_wrong_statement_does_not_start() {
    let config = ocisign_emulator::Config {
        policies: vec!["Allow any-user to read objects in compartment nowhere".to_owned()],
        ..plain::config()
    };
    let error = Emulator::start(config).unwrap_err();
    assert_eq!(error.code(), "INVALID_CONFIG");
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn an_old_decision_stays_until_its_time_has_passed() {
    let emulator = start_toml(&format!("membership_cache = 900\n{BUCKETS}"));
    let start = i64::try_from(now()).unwrap();
    emulator.set_time(start);
    let at = |seconds: u64| Caller::user(&emulator.url()).at(now() + seconds);
    let target = objects("reports");
    policies(&emulator, &[], &["Allow group Administrators to inspect objects in tenancy"]);
    at(0).get(&target).with(200);
    policies(&emulator, &[], &["Allow group Nobody to inspect objects in tenancy"]);
    at(0).get(&target).with(200);
    emulator.set_time(start + 890);
    at(890).get(&target).with(200);
    // Whoever has not been asked about is judged by the new ones at once.
    refused(&emulator, &function(&emulator).at(now() + 890), &target);
    emulator.set_time(start + 901);
    refused(&emulator, &at(901), &target);
    // And so the other way round.
    policies(&emulator, &[], &["Allow group Administrators to inspect objects in tenancy"]);
    refused(&emulator, &at(901), &target);
    let body = json!({ "time": start + 1_802 }).to_string();
    call(&emulator.url(), "PUT", "/emulator/clock", &[], body.as_bytes()).with(200);
    at(1_802).get(&target).with(200);
}

#[test]
fn without_a_memory_new_policies_count_at_once() {
    let emulator = start_toml(BUCKETS);
    let user = Caller::user(&emulator.url());
    for _ in 0..3 {
        policies(&emulator, &[], &["Allow group Administrators to inspect objects in tenancy"]);
        user.get(&objects("reports")).with(200);
        policies(&emulator, &[], &["Allow group Nobody to inspect objects in tenancy"]);
        refused(&emulator, &user, &objects("reports"));
    }
}

#[test]
fn what_is_not_there_and_what_is_forbidden_look_the_same() {
    let emulator = start();
    let user = Caller::user(&emulator.url());
    policies(&emulator, &[], &["Allow group Nobody to read secret-bundles in tenancy"]);
    let forbidden = user.get(&format!("/20190301/secretbundles/{SECRET}")).with(404);
    let missing = user.get("/20190301/secretbundles/other").with(404);
    assert_eq!(forbidden.body, missing.body);
}
