//! `ocisign explain`: why was a request refused, as far as that can be checked?
//!
//! `gather` reads all there is; each check is a function from that to verdicts; nothing
//! else is opened.

mod args;
mod authorization;
mod body;
mod clock;
mod codes;
mod date;
mod evidence;
mod headers;
mod host;
mod input;
mod key;
mod key_id;
mod safe;
mod status;
mod summary;
mod url;
mod variants;
mod verdict;

use std::path::Path;

use ocisign::{Body, FileError, KeyError, KeyOptions, PrivateKeyDer, PublicKey, read_text};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub(crate) use self::args::ExplainArgs;
use self::authorization::Authorization;
use self::evidence::{Answer, Evidence, Key, Sent, SentBody};
use self::verdict::{Level, Verdict};
use crate::failure::Failure;
use crate::output::{Exit, SUCCESS};
use crate::{output, request};

/// Print the verdicts. The exit code says whether a cause is among them.
pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    if let Err(error) = args.check() {
        return Ok(output::usage(error));
    }
    if let Some(code) = &args.code {
        let text = codes::explain(code).ok_or_else(|| Failure::Refused {
            code: "UNKNOWN_CODE",
            message: "neither ocisign nor OCI has this code".to_owned(),
        })?;
        return output::write(&text).map(|()| SUCCESS);
    }
    let verdicts = judge(&gather(args)?);
    let bad = verdicts.iter().any(|verdict| verdict.level == Level::Bad);
    let text = if args.json { output::json(&verdicts)? } else { verdict::lines(&verdicts) };
    output::write(&text)?;
    Ok(if bad { CAUSE_FOUND } else { SUCCESS })
}

/// Every check, in the order in which a server comes to them.
fn judge(evidence: &Evidence) -> Vec<Verdict> {
    let mut verdicts = evidence.answer.as_ref().map(status::check).unwrap_or_default();
    verdicts.extend(clock::check(evidence));
    let sent = evidence.sent.as_ref();
    let authorization = sent.and_then(|sent| authorization::read(sent.get("authorization")?));
    let authorization: Option<&Authorization> = authorization.as_ref();
    let verified = key::verifies(evidence, authorization);
    if let Some(sent) = sent {
        verdicts.extend(authorization::check(sent));
        if let Some(authorization) = authorization {
            verdicts.extend(headers::check_set(sent, authorization));
        }
        verdicts.extend(headers::check_blanks(sent, authorization, verified == Some(true)));
        verdicts.extend(body::check(sent));
        verdicts.extend(host::check(sent));
        if let Some(host) = sent.host() {
            let tenancy = authorization.and_then(key_id::tenancy);
            verdicts.extend(host::check_region(host, tenancy.as_deref()));
        }
        if let Some(authorization) = authorization {
            verdicts.extend(key_id::check(authorization, evidence));
        }
    }
    verdicts.extend(key::check(evidence, authorization, verified));
    if let Some(sent) = sent {
        verdicts.extend(url::check(sent));
    }
    let summary = summary::of(&verdicts, evidence);
    verdicts.push(summary);
    verdicts
}

/// Read the files, and put together what is known.
fn gather(args: &ExplainArgs) -> Result<Evidence, Failure> {
    let mut stdin: Option<Zeroizing<Vec<u8>>> = None;
    let mut read = |path: &Path| -> Result<Zeroizing<Vec<u8>>, FileError> {
        if path != Path::new("-") {
            return input::read(path);
        }
        // One transcript may be both request and answer.
        if let Some(bytes) = &stdin {
            return Ok(bytes.clone());
        }
        let bytes = input::read(path)?;
        stdin = Some(bytes.clone());
        Ok(bytes)
    };
    let raw = args.request_file.as_deref().map(&mut read).transpose()?;
    let answer = match (&args.response_file, &args.response_body_file) {
        (Some(path), _) => Some(input::answer(&read(path)?)),
        (None, body) => {
            let body = body.as_deref().map(&mut read).transpose()?;
            let given = args.status.is_some() || !args.response_headers.is_empty();
            let headers = args.response_headers.clone();
            let answer = Answer { status: args.status, headers, ..Answer::default() };
            let body_bytes = body.as_deref().map_or(&[][..], Vec::as_slice);
            (given || body.is_some()).then(|| input::body_of(answer, body_bytes))
        }
    };
    let key = args.key_file.as_deref().map(|path| key_of(path, args)).transpose()?;
    let sent = sent(args, raw.as_deref().map(Vec::as_slice))?;
    let (now, clock) = clock::reference(answer.as_ref(), args.now, request::time(None));
    Ok(Evidence { sent, answer, key, now, clock })
}

fn sent(args: &ExplainArgs, raw: Option<&[u8]>) -> Result<Option<Sent>, Failure> {
    let mut sent = Sent { url: args.url.clone(), ..Sent::default() };
    let mut raw_body = None;
    match raw {
        Some(raw) => {
            let raw = input::request(raw).ok_or_else(|| Failure::Refused {
                code: "INVALID_MESSAGE",
                message: "the request file has no request line such as `GET /path HTTP/1.1`"
                    .to_owned(),
            })?;
            (sent.method, sent.headers, raw_body) = (Some(raw.method), raw.headers, raw.body);
            sent.target = Some(raw.target);
        }
        None if args.method.is_none() && args.url.is_none() && args.content.headers.is_empty() => {
            return Ok(None);
        }
        None => {
            sent.method.clone_from(&args.method);
            sent.headers.clone_from(&args.content.headers);
        }
    }
    if sent.url.is_none()
        && let (Some(target), Some(host)) = (&sent.target, sent.get("host"))
    {
        let absolute = evidence::split_url(target).0.is_some();
        sent.url = Some(if absolute { target.clone() } else { format!("https://{host}{target}") });
    }
    let content = &args.content;
    let given = content.body_file.is_some() || content.body_sha256.is_some();
    let length = sent.get("content-length");
    sent.body = match raw_body {
        _ if content.unsigned_body => SentBody::LeftOut,
        _ if given => match request::body(content)? {
            Body::Digest { sha256, length } => SentBody::Known { sha256, length },
            _ => SentBody::Unknown,
        },
        Some(body) if !body.is_empty() => known(&body),
        // Nothing was given of a body, and nothing says that there is one.
        _ if length.is_none_or(|length| length == "0") && !sent.has("transfer-encoding") => {
            known(&[])
        }
        _ => SentBody::Unknown,
    };
    Ok(Some(sent))
}

fn known(body: &[u8]) -> SentBody {
    SentBody::Known { sha256: Sha256::digest(body).into(), length: body.len() as u64 }
}

/// The key of a file, private or public, or what is wrong with it.
fn key_of(path: &Path, args: &ExplainArgs) -> Result<Key, Failure> {
    let pem = read_text(path)?;
    let passphrase = args.passphrase_file.as_deref().map(request::passphrase).transpose()?;
    let mut options = KeyOptions::new();
    if let Some(passphrase) = &passphrase {
        options = options.passphrase(passphrase.as_bytes());
    }
    Ok(match PrivateKeyDer::from_pem(&pem, &options) {
        Ok(key) => Key::Private(key.public_key().clone()),
        Err(KeyError::PublicKey) => {
            PublicKey::from_pem(&pem, &options).map_or_else(Key::Refused, Key::Public)
        }
        Err(error) => Key::Refused(error),
    })
}

const CAUSE_FOUND: u8 = 3;
