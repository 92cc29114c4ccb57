//! Instances: a certificate in, a token out.

use serde::Deserialize;
use serde_json::json;

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::certificate::{Certificate, Certified};
use crate::clock::rfc3339;
use crate::guard::{Refusal, Rule};
use crate::key::{PublicKey, colons, encode_base64};
use crate::state::claims;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    certificate: String,
    public_key: String,
    #[serde(default)]
    intermediate_certificates: Vec<String>,
}

/// POST `/v1/x509`.
pub(super) fn x509(call: &mut Call<'_>) -> Outcome {
    let details: Details = call.body()?;
    let certified = certified(call, &details).map_err(Answer::not_authenticated)?;
    let key = PublicKey::from_text(&details.public_key)
        .ok_or_else(|| Answer::invalid("publicKey is no RSA key of 2,048 bits or more"))?;
    let unit = |name| certified.unit(name).unwrap_or_default();
    let instance = unit("opc-instance");
    call.caller = Some(format!("instance {instance}"));
    let [sha1, _] = &certified.fingerprints;
    let claims = claims(&json!({
        "ptype": "instance", "ttype": "x509", "sub": instance,
        "tenant": unit("opc-tenant"), "opc-tenant": unit("opc-tenant"),
        "opc-compartment": unit("opc-compartment"), "opc-instance": instance,
        "opc-certtype": unit("opc-certtype"), "fprint": colons(&sha1.to_ascii_uppercase()),
    }));
    let token = call.mint(claims, &key, call.state.config.lifetimes.instance);
    Ok(Answer::json(&json!({ "token": token })))
}

/// Whose certificate it is, if it signed this request.
fn certified(call: &Call<'_>, details: &Details) -> Result<Certified, Refusal> {
    let examined = call.examine(Rule::Federation)?;
    let parts: Vec<&str> = examined.key_id.splitn(3, '/').collect();
    let (tenancy, digest, fingerprint) = match parts.as_slice() {
        [tenancy, "fed-x509", fingerprint] => (*tenancy, 0, *fingerprint),
        [tenancy, "fed-x509-sha256", fingerprint] => (*tenancy, 1, *fingerprint),
        _ => return Err("the key id is not of a certificate".into()),
    };
    let leaf =
        Certificate::from_text(&details.certificate).ok_or("`certificate` is no certificate")?;
    let intermediate = &call.state.intermediate;
    let given = &details.intermediate_certificates;
    if !given.iter().any(|text| Certificate::from_text(text).as_ref() == Some(intermediate)) {
        return Err("the intermediate certificate is not among those given".into());
    }
    let certified = leaf.check(intermediate, call.now)?;
    let named = fingerprint.replace(':', "").to_ascii_lowercase();
    if certified.fingerprints.get(digest) != Some(&named) {
        return Err("the fingerprint is not the certificate's".into());
    }
    // Of a service's certificate it would be `opc-identity`.
    let own = certified.unit("opc-tenant").or_else(|| certified.unit("opc-identity"));
    if own != Some(tenancy) || tenancy != call.state.config.tenancy.id {
        return Err("the tenancy is not the certificate's, or not this one".into());
    }
    examined.verify(&certified.key)?;
    Ok(certified)
}

/// GET `/v1/instancePrincipalRootCACertificates`.
pub(super) fn roots(call: &mut Call<'_>) -> Outcome {
    call.authenticate(Rule::Full)?;
    Ok(Answer::json(&json!({
        "certificates": [encode_base64(&call.state.root.1.0)],
        "refreshIn": rfc3339(call.now + 86_400),
    })))
}
