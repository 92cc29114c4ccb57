//! The token endpoint of an identity domain: another issuer's token in, OCI's out.

use std::collections::HashMap;

use serde_json::json;

use super::Outcome;
use super::workload::KUBERNETES;
use crate::answer::Answer;
use crate::call::{Call, decode};
use crate::guard::Rule;
use crate::key::{PublicKey, decode_base64};
use crate::principal::Kind;
use crate::state::claims;
use crate::token::text;

/// POST `/oauth2/v1/token`.
pub(super) fn token(call: &mut Call<'_>) -> Outcome {
    let body = String::from_utf8_lossy(call.request.body);
    let fields: HashMap<&str, String> = body
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, decode(&value.replace('+', " "))))
        .collect();
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();

    client(call)?;
    if field("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange" {
        return Err(refused(400, "unsupported_grant_type", "grant_type is not token-exchange"));
    }
    if field("subject_token_type") != "jwt" {
        return Err(refused(400, "invalid_request", "subject_token_type is not jwt"));
    }
    let subject = call
        .state
        .issuer
        .check(field("subject_token"), call.now)
        .map_err(|fault| refused(400, "invalid_grant", fault))?;
    // Another issuer's: a token that is bound to a key is not to be bound to another.
    if text(&subject, "iss") != KUBERNETES {
        return Err(refused(400, "invalid_grant", "the issuer of subject_token is not trusted"));
    }
    let key = PublicKey::from_text(field("public_key"))
        .ok_or_else(|| refused(400, "invalid_request", "public_key is no RSA key"))?;

    let (sub, tenancy) = (text(&subject, "sub"), &call.state.config.tenancy.id);
    let (claims, lifetime) = match field("requested_token_type") {
        "urn:oci:token-type:oci-upst" => {
            let claims =
                json!({ "ptype": "user", "ttype": "login", "sub": sub, "tenant": tenancy });
            (claims, call.state.config.lifetimes.session)
        }
        "urn:oci:token-type:oci-rpst" if field("res_type").is_empty() => {
            return Err(refused(400, "invalid_request", "res_type is missing"));
        }
        "urn:oci:token-type:oci-rpst" => {
            let claims = json!({
                "ptype": "resource", "ttype": "res", "sub": sub, "tenant": tenancy,
                "res_id": sub, "res_type": field("res_type"), "res_tenant": tenancy,
                "res_compartment": tenancy,
            });
            let own = call.state.config.lifetimes.resource;
            // In minutes, and not longer than the token would be without it.
            let asked = field("rpst_exp").parse::<i64>().ok().map(|it| it.saturating_mul(60));
            (claims, asked.filter(|it| (1..own).contains(it)).unwrap_or(own))
        }
        _ => return Err(refused(400, "invalid_request", "requested_token_type is not known")),
    };
    let token = call.mint(self::claims(&claims), &key, lifetime);
    Ok(Answer::json(&json!({ "token": token })))
}

/// A client with its secret, or an instance that signs the form.
fn client(call: &mut Call<'_>) -> Result<(), Answer> {
    let header = call.request.headers.get("authorization").and_then(|value| value.to_str().ok());
    let Some(basic) = header.and_then(|value| value.strip_prefix("Basic ")) else {
        let who = call.authenticate(Rule::Federation)?;
        let known = matches!(who.kind, Kind::Instance | Kind::Resource);
        return if known { Ok(()) } else { Err(unknown_client()) };
    };
    let given = decode_base64(basic).unwrap_or_default();
    let clients = &call.state.config.domain_clients;
    let client = clients
        .iter()
        .find(|client| format!("{}:{}", client.id, client.secret).as_bytes() == given)
        .ok_or_else(unknown_client)?;
    call.caller = Some(format!("client {}", client.id));
    Ok(())
}

fn unknown_client() -> Answer {
    refused(401, "invalid_client", "the client or its secret is not known")
}

/// RFC 6749, section 5.2.
fn refused(status: u16, error: &str, description: &str) -> Answer {
    let body = json!({ "error": error, "error_description": description }).to_string();
    Answer::new(status, "application/json", body).because(description)
}
