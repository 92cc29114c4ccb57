//! Verifying all but the RSA signature.

use alloc::string::ToString;

use ocisign_core::{VerifyOptions, examine};

use crate::Component;
use crate::bindings::exports::ocisign::signing::verification::{
    Claim, Guest, VerifyOptions as Options,
};
use crate::bindings::types::{Error, Request, UnixTime};
use crate::convert;

impl Guest for Component {
    fn verify(request: Request, options: Options, now: UnixTime) -> Result<Claim, Error> {
        let mut known = VerifyOptions::new();
        known.expected_host = options.expected_host.as_deref();
        known.window = options.window.unwrap_or(known.window);
        convert::with_request(&request, |request| {
            let examined = examine(request, &known, now)
                .map_err(|error| Error::from_core(error.code(), error.to_string()))?;
            Ok(Claim {
                key_id: examined.key_id().into(),
                signing_string: examined.signing_string().into(),
                signature: convert::encode(examined.signature()),
            })
        })
    }
}
