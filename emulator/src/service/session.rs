//! Session tokens of users.

use serde::Deserialize;
use serde_json::json;

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::guard::Rule;
use crate::key::PublicKey;
use crate::principal::Kind;
use crate::state::claims;
use crate::token::bound_key;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refresh {
    current_token: String,
    new_public_key: Option<String>,
}

/// POST `/v1/authentication/refresh`: signed with the token that is to be renewed.
pub(super) fn refresh(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let details: Refresh = call.body()?;
    let refused = |reason: &str| Answer::not_authenticated(reason.into());
    if who.kind != Kind::User {
        return Err(refused("only a user's token is refreshed"));
    }
    let token = details.current_token.trim();
    let token = token.strip_prefix("ST$").unwrap_or(token);
    let current = call.state.issuer.check(token, call.now).map_err(refused)?;
    let id = current.get("jti");
    if id.is_none() || id != who.claims.get("jti") {
        return Err(refused("another token signs than the one to be refreshed"));
    }
    let key = match &details.new_public_key {
        Some(text) => public_key("newPublicKey", text)?,
        None => bound_key(&current).map_err(refused)?,
    };
    let token = call.mint(current, &key, call.state.config.lifetimes.session);
    Ok(Answer::json(&json!({ "token": token })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generate {
    public_key: String,
    session_expiration_in_minutes: Option<i64>,
}

/// POST `/v1/token/upst/actions/GenerateUpst`: a session without a browser.
pub(super) fn generate(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let details: Generate = call.body()?;
    // The claims of a token have an id, and those of an API key have none.
    if who.kind != Kind::User || who.claims.contains_key("jti") {
        return Err(Answer::not_authenticated("a session is for a user with an API key".into()));
    }
    let minutes = details.session_expiration_in_minutes.unwrap_or(60);
    if !(5..=60).contains(&minutes) {
        return Err(Answer::invalid("sessionExpirationInMinutes has to be from 5 to 60"));
    }
    let key = public_key("publicKey", &details.public_key)?;
    let claims = claims(&json!({
        "ptype": "user", "ttype": "login", "sub": who.id, "tenant": who.tenancy,
    }));
    Ok(Answer::json(&json!({ "token": call.mint(claims, &key, minutes * 60) })))
}

fn public_key(name: &str, text: &str) -> Result<PublicKey, Answer> {
    PublicKey::from_text(text)
        .ok_or_else(|| Answer::invalid(&format!("{name} is no RSA key of 2,048 bits or more")))
}
