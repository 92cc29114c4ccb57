//! Signing in two halves.

use alloc::string::String;
use alloc::vec::Vec;

use ocisign_core::{KeyId, prepare};

use crate::Component;
use crate::bindings::exports::ocisign::signing::halves::{Guest, Prepared};
use crate::bindings::types::{Error, ErrorCode, Header, Request, UnixTime};
use crate::convert;

impl Guest for Component {
    fn prepare(
        request: Request,
        key_id: String,
        delegation_token: Option<String>,
        now: UnixTime,
    ) -> Result<Prepared, Error> {
        let key_id = self::key_id(&key_id, delegation_token.as_deref())?;
        convert::with_request(&request, |request| {
            let prepared = prepare(request, &key_id, now)?;
            Ok(Prepared {
                signing_string: prepared.signing_string().into(),
                headers: convert::headers(prepared.headers().iter().cloned()),
                authorization_start: prepared.authorization_start().into(),
            })
        })
    }

    fn finish(prepared: Prepared, signature: String) -> Result<Vec<Header>, Error> {
        // Decoded to be checked; what is sent is the same text.
        if convert::decode(&signature)?.is_empty() {
            return Err(Error::new(ErrorCode::InvalidEncoding, "the signature is empty"));
        }
        let mut headers = prepared.headers;
        let value = [&prepared.authorization_start, &*signature, "\""].concat();
        headers.push(Header { name: "authorization".into(), value });
        Ok(headers)
    }
}

/// A key id as it stands, with its delegation token.
pub(crate) fn key_id(id: &str, delegation_token: Option<&str>) -> Result<KeyId, Error> {
    let key_id = KeyId::new(id)?;
    Ok(match delegation_token {
        Some(token) => key_id.with_delegation_token(token)?,
        None => key_id,
    })
}
