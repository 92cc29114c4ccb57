//! A URL, through `prepare`: what is signed is what was given, byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocisign_core::SigningKey;
use ocisign_core::{Request, SignError, VerifyOptions, prepare, verify};
use ocisign_fuzz::{Fake, NOW, key_id};

fuzz_target!(|url: &str| {
    let request = Request::new("GET", url);
    let shown = format!("{request:?}");
    let prepared = match prepare(&request, &key_id(), NOW) {
        Ok(prepared) => prepared,
        Err(SignError::InvalidUrl(error)) => {
            assert!(error.offset <= url.len());
            if let Some(character) = error.character {
                assert!(url[error.offset..].starts_with(character));
            }
            return;
        }
        Err(other) => panic!("{other:?}"),
    };
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));

    // The same once more, taken apart in another way.
    let (_scheme, rest) = url.split_once("://").expect("a scheme");
    let rest = rest.split('#').next().expect("a beginning");
    let authority = rest.split(['/', '?']).next().expect("a beginning");
    let target = &rest[authority.len()..];
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let lines: Vec<&str> = prepared.signing_string().split('\n').collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], format!("(request-target): get {target}"));
    let host = lines[2].strip_prefix("host: ").expect("the host");
    assert!(!host.is_empty() && authority.starts_with(host) && !authority.contains('@'));
    assert!(authority[host.len()..].bytes().all(|byte| byte == b':' || byte.is_ascii_digit()));
    if let Some((_, query)) = target.split_once('?')
        && query.len() >= 16
        && !query.contains(['"', '\\'])
        && !target.split('?').next().is_some_and(|path| path.contains(query))
        && !host.contains(query)
    {
        assert!(!shown.contains(query), "a query is in {shown}");
    }

    let signature = Fake::new().sign(prepared.signing_string().as_bytes()).expect("a signature");
    let signed = prepared.finish(&signature);
    let headers: Vec<(&str, &str)> = signed.headers().iter().map(|(n, v)| (*n, &**v)).collect();
    let received = request.headers(&headers);
    let options = VerifyOptions::new().expected_host(signed.get("host").expect("the host"));
    assert_eq!(verify(&received, &Fake::new(), &options, NOW), Ok(()));
});
