//! The keys that tokens are verified with.

use serde_json::json;

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::guard::Rule;

/// GET `/v1/keys/{kid}`.
pub(super) fn by_kid(call: &mut Call<'_>, kid: &str) -> Outcome {
    call.authenticate(Rule::Full)?;
    if kid == call.state.issuer.kid() {
        Ok(Answer::json(&call.state.issuer.jwk()))
    } else {
        Err(Answer::not_found("there is no such key"))
    }
}

/// GET `/admin/v1/SigningCert/jwk`: the key set, for anyone.
pub(super) fn set(call: &Call<'_>) -> Answer {
    Answer::json(&json!({ "keys": [call.state.issuer.jwk()] }))
}
