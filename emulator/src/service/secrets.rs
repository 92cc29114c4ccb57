//! Secret bundles.

use serde_json::{Value, json};

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::clock::rfc3339;
use crate::config::SecretConfig;
use crate::guard::Rule;
use crate::key::encode_base64;
use crate::policy::Operation;
use crate::principal::Principal;

/// GET `/20190301/secretbundles/{id}`.
pub(super) fn by_id(call: &mut Call<'_>, id: &str) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let secret = call.state.config.secrets.iter().find(|secret| secret.id == id);
    bundle(call, &who, secret, Operation::GetSecretBundle)
}

/// POST `/20190301/secretbundles/actions/getByName`, without a body.
pub(super) fn by_name(call: &mut Call<'_>) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let parameter = |name: &str| {
        call.parameter(name).ok_or_else(|| Answer::invalid(&format!("{name} is missing")))
    };
    let (name, vault) = (parameter("secretName")?, parameter("vaultId")?);
    let secrets = &call.state.config.secrets;
    let secret = secrets.iter().find(|secret| secret.name == name && secret.vault == vault);
    bundle(call, &who, secret, Operation::GetSecretBundleByName)
}

/// GET `/20190301/secretbundles/{id}/versions`.
pub(super) fn versions(call: &mut Call<'_>, id: &str) -> Outcome {
    let who = call.authenticate(Rule::Full)?;
    let secret = call.state.config.secrets.iter().find(|secret| secret.id == id);
    let secret = secret.ok_or_else(|| Answer::not_found("there is no such secret"))?;
    authorize(call, &who, secret, Operation::ListSecretBundleVersions)?;
    let all = (1..=secret.versions.len()).rev().map(|number| version(call, secret, number));
    Ok(Answer::json(&Value::Array(all.collect())))
}

fn bundle(
    call: &mut Call<'_>,
    who: &Principal,
    secret: Option<&SecretConfig>,
    operation: Operation,
) -> Outcome {
    let secret = secret.ok_or_else(|| Answer::not_found("there is no such secret"))?;
    authorize(call, who, secret, operation)?;
    let last = secret.versions.len();
    let number = match (call.parameter("versionNumber"), call.parameter("stage").as_deref()) {
        (Some(number), _) => {
            number.parse().map_err(|_| Answer::invalid("versionNumber is no number"))?
        }
        (None, None | Some("CURRENT" | "LATEST")) => last,
        (None, Some("PREVIOUS")) => last.saturating_sub(1),
        (None, Some("DEPRECATED")) => last.saturating_sub(2),
        (None, Some(_)) => 0,
    };
    if call.parameter("secretVersionName").is_some() {
        return Err(Answer::not_found("no version of the secret has a name"));
    }
    let content = number
        .checked_sub(1)
        .and_then(|index| secret.versions.get(index))
        .ok_or_else(|| Answer::not_found("the secret has no such version"))?;
    let mut bundle = version(call, secret, number);
    if let Some(object) = bundle.as_object_mut() {
        let content = encode_base64(content.as_bytes());
        object.insert(
            "secretBundleContent".into(),
            json!({ "contentType": "BASE64", "content": content }),
        );
        object.insert("metadata".into(), json!({}));
    }
    Ok(Answer::json(&bundle).header("etag", format!("{}-{number}", secret.name)))
}

fn authorize(
    call: &mut Call<'_>,
    who: &Principal,
    secret: &SecretConfig,
    operation: Operation,
) -> Result<(), Answer> {
    let variables = [
        ("target.secret.id", secret.id.as_str()),
        ("target.secret.name", secret.name.as_str()),
        ("target.vault.id", secret.vault.as_str()),
    ];
    call.authorize(who, operation, &secret.compartment, &variables)
}

fn version(call: &Call<'_>, secret: &SecretConfig, number: usize) -> Value {
    let stages: &[&str] = match secret.versions.len() - number {
        0 => &["CURRENT", "LATEST"],
        1 => &["PREVIOUS"],
        _ => &["DEPRECATED"],
    };
    json!({
        "secretId": secret.id,
        "timeCreated": rfc3339(call.now - 86_400),
        "versionNumber": number,
        "versionName": null,
        "timeOfDeletion": null,
        "timeOfExpiry": null,
        "stages": stages,
    })
}
