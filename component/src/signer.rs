//! Signing with a key: the host's, or one that the host gives.

use alloc::vec::Vec;

use ocisign_core::{Credential, KeyId, SecurityToken, SignError, UnixTime, prepare, sign};
use spin::Mutex;

use crate::Component;
use crate::bindings::exports::ocisign::signing::keys::{self, GuestCredential};
use crate::bindings::exports::ocisign::signing::signer::Guest;
use crate::bindings::ocisign::signing::credentials::{
    self, CredentialSource, CredentialsError, HostKey,
};
use crate::bindings::types::{Error, ErrorCode, Header, KeyMaterial, Request};
use crate::material::{is_token, read};
use crate::{convert, halves};

impl Guest for Component {
    fn sign(request: Request, now: UnixTime) -> Result<Vec<Header>, Error> {
        // Not held while the host is called: a host that throws through the guest, as
        // one in JavaScript can, would leave it locked, and one that signs meanwhile
        // would wait for itself.
        let known = CURRENT.lock().take();
        let known = match known.filter(|known| known.check_expiry(now).is_ok()) {
            Some(known) => known,
            None => Provided::ask()?,
        };
        let signed = known.check_expiry(now).and_then(|()| known.sign(&request, now));
        *CURRENT.lock() = Some(known);
        signed
    }

    fn sign_with(request: Request, key: KeyMaterial, now: UnixTime) -> Result<Vec<Header>, Error> {
        sign_request(&request, &read(&key)?, now)
    }
}

impl keys::Guest for Component {
    type Credential = Credential;
}

impl GuestCredential for Credential {
    fn read(key: KeyMaterial) -> Result<keys::Credential, Error> {
        Ok(keys::Credential::new(read(&key)?))
    }

    fn expires(&self) -> Option<UnixTime> {
        self.expires()
    }

    fn binding_checked(&self) -> bool {
        self.binding_checked()
    }

    fn sign(&self, request: Request, now: UnixTime) -> Result<Vec<Header>, Error> {
        sign_request(&request, self, now)
    }
}

/// What the host gave last. An instance has one thread, so the lock is never waited for.
static CURRENT: Mutex<Option<Provided>> = Mutex::new(None);

/// What the host's `credentials` gave.
enum Provided {
    Key(Credential),
    Host { key_id: KeyId, expires: Option<UnixTime> },
}

impl Provided {
    fn ask() -> Result<Self, Error> {
        match credentials::current().map_err(|error| fail(ErrorCode::NoCredential, error))? {
            CredentialSource::Key(key) => read(&key).map(Self::Key),
            CredentialSource::Host(HostKey { mut key_id, delegation_token, mut expires }) => {
                if is_token(&key_id) {
                    let token = SecurityToken::parse(&key_id)?;
                    key_id = token.key_id()?.as_str().into();
                    expires = expires.into_iter().chain(token.expires()).min();
                }
                let key_id = halves::key_id(&key_id, delegation_token.as_deref())?;
                Ok(Self::Host { key_id, expires })
            }
        }
    }

    fn check_expiry(&self, now: UnixTime) -> Result<(), Error> {
        let expires = match self {
            Self::Key(credential) => credential.expires(),
            Self::Host { expires, .. } => *expires,
        };
        match expires {
            Some(at) if now >= at => Err(SignError::Expired(at).into()),
            _ => Ok(()),
        }
    }

    fn sign(&self, request: &Request, now: UnixTime) -> Result<Vec<Header>, Error> {
        match self {
            Self::Key(credential) => sign_request(request, credential, now),
            Self::Host { key_id, .. } => convert::with_request(request, |request| {
                let prepared = prepare(request, key_id, now)?;
                let signature = credentials::sign(key_id.as_str(), prepared.signing_string())
                    .map_err(|error| fail(ErrorCode::SigningFailed, error))?;
                let signature = convert::decode(&signature)?;
                if signature.is_empty() {
                    return Err(Error::new(
                        ErrorCode::SigningFailed,
                        "the host's signature is empty",
                    ));
                }
                Ok(convert::headers(prepared.finish(&signature)))
            }),
        }
    }
}

fn sign_request(
    request: &Request,
    credential: &Credential,
    now: UnixTime,
) -> Result<Vec<Header>, Error> {
    convert::with_request(request, |request| Ok(convert::headers(sign(request, credential, now)?)))
}

/// The host's own words, which are for people.
fn fail(code: ErrorCode, error: CredentialsError) -> Error {
    let message = match error {
        CredentialsError::NotConfigured => "the host has no credential configured".into(),
        CredentialsError::Failed(text) | CredentialsError::Other(Some(text)) => text,
        CredentialsError::Other(None) => "the host gave no reason".into(),
    };
    Error { code, reason: None, message }
}
