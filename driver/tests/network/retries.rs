//! Servers that ask to be left alone (22).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ocisign::{Clock, InstanceSource, SignerError};
use ocisign_emulator::Config;

use crate::emulated::Emulated;
use crate::server::{Server, forward, http};
use crate::watch::{Seen, signer};

/// An instance whose federation answers like this, so often, and then well.
struct Throttled {
    emulated: Emulated,
    seen: Seen,
    left: Arc<AtomicU32>,
    federation: Server,
}

impl Throttled {
    fn new(status: u16, headers: &str) -> Self {
        // The signer's clock runs ahead when it waits; the emulator's does not.
        let hosts = vec!["127.0.0.1".into()];
        let emulated = Emulated::start(Config { hosts, skew: 1_000_000, ..Config::default() });
        let left = Arc::new(AtomicU32::new(0));
        let (count, url) = (left.clone(), emulated.emulator.url());
        let answer = Mutex::new(http(status, headers, b"{\"code\":\"TooManyRequests\"}"));
        let federation = Server::start(move |heard| {
            let order = Ordering::SeqCst;
            match count.fetch_update(order, order, |left: u32| left.checked_sub(1)) {
                Ok(_) => answer.lock().unwrap().clone(),
                Err(_) => forward(&url, heard),
            }
        });
        let url = federation.url();
        let environment = emulated.environment(&[("OCI_SDK_AUTH_CLIENT_REGION_URL", &url)]);
        let seen = signer(environment, InstanceSource::new());
        Self { emulated, seen, left, federation }
    }

    fn fail(&self, times: u32) {
        self.left.store(times, Ordering::SeqCst);
    }
}

fn seconds(range: std::ops::Range<u64>) -> std::ops::Range<Duration> {
    Duration::from_secs(range.start)..Duration::from_secs(range.end)
}

#[test]
fn case_22_what_a_server_asks_for_is_waited_for_up_to_ten_seconds() {
    for (status, asked, waited) in [
        (503, "Retry-After: 7\r\n", 7..10),
        // A date, or nothing that it could be: as if it had said nothing.
        (429, "retry-after: Fri, 31 Dec 2100 23:59:59 GMT\r\n", 1..7),
        (500, "", 1..7),
    ] {
        let throttled = Throttled::new(status, asked);
        throttled.fail(2);
        let (answered, _) =
            throttled.emulated.get(&throttled.seen.signer, "/20160918/regions").unwrap();
        assert_eq!(answered, 200);
        let sleeps = throttled.seen.clock.sleeps();
        assert_eq!(sleeps.len(), 2);
        for sleep in sleeps {
            assert!(seconds(waited.clone()).contains(&sleep), "{status} {asked}: {sleep:?}");
        }
        assert_eq!(throttled.federation.heard().len(), 3);
    }
}

#[test]
fn case_22_a_server_that_asks_for_longer_is_left_alone_and_nobody_sleeps_for_it() {
    let throttled = Throttled::new(429, "retry-after: 120\r\n");
    let seen = &throttled.seen;
    throttled.fail(1);
    let error = seen.signer.warm().unwrap_err();
    assert_eq!(error.code(), "EXCHANGE_REFUSED");
    assert!(error.to_string().ends_with("/v1/x509: answered 429 TooManyRequests"), "{error}");
    let SignerError::NoCredential(source) = &error else { panic!("{error}") };
    assert_eq!(source.retry_after(), Some(Duration::from_mins(2)));
    for _ in 0..100 {
        seen.signer.warm().unwrap_err();
    }
    assert!(seen.clock.sleeps().is_empty());
    seen.clock.skip(Duration::from_secs(115));
    seen.signer.warm().unwrap_err();
    assert_eq!(throttled.federation.heard().len(), 1);
    seen.clock.skip(Duration::from_secs(6));
    seen.signer.warm().unwrap();
    assert_eq!(throttled.federation.heard().len(), 2);
}

#[test]
fn case_22_a_success_ends_the_waiting_and_the_next_failure_starts_anew() {
    let throttled = Throttled::new(500, "");
    let seen = &throttled.seen;
    for failures in 1..=6 {
        throttled.fail(3);
        seen.signer.refresh().unwrap_err();
        assert_eq!(seen.signer.status().failures, failures);
    }
    seen.signer.refresh().unwrap();
    assert_eq!((seen.signer.status().failures, seen.signer.status().generation), (0, 1));
    // The first wait again, and not the seventh: the token has run out, and a second later
    // there is another.
    seen.clock.skip(Duration::from_mins(21));
    throttled.emulated.emulator.set_time(seen.clock.now().time.cast_signed());
    throttled.fail(3);
    assert_eq!(seen.signer.warm().unwrap_err().code(), "EXPIRED");
    seen.clock.skip(Duration::from_millis(1_001));
    seen.signer.warm().unwrap();
    assert_eq!(seen.signer.status().generation, 2);
}

#[test]
fn case_22_clients_that_were_refused_together_do_not_come_back_together() {
    for headers in ["", "retry-after: 5\r\n"] {
        let waits: BTreeSet<Duration> = (0..12)
            .map(|_| {
                let throttled = Throttled::new(503, headers);
                throttled.fail(1);
                throttled.seen.signer.warm().unwrap();
                throttled.seen.clock.sleeps()[0]
            })
            .collect();
        assert!(waits.len() > 1, "{waits:?}");
    }
}
