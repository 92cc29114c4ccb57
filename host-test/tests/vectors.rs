//! Every vector that the components can carry, through the boundary.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::{
    KeyOptions, NativeKey, NativeVerifyingKey, PrivateKeyDer, PublicKey, SigningKey, VerifyingKey,
};
use ocisign_host_test::core::exports::ocisign::signing as world;
use ocisign_host_test::core::{Core, exports};
use ocisign_host_test::{
    Body, CredentialsError, DateHeader, Error, Fixed, HashedBody, Header, KeyMaterial, Request,
    Signer, component, get, seeds, stable,
};
use ocisign_vectors::{KnownBody, cases, check_all, expect, key_path, text};
use serde_json::Value;
use wasmtime::component::Linker;
use wasmtime::{Engine as Wasmtime, Store};

const SIGNING: [&str; 5] =
    ["published.json", "signing.json", "rules.json", "disagreements.json", "invalid.json"];

#[test]
fn every_signing_case_signs_in_the_guest_as_it_says() {
    let signer = RefCell::new(signer());
    check_all(&cases(&SIGNING), |case| {
        let (request, now) = (request(&case["request"]), case["now"].as_u64().unwrap());
        let key = key_material(&case["credential"]);
        let signed = signer.borrow_mut().sign_with(&request, &key, now).unwrap();
        check_headers(case, signed)
    });
}

#[test]
fn every_signing_case_signs_in_two_halves_with_the_key_outside() {
    let mut signer = signer();
    let mut core = CoreWorld::new();
    // Both components have the halves.
    let failures: Vec<String> = cases(&SIGNING)
        .iter()
        .filter(|case| case["error"] != "EXPIRED") // the halves know of no expiry
        .filter_map(|case| {
            let both = [core.in_halves(case), in_halves(&mut signer, case)];
            both.into_iter().find_map(Result::err).map(|why| format!("{}: {why}", case["id"]))
        })
        .collect();
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_key_case_is_read_or_refused_for_its_reason() {
    let signer = RefCell::new(signer());
    check_all(&cases(&["keys.json"]), |case| {
        let pem = case.get("file").map_or_else(|| text(&case["pem"]), key_text);
        let key = KeyMaterial {
            passphrase: case["passphrase"].as_str().map(Into::into),
            danger_allow_weak_key: case["allow_weak_key"] == true,
            ..material("tenancy/user/fingerprint", pem)
        };
        let signed = signer.borrow_mut().sign_with(&get("https://h/"), &key, 0).unwrap();
        match signed {
            Ok(_) => expect("result", "valid", case["result"].as_str().unwrap()),
            Err(error) => {
                expect("error", &*stable(error.code), case["error"].as_str().unwrap_or("none"))?;
                expect("reason", error.reason.as_deref(), case["reason"].as_str())
            }
        }
    });
}

#[test]
fn every_token_case_is_paired_with_its_key_or_refused() {
    let mut signer = signer();
    let failures: Vec<String> = cases(&["tokens.json"])
        .iter()
        .filter_map(|case| {
            let token = text(&case["token"]);
            let bare = token.trim_start_matches('\u{feff}').trim_start();
            let token = if bare.starts_with("ST$") { token } else { format!("ST${bare}") };
            let key = material(&token, key_text(&case["key"]));
            let keys = signer.world.ocisign_signing_keys().credential();
            let credential = keys.call_read(&mut signer.store, &key).unwrap();
            let found = match credential {
                Ok(credential) => {
                    let expires = keys.call_expires(&mut signer.store, credential).unwrap();
                    let bound = keys.call_binding_checked(&mut signer.store, credential).unwrap();
                    credential.resource_drop(&mut signer.store).unwrap();
                    expect("expires", expires, case["expires"].as_u64()).and_then(|()| {
                        expect("binding", Some(bound), case["binding_checked"].as_bool())
                    })
                }
                Err(error) => expect("error", Some(&*stable(error.code)), case["error"].as_str()),
            };
            found.err().map(|why| format!("{}: {why}", case["id"]))
        })
        .collect();
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_text_is_read_in_the_core_world_as_it_says() {
    let core = RefCell::new(CoreWorld::new());
    check_all(&cases(&["tokens.json"]), |case| {
        // What needs the private key is checked where there is one.
        if case["error"] == "KEY_MISMATCH" {
            return Ok(());
        }
        match core.borrow_mut().read_security_token(&text(&case["token"])) {
            Ok(token) => {
                expect("key id", Some(&*token.key_id), case["key_id"].as_str())?;
                expect(
                    "session key",
                    Some(token.session_key.is_some()),
                    case["binding_checked"].as_bool(),
                )?;
                expect("expires", token.expires, case["expires"].as_u64())
            }
            Err(error) => expect("error", Some(&*stable_core(error.code)), case["error"].as_str()),
        }
    });
    check_all(&cases(&["profiles.json"]), |case| {
        let (text, name) = (case["text"].as_str().unwrap(), case["profile"].as_str().unwrap());
        match core.borrow_mut().read_profile(text, name) {
            Ok(values) => {
                let values = values.into_iter().map(|(key, value)| (key, Value::String(value)));
                expect("values", &Value::Object(values.collect()), &case["values"])
            }
            Err(error) => expect("error", Some(&*stable_core(error.code)), case["error"].as_str()),
        }
    });
    check_all(&cases(&["regions.json"]), |case| {
        match core.borrow_mut().read_region(case) {
            Ok(region) => {
                expect("id", Some(&*region.id), case["region_id"].as_str())?;
                expect("realm", region.realm.as_deref(), case["realm"].as_str())?;
                let domain = case["second_level_domain"].as_str().unwrap_or(&region.id);
                expect("domain", &*region.domain, domain)?;
            }
            Err(error) => {
                expect("error", Some(&*stable_core(error.code)), case["error"].as_str())?;
            }
        }
        for (service, name) in [
            (world::reading::Service::Auth, "auth"),
            (world::reading::Service::Iaas, "iaas"),
            (world::reading::Service::Identity, "identity"),
            (world::reading::Service::ObjectStorage, "objectstorage"),
            (world::reading::Service::Secrets, "secrets"),
        ] {
            match core.borrow_mut().endpoint(case, service) {
                Ok(endpoint) => expect(name, Some(&*endpoint), case["endpoints"][name].as_str())?,
                Err(error) => {
                    expect("error", Some(&*stable_core(error.code)), case["error"].as_str())?;
                }
            }
        }
        Ok(())
    });
}

#[test]
fn every_verify_case_is_judged_as_it_says() {
    let core = RefCell::new(CoreWorld::new());
    check_all(&cases(&["verify.json"]), |case| {
        let request = core_request(&request(&case["request"]));
        let host = case["expected_host"].as_str().map(Into::into);
        let verdict = core.borrow_mut().verify(&request, host, case["now"].as_u64().unwrap());
        let error = match &verdict {
            Err(error) => Some(stable_core(error.code)),
            // The component leaves RSA to its host.
            Ok(claim) => {
                (!is_signed(claim, &key_text(&case["key"]))).then(|| "SIGNATURE_MISMATCH".into())
            }
        };
        expect("verdict", error.as_deref(), case["error"].as_str())?;
        let key_id = verdict.map(|claim| claim.key_id).ok().filter(|_| case["result"] == "valid");
        expect("key id", key_id.as_deref(), case["key_id"].as_str())
    });
}

#[test]
fn no_seed_of_the_fuzz_corpora_traps_in_the_core_world() {
    let mut core = CoreWorld::new();
    for (_, text) in seeds().unwrap() {
        let payload = URL_SAFE_NO_PAD.encode(&text);
        let lines: Vec<&str> = text.lines().chain([""]).collect();
        // Each call ends, with whatever verdict; a trap would fail the unwrap within.
        let _ = core.read_security_token(&text);
        let _ = core.read_security_token(&format!("e30.{payload}.c2ln"));
        let _ = core.read_profile(&text, "DEFAULT");
        let _ = core.read_profile(&text, lines[0]);
        for region in [&*text, lines[0]] {
            let case = serde_json::json!({
                "region": region, "regions_config": text, "region_metadata": text, "realm_domain": text,
            });
            let _ = core.endpoint(&case, world::reading::Service::Auth);
            let _ = core.read_region(&case);
        }
        let header = |name: &str| Header { name: name.into(), value: text.clone() };
        let headers = ["authorization", "date", "host", "x-content-sha256"].map(header).to_vec();
        for url in [&*text, "https://h/", &format!("https://{text}")] {
            let request = Request { headers: headers.clone(), method: "POST".into(), ..get(url) };
            let _ = core.verify(&core_request(&request), Some(text.clone()), 0);
        }
    }
}

fn signer() -> Signer<Fixed> {
    Signer::new(Fixed(Err(CredentialsError::NotConfigured))).unwrap()
}

fn check_headers(case: &Value, signed: Result<Vec<Header>, Error>) -> Result<(), String> {
    match signed {
        Ok(headers) => {
            let headers: Vec<_> =
                headers.into_iter().map(|header| (header.name, header.value)).collect();
            expect("headers", headers, ocisign_vectors::headers(case))
        }
        Err(error) => {
            expect("error", &*stable(error.code), case["error"].as_str().unwrap_or("none"))?;
            let header = case["header"].as_str().unwrap_or("");
            expect("names the header", error.message.to_lowercase().contains(header), true)
        }
    }
}

/// With a key of this process, by AWS-LC.
fn signature(case: &Value, signing_string: &str) -> String {
    let options = KeyOptions::new().danger_allow_weak_key(true);
    let der = PrivateKeyDer::from_pem(&key_text(&case["credential"]["key"]), &options).unwrap();
    STANDARD.encode(NativeKey::new(&der).unwrap().sign(signing_string.as_bytes()).unwrap())
}

fn in_halves(signer: &mut Signer<Fixed>, case: &Value) -> Result<(), String> {
    let (request, now) = (request(&case["request"]), case["now"].as_u64().unwrap());
    let credential = &case["credential"];
    let halves = signer.world.ocisign_signing_halves();
    let (key_id, delegation) =
        (credential["key_id"].as_str().unwrap(), credential["delegation_token"].as_str());
    let signed = halves
        .call_prepare(&mut signer.store, &request, key_id, delegation, now)
        .unwrap()
        .and_then(|prepared| {
            let signature = signature(case, &prepared.signing_string);
            halves.call_finish(&mut signer.store, &prepared, &signature).unwrap()
        });
    check_headers(case, signed)
}

fn is_signed(claim: &world::verification::Claim, public_key: &str) -> bool {
    let options = KeyOptions::new().danger_allow_weak_key(true);
    let key = PublicKey::from_pem(public_key, &options).unwrap();
    let signature = STANDARD.decode(&claim.signature).unwrap();
    NativeVerifyingKey::new(&key).unwrap().verify(claim.signing_string.as_bytes(), &signature)
}

/// An instance of `ocisign-core.wasm`, which needs no host at all.
struct CoreWorld {
    store: Store<()>,
    world: Core,
}

impl CoreWorld {
    fn new() -> Self {
        let engine = Wasmtime::default();
        let mut store = Store::new(&engine, ());
        let component = component(&engine, "ocisign-core.wasm").unwrap();
        let world = Core::instantiate(&mut store, &component, &Linker::new(&engine)).unwrap();
        Self { store, world }
    }

    fn in_halves(&mut self, case: &Value) -> Result<(), String> {
        let (request, now) =
            (core_request(&request(&case["request"])), case["now"].as_u64().unwrap());
        let credential = &case["credential"];
        let halves = self.world.ocisign_signing_halves();
        let (key_id, delegation) =
            (credential["key_id"].as_str().unwrap(), credential["delegation_token"].as_str());
        let signed = halves
            .call_prepare(&mut self.store, &request, key_id, delegation, now)
            .unwrap()
            .and_then(|prepared| {
                expect(
                    "signing string",
                    &*prepared.signing_string,
                    &*text(&case["signing_string"]),
                )
                .unwrap();
                let signature = signature(case, &prepared.signing_string);
                halves.call_finish(&mut self.store, &prepared, &signature).unwrap()
            });
        match signed {
            Ok(headers) => {
                let headers: Vec<_> =
                    headers.into_iter().map(|header| (header.name, header.value)).collect();
                expect("headers", headers, ocisign_vectors::headers(case))
            }
            Err(error) => expect("error", Some(&*stable_core(error.code)), case["error"].as_str()),
        }
    }

    fn verify(
        &mut self,
        request: &CoreRequest,
        expected_host: Option<String>,
        now: u64,
    ) -> Result<world::verification::Claim, CoreError> {
        let options = world::verification::VerifyOptions { expected_host, window: None };
        self.world
            .ocisign_signing_verification()
            .call_verify(&mut self.store, request, &options, now)
            .unwrap()
    }

    fn read_security_token(
        &mut self,
        text: &str,
    ) -> Result<world::reading::SecurityToken, CoreError> {
        self.world
            .ocisign_signing_reading()
            .call_read_security_token(&mut self.store, text)
            .unwrap()
    }

    fn read_profile(&mut self, text: &str, name: &str) -> Result<Vec<(String, String)>, CoreError> {
        self.world.ocisign_signing_reading().call_read_profile(&mut self.store, text, name).unwrap()
    }

    fn read_region(&mut self, case: &Value) -> Result<world::reading::Region, CoreError> {
        let (region, sources) = (case["region"].as_str().unwrap(), region_sources(case));
        let reading = self.world.ocisign_signing_reading();
        reading.call_read_region(&mut self.store, region, &sources).unwrap()
    }

    fn endpoint(
        &mut self,
        case: &Value,
        service: world::reading::Service,
    ) -> Result<String, CoreError> {
        let sources = region_sources(case);
        let region = case["region"].as_str().unwrap();
        let reading = self.world.ocisign_signing_reading();
        reading.call_endpoint(&mut self.store, region, service, &sources).unwrap()
    }
}

fn region_sources(case: &Value) -> world::reading::RegionSources {
    let text = |name: &str| case[name].as_str().map(Into::into);
    world::reading::RegionSources {
        regions_config: text("regions_config"),
        region_metadata: text("region_metadata"),
        default_domain: text("realm_domain"),
    }
}

type CoreRequest = exports::ocisign::signing::types::Request;
type CoreError = exports::ocisign::signing::types::Error;

fn stable_core(code: exports::ocisign::signing::types::ErrorCode) -> String {
    ocisign_host_test::stable_name(&format!("{code:?}"))
}

fn material(key_id: &str, private_key: String) -> KeyMaterial {
    KeyMaterial {
        key_id: key_id.into(),
        private_key,
        passphrase: None,
        delegation_token: None,
        expires: None,
        blinding_seed: None,
        danger_allow_weak_key: false,
    }
}

fn key_material(credential: &Value) -> KeyMaterial {
    KeyMaterial {
        delegation_token: credential["delegation_token"].as_str().map(Into::into),
        expires: credential["expires"].as_u64(),
        danger_allow_weak_key: credential["allow_weak_key"] == true,
        ..material(credential["key_id"].as_str().unwrap(), key_text(&credential["key"]))
    }
}

fn key_text(name: &Value) -> String {
    std::fs::read_to_string(key_path(name)).unwrap()
}

fn request(request: &Value) -> Request {
    Request {
        method: text(&request["method"]),
        url: text(&request["url"]),
        headers: ocisign_vectors::headers(request)
            .into_iter()
            .map(|(name, value)| Header { name, value })
            .collect(),
        body: match ocisign_vectors::body(request) {
            KnownBody::Empty => Body::Empty,
            KnownBody::Unsigned => Body::Unsigned,
            KnownBody::Digest(sha256, length) => {
                Body::Digest(HashedBody { sha256: STANDARD.encode(sha256), length })
            }
            KnownBody::Bytes(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Body::Text(text),
                Err(error) => Body::Bytes(error.into_bytes()),
            },
        },
        date_header: if request["date_header"] == "x-date" {
            DateHeader::XDate
        } else {
            DateHeader::Date
        },
    }
}

/// The same request, in the types of the other world.
fn core_request(request: &Request) -> CoreRequest {
    use exports::ocisign::signing::types as core;
    core::Request {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request
            .headers
            .iter()
            .map(|header| core::Header { name: header.name.clone(), value: header.value.clone() })
            .collect(),
        body: match &request.body {
            Body::Empty => core::Body::Empty,
            Body::Unsigned => core::Body::Unsigned,
            Body::Text(text) => core::Body::Text(text.clone()),
            Body::Bytes(bytes) => core::Body::Bytes(bytes.clone()),
            Body::Digest(digest) => core::Body::Digest(core::HashedBody {
                sha256: digest.sha256.clone(),
                length: digest.length,
            }),
        },
        date_header: match request.date_header {
            DateHeader::Date => core::DateHeader::Date,
            DateHeader::XDate => core::DateHeader::XDate,
        },
    }
}
