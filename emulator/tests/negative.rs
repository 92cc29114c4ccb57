//! Requests that are wrong in one point each, and the right ones that they were made of.
//!
//! What changes nothing for OCI is no wrong request, and is among the right ones: other cases of
//! header and parameter names, parameters in another order, unknown or unquoted, blanks around
//! values, no `version`, `content-length` twice with one value (RFC 9110, section 8.6), the target
//! as a URL of the same host. Only a fragment after the target is no case at all: hyper drops it
//! before anybody sees it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod client;
mod wire;
mod wrong;

use ocisign::{Body, DateHeader, Request, sign};
use ocisign_emulator::{Config, Emulator, Entry, UserConfig};
use serde_json::Value;

use client::{Identity, NOW, Parameters, http_date, metadata, own_key, with, with_body};
use wire::{Answer, Wire};

#[test]
fn every_right_request_is_accepted() {
    let stage = Stage::start();
    for (name, request) in stage.right() {
        let answer = stage.send(&request);
        let entry = stage.logged(&answer);
        assert_eq!(answer.status, 200, "{name}: {entry}: {}", answer.body);
        assert!(entry.caller.is_some(), "{name}: {entry}");
    }
}

#[test]
fn every_wrong_request_is_refused_in_ocis_words_and_the_log_says_why() {
    let stage = Stage::start();
    for base in stage.bases() {
        assert_eq!(stage.send(&base.request).status, 200, "{}", base.name);
    }
    let mut count = 0;
    let mut failures = Vec::new();
    for (group, cases) in wrong::groups(&stage) {
        println!("{group}: {}", cases.len());
        count += cases.len();
        let judged = cases.iter().map(|case| (case, stage.judge(case)));
        failures.extend(judged.filter_map(|(case, judged)| {
            judged.err().map(|why| format!("{group}: {}: {why}", case.name))
        }));
    }
    println!("{count} wrong requests");
    assert!(
        failures.is_empty(),
        "{} accepted or misjudged:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(count >= 200, "{count}");
}

#[test]
fn a_date_counts_until_five_minutes_off_and_no_second_longer() {
    let stage = Stage::start();
    for who in stage.callers() {
        for header in [DateHeader::Date, DateHeader::XDate] {
            let url = format!("http://{}/20160918/regions", stage.host);
            let request = Request::new("GET", &url).date_header(header);
            for (off, accepted) in
                [(-301, false), (301, false), (-299, true), (299, true), (-300, true), (300, true)]
            {
                let at = NOW.checked_add_signed(off).unwrap();
                let signed = sign(&request, &who.credential, at).unwrap();
                let headers = signed.into_iter().map(|(name, value)| (name.to_owned(), value));
                let request = Wire {
                    method: "GET".into(),
                    target: "/20160918/regions".into(),
                    headers: headers.collect(),
                    body: Vec::new(),
                };
                let (answer, entry) = stage.send_at(NOW, &request);
                let place = format!("{} {header:?} {off}: {entry}", who.name);
                if accepted {
                    assert_eq!(answer.status, 200, "{place}");
                } else {
                    assert_eq!(answer.status, 401, "{place}");
                    assert_eq!(message(&answer), skew_message(&http_date(at), NOW), "{place}");
                }
            }
        }
    }
}

#[test]
fn a_certificate_federates_until_its_last_second() {
    let stage = Stage::start();
    let lifetime = 3_600;
    let at = |now: u64| {
        let request = stage.federation(&stage.federation_body());
        let date = http_date(now);
        let request = request.set("date", date);
        let names = Parameters::of(&request).get("headers").to_owned();
        stage.send_at(now, &stage.instance.sign_again(&request, &names)).0.status
    };
    assert_eq!(at(NOW + lifetime - 60), 200);
    assert_eq!(at(NOW + lifetime + 60), 401);
}

#[test]
fn what_is_no_http_is_answered_with_400_and_not_judged() {
    let stage = Stage::start();
    let post = stage.user.request(&stage.host, "POST", "/echo", Body::Bytes(BODY));
    let length = BODY.len();
    for (name, request) in [
        ("two lengths", with(&post, "content-length", "1")),
        ("two lengths in one", post.clone().set("content-length", format!("{length}, 1"))),
        ("a length with a sign", post.clone().set("content-length", format!("+{length}"))),
        ("no length", post.clone().set("content-length", "")),
        ("a blank in a name", with(&post, "da te", "x")),
        ("a name that goes on", with(&post, "x: y\r\n folded", "x")),
        ("a NUL in a value", with(&post, "x-other", "a\0b")),
        ("a blank in the target", Wire { target: "/echo x".into(), ..post.clone() }),
    ] {
        let before = stage.emulator.log().len();
        assert_eq!(stage.send(&request).status, 400, "{name}");
        assert_eq!(stage.emulator.log().len(), before, "{name}");
    }
}

/// A request, and how it has to be refused.
struct Case {
    name: String,
    request: Wire,
    status: u16,
    /// What the log has to say, or a part of it.
    reason: &'static str,
}

impl Case {
    fn new(name: impl Into<String>, request: Wire, reason: &'static str) -> Self {
        Self { name: name.into(), request, status: 401, reason }
    }

    fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// A right request, and who sends it.
struct Base<'a> {
    name: String,
    who: &'a Identity,
    request: Wire,
}

impl Base<'_> {
    /// What is signed, in order.
    fn names(&self) -> Vec<String> {
        let parameters = Parameters::of(&self.request);
        parameters.get("headers").split(' ').map(str::to_owned).collect()
    }

    /// The signed headers.
    fn headers(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| name != "(request-target)").collect()
    }
}

/// An emulator, and those whom it knows.
struct Stage {
    emulator: Emulator,
    host: String,
    tenancy: String,
    user: Identity,
    session: Identity,
    resource: Identity,
    instance: Identity,
    /// A user with another API key.
    other: Identity,
    certificate: Vec<u8>,
    intermediate: Vec<u8>,
}

impl Stage {
    fn start() -> Self {
        let other_key = concat!(env!("CARGO_MANIFEST_DIR"), "/keys/workload.pem");
        let other = UserConfig {
            id: "ocid1.user.oc1..aaaaaaaaotheruser".into(),
            key_file: Some(other_key.into()),
            ..UserConfig::default()
        };
        let other_id = other.id.clone();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls_listen: "127.0.0.1:0".parse().unwrap(),
            time: Some(i64::try_from(NOW).unwrap()),
            hosts: vec!["iaas.us-ashburn-1.oraclecloud.com".into()],
            users: vec![UserConfig::default(), other],
            ..Config::default()
        };
        let tenancy = config.tenancy.id.clone();
        let emulator = Emulator::start(config).unwrap();
        let key = own_key("workload.pem");
        let fingerprint = ocisign::SigningKey::public_key(&key).fingerprint();
        let key_id = format!("{tenancy}/{other_id}/{fingerprint}");
        Self {
            host: emulator.url().trim_start_matches("http://").to_owned(),
            user: Identity::user(&emulator),
            session: Identity::session(&emulator),
            resource: Identity::resource(&emulator),
            instance: Identity::instance(&emulator, &tenancy),
            other: Identity::new("other", &key_id, || own_key("workload.pem")),
            certificate: metadata(&emulator, "identity/cert.pem"),
            intermediate: metadata(&emulator, "identity/intermediate.pem"),
            tenancy,
            emulator,
        }
    }

    /// By an API key, by a session token, by a resource principal.
    fn callers(&self) -> [&Identity; 3] {
        [&self.user, &self.session, &self.resource]
    }

    /// What the wrong requests are made of.
    fn bases(&self) -> Vec<Base<'_>> {
        let list = format!("/20160918/vcns?compartmentId={}&limit=10", self.tenancy);
        let mut bases = Vec::new();
        for who in self.callers() {
            let request = |method, target, body| who.request(&self.host, method, target, body);
            for (name, request) in [
                ("GET", request("GET", "/20160918/regions", Body::Empty)),
                ("GET with a query", request("GET", &list, Body::Empty)),
                ("POST", request("POST", "/echo", Body::Bytes(BODY))),
                ("PUT", self.put(who)),
            ] {
                bases.push(Base { name: format!("{} {name}", who.name), who, request });
            }
        }
        let request = self.federation(&self.federation_body());
        bases.push(Base { name: "instance POST".into(), who: &self.instance, request });
        bases
    }

    /// An object, its body not signed.
    fn put(&self, who: &Identity) -> Wire {
        let request = who.request(&self.host, "PUT", OBJECT, Body::Unsigned);
        let request = with(&request, "content-length", "0");
        with_body(&with(&request, "content-type", "text/plain"), BODY)
    }

    /// POST `/v1/x509` by the instance.
    fn federation(&self, body: &Value) -> Wire {
        let body = body.to_string().into_bytes();
        self.instance.request(&self.host, "POST", "/v1/x509", Body::Bytes(&body))
    }

    fn federation_body(&self) -> Value {
        wrong::federation_body(&self.certificate, &self.intermediate)
    }

    fn right(&self) -> Vec<(String, Wire)> {
        let bases = self.bases().into_iter().map(|base| (base.name, base.request));
        let mut right: Vec<(String, Wire)> = bases.collect();
        right.extend(wrong::equal(self));
        for who in self.callers() {
            let dated = [("x-date", &*http_date(NOW)), ("date", "Thu, 01 Jan 1970 00:00:00 GMT")];
            let request =
                who.request_with(&self.host, "GET", "/20160918/regions", Body::Empty, &dated);
            right.push((format!("{} x-date beside an old date", who.name), request));
            let put = with_body(&self.put(who), "another body, as none is signed");
            right.push((format!("{} PUT of another body", who.name), put));
        }
        right
    }

    fn send(&self, request: &Wire) -> Answer {
        wire::send(&self.host, request)
    }

    /// Send it when the emulator's clock shows this second.
    fn send_at(&self, now: u64, request: &Wire) -> (Answer, Entry) {
        let now = i64::try_from(now).unwrap();
        loop {
            self.emulator.set_time(now);
            let answer = self.send(request);
            let entry = self.logged(&answer);
            // Else a second began between the two.
            if entry.time == now {
                return (answer, entry);
            }
        }
    }

    fn logged(&self, answer: &Answer) -> Entry {
        let id = answer.header("opc-request-id").unwrap();
        let log = self.emulator.log().into_iter().rev();
        log.take(3).find(|entry| entry.request_id == id).unwrap()
    }

    fn judge(&self, case: &Case) -> Result<(), String> {
        let answer = self.send(&case.request);
        if answer.header("opc-request-id").is_none() {
            return Err(format!("not judged: {answer:?}"));
        }
        let entry = self.logged(&answer);
        let reason = entry.reason.as_deref().unwrap_or_default();
        if (answer.status, entry.status) != (case.status, case.status) {
            return Err(format!("not {}: {entry}", case.status));
        }
        if reason.is_empty() || !reason.contains(case.reason) {
            return Err(format!("another reason than `{}`: {entry}", case.reason));
        }
        if answer.status == 401 && entry.caller.is_some() {
            return Err(format!("the log names a caller who has proved nothing: {entry}"));
        }
        if case.request.method == "HEAD" {
            return Ok(());
        }
        let (code, text) = match answer.status {
            400 => ("InvalidParameter", reason.to_owned()),
            404 => ("NotAuthorizedOrNotFound", NOT_FOUND.to_owned()),
            _ if reason == "the date is outside of the window" => {
                let now = u64::try_from(entry.time).unwrap();
                let headers = &case.request.headers;
                let dated = |name: &str| headers.iter().any(|header| header.0 == name);
                let date = case.request.header(if dated("x-date") { "x-date" } else { "date" });
                ("NotAuthenticated", skew_message(date, now))
            }
            _ => ("NotAuthenticated", NOT_AUTHENTICATED.to_owned()),
        };
        let body: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
        if body["code"] == code && body["message"] == *text {
            Ok(())
        } else {
            Err(format!("not `{code}`, `{text}`: {body}"))
        }
    }
}

fn message(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["code"], "NotAuthenticated");
    body["message"].as_str().unwrap().to_owned()
}

/// What OCI says of a date that is more than five minutes off.
fn skew_message(date: &str, now: u64) -> String {
    format!(
        "Date '{date}' is not within allowed clock skew. Current '{}', valid datetime range: \
         ['{}', '{}']",
        http_date(now),
        http_date(now - 300),
        http_date(now + 300),
    )
}

const BODY: &[u8] = br#"{"displayName": "example", "size": 12}"#;
const OBJECT: &str = "/n/examplenamespace/b/example/o/folder/name";
const NOT_AUTHENTICATED: &str =
    "The required information to complete authentication was not provided or was incorrect.";
const NOT_FOUND: &str = "Authorization failed or requested resource not found.";
