//! Tenancies, regions, networks; and who a caller's caller is.

use std::collections::HashMap;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::guard::{Incoming, Rule};
use crate::policy::Operation;
use crate::principal::{Kind, Principal};
use crate::token::Claims;

/// GET `/20160918/regions`.
pub(super) fn regions(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    call.authorize(&who, Operation::ListRegions, &call.state.config.tenancy.id, &[])?;
    let region = &call.state.config.region;
    Ok(Answer::json(&json!([{ "key": region.key.to_ascii_uppercase(), "name": region.id }])))
}

/// GET `/20160918/tenancies/{id}`.
pub(super) fn tenancy(call: &mut Call<'_>, id: &str) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let tenancy = &call.state.config.tenancy;
    if id != tenancy.id {
        return Err(Answer::not_found("the tenancy is another one"));
    }
    call.authorize(&who, Operation::GetTenancy, id, &[])?;
    Ok(Answer::json(&json!({
        "id": tenancy.id,
        "name": tenancy.name,
        "description": "The emulator's tenancy",
        "homeRegionKey": call.state.config.region.key.to_ascii_uppercase(),
        "freeformTags": {},
        "definedTags": {},
    })))
}

/// GET `/20160918/vcns`.
pub(super) fn vcns(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let compartment = call
        .parameter("compartmentId")
        .ok_or_else(|| Answer::invalid("compartmentId is missing"))?;
    let config = &call.state.config;
    let known = compartment == config.tenancy.id
        || config.compartments.iter().any(|known| known.id == compartment);
    if !known {
        return Err(Answer::not_found("there is no such compartment"));
    }
    call.authorize(&who, Operation::ListVcns, &compartment, &[])?;
    Ok(Answer::json(&json!([{
        "id": "ocid1.vcn.oc1.iad.amaaexamplevcn",
        "compartmentId": compartment,
        "cidrBlock": "10.0.0.0/16",
        "cidrBlocks": ["10.0.0.0/16"],
        "displayName": "example",
        "lifecycleState": "AVAILABLE",
    }])))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authenticate {
    request_headers: HashMap<String, Vec<String>>,
}

/// POST `/v1/authentication/authenticateClient`: who signed a request that the caller received.
pub(super) fn authenticate_client(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    call.authorize(&who, Operation::AuthenticateClient, &call.state.config.tenancy.id, &[])?;
    let details: Authenticate = call.body()?;
    Ok(match client(call, &details) {
        Ok(principal) => Answer::json(&json!({ "principal": principal.to_json() })),
        Err(answer) => {
            let reason = answer.reason.unwrap_or_default();
            let body = json!({ "principal": null, "errorMessage": reason });
            Answer::json(&body).because(reason)
        }
    })
}

/// The signature over the headers alone: the body stays with whoever received it.
fn client(call: &Call<'_>, details: &Authenticate) -> Result<Principal, Answer> {
    let wrong = |what: &str| Answer::not_authenticated(what.into());
    let mut headers = HeaderMap::new();
    let mut target = None;
    for (name, values) in &details.request_headers {
        for value in values {
            if name == "(request-target)" {
                target = Some(value.as_str());
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|_| wrong("a name is no header's"))?;
            let value = HeaderValue::from_str(value);
            headers.append(name, value.map_err(|_| wrong("a value is no header's"))?);
        }
    }
    let (method, target) = target
        .and_then(|target| target.split_once(' '))
        .ok_or_else(|| wrong("`(request-target)` is missing"))?;
    let request = Incoming { method, target, headers: &headers, body: &[] };
    let mut inner = Call { request, caller: None, reason: None, ..*call };
    inner.authenticate(Rule::HeadersOnly)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    principal: FilterPrincipal,
    #[serde(default)]
    group_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilterPrincipal {
    tenant_id: String,
    subject_id: String,
    #[serde(default)]
    claims: Vec<Claim>,
}

#[derive(Deserialize)]
struct Claim {
    key: String,
    value: String,
}

/// POST `/v1/filterGroupMembership`: which of these groups a principal is in.
pub(super) fn filter_groups(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    call.authorize(&who, Operation::FilterGroupMembership, &call.state.config.tenancy.id, &[])?;
    let Filter { principal, group_ids } = call.body()?;
    let FilterPrincipal { tenant_id, subject_id, claims } = principal;
    let claims: Claims =
        claims.into_iter().map(|Claim { key, value }| (key, json!(value))).collect();
    // Who is meant is said beside the claims, and only they say of what kind it is.
    let is_meant = |known: &Principal| known.id == subject_id && known.tenancy == tenant_id;
    let asked = Principal::from_claims(claims).filter(is_meant).unwrap_or_else(|| Principal {
        kind: Kind::User,
        id: subject_id.clone(),
        tenancy: tenant_id.clone(),
        compartment: tenant_id.clone(),
        resource_type: String::new(),
        claims: Claims::new(),
    });
    let groups = if tenant_id == call.state.config.tenancy.id {
        let tags = call.state.tags(&asked.id);
        crate::lock(&call.state.access).groups(&asked, &tags, call.now)
    } else {
        Vec::new()
    };
    let in_them: Vec<String> = group_ids.into_iter().filter(|id| groups.contains(id)).collect();
    Ok(Answer::json(&json!({
        "principal": { "tenantId": tenant_id, "subjectId": subject_id },
        "groupIds": in_them,
    })))
}
