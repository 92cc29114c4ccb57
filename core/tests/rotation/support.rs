//! Keys that are numbers, tokens that are bound to them, and a way to write moments.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocisign_core::{
    Claim, Credential, Decision, KeyId, Moment, PublicKey, Rotation, SigningFailed, SigningKey,
};

/// A key that is a number. Its signature is the number too, so that it says who signed.
pub(crate) struct NumberKey {
    bytes: [u8; 8],
    public: PublicKey,
}

impl NumberKey {
    pub(crate) fn new(number: u64) -> Self {
        // The highest bit makes all of them equally long, as `PublicKey` drops leading zeros.
        let bytes = (number | 1 << 63).to_be_bytes();
        Self { bytes, public: PublicKey::from_components(&bytes, &[1, 0, 1]) }
    }

    /// The number of the key that made this signature.
    pub(crate) fn signer(signature: &[u8]) -> u64 {
        u64::from_be_bytes(signature.try_into().unwrap()) & !(1 << 63)
    }
}

impl SigningKey for NumberKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(self.bytes.to_vec())
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

/// A token that is bound to the key of this number.
pub(crate) fn token(key: u64, tenancy: &str, valid: std::ops::Range<u64>) -> String {
    let n = URL_SAFE_NO_PAD.encode(NumberKey::new(key).bytes);
    let claims = format!(
        r#"{{"nbf":{},"exp":{},"res_tenant":"{tenancy}","jwk":{{"kty":"RSA","n":"{n}","e":"AQAB"}}}}"#,
        valid.start, valid.end
    );
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

/// The API key of this number.
pub(crate) fn api_key(key: u64, tenancy: &str) -> Credential {
    let key = NumberKey::new(key);
    let fingerprint = key.public.fingerprint();
    Credential::api_key(tenancy, "user", &fingerprint, key).unwrap()
}

/// A credential of this key that says no tenancy.
pub(crate) fn plain(key: u64) -> Credential {
    let id = format!("ST$a.{key}.c");
    Credential::new(KeyId::new(&id).unwrap(), NumberKey::new(key))
}

/// The same, whose life is over this many seconds after [`START`].
///
/// It says a second more, as a life is counted from the end of the second in which it came.
pub(crate) fn expiring(key: u64, end: u64) -> Credential {
    plain(key).with_expiry(START + end + 1)
}

/// This many seconds after the start, by both clocks.
pub(crate) fn at(seconds: u64) -> Moment {
    after(Duration::from_secs(seconds))
}

pub(crate) fn after(uptime: Duration) -> Moment {
    Moment { time: START + uptime.as_secs(), uptime }
}

/// The same moment with the time of day set to something else.
pub(crate) fn set(moment: Moment, by: i64) -> Moment {
    Moment { time: moment.time.saturating_add_signed(by), ..moment }
}

/// A rotation whose first credential came at 0 and ends at `life`.
pub(crate) fn rotation(life: u64) -> Rotation {
    let mut rotation = Rotation::new([7; 32]);
    let claim = rotation.begin(at(0)).unwrap();
    rotation.succeed(claim, expiring(1, life), at(0)).unwrap();
    rotation
}

/// The claim of a refresh that has to be due.
pub(crate) fn begin(rotation: &mut Rotation, now: Moment) -> Claim {
    rotation.begin(now).unwrap()
}

/// What was decided, in one letter: `s`ign, `b`oth, `r`efresh, `a`wait, `x` for refuse.
pub(crate) fn decided(rotation: &Rotation, now: Moment) -> char {
    match rotation.decide(now) {
        Decision::Await => 'a',
        Decision::Refuse(_) => 'x',
        Decision::Refresh => 'r',
        Decision::Sign(_) => 's',
        Decision::SignAndRefresh(_) => 'b',
    }
}

/// The first second in which a refresh is due, or none is any more.
pub(crate) fn due(rotation: &Rotation, seconds: std::ops::Range<u64>) -> u64 {
    seconds.clone().find(|&second| matches!(decided(rotation, at(second)), 'b' | 'r')).unwrap()
}

pub(crate) const START: u64 = 1_700_000_000;
