//! What the tests of faults share: a clock that they set, keys that cost nothing, tokens.
#![allow(dead_code)] // each test file uses its own part

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::{
    Clock, Context, Credential, Fetched, HttpRequest, HttpTransport, KeyId, KeyOptions, Kind,
    Moment, NativeKey, NativeVerifyingKey, PrivateKeyDer, PublicKey, Request, Response,
    SecurityToken, Signed, Signer, SigningFailed, SigningKey, Source, SourceError, Transport,
    TransportFault, VerifyingKey,
};
use serde_json::{Value, json};

pub(crate) const URL: &str = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns";
pub(crate) const KEY: &str = include_str!("../../../vectors/keys/test-key.pem");
pub(crate) const OTHER_KEY: &str = include_str!("../../../vectors/keys/other-key.pem");

pub(crate) fn request() -> Request<'static> {
    Request::new("GET", URL)
}

/// Whether the long form of a test was asked for: `STORM=full`.
pub(crate) fn full() -> bool {
    std::env::var("STORM").is_ok_and(|value| value == "full")
}

/// Both clocks, which stand still until a test moves them. Who sleeps moves
/// them too.
#[derive(Clone)]
pub(crate) struct Virtual(Arc<Mutex<Hands>>);

struct Hands {
    time: u64,
    uptime: Duration,
}

impl Virtual {
    /// At the machine's time.
    pub(crate) fn new() -> Self {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        Self(Arc::new(Mutex::new(Hands { time, uptime: Duration::from_secs(1_000) })))
    }

    pub(crate) fn time(&self) -> u64 {
        self.now().time
    }

    pub(crate) fn advance(&self, seconds: u64) {
        let mut hands = self.0.lock().unwrap();
        hands.time += seconds;
        hands.uptime += Duration::from_secs(seconds);
    }

    /// Set the time of day alone, as somebody does who sets a clock.
    pub(crate) fn set_by(&self, seconds: i64) {
        let mut hands = self.0.lock().unwrap();
        hands.time = hands.time.saturating_add_signed(seconds);
    }
}

impl Clock for Virtual {
    fn now(&self) -> Moment {
        let hands = self.0.lock().unwrap();
        Moment { time: hands.time, uptime: hands.uptime }
    }

    fn sleep(&self, time: Duration) {
        self.advance(time.as_secs());
    }
}

/// A key that costs nothing: its signature is its number.
pub(crate) struct Numbered {
    number: u64,
    public: PublicKey,
}

impl SigningKey for Numbered {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let mut signature = vec![0; 256];
        signature[..8].copy_from_slice(&self.number.to_be_bytes());
        Ok(signature)
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

/// A credential whose key id says which key signs.
pub(crate) fn numbered(number: u64) -> Credential {
    let mut modulus = [0x80; 256];
    modulus[248..].copy_from_slice(&number.to_be_bytes());
    let public = PublicKey::from_components(&modulus, &[1, 0, 1]);
    Credential::new(KeyId::new(&format!("key-{number}")).unwrap(), Numbered { number, public })
}

/// The numbers of the key id and of the key that signed.
pub(crate) fn numbers(signed: &Signed) -> (u64, u64) {
    let (key_id, signature) = parts(signed);
    let number = u64::from_be_bytes(signature[..8].try_into().unwrap());
    (key_id.strip_prefix("key-").unwrap().parse().unwrap(), number)
}

/// The key id and the signature.
pub(crate) fn parts(signed: &Signed) -> (String, Vec<u8>) {
    let authorization = signed.headers().get("authorization").unwrap();
    let part = |name| {
        let (_, rest) = authorization.split_once(name).unwrap();
        rest.split_once('"').unwrap().0
    };
    (part("keyId=\"").to_owned(), STANDARD.decode(part("signature=\"")).unwrap())
}

/// Whether a signed GET verifies with the key that its token is bound to.
pub(crate) fn verifies(signed: &Signed) -> bool {
    let (key_id, signature) = parts(signed);
    let token = SecurityToken::parse(&key_id).unwrap();
    let key = NativeVerifyingKey::new(token.session_key().unwrap()).unwrap();
    key.verify(message(signed).as_bytes(), &signature)
}

/// What was signed of [`request`].
pub(crate) fn message(signed: &Signed) -> String {
    let get = |name| signed.headers().get(name).unwrap();
    let target = "get /20160918/vcns";
    format!("date: {}\n(request-target): {target}\nhost: {}", get("date"), get("host"))
}

pub(crate) fn key(pem: &str) -> NativeKey {
    NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap()).unwrap()
}

/// A token bound to this key, which nobody signed.
pub(crate) fn token(pem: &str, expires: u64, id: &str) -> String {
    let key = key(pem);
    let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = key.public_key();
    let jwk = json!({
        "kty": "RSA", "n": base64(public.modulus()), "e": base64(public.exponent()),
    });
    unsigned(&json!({ "exp": expires, "jti": id, "tenant": "ocid1.tenancy.oc1..a",
        "jwk": jwk.to_string() }))
}

pub(crate) fn unsigned(claims: &Value) -> String {
    format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A source of one's own, and how often it was asked.
pub(crate) struct Asked<F> {
    pub(crate) fetch: F,
    pub(crate) times: Arc<AtomicUsize>,
}

impl<F: Fn(usize) -> Result<Credential, SourceError> + Send + Sync> Source for Asked<F> {
    fn fetch(&self, _: &Context<'_>) -> Result<Fetched, SourceError> {
        let time = self.times.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Fetched::new((self.fetch)(time)?, Kind::Other, "a test"))
    }
}

/// A signer by such a source and this clock.
pub(crate) fn asked<F>(clock: &Virtual, fetch: F) -> (Signer, Arc<AtomicUsize>)
where
    F: Fn(usize) -> Result<Credential, SourceError> + Send + Sync + 'static,
{
    let times = Arc::new(AtomicUsize::new(0));
    let source = Asked { fetch, times: times.clone() };
    (Signer::builder(source).clock(clock.clone()).build(), times)
}

/// The network, and when it was used; it can be down.
#[derive(Clone)]
pub(crate) struct Network {
    http: Arc<HttpTransport>,
    clock: Virtual,
    pub(crate) down: Arc<AtomicBool>,
    pub(crate) asked: Arc<Mutex<Vec<u64>>>,
}

impl Network {
    pub(crate) fn new(http: HttpTransport, clock: &Virtual) -> Self {
        Self {
            http: Arc::new(http),
            clock: clock.clone(),
            down: Arc::default(),
            asked: Arc::default(),
        }
    }
}

impl Transport for Network {
    fn send(&self, request: &HttpRequest) -> Result<Response, TransportFault> {
        self.asked.lock().unwrap().push(self.clock.time());
        if self.down.load(Ordering::SeqCst) {
            return Err(TransportFault::Timeout);
        }
        self.http.send(request)
    }
}

/// Wait until this holds; panic where it never does.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
