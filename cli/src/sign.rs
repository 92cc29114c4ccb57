//! `ocisign sign`.

use std::fmt::Write;
use std::path::Path;

use ocisign::{
    Credential, DateHeader, Environment, KeyId, KeyOptions, NativeKey, PrivateKeyDer, Profile,
    ProfileSource, Request, SignError, SignedHeaders, read_text, sign,
};
use serde::{Serialize, Serializer};

use crate::args::{IdentityArgs, SignArgs};
use crate::failure::Failure;
use crate::identity::{self, Identity};
use crate::output::{self, quoted};
use crate::request;

/// The text to print.
pub(crate) fn run(args: &SignArgs) -> Result<String, Failure> {
    let headers = request::headers(&args.request.content);
    let credential = credential(args)?;
    let request = Request::new(&args.request.method, &args.request.url)
        .headers(&headers)
        .body(request::body(&args.request.content)?)
        .date_header(if args.x_date { DateHeader::XDate } else { DateHeader::Date });
    let print = |signed: &SignedHeaders| if args.json { json(signed) } else { Ok(lines(signed)) };
    match credential {
        Some(credential) => print(&sign(&request, &credential, request::time(args.now))?),
        None => print(Identity::new(&args.identity, args.now).sign(&request)?.headers()),
    }
}

/// The credential that the arguments hold; `None` where they only say whose it is.
fn credential(args: &SignArgs) -> Result<Option<Credential>, Failure> {
    let passphrase = args.passphrase_file.as_deref().map(request::passphrase).transpose()?;
    let mut options = KeyOptions::new().danger_allow_weak_key(args.allow_weak_key);
    if let Some(passphrase) = &passphrase {
        options = options.passphrase(passphrase.as_bytes());
    }
    let for_key =
        passphrase.is_some() || args.delegation_token_file.is_some() || args.allow_weak_key;
    let credential = match (&args.key_file, &args.key_id, &args.token_file) {
        (Some(path), Some(id), _) => Credential::new(KeyId::new(id)?, key(path, &options)?),
        (Some(path), None, Some(token)) => {
            let key = key(path, &options)?;
            Credential::security_token(&read_text(token)?, key)
                .map_err(|error| Failure::from(error).about(quoted(token)))?
        }
        _ => match &args.identity.profile {
            // What is said of the key goes before what the profile says of it.
            Some(name) if for_key => from_profile(&args.identity, name, options)?,
            _ => return Ok(None),
        },
    };
    Ok(Some(match &args.delegation_token_file {
        Some(path) => credential
            .with_delegation_token(&read_text(path)?)
            .map_err(|error| Failure::from(error).about(quoted(path)))?,
        None => credential,
    }))
}

fn from_profile(
    args: &IdentityArgs,
    name: &str,
    options: KeyOptions<'_>,
) -> Result<Credential, Failure> {
    let home = Environment::process().home();
    let config = identity::config_file(args)?;
    let about = |failure: Failure| failure.about(quoted(&config));
    let text = read_text(&config)?;
    let profile = Profile::parse(&text, name).map_err(|error| about(error.into()))?;
    let mut source = ProfileSource::new(&profile).key_options(options);
    if let Some(home) = &home {
        source = source.home(home);
    }
    source.credential().map_err(|error| about(error.into()))
}

fn key(path: &Path, options: &KeyOptions<'_>) -> Result<NativeKey, Failure> {
    let pem = read_text(path)?;
    PrivateKeyDer::from_pem(&pem, options)
        .and_then(|der| NativeKey::new(&der))
        .map_err(|error| Failure::from(SignError::from(error)).about(quoted(path)))
}

/// `name: value` lines, as `curl -H @-` reads them.
fn lines(signed: &SignedHeaders) -> String {
    signed.headers().iter().fold(String::new(), |mut text, (name, value)| {
        // curl sends `name;` as a header without a value, and drops `name:`.
        // Writing to a string cannot fail.
        let _ = match value.as_str() {
            "" => writeln!(text, "{name};"),
            value => writeln!(text, "{name}: {value}"),
        };
        text
    })
}

fn json(signed: &SignedHeaders) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Output<'a> {
        #[serde(serialize_with = "in_order")]
        headers: &'a [(&'static str, String)],
        signed_headers: Vec<&'a str>,
        signing_string: &'a str,
        signature: &'a str,
        authorization: &'a str,
    }
    fn in_order<S: Serializer>(
        headers: &[(&'static str, String)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
    }
    output::json(&Output {
        headers: signed.headers(),
        signed_headers: signed.signed_headers().split(' ').collect(),
        signing_string: signed.signing_string(),
        signature: signed.signature(),
        authorization: signed.authorization(),
    })
}
