//! Resource principals of the versions that exchange tokens: 1.1, 2.1, 2.1.1, 2.1.2, 3.0.

use serde::Deserialize;
use serde_json::json;

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::guard::{Refusal, Rule};
use crate::key::PublicKey;
use crate::principal::{Kind, Principal};
use crate::state::{Resource, claims};
use crate::token::text;

/// GET `/20180711/resourcePrincipalToken…/{id}`: signed with the resource's own key, by the
/// instance that it lives on, or by the resource that is nested in it.
pub(super) fn token(call: &mut Call<'_>, kind: &str, id: &str) -> Outcome {
    let versions: &[&str] = match kind {
        "resourcePrincipalToken" => &[],
        "resourcePrincipalTokenV2" => &["v2.1", "v2.1.1"],
        "resourcePrincipalTokenV212" => &["v2.1.2"],
        _ => {
            call.authenticate(Rule::Full)?;
            return Err(Answer::not_found("there is nothing of this path"));
        }
    };
    if let Some(outcome) = own_key(call, versions) {
        let resource = outcome.map_err(Answer::not_authenticated)?;
        if resource.config.id != id {
            return Err(Answer::not_found("the resource is another one than the caller"));
        }
    } else {
        let who = call.authenticate(Rule::Full)?;
        if !may_ask(call, &who, id) {
            return Err(Answer::not_found("the caller does not live in this resource"));
        }
    }
    let resource =
        call.state.resource(id).ok_or_else(|| Answer::not_found("there is no such resource"))?;
    let wanted = resource.config.security_context.as_deref();
    let given = call.request.headers.get("security-context");
    if kind == "resourcePrincipalTokenV212"
        && given.is_none_or(|given| wanted.is_some_and(|wanted| given != wanted))
    {
        return Err(Answer::not_found("`security-context` is not the resource's"));
    }

    let lifetime = call.state.config.lifetimes.resource;
    let mut about = call.state.resource_claims(&resource.config);
    about.insert("ttype".into(), json!("rpt"));
    let service = claims(&json!({
        "ptype": "service", "ttype": "x509", "sub": "emulator", "tenant": about.get("tenant"),
    }));
    let key = resource.key.public();
    let answer = Answer::json(&json!({
        "resourcePrincipalToken": call.mint(about, &key, lifetime),
        "servicePrincipalSessionToken": call.mint(service, &key, lifetime),
    }));
    Ok(match &resource.config.parent {
        Some(parent) => answer.header("opc-parent-rpt-url", parent_url(call, parent)),
        None => answer,
    })
}

/// Whether a resource lives on this caller, an instance, or the caller is nested in it.
fn may_ask(call: &Call<'_>, who: &Principal, id: &str) -> bool {
    let parent = call.state.resource(&who.id).and_then(|own| own.config.parent.as_deref());
    who.kind == Kind::Instance || who.kind == Kind::Resource && parent == Some(id)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    resource_principal_token: String,
    service_principal_session_token: String,
    session_public_key: String,
}

/// POST `/v1/resourcePrincipalSessionToken`: both tokens and a public key in, the token of the
/// resource out.
pub(super) fn session_token(call: &mut Call<'_>) -> Outcome {
    let signer = own_key(call, &["v2.1", "v2.1.1", "v2.1.2"]).transpose();
    let signer = signer.map_err(Answer::not_authenticated)?;
    let caller = if signer.is_none() { Some(call.authenticate(Rule::Full)?) } else { None };
    let details: Details = call.body()?;
    let check = |token: &str| call.state.issuer.check(token, call.now);
    let about = check(&details.resource_principal_token)
        .map_err(|fault| Answer::not_authenticated(fault.into()))?;
    let service = check(&details.service_principal_session_token)
        .map_err(|fault| Answer::not_authenticated(fault.into()))?;
    if text(&about, "ttype") != "rpt" || text(&service, "ptype") != "service" {
        return Err(Answer::not_authenticated("the tokens are of other kinds".into()));
    }
    let id = text(&about, "sub");
    if signer.is_some_and(|signer| signer.config.id != id) {
        return Err(Answer::not_authenticated("the token is another resource's".into()));
    }
    if caller.is_some_and(|who| !may_ask(call, &who, id)) {
        return Err(Answer::not_found("the caller does not live in this resource"));
    }
    let resource =
        call.state.resource(id).ok_or_else(|| Answer::not_found("there is no such resource"))?;
    let key = PublicKey::from_text(&details.session_public_key)
        .ok_or_else(|| Answer::invalid("sessionPublicKey is no RSA key of 2,048 bits or more"))?;
    let claims = call.state.resource_claims(&resource.config);
    let token = call.mint(claims, &key, call.state.config.lifetimes.resource);
    Ok(Answer::json(&json!({ "token": token })))
}

/// The resource whose own key signed this, if the key id is of that kind.
fn own_key<'a>(call: &mut Call<'a>, versions: &[&str]) -> Option<Result<&'a Resource, Refusal>> {
    let examined = match call.examine(Rule::Full) {
        Ok(examined) if examined.key_id.starts_with("resource/") => examined,
        // What is wrong is said by whoever looks at it next.
        _ => return None,
    };
    let parts: Vec<&str> = examined.key_id.split('/').collect();
    let (version, tenancy, id) = match parts.as_slice() {
        ["resource", version @ "v2.1", id] => (*version, None, *id),
        ["resource", version @ ("v2.1.1" | "v2.1.2"), tenancy, id] => {
            (*version, Some(*tenancy), *id)
        }
        _ => return Some(Err("the key id is not of a resource".into())),
    };
    if !versions.contains(&version) {
        return Some(Err("the key id is of another version".into()));
    }
    if tenancy.is_some_and(|tenancy| tenancy != call.state.config.tenancy.id) {
        return Some(Err("the key id is of another tenancy".into()));
    }
    let state = call.state;
    let Some(resource) = state.resource(id) else {
        return Some(Err("there is no such resource".into()));
    };
    if let Err(refusal) = examined.verify(&resource.key.public()) {
        return Some(Err(refusal));
    }
    call.caller = Some(format!("resource {id}"));
    Some(Ok(resource))
}

fn parent_url(call: &Call<'_>, parent: &str) -> String {
    let host = call.request.headers.get("host").and_then(|host| host.to_str().ok());
    let scheme = if call.secure { "https" } else { "http" };
    format!("{scheme}://{}/20180711/resourcePrincipalToken/{parent}", host.unwrap_or_default())
}
