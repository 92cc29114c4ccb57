//! An exchange with whatever answers: it ends, asking twice gives the same, and nothing of a
//! key or token is printed.
//!
//! The first line says which exchange. The answers stand behind it, with lines of `%` between:
//! `!` and a letter is a fault of the network, all else is a status, header lines, an empty
//! line and a body. The body `=` is the right one; after the last answer all are right.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use ocisign_core::{
    Credential, DomainClient, Exchange, ExchangeFault, HttpAnswer, HttpRequest, InstancePrincipal,
    KeyBackend, KeyError, PrivateKeyDer, RegionSources, ResourcePrincipal, SessionRefresh,
    SigningKey, Step, TokenExchange, TransportFault, UserSession, WorkloadIdentity,
};
use ocisign_fuzz::{Fake, NOW, hidden, key_id, printed};

fuzz_target!(|input: &str| {
    let (kind, answers) = input.split_once('\n').unwrap_or((input, ""));
    let Some(mut exchange) = exchange(kind) else { return };
    let mut answers = answers.split("\n%\n");
    let mut now = NOW;
    let mut steps = 0;
    let mut secrets = Vec::new();
    let shown = loop {
        steps += 1;
        assert!(steps < 200, "{exchange:?}");
        let step = exchange.next_step(now);
        let again = exchange.next_step(now);
        assert_eq!(format!("{step:?}"), format!("{again:?}"));
        let request = match step {
            Ok(Step::Send(request)) => request,
            Ok(Step::Wait(until)) => {
                assert!(until > now && until - now <= 301);
                now = until;
                continue;
            }
            Ok(Step::Ready(credential)) => break format!("{credential:?}"),
            Err(mut error) => {
                // The URL may hold what an answer said, such as a region.
                error.call.clear();
                // What a refusal is called is told, and may stand in another answer too.
                if matches!(error.fault, ExchangeFault::Refused { .. }) {
                    secrets.clear();
                }
                break printed(&error);
            }
        };
        if let Ok(Step::Send(again)) = again {
            assert!(request.body == again.body && request.headers == again.headers);
        }
        let answer = answers.next().unwrap_or("200\n\n=");
        if let Some(fault) = answer.strip_prefix('!') {
            exchange.receive(Err(fault_of(fault)), now);
            continue;
        }
        let (head, body) = answer.split_once("\n\n").unwrap_or((answer, ""));
        let mut head = head.lines();
        let status = head.next().and_then(|line| line.parse().ok()).unwrap_or(200);
        let headers: Vec<_> = head.filter_map(|line| line.split_once(": ")).collect();
        let body = if body == "=" { right(&request) } else { body };
        let secret = !request.url.contains("/opc/v2/") || request.url.ends_with("/key.pem");
        if secret && status == 200 {
            secrets.push(body.to_owned());
        }
        exchange.receive(Ok(HttpAnswer { status, headers: &headers, body: body.as_bytes() }), now);
        let url = request.url.split(['?', '#']).next().unwrap_or_default();
        hidden(&format!("{request:?}").replace(url, ""), &request.body);
    };
    let shown = format!("{shown} {exchange:?}");
    for secret in secrets {
        hidden(&shown, secret.as_bytes());
    }
});

fn exchange(kind: &str) -> Option<Exchange> {
    let instance = InstancePrincipal::new;
    let resource = |version: &str| {
        let variables = |name: &str| {
            let text = match name.strip_prefix("OCI_RESOURCE_PRINCIPAL_")? {
                "VERSION" if version.len() > 5 => "3.0",
                "VERSION" => version,
                "VERSION_FOR_LEAF_RESOURCE" => &version[4..],
                name if name.contains("RPT_URL") => "https://h/parent",
                name if name.contains("ENDPOINT") => "https://h",
                name if name.contains("PASSPHRASE") || name.contains("PATH") => return None,
                name if name.contains("PRIVATE_PEM") => KEY,
                name if name.contains("RPST") => TOKEN,
                name if name.contains("RPT_ID") || name.contains("REGION") => return None,
                _ => "id",
            };
            Some(text.to_owned())
        };
        let read = |_: &str| Err(String::new());
        let regions = RegionSources::default();
        let resource = ResourcePrincipal::from_variables(&variables, &read, instance(), &regions);
        Exchange::resource_principal(resource.expect("it is complete"), Arc::new(Keys), [7; 32])
    };
    let domain = |client| {
        let exchange = TokenExchange::new("https://h", TOKEN, client);
        Exchange::token_exchange(exchange, Arc::new(Keys), [7; 32])
    };
    let keys = Arc::new(Keys);
    Some(match kind {
        "instance" => Exchange::instance_principal(instance(), keys, [7; 32]),
        "1.1" | "2.1" | "2.1.1" | "2.1.2" | "2.2" | "3.0/1.1" | "3.0/2.1" | "3.0/2.2" => {
            resource(kind)
        }
        "workload" => {
            let workload = WorkloadIdentity::new("10.96.0.1", TOKEN);
            Exchange::workload_identity(workload, keys, [7; 32])
        }
        "refresh" => {
            let refresh = SessionRefresh::new("https://h", TOKEN, Arc::new(Fake::new()));
            Exchange::session_refresh(refresh, keys, [7; 32])
        }
        "user" => {
            let session = UserSession::new("https://h", signer(), 5);
            Exchange::user_session(session, keys, [7; 32])
        }
        "domain" => domain(DomainClient::Signer(signer())),
        "domain/instance" => domain(DomainClient::Instance(instance())),
        "domain/secret" => {
            domain(DomainClient::Secret { id: "id".into(), secret: "secret".to_owned().into() })
        }
        _ => return None,
    })
}

fn signer() -> Arc<Credential> {
    Arc::new(Credential::new(key_id(), Fake::new()))
}

struct Keys;

impl KeyBackend for Keys {
    fn load(&self, key: &PrivateKeyDer) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(Arc::new(Fake::of(key.public_key().clone())))
    }

    fn session_key(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(Arc::new(Fake::new()))
    }
}

fn fault_of(letter: &str) -> TransportFault {
    match letter {
        "c" => TransportFault::Connection,
        "d" => TransportFault::Dns,
        "p" => TransportFault::Protocol,
        "t" => TransportFault::Timeout,
        "s" => TransportFault::Tls,
        "l" => TransportFault::TooLarge,
        _ => TransportFault::Other,
    }
}

/// What every server that works would say.
fn right(request: &HttpRequest) -> &'static str {
    match request.url.rsplit('/').next().unwrap_or_default() {
        "regionInfo" => REGION_INFO,
        "region" => "phx",
        "cert.pem" => include_str!("../../vectors/keys/ip-leaf-cert.pem"),
        "key.pem" => include_str!("../../vectors/keys/ip-leaf-key.pem"),
        "intermediate.pem" => include_str!("../../vectors/keys/ip-intermediate-cert.pem"),
        "id" if request.url.contains("/opc/") => "ocid1.instance.oc1.phx.a",
        "resourcePrincipalSessionTokens" => WRAPPED,
        _ if request.method == "GET" => RESOURCE_TOKENS,
        _ => ANSWER,
    }
}

const KEY: &str = include_str!("../../vectors/keys/test-key.pem");
const REGION_INFO: &str = r#"{"realmKey":"oc1","realmDomainComponent":"oraclecloud.com","regionKey":"PHX","regionIdentifier":"us-phoenix-1"}"#;
const RESOURCE_TOKENS: &str =
    r#"{"resourcePrincipalToken":"a","servicePrincipalSessionToken":"b"}"#;
/// Without claims: it is bound to any key, and valid for ever.
const TOKEN: &str = "e30.e30.c2ln";
const ANSWER: &str = r#"{"token":"e30.e30.c2ln"}"#;
const WRAPPED: &str = "eyJ0b2tlbiI6ImUzMC5lMzAuYzJsbiJ9";
