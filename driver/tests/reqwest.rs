//! `execute` signs, streams, and after a 401 refreshes and repeats once.
#![allow(clippy::unwrap_used, clippy::panic)]

mod clients;
mod emulated;

use clients::{
    ECHO, FEDERATION, REGIONS, Stream, UPLOAD, early, instance, object, refuse, start, stream, user,
};
use emulated::Emulated;
use ocisign::{Body, SendError};
use ocisign_emulator::{Emulator, Fault, FaultKind};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Request};

fn client(emulator: &Emulator) -> Client {
    client_that(emulator, Policy::none())
}

fn client_that(emulator: &Emulator, policy: Policy) -> Client {
    let pem = std::fs::read(emulator.ca_file()).unwrap();
    let authority = Certificate::from_pem(&pem).unwrap();
    let builder = Client::builder().no_proxy().redirect(policy).tls_certs_only([authority]);
    builder.build().unwrap()
}

fn post(base: &str) -> Request {
    let request = Client::new().post([base, ECHO].concat());
    request.header("content-type", "application/json").body(r#"{"a":1}"#).build().unwrap()
}

fn put(emulated: &Emulated, body: reqwest::Body) -> Request {
    let url = [emulated.emulator.url(), object(&emulated.emulator)].concat();
    Client::new().put(url).body(body).build().unwrap()
}

#[tokio::test]
async fn a_get_is_signed_as_reqwest_sends_it() {
    let emulated = start();
    let (client, signer) = (client(&emulated.emulator), user(&emulated));
    for target in [
        REGIONS,
        "/echo/a/./b/../c/%2E%2E/%2f%7E//",
        "/echo/a b;c=\u{e9}/!$&'()*+,=:@~/[]{}\"",
        "/echo?b=1&a=&flag&&b=%20+%zz%&'\u{e9} ?",
        "/echo?",
        "/echo/a#fragment",
    ] {
        let request = client.get([&emulated.emulator.url(), target].concat()).build().unwrap();
        let response = signer.execute(&client, request).await.unwrap();
        assert_eq!(response.status(), 200, "{target}: {:?}", emulated.emulator.log().last());
    }
}

#[tokio::test]
async fn a_body_of_bytes_is_signed_and_that_of_a_get_is_not() {
    let emulated = start();
    let (client, signer) = (client(&emulated.emulator), user(&emulated));
    let response = signer.execute(&client, post(&emulated.emulator.url())).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = reqwest::Body::wrap(stream());
    let request = client.delete([&emulated.emulator.url(), ECHO].concat()).body(body);
    let response = signer.execute(&client, request.build().unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn an_upload_streams_unsigned_in_constant_memory() {
    let emulated = start();
    let (client, signer) = (client(&emulated.emulator), user(&emulated));
    let (body, held) = Stream::new(UPLOAD);
    let request = put(&emulated, reqwest::Body::wrap(body));
    let url = request.url().clone();
    let response = signer.execute_with(&client, request, Body::Unsigned).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(held.most() <= 4 << 20, "{}", held.most());

    let response = signer.execute(&client, client.get(url).build().unwrap()).await.unwrap();
    assert_eq!(response.content_length(), Some(UPLOAD as u64));
}

#[tokio::test]
async fn after_a_401_the_credential_is_refreshed_and_the_request_sent_again() {
    let emulated = start();
    refuse(&emulated.emulator, "POST /echo", Some(1));
    let (client, signer) = (client(&emulated.emulator), instance(&emulated));
    let response = signer.execute(&client, post(&emulated.emulator.url())).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!((emulated.count("POST", ECHO), emulated.count("POST", FEDERATION)), (2, 2));
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let emulated = start();
    refuse(&emulated.emulator, "POST /echo", None);
    let (client, signer) = (client(&emulated.emulator), instance(&emulated));
    let response = signer.execute(&client, post(&emulated.emulator.url())).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!((emulated.count("POST", ECHO), emulated.count("POST", FEDERATION)), (2, 2));
}

#[tokio::test]
async fn a_stream_is_sent_once_and_bytes_that_are_not_signed_twice() {
    let emulated = start();
    let (client, signer) = (client(&emulated.emulator), instance(&emulated));
    refuse(&emulated.emulator, "PUT *", Some(1));
    let request = put(&emulated, reqwest::Body::wrap(stream()));
    let response = signer.execute_with(&client, request, Body::Unsigned).await.unwrap();
    assert_eq!((response.status().as_u16(), signer.status().generation), (401, 2));

    let signer = instance(&emulated);
    refuse(&emulated.emulator, "PUT *", Some(1));
    let request = put(&emulated, "bytes".into());
    let response = signer.execute_with(&client, request, Body::Unsigned).await.unwrap();
    assert_eq!((response.status().as_u16(), signer.status().generation), (200, 2));
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_a_server_that_proved_its_name_alone() {
    let emulated = start();
    let client = client(&emulated.emulator);
    for (base, status, offset) in
        [(emulated.emulator.url(), 401, 0), (emulated.emulator.tls_url(), 200, -360)]
    {
        let signer = early(&emulated);
        let response = signer.execute(&client, post(&base)).await.unwrap();
        assert_eq!(response.status(), status);
        assert!(signer.status().clock_offset.abs_diff(offset) <= 2, "{:?}", signer.status());
    }
}

#[tokio::test]
async fn a_redirect_is_the_answer_and_a_401_behind_one_is_not_the_signers() {
    let emulated = start();
    let signer = instance(&emulated);
    let location = Some([&emulated.emulator.url(), "/20160918/vcns"].concat());
    let (on, kind) = ("GET /20160918/regions".into(), FaultKind::Redirect);
    emulated.emulator.set_faults(vec![Fault { on, kind, location, ..Fault::default() }]);
    for (policy, status) in [(Policy::none(), 307), (Policy::default(), 401)] {
        let client = client_that(&emulated.emulator, policy);
        let request = client.get([&emulated.emulator.url(), REGIONS].concat()).build().unwrap();
        let response = signer.execute(&client, request).await.unwrap();
        assert_eq!(response.status(), status);
    }
    assert_eq!((emulated.count("GET", REGIONS), emulated.count("POST", FEDERATION)), (2, 1));
}

#[tokio::test]
async fn each_failure_has_its_code() {
    let emulated = start();
    let client = client(&emulated.emulator);
    let nobody = emulated.builder(ocisign::ConfigSource::new().profile("NOBODY")).build();
    let error = nobody.execute(&client, post(&emulated.emulator.url())).await.unwrap_err();
    assert_eq!(error.code(), "PROFILE_NOT_FOUND");

    let signer = user(&emulated);
    let error = signer.execute(&client, put(&emulated, reqwest::Body::wrap(stream()))).await;
    assert_eq!(error.unwrap_err().code(), "BODY_UNKNOWN");
    let error = signer.execute(&client, post("http://127.0.0.1:1")).await.unwrap_err();
    assert_eq!(error.code(), "CLIENT_FAILED");
    let SendError::Client(error) = error else { panic!("{error}") };
    assert!(error.downcast_ref::<reqwest::Error>().unwrap().is_connect());
    assert!(emulated.emulator.log().is_empty());
}
