//! The proxymux of OKE: a pod's service account token in, a token of the pod out.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::key::{PublicKey, encode_base64};
use crate::state::{State, claims};
use crate::token::text;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    pod_key: String,
}

/// POST `/resourcePrincipalSessionTokens`.
pub(super) fn token(call: &mut Call<'_>) -> Outcome {
    check_pod(call)?;
    let details: Details = call.body()?;
    let key = PublicKey::from_text(&details.pod_key)
        .ok_or_else(|| Answer::invalid("podKey is no RSA key of 2,048 bits or more"))?;
    Ok(wrapped(&json!({ "token": format!("ST${}", pod_token(call, &key)) })))
}

/// POST `/resourcePrincipalSessionTokensWithCaching`: the key comes from the server.
pub(super) fn token_with_key(call: &mut Call<'_>) -> Outcome {
    check_pod(call)?;
    let key = &call.state.workload_key;
    Ok(wrapped(&json!({
        "token": format!("ST${}", pod_token(call, &key.public())),
        "privateKey": encode_base64(key.pem().as_bytes()),
        "publicKey": encode_base64(key.public().pem().as_bytes()),
    })))
}

/// A token as Kubernetes gives it to a pod.
pub(crate) fn service_account_token(state: &State) -> String {
    let workload = &state.config.workload;
    let name = format!("system:serviceaccount:{}:{}", workload.namespace, workload.service_account);
    let now = state.clock.now();
    state.issuer.mint(&claims(&json!({
        "iss": KUBERNETES, "sub": name, "aud": ["api"], "iat": now, "exp": now + 365 * 86_400,
    })))
}

fn check_pod(call: &mut Call<'_>) -> Result<(), Answer> {
    let unauthorized =
        |reason: &str| Answer::error(401, "NotAuthenticated", "Unauthorized").because(reason);
    let header = call.request.headers.get("authorization");
    let token = header
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or_else(|| unauthorized("there is no service account token"))?;
    let claims = call.state.issuer.check(token.trim(), call.now).map_err(unauthorized)?;
    if text(&claims, "iss") != KUBERNETES {
        return Err(unauthorized("the token is of no service account"));
    }
    if !call.state.config.workload.enhanced {
        let message = "Please ensure the cluster type is enhanced.";
        return Err(Answer::error(403, "NotAllowed", message));
    }
    call.caller = Some(format!("pod {}", text(&claims, "sub")));
    Ok(())
}

fn pod_token(call: &Call<'_>, key: &PublicKey) -> String {
    let (workload, tenancy) = (&call.state.config.workload, &call.state.config.tenancy.id);
    let claims = claims(&json!({
        "ptype": "workload", "ttype": "res", "sub": workload.cluster, "tenant": tenancy,
        "res_id": workload.cluster, "res_type": "workload", "res_tenant": tenancy,
        "res_compartment": workload.compartment, "var_namespace": workload.namespace,
        "var_service_account": workload.service_account,
    }));
    call.mint(claims, key, call.state.config.lifetimes.workload)
}

/// JSON in base64 in quotes.
fn wrapped(value: &Value) -> Answer {
    let encoded = encode_base64(value.to_string().as_bytes());
    Answer::json(&json!(encoded))
}

/// The issuer of service account tokens.
pub(super) const KUBERNETES: &str = "https://kubernetes.default.svc.cluster.local";
