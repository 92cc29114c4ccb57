//! A world in which everything works, and one exchange of each kind to try in it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{
    Credential, DomainClient, Exchange, HttpRequest, InstancePrincipal, KeyBackend, KeyId,
    KeyOptions, PublicKey, Region, RegionSources, ResourcePrincipal, SessionRefresh, TokenExchange,
    UserSession, VariableError, WorkloadIdentity,
};
use serde_json::{Value, json};

use crate::drive::{Replied, Reply};
use crate::made::{
    INTERMEDIATE, LEAF, LEAF_KEY, NOW, OTHER_KEY, PASSPHRASE, QuickKeys, SESSION_KEY, claims, pem,
    public_key, quick, session_key, token,
};

pub(crate) const METADATA: &str = "http://169.254.169.254/opc/v2";
pub(crate) const AUTH: &str = "https://auth.us-phoenix-1.oraclecloud.com";
pub(crate) const DOMAIN: &str = "https://idcs-test.identity.oraclecloud.com";
pub(crate) const RPT: &str = "https://rpt.example.com";
pub(crate) const PARENT: &str = "https://parent.example.com/rpt/1?a=b";
pub(crate) const RESOURCE: &str = "ocid1.fnfunc.oc1.phx.aaaaaaaatestfn";
pub(crate) const INSTANCE: &str = "ocid1.instance.oc1.phx.anuwtesttestinstance";
pub(crate) const CLIENT_SECRET: &str = "a-client-secret-of-a-domain";

/// Right answers, but this one to what ends so.
pub(crate) fn but(end: &str, reply: Reply) -> impl Fn(&HttpRequest) -> Replied {
    move |request| if request.url.ends_with(end) { Ok(reply.clone()) } else { answer(request) }
}

/// The right answer to any request.
#[allow(clippy::unnecessary_wraps, reason = "it stands where others fail")]
pub(crate) fn answer(request: &HttpRequest) -> Replied {
    let url = request.url.split('?').next().unwrap();
    let last = url.rsplit('/').next().unwrap();
    let text = match last {
        "regionInfo" => json!({
            "realmKey": "oc1",
            "realmDomainComponent": "oraclecloud.com",
            "regionKey": "PHX",
            "regionIdentifier": "us-phoenix-1",
        })
        .to_string(),
        "region" => "phx\n".into(),
        "cert.pem" => LEAF.clone(),
        "key.pem" => LEAF_KEY.clone(),
        "intermediate.pem" => INTERMEDIATE.clone(),
        "id" => format!("{INSTANCE}\n"),
        _ if gives_resource_tokens(request) => resource_tokens(),
        _ => token_answer(request, &claims(&key_of(request))),
    };
    Ok(Reply::new(200, text))
}

pub(crate) fn resource_tokens() -> String {
    json!({
        "resourcePrincipalToken": "a-resource-principal-token-that-is-opaque-to-us",
        "servicePrincipalSessionToken": "a-service-principal-session-token-that-is-opaque",
    })
    .to_string()
}

/// An answer with a token of these claims, in the form in which this call answers.
pub(crate) fn token_answer(request: &HttpRequest, claims: &Value) -> String {
    wrap(request, &json!({ "token": token(claims) }))
}

/// The proxymux wraps its object twice.
pub(crate) fn wrap(request: &HttpRequest, object: &Value) -> String {
    if request.url.ends_with("/resourcePrincipalSessionTokens") {
        return json!(STANDARD.encode(object.to_string())).to_string();
    }
    object.to_string()
}

pub(crate) fn gives_region_info(request: &HttpRequest) -> bool {
    request.url.ends_with("/instance/regionInfo")
}

pub(crate) fn gives_resource_tokens(request: &HttpRequest) -> bool {
    request.method == "GET" && !request.url.contains("/opc/v2/")
}

pub(crate) fn gives_token(request: &HttpRequest) -> bool {
    request.method == "POST"
}

/// The public key that a request asks a token for.
pub(crate) fn key_of(request: &HttpRequest) -> PublicKey {
    let read = |text: &str| PublicKey::from_pem(text, &KeyOptions::new()).unwrap();
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        let mut form = form_urlencoded::parse(&request.body);
        let key = form.find(|(name, _)| name == "public_key").unwrap().1;
        return read(&pem("PUBLIC KEY", &STANDARD.decode(&*key).unwrap()));
    };
    let member = |name: &str| body.get(name).and_then(Value::as_str);
    match ["publicKey", "podKey", "sessionPublicKey"].iter().find_map(|name| member(name)) {
        Some(text) if text.starts_with("-----BEGIN") => read(text),
        Some(text) => read(&pem("PUBLIC KEY", &STANDARD.decode(text).unwrap())),
        // A refresh keeps the key.
        None => session_key(),
    }
}

pub(crate) type Begin = fn() -> Exchange;

/// How to begin an exchange of each kind, with a name.
pub(crate) fn exchanges() -> Vec<(&'static str, Begin)> {
    fn resource(variables: &BTreeMap<String, String>) -> Exchange {
        exchange_of(resource_principal(variables))
    }
    vec![
        ("instance principal", instance),
        ("resource principal 1.1", || resource(&complete("1.1"))),
        ("resource principal 2.1", || resource(&complete("2.1"))),
        ("resource principal 2.1.1", || resource(&complete("2.1.1"))),
        ("resource principal 2.1.2", || resource(&complete("2.1.2"))),
        ("resource principal 2.2", || resource(&complete("2.2"))),
        ("resource principal 3.0 of 1.1", || resource(&nested("1.1"))),
        ("resource principal 3.0 of 2.1", || resource(&nested("2.1"))),
        ("resource principal 3.0 of 2.2", || resource(&nested("2.2"))),
        ("workload identity", || workload(&service_account_token(NOW + 60))),
        ("session refresh", refresh),
        ("user session", || user(60)),
        ("domain, by a secret", || domain(secret_client())),
        ("domain, by a signer", || domain(DomainClient::Signer(api_key()))),
        ("domain, by an instance", || domain(DomainClient::Instance(InstancePrincipal::new()))),
    ]
}

pub(crate) fn keys() -> Arc<dyn KeyBackend> {
    Arc::new(QuickKeys::default())
}

pub(crate) const ENTROPY: [u8; 32] = [7; 32];

pub(crate) fn instance() -> Exchange {
    Exchange::instance_principal(InstancePrincipal::new(), keys(), ENTROPY)
}

pub(crate) fn phoenix() -> Region {
    Region::lookup("phx", &RegionSources::default()).unwrap()
}

pub(crate) fn exchange_of(resource: Result<ResourcePrincipal, VariableError>) -> Exchange {
    Exchange::resource_principal(resource.unwrap(), keys(), ENTROPY)
}

/// All variables of a version, with values that are right.
pub(crate) fn complete(version: &str) -> BTreeMap<String, String> {
    let token = token(&claims(&public_key(&OTHER_KEY)));
    let path = format!("/20180711/ours/{version}/{{id}}");
    let values: &[(&str, &str)] = match version {
        "1.1" => &[("RPT_ENDPOINT", RPT)],
        "2.2" => &[("RPST", &token), ("PRIVATE_PEM", &OTHER_KEY), ("REGION", "phx")],
        _ => &[
            ("RPT_ENDPOINT", RPT),
            ("RPST_ENDPOINT", AUTH),
            ("RESOURCE_ID", RESOURCE),
            ("PRIVATE_PEM", &OTHER_KEY),
        ],
    };
    let more: &[(&str, &str)] = match version {
        "2.1.1" => &[("TENANCY_ID", "ocid1.tenancy.oc1..t")],
        "2.1.2" => &[
            ("TENANCY_ID", "ocid1.tenancy.oc1..t"),
            ("SECURITY_CONTEXT", "a-context"),
            ("RPT_PATH", &path),
        ],
        _ => &[],
    };
    let version = [("VERSION", version)];
    let all = version.iter().chain(values).chain(more);
    all.map(|(name, value)| (format!("OCI_RESOURCE_PRINCIPAL_{name}"), (*value).into())).collect()
}

/// The variables of version 3.0 around those of the leaf.
pub(crate) fn nested(leaf: &str) -> BTreeMap<String, String> {
    let leaf = complete(leaf).into_iter().map(|(name, value)| (name + "_FOR_LEAF_RESOURCE", value));
    let own = [
        ("VERSION", "3.0"),
        ("RPT_URL_FOR_PARENT_RESOURCE", PARENT),
        ("RPST_ENDPOINT_FOR_PARENT_RESOURCE", AUTH),
    ];
    let own = own.map(|(name, value)| (format!("OCI_RESOURCE_PRINCIPAL_{name}"), value.into()));
    leaf.chain(own).collect()
}

pub(crate) fn resource_principal(
    variables: &BTreeMap<String, String>,
) -> Result<ResourcePrincipal, VariableError> {
    ResourcePrincipal::from_variables(
        &|name| variables.get(name).cloned(),
        &|path| Err(format!("{path}: not found")),
        InstancePrincipal::new(),
        &RegionSources::default(),
    )
}

pub(crate) fn service_account_token(expires: u64) -> String {
    token(&json!({ "aud": ["api"], "exp": expires, "sub": "system:serviceaccount:default:sa1" }))
}

pub(crate) fn workload(service_account_token: &str) -> Exchange {
    let workload = WorkloadIdentity::new("10.96.0.1", service_account_token);
    Exchange::workload_identity(workload, keys(), ENTROPY)
}

pub(crate) fn refresh() -> Exchange {
    let old = token(&claims(&session_key()));
    let refresh = SessionRefresh::new(AUTH, &old, quick(session_key()));
    Exchange::session_refresh(refresh, keys(), ENTROPY)
}

pub(crate) fn api_key() -> Arc<Credential> {
    let id = KeyId::api_key("ocid1.tenancy.oc1..t", "ocid1.user.oc1..u", "aa:bb").unwrap();
    Arc::new(Credential::new(id, quick(public_key(&OTHER_KEY))))
}

pub(crate) fn user(minutes: u16) -> Exchange {
    Exchange::user_session(UserSession::new(AUTH, api_key(), minutes), keys(), ENTROPY)
}

pub(crate) fn secret_client() -> DomainClient {
    DomainClient::Secret { id: "client".into(), secret: CLIENT_SECRET.to_owned().into() }
}

pub(crate) fn domain(client: DomainClient) -> Exchange {
    let exchange = TokenExchange::new(DOMAIN, &subject_token(), client);
    Exchange::token_exchange(exchange, keys(), ENTROPY)
}

pub(crate) fn subject_token() -> String {
    token(&json!({ "iss": "https://token.example.com", "sub": "somebody" }))
}

/// What nobody may ever see.
pub(crate) static SECRETS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let keys = [&*SESSION_KEY, &*OTHER_KEY, &*LEAF_KEY];
    let lines = keys.into_iter().flat_map(|key| key.lines());
    let lines = lines.filter(|line| !line.starts_with('-')).map(str::to_owned);
    let more = [
        PASSPHRASE.to_owned(),
        CLIENT_SECRET.to_owned(),
        subject_token(),
        service_account_token(NOW + 60),
        token(&claims(&session_key())),
    ];
    lines.chain(more).collect()
});
