//! The instance's metadata service, version 2.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;

pub(super) fn get(call: &mut Call<'_>, path: &[&str]) -> Outcome {
    let headers = call.request.headers;
    // Version 2 wants this header, and what a proxy on the instance added is refused.
    if headers.get("authorization").is_none_or(|value| value != "Bearer Oracle") {
        return Err(plain(401, "Unauthorized").because("`Authorization: Bearer Oracle` is missing"));
    }
    for name in ["forwarded", "x-forwarded-for", "x-forwarded-host"] {
        if headers.contains_key(name) {
            return Err(plain(403, "Forbidden").because(format!("`{name}` is there")));
        }
    }
    let identity = call.state.instance();
    match path {
        ["identity", "cert.pem"] => Ok(Answer::text(identity.certificate.pem())),
        ["identity", "key.pem"] => Ok(Answer::text(identity.key.pem())),
        ["identity", "intermediate.pem"] => Ok(Answer::text(call.state.intermediate.pem())),
        ["instance" | "instance/"] | ["instance", ""] => Ok(Answer::json(&instance(call))),
        ["instance", names @ ..] => {
            let all = instance(call);
            match names.iter().try_fold(&all, |value, name| value.get(*name)) {
                Some(Value::String(text)) => Ok(Answer::text(text.as_str())),
                Some(value) => Ok(Answer::json(value)),
                None => Err(plain(404, "Not Found")),
            }
        }
        _ => Err(plain(404, "Not Found")),
    }
}

fn instance(call: &Call<'_>) -> Value {
    let (config, region) = (&call.state.config, &call.state.config.region);
    json!({
        "id": config.instance.id,
        "compartmentId": config.instance.compartment,
        "tenantId": config.tenancy.id,
        "displayName": "emulator",
        "hostname": "emulator",
        "shape": "VM.Standard.E5.Flex",
        "state": "Running",
        // The code, as older SDKs expect it here.
        "region": region.key,
        "canonicalRegionName": region.id,
        "regionInfo": {
            "realmKey": region.realm,
            "realmDomainComponent": region.domain,
            "regionKey": region.key.to_ascii_uppercase(),
            "regionIdentifier": region.id,
        },
        "definedTags": namespaces(&config.instance.tags),
    })
}

/// `{"a.b": "c"}` as `{"a": {"b": "c"}}`.
fn namespaces(tags: &BTreeMap<String, String>) -> Value {
    let mut namespaces: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (name, value) in tags {
        if let Some((namespace, key)) = name.split_once('.') {
            namespaces.entry(namespace).or_default().insert(key, value);
        }
    }
    json!(namespaces)
}

fn plain(status: u16, text: &str) -> Answer {
    Answer::new(status, "text/plain", text.to_owned())
}
