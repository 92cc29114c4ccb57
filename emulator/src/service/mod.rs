//! The services, and which request goes to which.

pub(crate) mod admin;
mod exchange;
mod federation;
mod identity;
mod key;
mod metadata;
pub(crate) mod objects;
mod resource;
mod secrets;
mod session;
mod workload;

use serde_json::json;

pub(crate) use workload::service_account_token;

use crate::answer::Answer;
use crate::call::{Call, decode};
use crate::guard::Rule;

/// A handler gives its answer, or the one that ends it early.
pub(crate) type Outcome = Result<Answer, Answer>;

/// The answer to a request.
pub(crate) fn route(call: &mut Call<'_>) -> Answer {
    let path = call.request.target.split('?').next().unwrap_or_default();
    let segments: Vec<String> = path.split('/').skip(1).map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let outcome = match (call.request.method, segments.as_slice()) {
        ("GET", ["opc", "v2", rest @ ..]) => metadata::get(call, rest),

        ("POST", ["v1", "x509"]) => federation::x509(call),
        ("GET", ["20180711", kind, id]) => resource::token(call, kind, id),
        ("POST", ["v1", "resourcePrincipalSessionToken"]) => resource::session_token(call),
        ("POST", ["resourcePrincipalSessionTokens"]) => workload::token(call),
        ("POST", ["resourcePrincipalSessionTokensWithCaching"]) => workload::token_with_key(call),
        ("POST", ["v1", "authentication", "refresh"]) => session::refresh(call),
        ("POST", ["v1", "token", "upst", "actions", "GenerateUpst"]) => session::generate(call),
        ("POST", ["oauth2", "v1", "token"]) => exchange::token(call),

        ("GET", ["v1", "keys", kid]) => key::by_kid(call, kid),
        ("GET", ["admin", "v1", "SigningCert", "jwk"]) => Ok(key::set(call)),
        ("GET", ["v1", "instancePrincipalRootCACertificates"]) => federation::roots(call),
        ("POST", ["v1", "authentication", "authenticateClient"]) => {
            identity::authenticate_client(call)
        }
        ("POST", ["v1", "filterGroupMembership"]) => identity::filter_groups(call),

        ("GET", ["20160918", "regions"]) => identity::regions(call),
        ("GET", ["20160918", "tenancies", id]) => identity::tenancy(call, id),
        ("GET", ["20160918", "vcns"]) => identity::vcns(call),
        ("GET", ["20190301", "secretbundles", id]) => secrets::by_id(call, id),
        ("POST", ["20190301", "secretbundles", "actions", "getByName"]) => secrets::by_name(call),
        ("GET", ["20190301", "secretbundles", id, "versions"]) => secrets::versions(call, id),
        (_, ["n", rest @ ..]) => objects::route(call, rest),
        ("POST" | "PUT" | "PATCH" | "GET" | "DELETE" | "HEAD", ["echo", ..]) => echo(call),

        // What is signed is checked before it is said that there is nothing.
        _ if path.starts_with("/opc/") => Err(Answer::text("not found").with_status(404)),
        _ => call
            .authenticate(Rule::Full)
            .and_then(|_| Err(Answer::not_found("there is nothing of this method and path"))),
    };
    outcome.unwrap_or_else(|answer| answer)
}

/// What was received, to compare with what was sent.
fn echo(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let headers: Vec<_> = call
        .request
        .headers
        .iter()
        .filter(|(name, _)| *name != "authorization")
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    Ok(Answer::json(&json!({
        "method": call.request.method,
        "target": call.request.target,
        "headers": headers,
        "body": String::from_utf8_lossy(call.request.body),
        "principal": { "type": who.kind.name(), "id": who.id, "tenancy": who.tenancy },
    })))
}
