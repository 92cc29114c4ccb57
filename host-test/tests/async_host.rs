//! A host whose functions are async: the guest waits, the host's thread does not.
#![allow(clippy::unwrap_used)]

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{KeyOptions, NativeKey, PrivateKeyDer, SigningKey};
use ocisign_host_test::component;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine as Wasmtime, Store};

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "signing",
        imports: { default: async },
        exports: { default: async },
    });
}

use bindings::ocisign::signing::credentials::{CredentialSource, CredentialsError, Host, HostKey};
use bindings::ocisign::signing::types::{self, Body, DateHeader, Request};

/// A key service on a network, as far as waiting goes.
struct Remote {
    key: Arc<NativeKey>,
    waits: u32,
}

impl Remote {
    async fn wait(&mut self) {
        for _ in 0..3 {
            self.waits += 1;
            let mut polled = false;
            poll_fn(|context| {
                if polled {
                    return Poll::Ready(());
                }
                polled = true;
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }
}

impl types::Host for Remote {}

impl Host for Remote {
    async fn current(&mut self) -> Result<CredentialSource, CredentialsError> {
        self.wait().await;
        let key_id = "tenancy/user/fingerprint".into();
        Ok(CredentialSource::Host(HostKey { key_id, delegation_token: None, expires: None }))
    }

    async fn sign(
        &mut self,
        _: String,
        signing_string: String,
    ) -> Result<String, CredentialsError> {
        self.wait().await;
        let signature = self.key.sign(signing_string.as_bytes());
        signature.map(|bytes| STANDARD.encode(bytes)).map_err(|_| CredentialsError::Other(None))
    }
}

#[test]
fn a_host_that_awaits_signs_without_the_guest_knowing() {
    let pem = include_str!("../../vectors/keys/test-key.pem");
    let der = PrivateKeyDer::from_pem(pem, &KeyOptions::new()).unwrap();
    let key = Arc::new(NativeKey::new(&der).unwrap());
    let engine = Wasmtime::default();
    let component = component(&engine, "ocisign.wasm").unwrap();
    let mut linker = Linker::new(&engine);
    bindings::Signing::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host).unwrap();
    let mut store = Store::new(&engine, Remote { key: key.clone(), waits: 0 });
    let headers = pollster::block_on(async {
        let world = bindings::Signing::instantiate_async(&mut store, &component, &linker).await?;
        let request = Request {
            method: "GET".into(),
            url: "https://example.com/a".into(),
            headers: Vec::new(),
            body: Body::Empty,
            date_header: DateHeader::XDate,
        };
        world.ocisign_signing_signer().call_sign(&mut store, &request, 0).await
    });
    let headers = headers.unwrap().unwrap();
    let signing_string =
        "x-date: Thu, 01 Jan 1970 00:00:00 GMT\n(request-target): get /a\nhost: example.com";
    let signature = STANDARD.encode(key.sign(signing_string.as_bytes()).unwrap());
    assert!(headers.last().unwrap().value.ends_with(&format!("signature=\"{signature}\"")));
    assert_eq!(store.data().waits, 6);
}
