//! `ocisign verify`.

use ocisign::{
    KeyOptions, NativeVerifyingKey, PublicKey, Request, SignError, VerifyOptions, examine,
    read_text,
};
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::output;
use crate::request;

/// The text to print for a valid request.
pub(crate) fn run(args: &VerifyArgs) -> Result<String, Failure> {
    let headers = request::headers(&args.request.content);
    let key = key(args)?;
    let request = Request::new(&args.request.method, &args.request.url)
        .headers(&headers)
        .body(request::body(&args.request.content)?);
    let mut options = VerifyOptions::new();
    if let Some(host) = &args.expected_host {
        options = options.expected_host(host);
    }
    let examined = examine(&request, &options, request::time(args.now))?;
    examined.verify(&key)?;
    if args.json { json(examined.key_id()) } else { Ok("valid\n".to_owned()) }
}

fn key(args: &VerifyArgs) -> Result<NativeVerifyingKey, Failure> {
    let path = &args.public_key_file;
    let options = KeyOptions::new().danger_allow_weak_key(args.allow_weak_key);
    PublicKey::from_pem(&read_text(path)?, &options)
        .and_then(|key| NativeVerifyingKey::new(&key))
        .map_err(|error| Failure::from(SignError::from(error)).about(output::quoted(path)))
}

fn json(key_id: &str) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Valid<'a> {
        valid: bool,
        key_id: &'a str,
    }
    // A token is a secret while it lasts.
    let key_id = if key_id.starts_with("ST$") { "ST$…" } else { key_id };
    output::json(&Valid { valid: true, key_id })
}
