//! `ocisign secret`: the bytes of a secret, and nothing else.

use std::io::{ErrorKind, Read};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{Kind, Request, Service, TransportFault};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::args::{SecretArgs, SecretCommand, SecretGetArgs};
use crate::content::Content;
use crate::destination::{Destination, Readers};
use crate::failure::Failure;
use crate::http::{self, Answer, Client};
use crate::identity::Identity;
use crate::output::{Exit, SUCCESS, printable};

/// Do what the command says.
pub(crate) fn run(args: &SecretArgs) -> Result<Exit, Failure> {
    let SecretCommand::Get(args) = &args.command;
    let identity = Identity::new(&args.identity, None);
    let mut destination = Destination::open(args.output.as_deref(), Readers::Owner)?;
    let endpoint = identity.endpoint(args.endpoint.as_deref(), Some(Service::Secrets))?;
    let (method, target) = target(args);
    let bundle = fetch(&identity, &Request::new(method, &(endpoint + &target)))?;
    destination.write(&decoded(&bundle)?)?;
    if args.newline {
        destination.write(b"\n")?;
    }
    destination.finish()?;
    Ok(SUCCESS)
}

/// Method and path. By name it is a POST, without a body.
fn target(args: &SecretGetArgs) -> (&'static str, String) {
    let mut parameters = Vec::new();
    let (method, path) = match (&args.id, &args.name, &args.vault) {
        (None, Some(name), Some(vault)) => {
            parameters.extend([("secretName", name.clone()), ("vaultId", vault.clone())]);
            ("POST", "actions/getByName".to_owned())
        }
        (id, ..) => ("GET", escaped(id.as_deref().unwrap_or_default())),
    };
    if let Some(number) = args.version_number {
        parameters.push(("versionNumber", number.to_string()));
    }
    if let Some(stage) = &args.stage {
        parameters.push(("stage", stage.to_ascii_uppercase()));
    }
    let pairs = parameters.iter().map(|(name, value)| [name, "=", &escaped(value)].concat());
    let query = pairs.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    (method, format!("/20190301/secretbundles/{path}{mark}{query}"))
}

/// RFC 3986, section 2.3: all but the unreserved characters, as `%XX`.
fn escaped(text: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte| if legal(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

/// The whole answer. What may go well the next time is asked again.
fn fetch(identity: &Identity, request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let client = Client::new(identity, Some(TIME_LIMIT))?;
    let mut pauses = PAUSES.iter();
    loop {
        let answer = client.send(request, &mut Content::Empty);
        let (failure, again) = match answer.and_then(|answer| judged(identity, answer)) {
            Ok(Judged::Bundle(bundle)) => return Ok(bundle),
            Ok(Judged::Refused(failure, again)) => (failure, again),
            Err(failure) => {
                let again = if is_passing(&failure) { Again::Soon } else { Again::Never };
                (failure, again)
            }
        };
        let pause = match (again, pauses.next()) {
            (Again::After(pause), Some(_)) if pause <= LONGEST_PAUSE => pause,
            (Again::Soon, Some(pause)) => spread(*pause),
            _ => return Err(failure),
        };
        thread::sleep(pause);
    }
}

enum Judged {
    Bundle(Zeroizing<Vec<u8>>),
    Refused(Failure, Again),
}

/// Whether to ask again.
enum Again {
    After(Duration),
    Never,
    Soon,
}

fn judged(identity: &Identity, mut answer: Answer) -> Result<Judged, Failure> {
    let status = answer.head.status;
    let body = read(&mut answer)?;
    if status.is_success() {
        return Ok(Judged::Bundle(body));
    }
    let asked = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
    let again = match asked.map(Duration::from_secs) {
        _ if status.as_u16() != 429 && !status.is_server_error() => Again::Never,
        Some(pause) => Again::After(pause),
        None => Again::Soon,
    };
    Ok(Judged::Refused(refusal(identity, &answer, &body)?, again))
}

/// Whether it may go well the next time.
fn is_passing(failure: &Failure) -> bool {
    matches!(failure, Failure::Unsent { fault, .. } if *fault != TransportFault::Tls)
}

/// The body whole, in one buffer: one that grew would leave copies behind.
fn read(answer: &mut Answer) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut body = Zeroizing::new(vec![0; MAX_BUNDLE + 1]);
    let mut length = 0;
    while length <= MAX_BUNDLE {
        match answer.body.read(&mut body[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(http::broken(&answer.about, error)),
        }
    }
    if length > MAX_BUNDLE {
        return Err(invalid("is larger than 262,144 bytes"));
    }
    body.truncate(length);
    Ok(body)
}

/// The bytes of the secret in a bundle.
fn decoded(bundle: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Bundle {
        secret_bundle_content: Option<BundleContent>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct BundleContent {
        content_type: Option<String>,
        #[serde(default, deserialize_with = "wiped")]
        content: Option<Zeroizing<String>>,
    }
    fn wiped<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Zeroizing<String>>, D::Error> {
        Option::<String>::deserialize(from).map(|text| text.map(Zeroizing::new))
    }
    // What the parser says might quote the secret.
    let bundle: Bundle =
        serde_json::from_slice(bundle).map_err(|_| invalid("is not the JSON of a secret"))?;
    let content = bundle.secret_bundle_content.ok_or_else(|| invalid("has no content"))?;
    if content.content_type.is_some_and(|kind| kind != "BASE64") {
        return Err(invalid("has a content of another type than BASE64"));
    }
    let text = content.content.ok_or_else(|| invalid("has no content"))?;
    let mut bytes = Zeroizing::new(vec![0; text.len() / 4 * 3 + 3]);
    let length = STANDARD
        .decode_slice(text.as_bytes(), &mut bytes)
        .map_err(|_| invalid("has a content that is not base64"))?;
    bytes.truncate(length);
    Ok(bytes)
}

fn invalid(fault: &str) -> Failure {
    Failure::Refused { code: "INVALID_SECRET", message: format!("what came as the secret {fault}") }
}

/// Why the service gave none, and what is usually missing.
fn refusal(identity: &Identity, answer: &Answer, body: &[u8]) -> Result<Failure, Failure> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        code: String,
        message: String,
    }
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let (code, about) = match answer.status() {
        401 => ("NOT_AUTHENTICATED", said.message),
        404 => {
            let missing = policy(identity.fetched()?.kind);
            let about = ["it is not there, or a policy is missing, such as: ", missing].concat();
            ("NOT_AUTHORIZED_OR_NOT_FOUND", about)
        }
        429 => ("TOO_MANY_REQUESTS", said.message),
        300..=399 => ("REDIRECT_NOT_FOLLOWED", said.message),
        _ => ("SERVICE_ERROR", said.message),
    };
    let mut message = answer.outcome();
    for (mark, said) in [(", ", &said.code), (": ", &about)] {
        if !said.is_empty() {
            message = [&message, mark, &printable(said)].concat();
        }
    }
    Ok(Failure::Refused { code, message })
}

/// The statement that lets an identity of this kind read secrets.
fn policy(kind: Kind) -> &'static str {
    match kind {
        Kind::InstancePrincipal | Kind::ResourcePrincipal => {
            "allow dynamic-group … to read secret-bundles in compartment …"
        }
        Kind::WorkloadIdentity => {
            "allow any-user to read secret-bundles in compartment … where all \
             {request.principal.type = 'workload', request.principal.namespace = …, \
             request.principal.service_account = …, request.principal.cluster_id = …}"
        }
        _ => "allow group … to read secret-bundles in compartment …",
    }
}

/// From half of a pause to all of it, so that many who wait do not come at once.
fn spread(pause: Duration) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    pause / 2 + pause.mul_f64(f64::from(now.subsec_micros() % 1_000) / 2_000.0)
}

/// Between one attempt and the next, where the service does not say.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Ten times what a secret can have.
const MAX_BUNDLE: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::{decoded, escaped};
    use crate::failure::Failure;

    #[test]
    fn a_secret_is_what_its_base64_says_byte_for_byte() {
        for (content, bytes) in
            [("AP8KDQ==", &b"\x00\xff\n\r"[..]), ("", b""), (r"\/\/\/\/", b"\xff\xff\xff")]
        {
            let bundle = format!(
                r#"{{"secretBundleContent":{{"contentType":"BASE64","content":"{content}"}}}}"#
            );
            assert_eq!(decoded(bundle.as_bytes()).unwrap().as_slice(), bytes);
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_a_word_of_it() {
        for bundle in [
            "hunter2",
            "{}",
            r#"{"secretBundleContent":null}"#,
            r#"{"secretBundleContent":"hunter2"}"#,
            r#"{"secretBundleContent":{"contentType":"BASE64"}}"#,
            r#"{"secretBundleContent":{"contentType":"BASE64","content":null}}"#,
            r#"{"secretBundleContent":{"contentType":"BASE64","content":"hunter2!"}}"#,
            r#"{"secretBundleContent":{"contentType":"TEXT","content":"hunter2"}}"#,
        ] {
            let Failure::Refused { code, message } = decoded(bundle.as_bytes()).unwrap_err() else {
                panic!("{bundle}");
            };
            assert_eq!(code, "INVALID_SECRET");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn all_but_unreserved_characters_are_escaped() {
        assert_eq!(escaped("a.B-9_~/ &=é"), "a.B-9_~%2F%20%26%3D%C3%A9");
    }
}
