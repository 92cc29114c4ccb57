//! Tokens of OCI's authentication service: minted, and judged when they come back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::key::{Key, Padding, PublicKey};

/// The claims of a token.
pub(crate) type Claims = Map<String, Value>;

/// Who signs tokens.
#[derive(Debug)]
pub(crate) struct Issuer {
    key: Key,
    kid: String,
}

/// Why a token is refused. The words are for the log.
pub(crate) type TokenFault = &'static str;

impl Issuer {
    pub(crate) fn new(key: Key, kid: &str) -> Self {
        Self { key, kid: kid.to_owned() }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn jwk(&self) -> Value {
        self.key.public().jwk(&self.kid)
    }

    /// A JWS in compact form, RS256.
    pub(crate) fn mint(&self, claims: &Claims) -> String {
        let header = json!({ "alg": "RS256", "kid": self.kid, "typ": "JWT" });
        let encode = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
        let claims = Value::Object(claims.clone()).to_string();
        let signed =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.as_bytes()));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", encode(&signature))
    }

    /// The claims of a token of this issuer that is valid now.
    pub(crate) fn check(&self, token: &str, now: i64) -> Result<Claims, TokenFault> {
        let (signed, signature) = token.rsplit_once('.').ok_or("the token is no JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("the token is no JWT")?;
        let header = object(header).ok_or("the token's header is no JSON")?;
        if header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return Err("the token's algorithm is not RS256");
        }
        if header.get("kid").and_then(Value::as_str) != Some(&self.kid) {
            return Err("the token's key is not known");
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "the token is no JWT")?;
        if !self.key.public().verify(Padding::Pkcs1, signed.as_bytes(), &signature) {
            return Err("the token's signature is not its issuer's");
        }
        let claims = object(claims).ok_or("the token's claims are no JSON")?;
        let time = |name: &str| claims.get(name).and_then(Value::as_i64);
        if time("nbf").is_some_and(|from| now < from) {
            return Err("the token is not valid yet");
        }
        match time("exp") {
            None => Err("the token has no expiry"),
            Some(at) if now >= at => Err("the token has expired"),
            Some(_) => Ok(claims),
        }
    }
}

fn object(part: &str) -> Option<Claims> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The text of a claim.
pub(crate) fn text<'a>(claims: &'a Claims, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The key in the claim `jwk`: the one whose owner may use the token.
pub(crate) fn bound_key(claims: &Claims) -> Result<PublicKey, TokenFault> {
    let jwk = claims.get("jwk").and_then(Value::as_str).ok_or("the token names no key")?;
    PublicKey::from_jwk(jwk).ok_or("the key in the token is no RSA key of 2,048 bits or more")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::{Claims, Issuer};
    use crate::key::Key;

    fn issuer() -> Issuer {
        Issuer::new(Key::from_pem(include_str!("../keys/authority.pem")).unwrap(), "asw_oc1_1")
    }

    fn claims() -> Claims {
        json!({ "sub": "a", "nbf": 10, "exp": 20 }).as_object().unwrap().clone()
    }

    #[test]
    fn a_token_is_valid_from_its_first_second_to_its_last() {
        let issuer = issuer();
        let token = issuer.mint(&claims());
        assert_eq!(issuer.check(&token, 9), Err("the token is not valid yet"));
        assert_eq!(issuer.check(&token, 10), Ok(claims()));
        assert_eq!(issuer.check(&token, 19), Ok(claims()));
        assert_eq!(issuer.check(&token, 20), Err("the token has expired"));
    }

    #[test]
    fn a_token_of_another_key_or_without_a_signature_is_refused() {
        let issuer = issuer();
        let other = Key::from_pem(include_str!("../keys/user.pem")).unwrap();
        let forged = Issuer::new(other, "asw_oc1_1").mint(&claims());
        assert_eq!(issuer.check(&forged, 15), Err("the token's signature is not its issuer's"));
        let token = issuer.mint(&claims());
        let parts: Vec<_> = token.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"asw_oc1_1"}"#);
        let unsigned = format!("{none}.{}.", parts[1]);
        assert_eq!(issuer.check(&unsigned, 15), Err("the token's algorithm is not RS256"));
        for text in ["", ".", "..", "a.b.c", "a.b", &format!("{}.{}.", parts[0], parts[1])] {
            assert!(issuer.check(text, 15).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_that_never_expires_is_refused() {
        let mut claims = claims();
        claims.remove("exp");
        let token = issuer().mint(&claims);
        assert_eq!(issuer().check(&token, 15), Err("the token has no expiry"));
    }
}
