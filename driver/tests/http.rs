//! Requests of the crate `http` are signed as they go on the wire.
#![allow(clippy::unwrap_used, clippy::panic)]

mod clients;
mod emulated;

use bytes::Bytes;
use clients::{REGIONS, early, start, user};
use http::{HeaderValue, Request};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use ocisign::{Body, Credential, KeyId, KeyOptions, NativeKey, PrivateKeyDer, sign_http};

const URL: &str = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns?a=%2f&&a=%zz";
const NOW: u64 = 1_704_110_645;

fn credential() -> Credential {
    let pem = include_str!("../../vectors/keys/test-key.pem");
    let key = NativeKey::new(&PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap()).unwrap();
    Credential::new(KeyId::new("tenancy/user/fingerprint").unwrap(), key)
}

async fn send(request: Request<Full<Bytes>>) -> u16 {
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap().status().as_u16()
}

#[test]
fn the_headers_are_those_of_core_on_a_request_and_on_its_parts() {
    let credential = credential();
    let body = Body::Bytes(b"{}");
    let expected =
        ocisign::sign(&ocisign::Request::new("POST", URL).body(body), &credential, NOW).unwrap();

    let mut request = Request::post(URL).header("authorization", "Bearer old").body(()).unwrap();
    let signed = sign_http(&mut request, body, &credential, NOW).unwrap();
    assert_eq!(signed.signing_string(), expected.signing_string());
    let (mut parts, ()) = Request::post(URL).body(()).unwrap().into_parts();
    sign_http(&mut parts, body, &credential, NOW).unwrap();
    for headers in [request.headers(), &parts.headers] {
        assert_eq!(headers.len(), expected.headers().len());
        for (name, value) in expected.headers() {
            assert_eq!(headers[*name], value.as_str());
        }
        assert!(headers["authorization"].is_sensitive());
    }
}

#[test]
fn what_cannot_be_signed_as_given_leaves_the_request_unchanged() {
    let credential = credential();
    let get = || Request::get(URL);
    let beyond_ascii = HeaderValue::from_bytes(b"text/\xe9").unwrap();
    for (request, code, message) in [
        (get().header("host", "a").header("host", "b"), "INVALID_HEADER", "header `host` can be"),
        (get().header("date", &beyond_ascii), "INVALID_HEADER", "header `date` holds"),
        (Request::post(URL).header("content-type", &beyond_ascii), "INVALID_HEADER", "header `c"),
        (Request::post(URL).header("content-length", 3), "INVALID_HEADER", "header `content-le"),
        (get().header("opc-obo-token", "t"), "INVALID_HEADER", "header `opc-obo-token` comes"),
        (Request::get("https://u:p@h/"), "INVALID_URL", "the URL carries a user name"),
        (Request::get("/path"), "INVALID_URL", "the URL does not start with"),
        (Request::get("*").header("host", "h"), "INVALID_URL", "the URL does not start with"),
        (Request::get("h:443").header("host", "h"), "INVALID_URL", "the URL does not start with"),
        (Request::get("https://h/\u{e9}"), "INVALID_URL", "the URL holds a character"),
    ] {
        let mut request = request.body(()).unwrap();
        let before = request.headers().clone();
        let error = sign_http(&mut request, Body::Empty, &credential, NOW).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(request.headers(), &before);
    }
}

#[test]
fn values_that_are_not_signed_are_left_alone() {
    let value = HeaderValue::from_bytes(b"\xe9\xff").unwrap();
    let mut request = Request::get(URL).header("x-other", &value).header("x-other", "b");
    request = request.header("content-type", &value);
    let mut request = request.body(()).unwrap();
    sign_http(&mut request, Body::Empty, &credential(), NOW).unwrap();
    assert_eq!(request.headers()["content-type"], value);
    assert_eq!(request.headers().get_all("x-other").iter().count(), 2);
}

#[test]
fn a_path_is_signed_with_the_host_that_goes_with_it() {
    let mut request = Request::get("/a?b").header("host", "h:8080").body(()).unwrap();
    let signed = sign_http(&mut request, Body::Empty, &credential(), NOW).unwrap();
    let lines = "(request-target): get /a?b\nhost: h:8080";
    assert!(signed.signing_string().ends_with(lines), "{}", signed.signing_string());
}

#[tokio::test]
async fn odd_urls_are_signed_as_hyper_sends_them() {
    let emulated = start();
    let signer = user(&emulated);
    for target in [
        "/echo/a/./b/../c/%2E%2E/%2f%7E//",
        "/echo/a;b=c/!$&'()*+,=:@~/|^[]{}\"\\",
        "/echo?b=1&a=&flag&&b=%20+%zz%&'?",
        "/echo?",
        "/echo/a#fragment",
    ] {
        let url = [&emulated.emulator.url(), target].concat();
        let mut request = Request::get(&url).body(Full::default()).unwrap();
        signer.sign_http_async(&mut request, Body::Empty).await.unwrap();
        assert_eq!(send(request).await, 200, "{target}: {:?}", emulated.emulator.log().last());
    }
}

#[tokio::test]
async fn a_copy_that_is_not_signed_can_be_signed_by_another_clock() {
    let emulated = start();
    let url = [&emulated.emulator.url(), REGIONS].concat();
    let request = Request::get(&url).body(Full::default()).unwrap();
    for (signer, status) in [(early(&emulated), 401), (user(&emulated), 200)] {
        let mut copy = request.clone();
        let signed = signer.sign_http(&mut copy, Body::Empty).unwrap();
        assert_eq!(signed.generation(), 1);
        assert_eq!(send(copy).await, status);
    }
}
