//! Every file of `vectors/`, through the core.
//!
//! A failure names the file, the case and the stage: the signing string, then
//! the signature, then the headers. All that fails is listed, not the first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::fs;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{
    Body, Credential, DateHeader, KeyError, KeyId, KeyOptions, PrivateKeyDer, Profile,
    ProfileError, PublicKey, Region, RegionSources, Request, RsaKey, RsaVerifyingKey, Service,
    SignError, SigningFailed, SigningKey, VerifyError, VerifyOptions, VerifyingKey, examine,
    prepare, sign, verify,
};
use ocisign_vectors::{KnownBody, body, text, vectors};
use serde_json::Value;

#[test]
fn every_file_is_of_a_known_kind_and_none_is_empty() {
    for kind in KINDS {
        assert!(FILES.iter().any(|file| file.kind == kind), "no file is of the kind `{kind}`");
    }
    for File { name, kind, content, .. } in &*FILES {
        assert_eq!(content["schema"], "ocisign-vectors/1", "{name}");
        assert!(KINDS.contains(&kind.as_str()), "{name} is of the unknown kind `{kind}`");
        let cases = content["cases"].as_array().unwrap();
        assert!(!cases.is_empty(), "{name} has no cases");
        let mut ids: Vec<&str> = cases.iter().map(|case| string(case, "id")).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{name} has an id twice");
    }
}

#[test]
fn every_signing_case_gives_its_signing_string_signature_and_headers() {
    run("signing", |case, check| {
        let received = OwnedRequest::of(&case["request"]);
        let headers = received.headers();
        let (request, now) = (received.request(&headers), number(case, "now"));
        let credential = match signing_credential(&case["credential"]) {
            Ok(credential) => credential,
            Err(error) => return check.sign_error(case, &error),
        };
        let prepared = prepare(&request, credential.key_id(), now);
        let signed = match sign(&request, &credential, now) {
            Ok(signed) => signed,
            Err(error) => {
                if !matches!(error, SignError::Expired(_)) {
                    check.equal("prepare", prepared.err(), Some(error.clone()));
                }
                return check.sign_error(case, &error);
            }
        };
        if !check.is_valid(case) {
            return;
        }
        let prepared = prepared.expect("the first half does what both do");
        let signing_string = text(&case["signing_string"]);
        check.equal("signing string", signed.signing_string(), &signing_string);
        check.equal("signing string, prepared", prepared.signing_string(), &signing_string);
        check.equal(
            "signed headers",
            signed.signed_headers(),
            &strings(&case["signed_headers"]).join(" "),
        );
        check.equal("signature", signed.signature(), string(case, "signature"));
        check.equal("headers", owned(signed.headers()), ocisign_vectors::headers(case));
        let finished = prepared.finish(&STANDARD.decode(signed.signature()).unwrap());
        check.equal("headers, finished", owned(finished.headers()), owned(signed.headers()));
    });
}

#[test]
fn every_key_case_is_read_or_refused_for_its_reason() {
    run("key", |case, check| {
        let pem = match case.get("file") {
            Some(file) => key_text(file.as_str().unwrap()),
            None => text(&case["pem"]),
        };
        let mut options = KeyOptions::new().danger_allow_weak_key(flag(case, "allow_weak_key"));
        if let Some(passphrase) = case.get("passphrase") {
            options = options.passphrase(passphrase.as_str().unwrap().as_bytes());
        }
        match PrivateKeyDer::from_pem(&pem, &options).and_then(|der| RsaKey::new(&der)) {
            Ok(key) => {
                if check.is_valid(case) {
                    let public_key = key.public_key();
                    check.equal("bits", public_key.bits() as u64, number(case, "bits"));
                    check.equal(
                        "fingerprint",
                        &*public_key.fingerprint(),
                        string(case, "fingerprint"),
                    );
                    let signature = key.sign(b"message").unwrap();
                    let verifies = RsaVerifyingKey::new(public_key).unwrap();
                    check.equal("its own signature", verifies.verify(b"message", &signature), true);
                }
            }
            Err(error) => {
                if check.is_invalid(case, SignError::from(error).code()) {
                    check.equal("reason", error.reason(), string(case, "reason"));
                }
            }
        }
    });
}

#[test]
fn every_profile_case_gives_its_values_or_the_line_at_fault() {
    run("profile", |case, check| {
        match Profile::parse(&text(&case["text"]), string(case, "profile")) {
            Ok(profile) => {
                if check.is_valid(case) {
                    let found: BTreeMap<&str, &str> =
                        profile.keys().map(|key| (key, profile.get(key).unwrap())).collect();
                    let expected = case["values"].as_object().unwrap().iter();
                    let expected = expected.map(|(key, value)| (&**key, value.as_str().unwrap()));
                    check.equal("values", found, expected.collect());
                }
            }
            Err(error) => {
                if check.is_invalid(case, error.code()) {
                    let line = match error {
                        ProfileError::Invalid { line, .. } => Some(line as u64),
                        _ => None,
                    };
                    check.equal("line", line, case.get("line").and_then(Value::as_u64));
                }
            }
        }
    });
}

#[test]
fn every_token_case_gives_its_key_id_expiry_and_binding() {
    run("token", |case, check| {
        let key = Shared::load(string(case, "key"), false);
        match Credential::security_token(&text(&case["token"]), key) {
            Ok(credential) => {
                if check.is_valid(case) {
                    check.equal("key id", credential.key_id().as_str(), string(case, "key_id"));
                    check.equal("expires", credential.expires(), case["expires"].as_u64());
                    let binding = case["binding_checked"].as_bool().unwrap();
                    check.equal("binding checked", credential.binding_checked(), binding);
                }
            }
            Err(error) => {
                check.is_invalid(case, error.code());
            }
        }
    });
}

#[test]
fn every_region_case_gives_its_realm_domain_and_endpoints() {
    run("region", |case, check| {
        let mut sources = RegionSources::default();
        sources.regions_config = case.get("regions_config").map(|text| text.as_str().unwrap());
        sources.region_metadata = case.get("region_metadata").map(|text| text.as_str().unwrap());
        sources.default_domain = case.get("realm_domain").map(|text| text.as_str().unwrap());
        match Region::lookup(string(case, "region"), &sources) {
            Ok(region) => {
                if check.is_valid(case) {
                    check.equal("region id", region.id(), string(case, "region_id"));
                    check.equal("realm", region.realm(), case["realm"].as_str());
                    // A name with a dot is a whole domain, and there is no second level to tell.
                    let domain = case["second_level_domain"].as_str();
                    check.equal("domain", region.domain(), domain.unwrap_or(region.id()));
                    let found = SERVICES.map(|(name, service)| (name, region.endpoint(service)));
                    let expected = SERVICES
                        .map(|(name, _)| (name, string(&case["endpoints"], name).to_owned()));
                    check.equal("endpoints", found, expected);
                    check.equal(
                        "services",
                        SERVICES.len(),
                        case["endpoints"].as_object().unwrap().len(),
                    );
                }
            }
            Err(error) => {
                check.is_invalid(case, error.code());
            }
        }
    });
}

#[test]
fn every_region_of_the_table_is_known_by_name_and_by_code() {
    let mut failures = Vec::new();
    for file in FILES.iter().filter(|file| file.kind == "region") {
        let table = &file.content["table"];
        let list = |name: &str| table[name].as_array().unwrap().iter();
        let domains: HashMap<&str, &str> = list("realms")
            .map(|realm| (string(realm, "realm"), string(realm, "second_level_domain")))
            .collect();
        assert!(
            list("regions").len() > 80 && domains.len() >= 20,
            "{} has a short table",
            file.name
        );
        for row in list("regions") {
            let (id, realm) = (string(row, "region"), string(row, "realm"));
            let domain = domains[realm];
            let endpoints = [
                format!("https://auth.{id}.{domain}"),
                format!("https://iaas.{id}.{domain}"),
                format!("https://identity.{id}.oci.{domain}"),
                format!("https://objectstorage.{id}.{domain}"),
                format!("https://secrets.vaults.{id}.oci.{domain}"),
            ];
            for name in [id, string(row, "short_code")] {
                let mut check = Check::new(&file.name, name);
                let region = Region::lookup(name, &RegionSources::default()).unwrap();
                check.equal("region id", region.id(), id);
                check.equal("realm", region.realm(), Some(realm));
                check.equal("domain", region.domain(), domain);
                check.equal(
                    "endpoints",
                    &SERVICES.map(|(_, service)| region.endpoint(service)),
                    &endpoints,
                );
                failures.append(&mut check.failures);
            }
        }
    }
    report(&failures);
}

#[test]
fn every_received_request_is_accepted_or_refused_for_its_reason() {
    run("verify", |case, check| {
        let received = OwnedRequest::of(&case["request"]);
        let headers = received.headers();
        let (request, now) = (received.request(&headers), number(case, "now"));
        let options = KeyOptions::new().danger_allow_weak_key(flag(case, "allow_weak_key"));
        let key = PublicKey::from_pem(&key_text(string(case, "key")), &options).unwrap();
        let key = RsaVerifyingKey::new(&key).unwrap();
        let mut options = VerifyOptions::new();
        if let Some(host) = case.get("expected_host") {
            options = options.expected_host(host.as_str().unwrap());
        }
        let examined = examine(&request, &options, now);
        match verify(&request, &key, &options, now) {
            Ok(()) => {
                if check.is_valid(case) {
                    let examined = examined.expect("what verifies also examines");
                    check.equal("key id", examined.key_id(), string(case, "key_id"));
                    let names: Vec<&str> = examined
                        .signing_string()
                        .split('\n')
                        .map(|line| line.split_once(": ").unwrap().0)
                        .collect();
                    check.equal("signed headers", names, strings(&case["signed_headers"]));
                }
            }
            Err(error) => {
                if check.is_invalid(case, error.code()) {
                    let header = match &error {
                        VerifyError::DuplicateHeader(name)
                        | VerifyError::HeaderMissing(name)
                        | VerifyError::HeaderNotSigned(name)
                        | VerifyError::InvalidHeader(name) => Some(name.as_str()),
                        _ => None,
                    };
                    if let Some(expected) = case.get("header") {
                        check.equal("header", header, expected.as_str());
                    }
                }
            }
        }
    });
}

/// Run every case of a kind, and list whatever fails.
fn run(kind: &str, test: impl Fn(&Value, &mut Check)) {
    let mut failures = Vec::new();
    let mut count = 0;
    for file in FILES.iter().filter(|file| file.kind == kind) {
        for case in file.content["cases"].as_array().unwrap() {
            let mut check = Check::new(&file.name, string(case, "id"));
            check.members(kind, case);
            test(case, &mut check);
            failures.append(&mut check.failures);
            count += 1;
        }
    }
    assert!(count > 0, "there are no cases of the kind `{kind}`");
    report(&failures);
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with one case.
struct Check {
    place: String,
    failures: Vec<String>,
}

impl Check {
    fn new(file: &str, id: &str) -> Self {
        Self { place: format!("{file} {id}"), failures: Vec::new() }
    }

    fn add(&mut self, stage: &str, what: &str) {
        self.failures.push(format!("{}: {stage}: {what}", self.place));
    }

    fn equal<T: Debug + PartialEq>(&mut self, stage: &str, found: T, expected: T) {
        if found != expected {
            let [found, expected] = [found, expected].map(|value| {
                let text = format!("{value:?}");
                text.chars().take(2_000).collect::<String>()
            });
            self.add(stage, &format!("found    {found}\n    expected {expected}"));
        }
    }

    /// A member that this test does not know would be an expectation not looked at.
    fn members(&mut self, kind: &str, case: &Value) {
        for name in case.as_object().unwrap().keys() {
            let known = MEMBERS.iter().find(|known| known.0 == kind).unwrap().1;
            if !known.contains(&name.as_str()) && !MEMBERS_OF_ALL.contains(&name.as_str()) {
                self.add("case", &format!("has the unknown member `{name}`"));
            }
        }
    }

    /// Whether success was expected; a failure if not.
    fn is_valid(&mut self, case: &Value) -> bool {
        match string(case, "result") {
            "valid" => true,
            "invalid" => {
                self.add("result", &format!("valid, expected {}", string(case, "error")));
                false
            }
            other => panic!("{}: the unknown result `{other}`", self.place),
        }
    }

    /// Whether this error was expected; a failure if not.
    fn is_invalid(&mut self, case: &Value, code: &str) -> bool {
        match string(case, "result") {
            "invalid" => {
                self.equal("code", code, string(case, "error"));
                code == string(case, "error")
            }
            "valid" => {
                self.add("result", &format!("{code}, expected to be valid"));
                false
            }
            other => panic!("{}: the unknown result `{other}`", self.place),
        }
    }

    fn sign_error(&mut self, case: &Value, error: &SignError) {
        if !self.is_invalid(case, error.code()) {
            return;
        }
        let (header, character) = match error {
            SignError::InvalidHeader { name, .. } => (Some(name.as_str()), None),
            SignError::InvalidUrl(error) => (
                None,
                error.character.map(|character| (character.to_string(), error.offset as u64)),
            ),
            _ => (None, None),
        };
        if let Some(expected) = case.get("header") {
            self.equal("header", header, expected.as_str());
        }
        if let Some(expected) = case.get("character") {
            let expected = (expected.as_str().unwrap().to_owned(), number(case, "offset"));
            self.equal("character and offset", character, Some(expected));
        }
    }
}

/// A file of cases.
struct File {
    name: String,
    kind: String,
    content: Value,
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let mut files = Vec::new();
    for entry in fs::read_dir(vectors()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "json") && name != "schema.json" {
            let content = fs::read(&path).unwrap();
            let content: Value =
                serde_json::from_slice(&content).unwrap_or_else(|error| panic!("{name}: {error}"));
            files.push(File { kind: string(&content, "kind").to_owned(), name, content });
        }
    }
    files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    files
});

fn key_text(name: &str) -> String {
    fs::read_to_string(vectors().join("keys").join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A key that many credentials sign with.
#[derive(Clone)]
struct Shared(Arc<RsaKey>);

impl Shared {
    fn load(name: &str, weak: bool) -> Self {
        static KEYS: Mutex<BTreeMap<(String, bool), Shared>> = Mutex::new(BTreeMap::new());
        let mut keys = KEYS.lock().unwrap();
        keys.entry((name.to_owned(), weak))
            .or_insert_with(|| {
                let options = KeyOptions::new().danger_allow_weak_key(weak);
                let key: Result<RsaKey, KeyError> =
                    PrivateKeyDer::from_pem(&key_text(name), &options)
                        .and_then(|der| RsaKey::new(&der));
                Self(Arc::new(key.unwrap_or_else(|error| panic!("{name}: {error}"))))
            })
            .clone()
    }
}

impl SigningKey for Shared {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        self.0.sign(message)
    }

    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }
}

fn signing_credential(case: &Value) -> Result<Credential, SignError> {
    let mut key_id = KeyId::new(string(case, "key_id"))?;
    if let Some(token) = case.get("delegation_token") {
        key_id = key_id.with_delegation_token(token.as_str().unwrap())?;
    }
    let key = Shared::load(string(case, "key"), flag(case, "allow_weak_key"));
    let credential = Credential::new(key_id, key);
    Ok(match case.get("expires") {
        Some(expires) => credential.with_expiry(expires.as_u64().unwrap()),
        None => credential,
    })
}

/// A case's request, with everything written out.
struct OwnedRequest {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: KnownBody,
    date_header: DateHeader,
}

impl OwnedRequest {
    fn of(case: &Value) -> Self {
        Self {
            method: text(&case["method"]),
            url: text(&case["url"]),
            headers: ocisign_vectors::headers(case),
            body: body(case),
            date_header: match case.get("date_header").map(|name| name.as_str().unwrap()) {
                None | Some("date") => DateHeader::Date,
                Some("x-date") => DateHeader::XDate,
                Some(other) => panic!("the unknown date header `{other}`"),
            },
        }
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    fn request<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
        let body = match &self.body {
            KnownBody::Bytes(bytes) => Body::Bytes(bytes),
            &KnownBody::Digest(sha256, length) => Body::Digest { sha256, length },
            KnownBody::Empty => Body::Empty,
            KnownBody::Unsigned => Body::Unsigned,
        };
        Request::new(&self.method, &self.url)
            .headers(headers)
            .body(body)
            .date_header(self.date_header)
    }
}

fn owned(headers: &[(&str, String)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("`{name}` is no string in {value}"))
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("`{name}` is no number in {value}"))
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(|flag| flag.as_bool().unwrap())
}

const KINDS: [&str; 6] = ["key", "profile", "region", "signing", "token", "verify"];

const SERVICES: [(&str, Service); 5] = [
    ("auth", Service::Auth),
    ("iaas", Service::Iaas),
    ("identity", Service::Identity),
    ("objectstorage", Service::ObjectStorage),
    ("secrets", Service::Secrets),
];

/// `sdks` says what official code does, and is no expectation.
const MEMBERS_OF_ALL: [&str; 6] = ["id", "group", "source", "sdks", "result", "error"];

const MEMBERS: [(&str, &[&str]); 6] = [
    ("key", &["file", "pem", "passphrase", "allow_weak_key", "reason", "bits", "fingerprint"]),
    ("profile", &["profile", "text", "line", "values"]),
    (
        "region",
        &[
            "region",
            "regions_config",
            "region_metadata",
            "realm_domain",
            "region_id",
            "realm",
            "second_level_domain",
            "endpoints",
        ],
    ),
    (
        "signing",
        &[
            "request",
            "credential",
            "now",
            "header",
            "character",
            "offset",
            "signed_headers",
            "signing_string",
            "signature",
            "headers",
        ],
    ),
    ("token", &["token", "key", "key_id", "expires", "binding_checked"]),
    (
        "verify",
        &[
            "request",
            "key",
            "allow_weak_key",
            "expected_host",
            "now",
            "header",
            "key_id",
            "signed_headers",
        ],
    ),
];
