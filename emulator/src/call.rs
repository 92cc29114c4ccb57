//! One request on its way to an answer.

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::Answer;
use crate::fault::FaultKind;
use crate::guard::{Examined, Incoming, Refusal, Rule, examine};
use crate::key::PublicKey;
use crate::policy::Operation;
use crate::principal::{Kind, Principal};
use crate::state::{State, claims};
use crate::token::{Claims, bound_key};

/// A request, what is known of it, and what the log will say.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a State,
    pub(crate) request: Incoming<'a>,
    /// Whether it came over TLS.
    pub(crate) secure: bool,
    /// The fault that bears upon what is answered, if there is one.
    pub(crate) fault: Option<FaultKind>,
    pub(crate) now: i64,
    pub(crate) caller: Option<String>,
    pub(crate) reason: Option<String>,
}

impl Call<'_> {
    /// Who calls. The key id names a token, whose claims name the key, or an API key.
    pub(crate) fn authenticate(&mut self, rule: Rule) -> Result<Principal, Answer> {
        let principal = self.principal(rule).map_err(Answer::not_authenticated)?;
        let delegated = self.request.headers.contains_key("opc-obo-token");
        let delegated = if delegated { ", with a delegation token" } else { "" };
        self.caller = Some(format!("{} {}{delegated}", principal.kind.name(), principal.id));
        Ok(principal)
    }

    fn principal(&self, rule: Rule) -> Result<Principal, Refusal> {
        let examined = self.examine(rule)?;
        let (principal, key) = match examined.key_id.strip_prefix("ST$") {
            Some(token) => {
                let claims = self.state.issuer.check(token, self.now)?;
                let key = bound_key(&claims)?;
                let principal = Principal::from_claims(claims)
                    .ok_or("the token is of no kind of principal that may call")?;
                (principal, key)
            }
            None => self.user(&examined.key_id)?,
        };
        examined.verify(&key)?;
        if principal.tenancy != self.state.config.tenancy.id {
            return Err("the caller is of another tenancy".into());
        }
        Ok(principal)
    }

    /// All of the signature's checks but who it is.
    pub(crate) fn examine(&self, rule: Rule) -> Result<Examined, Refusal> {
        examine(self.request, rule, self.state.config.skew, self.now)
    }

    fn user(&self, key_id: &str) -> Result<(Principal, PublicKey), Refusal> {
        let users = &self.state.users;
        let user =
            users.iter().find(|user| user.key_id == key_id).ok_or("the API key is not known")?;
        let tenancy = &self.state.config.tenancy.id;
        let principal = Principal {
            kind: Kind::User,
            id: user.config.id.clone(),
            tenancy: tenancy.clone(),
            compartment: tenancy.clone(),
            resource_type: String::new(),
            claims: claims(&json!({
                "ptype": "user", "ttype": "login", "sub": user.config.id, "tenant": tenancy,
            })),
        };
        Ok((principal, user.key.public()))
    }

    /// Whether the caller may do this.
    pub(crate) fn authorize(
        &mut self,
        who: &Principal,
        operation: Operation,
        compartment: &str,
        variables: &[(&str, &str)],
    ) -> Result<(), Answer> {
        let tags = self.state.tags(&who.id);
        let mut access = crate::lock(&self.state.access);
        let decision = access.decide(who, &tags, operation, compartment, variables, self.now);
        if !decision.allowed {
            return Err(Answer::not_found(decision.explanation));
        }
        self.reason = Some(decision.explanation);
        Ok(())
    }

    /// A token that binds these claims to this key, or a wrong one if a fault says so.
    pub(crate) fn mint(&self, mut claims: Claims, key: &PublicKey, lifetime: i64) -> String {
        let mut key = key.clone();
        let mut issued = self.now;
        match self.fault {
            Some(FaultKind::ExpiredToken) => {
                issued = self.now.saturating_sub(lifetime).saturating_sub(60);
            }
            Some(FaultKind::OtherTenancy) => {
                let other = "ocid1.tenancy.oc1..aaaaaaaaothertenancy";
                for name in ["tenant", "opc-tenant", "res_tenant"] {
                    if let Some(tenancy) = claims.get_mut(name) {
                        *tenancy = json!(other);
                    }
                }
            }
            Some(FaultKind::WrongJwk) => key = self.state.root.0.public(),
            _ => {}
        }
        self.state.bind(claims, &key, issued, lifetime)
    }

    /// The body as JSON of this form.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Answer> {
        serde_json::from_slice(self.request.body).map_err(|error| {
            // The message of the error may quote a token.
            let what =
                if error.is_data() { "has another form than it should" } else { "is no JSON" };
            let (line, column) = (error.line(), error.column());
            Answer::invalid(&format!("the body {what}, line {line}, column {column}"))
        })
    }

    /// The value of a parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.request.target.split_once('?')?;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
        Some(decode(&values.next()?.replace('+', " ")))
    }
}

/// Percent-decode; what is no escape stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%');
        let value = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.unwrap_or(first));
        rest = if value.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn what_is_escaped_is_decoded_and_the_rest_is_left() {
        assert_eq!(decode("a%2Fb%c3%a9%zz%+"), "a/b\u{e9}%zz%+");
        assert_eq!(decode("%+1%"), "%+1%");
    }
}
