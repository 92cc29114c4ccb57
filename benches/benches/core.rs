//! The core and the native key, beside the bare RSA operation and the crate `reqsign-oracle`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ocisign::{
    KeyId, NativeVerifyingKey, Request, SigningKey, VerifyOptions, VerifyingKey, examine, prepare,
    sign,
};
use ocisign_benches::{
    ConstantKey, GET_URL, KEY_ID, NOW, PKCS8_FILE, credential, der, get, native_key, post,
};
use ocisign_core::RsaKey;
use reqsign_core::{Context, FileRead, Result as ReqsignResult, SignRequest};

/// Everything but RSA: the key's signature is a constant.
fn without_rsa(c: &mut Criterion) {
    let constant = credential(ConstantKey::default()).unwrap();
    let key_id = KeyId::new(KEY_ID).unwrap();
    let mut group = c.benchmark_group("without RSA");
    for (name, request) in [("GET", get()), ("POST 1 KiB", post())] {
        group.bench_function(format!("sign {name}"), |b| {
            b.iter(|| sign(black_box(&request), &constant, NOW).unwrap());
        });
        group.bench_function(format!("prepare and finish {name}"), |b| {
            b.iter(|| prepare(black_box(&request), &key_id, NOW).unwrap().finish(&[0xa5; 256]));
        });
        let signed = sign(&request, &constant, NOW).unwrap();
        let mut headers = request.headers.to_vec();
        headers.retain(|header| signed.get(header.0).is_none());
        headers.extend(signed.headers().iter().map(|(name, value)| (*name, value.as_str())));
        let received =
            Request::new(request.method, request.url).headers(&headers).body(request.body);
        group.bench_function(format!("examine {name}"), |b| {
            b.iter(|| examine(black_box(&received), &VerifyOptions::new(), NOW).unwrap());
        });
    }
    group.finish();
}

/// With a key of 2,048 bits.
fn with_rsa(c: &mut Criterion) {
    let mut group = c.benchmark_group("RSA-2048");
    let native = native_key().unwrap();
    group.bench_function("bare AWS-LC", |b| b.iter(|| native.sign(black_box(b"message")).unwrap()));
    let pure = RsaKey::new(&der().unwrap()).unwrap();
    group.bench_function("bare crate rsa 0.10, blinded", |b| {
        b.iter(|| pure.sign(black_box(b"message")).unwrap());
    });
    let credential = credential(native_key().unwrap()).unwrap();
    group.bench_function("ocisign sign GET", |b| {
        b.iter(|| sign(black_box(&get()), &credential, NOW).unwrap());
    });
    let (signature, public) =
        (native.sign(b"message").unwrap(), NativeVerifyingKey::new(native.public_key()).unwrap());
    group.bench_function("verify, AWS-LC", |b| {
        b.iter(|| assert!(public.verify(black_box(b"message"), &signature)));
    });

    // It reads the key file and parses the key for each request; there is no other way in.
    let (signer, context) =
        (reqsign_oracle::RequestSigner::new(), Context::new().with_file_read(Files));
    let mut parts = KEY_ID.split('/').map(String::from);
    let rival = reqsign_oracle::Credential {
        tenancy: parts.next().unwrap(),
        user: parts.next().unwrap(),
        fingerprint: parts.next().unwrap(),
        key_file: PKCS8_FILE.into(),
        expires_in: None,
    };
    group.bench_function("reqsign-oracle sign GET", |b| {
        b.iter(|| {
            let request = http::Request::get(black_box(GET_URL)).body(()).unwrap();
            let mut parts = request.into_parts().0;
            pollster::block_on(signer.sign_request(&context, &mut parts, Some(&rival), None))
                .unwrap();
            parts
        });
    });
    group.finish();
}

#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> ReqsignResult<Vec<u8>> {
        Ok(std::fs::read(path).unwrap())
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(4));
    targets = without_rsa, with_rsa
}
criterion_main!(benches);
