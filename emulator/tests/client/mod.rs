//! Whoever calls the emulator, signing with the crate `ocisign`; and what forgers do.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::{
    Body, Credential, KeyId, KeyOptions, NativeKey, PrivateKeyDer, Profile, ProfileSource, Request,
    SigningKey, prepare, sign,
};
use ocisign_emulator::Emulator;
use ocisign_vectors::vectors;
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rsa::KeyPair;
use serde_json::{Value, json};

use crate::wire::{self, Wire};

/// When the emulator starts.
pub(crate) const NOW: u64 = 1_750_000_000;

/// Somebody with a key that the emulator knows.
pub(crate) struct Identity {
    pub(crate) name: &'static str,
    pub(crate) credential: Credential,
    pub(crate) key: NativeKey,
}

impl Identity {
    /// A user with an API key.
    pub(crate) fn user(emulator: &Emulator) -> Self {
        Self::of_profile(emulator, "DEFAULT", "api_key.pem")
    }

    /// A user with a session token.
    pub(crate) fn session(emulator: &Emulator) -> Self {
        Self::of_profile(emulator, "SESSION", "session/key.pem")
    }

    /// A resource with its token, version 2.2.
    pub(crate) fn resource(emulator: &Emulator) -> Self {
        let token = fs::read_to_string(emulator.file("resource_principal/rpst")).unwrap();
        let key = || key_at(&emulator.file("resource_principal/private.pem"));
        let credential = Credential::security_token(&token, key()).unwrap();
        Self { name: "resource", credential, key: key() }
    }

    /// An instance that has read its certificate from the metadata service.
    pub(crate) fn instance(emulator: &Emulator, tenancy: &str) -> Self {
        let certificate = metadata(emulator, "identity/cert.pem");
        Self::certified("instance", tenancy, &certificate, "instance.pem")
    }

    /// Whoever has this certificate, and this key of the emulator.
    pub(crate) fn certified(
        name: &'static str,
        tenancy: &str,
        certificate: &[u8],
        key: &str,
    ) -> Self {
        let fingerprint = fingerprint(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
        Self::new(name, &format!("{tenancy}/fed-x509/{fingerprint}"), || own_key(key))
    }

    pub(crate) fn new(name: &'static str, key_id: &str, key: impl Fn() -> NativeKey) -> Self {
        let credential = Credential::new(KeyId::new(key_id).unwrap(), key());
        Self { name, credential, key: key() }
    }

    fn of_profile(emulator: &Emulator, name: &'static str, key: &str) -> Self {
        let text = fs::read_to_string(emulator.file("config")).unwrap();
        let profile = Profile::parse(&text, name).unwrap();
        let credential = ProfileSource::new(&profile).credential().unwrap();
        let name = if name == "DEFAULT" { "user" } else { "session" };
        Self { name, credential, key: key_at(&emulator.file(key)) }
    }

    pub(crate) fn key_id(&self) -> &str {
        self.credential.key_id().as_str()
    }

    /// The token in the key id.
    pub(crate) fn token(&self) -> &str {
        self.key_id().strip_prefix("ST$").unwrap()
    }

    /// A right request: everything as `ocisign` says, and the body.
    pub(crate) fn request(&self, host: &str, method: &str, target: &str, body: Body<'_>) -> Wire {
        let given = [("content-type", "application/json")];
        self.request_with(host, method, target, body, &given)
    }

    /// The same with these headers of its own.
    pub(crate) fn request_with(
        &self,
        host: &str,
        method: &str,
        target: &str,
        body: Body<'_>,
        given: &[(&str, &str)],
    ) -> Wire {
        let url = format!("http://{host}{target}");
        let request = Request::new(method, &url).headers(given).body(body);
        let signed = sign(&request, &self.credential, NOW).unwrap();
        let headers = signed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let body = if let Body::Bytes(bytes) = body { bytes.to_vec() } else { Vec::new() };
        Wire { method: method.into(), target: target.into(), headers, body }
    }

    /// The same request, with these headers signed as they stand.
    pub(crate) fn sign_again(&self, request: &Wire, names: &str) -> Wire {
        self.sign_as_if(request, names, "", "")
    }

    /// The same request, signed as if this header had this value.
    pub(crate) fn sign_as_if(&self, request: &Wire, names: &str, other: &str, value: &str) -> Wire {
        let lines: Vec<String> = names
            .split(' ')
            .map(|name| match name {
                _ if name == other => format!("{name}: {value}"),
                "(request-target)" => {
                    format!("{name}: {} {}", request.method.to_lowercase(), request.target)
                }
                _ => format!("{name}: {}", value_of(request, name)),
            })
            .collect();
        let signature = self.key.sign(lines.join("\n").as_bytes()).unwrap();
        let mut parameters = Parameters::of(request);
        parameters.set("headers", names);
        parameters.set("signature", &STANDARD.encode(signature));
        parameters.put(request)
    }
}

/// The parameters of `authorization`, in order, as often as they are there.
#[derive(Clone)]
pub(crate) struct Parameters(pub(crate) Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of(request: &Wire) -> Self {
        let text = request.header("authorization").strip_prefix("Signature ").unwrap();
        let parameters = text.split(',').map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap();
            (name.to_owned(), value.trim_matches('"').to_owned())
        });
        Self(parameters.collect())
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        &self.0.iter().find(|parameter| parameter.0 == name).unwrap().1
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let mut parameters = self.0.iter_mut();
        value.clone_into(&mut parameters.find(|parameter| parameter.0 == name).unwrap().1);
    }

    /// The request with these in place of its own.
    pub(crate) fn put(&self, request: &Wire) -> Wire {
        let all = self.0.iter().map(|(name, value)| format!("{name}=\"{value}\""));
        let text = all.collect::<Vec<_>>().join(",");
        request.clone().set("authorization", format!("Signature {text}"))
    }
}

/// The request with this value of a parameter of `authorization`.
pub(crate) fn with_parameter(request: &Wire, name: &str, value: &str) -> Wire {
    let mut parameters = Parameters::of(request);
    parameters.set(name, value);
    parameters.put(request)
}

/// The request with this header after the others.
pub(crate) fn with(request: &Wire, name: &str, value: &str) -> Wire {
    let mut request = request.clone();
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

pub(crate) fn without(request: &Wire, name: &str) -> Wire {
    let mut request = request.clone();
    request.headers.retain(|header| !header.0.eq_ignore_ascii_case(name));
    request
}

/// The request with this body, and its length in the header.
pub(crate) fn with_body(request: &Wire, body: impl Into<Vec<u8>>) -> Wire {
    let body = body.into();
    let length = body.len().to_string();
    Wire { body, ..request.clone() }.set("content-length", length)
}

/// The text with the byte at this place made another: a digit another digit, a letter another.
pub(crate) fn changed(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = match bytes[at] {
        b'9' => b'0',
        b'z' => b'a',
        b'Z' => b'A',
        byte if byte.is_ascii_alphanumeric() => byte + 1,
        _ => b'x',
    };
    String::from_utf8(bytes).unwrap()
}

/// The header and the claims of a token.
pub(crate) fn decode(token: &str) -> (Value, Value) {
    let mut parts =
        token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).take(2);
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

/// A token of these, signed by whatever this is.
pub(crate) fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// The claim `jwk` for this key.
pub(crate) fn jwk(key: &NativeKey) -> String {
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (n, e) = (number(key.public_key().modulus()), number(key.public_key().exponent()));
    json!({ "kty": "RSA", "kid": "emulator", "n": n, "e": e, "alg": "RS256", "use": "sig" })
        .to_string()
}

/// A certificate of the metadata service, in DER.
pub(crate) fn metadata(emulator: &Emulator, path: &str) -> Vec<u8> {
    let url = emulator.url();
    let address = url.trim_start_matches("http://");
    let headers = [("host", address), ("authorization", "Bearer Oracle")];
    let request = Wire {
        method: "GET".into(),
        target: format!("/opc/v2/{path}"),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Vec::new(),
    };
    certificate(&wire::send(address, &request).body)
}

/// A certificate of PEM in DER.
pub(crate) fn certificate(pem: &str) -> Vec<u8> {
    pem_rfc7468::decode_vec(pem.trim().as_bytes()).unwrap().1
}

/// The digest of a certificate as federation names it.
pub(crate) fn fingerprint(algorithm: &'static Algorithm, certificate: &[u8]) -> String {
    let digest = digest(algorithm, certificate);
    let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.concat()
}

/// The value of `x-content-sha256` for this body.
pub(crate) fn body_digest(body: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, body))
}

/// A key that the emulator is built with.
pub(crate) fn own_key(name: &str) -> NativeKey {
    key_at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(name))
}

/// The same for what `ocisign` does not do: other paddings and digests.
pub(crate) fn own_pair(name: &str) -> KeyPair {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(name);
    let pem = fs::read_to_string(path).unwrap();
    let key = PrivateKeyDer::from_pem(&pem, &KeyOptions::new()).unwrap();
    KeyPair::from_der(key.secret_pkcs1_der()).unwrap()
}

/// A key of the vectors: nobody's, as far as the emulator knows.
pub(crate) fn foreign_key(name: &str) -> NativeKey {
    key_at(&vectors().join("keys").join(name))
}

fn key_at(path: &Path) -> NativeKey {
    let pem = fs::read_to_string(path).unwrap();
    let options = KeyOptions::new().danger_allow_weak_key(true);
    NativeKey::new(&PrivateKeyDer::from_pem(&pem, &options).unwrap()).unwrap()
}

/// An IMF-fixdate.
pub(crate) fn http_date(at: u64) -> String {
    let request = Request::new("GET", "http://localhost/");
    let prepared = prepare(&request, &KeyId::new("any").unwrap(), at).unwrap();
    prepared.headers()[0].1.clone()
}

fn value_of<'a>(request: &'a Wire, name: &str) -> &'a str {
    let mut headers = request.headers.iter();
    headers.find(|header| header.0.eq_ignore_ascii_case(name)).map_or("", |header| &header.1)
}
