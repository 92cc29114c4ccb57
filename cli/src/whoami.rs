//! `ocisign whoami`: which identity is used here, and why.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocisign::{Credential, Fetched, Request, UnixTime, http_date, prepare};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args::WhoamiArgs;
use crate::failure::Failure;
use crate::identity::Identity;
use crate::output;

/// The text to print.
pub(crate) fn run(args: &WhoamiArgs) -> Result<String, Failure> {
    let identity = Identity::new(&args.identity, None);
    let fetched = identity.fetched()?;
    let remaining = identity.signer.status().remaining.map(|time| time.as_secs());
    let report = Report::new(&fetched, remaining);
    if args.json { output::json(&report) } else { Ok(lines(&report)) }
}

/// What may be said of an identity. Nothing in it is a secret.
#[derive(Serialize)]
struct Report<'a> {
    kind: &'static str,
    origin: &'a str,
    passed_over: Vec<PassedOver<'a>>,
    /// The user, instance or resource.
    subject: Option<String>,
    tenancy: Option<String>,
    compartment: Option<String>,
    region: Option<Region<'a>>,
    fingerprint: String,
    /// Whether a delegation token goes with each request.
    delegated: bool,
    /// Seconds since 1970.
    issued: Option<UnixTime>,
    expires: Option<UnixTime>,
    /// Seconds until it expires.
    remaining: Option<u64>,
    /// Those of the token that name something. Nobody has verified them here.
    claims: Map<String, Value>,
}

#[derive(Serialize)]
struct PassedOver<'a> {
    kind: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Region<'a> {
    id: &'a str,
    realm: Option<&'a str>,
}

impl<'a> Report<'a> {
    fn new(fetched: &'a Fetched, remaining: Option<u64>) -> Self {
        let credential = &*fetched.credential;
        let id = credential.key_id().as_str();
        let claims = claims(id).unwrap_or_default();
        let claim = |names: &[&str]| {
            names.iter().find_map(|name| claims.get(*name)?.as_str().map(ToOwned::to_owned))
        };
        let user = || id.split('/').nth(1).map(ToOwned::to_owned);
        let passed_over = fetched.passed_over.iter();
        let region = fetched.region.as_ref();
        Self {
            kind: fetched.kind.name(),
            origin: &fetched.origin,
            passed_over: passed_over
                .map(|over| PassedOver { kind: over.kind.name(), reason: &over.reason })
                .collect(),
            subject: claim(&["res_id", "sub"]).or_else(user),
            tenancy: credential.tenancy(),
            compartment: claim(&["res_compartment", "opc-compartment"]),
            region: region.map(|region| Region { id: region.id(), realm: region.realm() }),
            fingerprint: credential.public_key().fingerprint(),
            delegated: is_delegated(credential),
            issued: claims.get("iat").and_then(Value::as_u64),
            expires: credential.expires(),
            remaining,
            claims,
        }
    }
}

/// The claims of a token that name something: a list, so that no other gets out.
fn claims(key_id: &str) -> Option<Map<String, Value>> {
    let payload = key_id.strip_prefix("ST$")?.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    let named = claims.into_iter().filter(|(name, value)| {
        CLAIMS.contains(&name.as_str()) && (value.is_string() || value.is_u64())
    });
    Some(named.collect())
}

/// Whether its requests carry a delegation token.
fn is_delegated(credential: &Credential) -> bool {
    let request = Request::new("GET", "https://localhost");
    let prepared = prepare(&request, credential.key_id(), 0);
    prepared.is_ok_and(|prepared| prepared.signed_headers().contains("opc-obo-token"))
}

/// A line for each thing known.
fn lines(report: &Report<'_>) -> String {
    let claim = |name: &str| report.claims.get(name).and_then(Value::as_str);
    let mut rows: Vec<(&str, String)> =
        vec![("identity", report.kind.to_owned()), ("found by", report.origin.to_owned())];
    let mut known = |label, value: Option<String>| rows.extend(value.map(|value| (label, value)));
    known("subject", report.subject.clone());
    known("type", claim("res_type").or_else(|| claim("ptype")).map(ToOwned::to_owned));
    known("tenancy", report.tenancy.clone());
    known("compartment", report.compartment.clone());
    known(
        "workload",
        claim("var_namespace")
            .zip(claim("var_service_account"))
            .map(|(namespace, account)| format!("{account} in namespace {namespace}")),
    );
    known(
        "region",
        report.region.as_ref().map(|region| match region.realm {
            Some(realm) => format!("{}, realm {realm}", region.id),
            None => region.id.to_owned(),
        }),
    );
    known("key", Some(report.fingerprint.clone()));
    known("issued", report.issued.map(date));
    known(
        "expires",
        report.expires.map(|expires| match report.remaining {
            Some(remaining) => format!("{}, in {}", date(expires), duration(remaining)),
            None => date(expires),
        }),
    );
    known("acting for", report.delegated.then(|| "the user of a delegation token".to_owned()));
    for over in &report.passed_over {
        rows.push(("not", format!("{}: {}", over.kind, over.reason)));
    }
    rows.iter().fold(String::new(), |mut text, (label, value)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<12} {}", output::printable(value));
        text
    })
}

fn date(time: UnixTime) -> String {
    http_date(time).unwrap_or_else(|| format!("{time} (seconds since 1970)"))
}

/// As people say it, in two units.
fn duration(seconds: u64) -> String {
    let units = [("d", 86_400, u64::MAX), ("h", 3_600, 24), ("min", 60, 60), ("s", 1, 60)];
    let parts = units.iter().map(|(unit, length, most)| (seconds / length % most, unit));
    let parts = parts.skip_while(|(count, _)| *count == 0).take(2);
    let parts: Vec<_> = parts.map(|(count, unit)| format!("{count} {unit}")).collect();
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

const CLAIMS: [&str; 18] = [
    "exp",
    "iat",
    "iss",
    "nbf",
    "opc-certtype",
    "opc-compartment",
    "opc-instance",
    "opc-tenant",
    "ptype",
    "res_compartment",
    "res_id",
    "res_tenant",
    "res_type",
    "sub",
    "tenant",
    "ttype",
    "var_namespace",
    "var_service_account",
];

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (1_182, "19 min 42 s"),
            (3_600, "1 h 0 min"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
