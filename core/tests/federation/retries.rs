//! Asking twice, asking again, and waiting.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ocisign_core::{Exchange, HttpAnswer, InstancePrincipal, KeyBackend, Step, TransportFault};

use crate::drive::{Reply, run};
use crate::made::{NOW, QuickKeys};
use crate::world::{
    self, ENTROPY, answer, exchange_of, exchanges, instance, nested, phoenix, resource_principal,
};

#[test]
fn a_server_in_trouble_is_asked_after_one_to_three_and_two_to_six_seconds() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..=255 {
        let exchange =
            Exchange::instance_principal(InstancePrincipal::new(), world::keys(), [seed; 32]);
        let run = run(exchange, |_| Ok(Reply::new(503, "")));
        assert_eq!(run.requests.len(), 3);
        let [first, second] = run.waits[..] else { panic!("{:?}", run.waits) };
        assert!((1..=3).contains(&first) && (2..=6).contains(&second), "{first} {second}");
        seen.insert((first, second));
    }
    // Those who failed together do not meet again.
    assert!(seen.len() > 10, "{seen:?}");
}

#[test]
fn what_the_server_asks_for_is_waited_up_to_ten_seconds_and_else_told() {
    for (value, least, told) in [
        ("7", 7, Some(7)),
        (" 10 ", 10, Some(10)),
        ("0", 1, Some(0)),
        ("18446744073709551616", 1, None),
        ("-1", 1, None),
        ("soon", 1, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1, None),
    ] {
        let run = run(instance(), |_| Ok(Reply::new(429, "").header("Retry-After", value)));
        assert_eq!(run.requests.len(), 3);
        assert!((least..=least + 3).contains(&run.waits[0]), "{value}: {:?}", run.waits);
        assert_eq!(run.exchange.retry_after(), told.map(Duration::from_secs), "{value}");
    }
    // While it waits, others wait for it: a longer pause is between two exchanges.
    for (value, told) in [("11", 11), ("86400", 86_400), ("18446744073709551615", u64::MAX)] {
        let run = run(instance(), |_| Ok(Reply::new(429, "").header("Retry-After", value)));
        assert_eq!((run.requests.len(), run.waits.len()), (1, 0));
        assert_eq!(run.error().code(), "EXCHANGE_REFUSED");
        assert_eq!(run.exchange.retry_after(), Some(Duration::from_secs(told)));
    }
}

#[test]
fn each_call_has_three_attempts_of_its_own() {
    let mut before = String::new();
    let mut times = 0;
    let run = run(instance(), |request| {
        times = if before == request.url { times + 1 } else { 1 };
        before.clone_from(&request.url);
        if times < 3 { Err(TransportFault::Timeout) } else { answer(request) }
    });
    run.ready();
    assert_eq!((run.requests.len(), run.waits.len()), (15, 10));
}

#[test]
fn until_the_wait_is_over_there_is_nothing_to_send_and_a_clock_set_back_does_not_prolong_it() {
    let mut exchange = instance();
    exchange.receive(Err(TransportFault::Connection), NOW);
    let Ok(Step::Wait(until)) = exchange.next_step(NOW) else { panic!("it waits") };
    assert!(matches!(exchange.next_step(until - 1), Ok(Step::Wait(same)) if same == until));
    assert!(matches!(exchange.next_step(until), Ok(Step::Send(_))));
    assert!(matches!(exchange.next_step(u64::MAX), Ok(Step::Send(_))));
    assert!(matches!(exchange.next_step(until - 302), Ok(Step::Send(_))));
    assert!(matches!(exchange.next_step(0), Ok(Step::Send(_))));
}

#[test]
fn the_end_of_time_is_no_panic() {
    let mut exchange = instance();
    exchange.receive(Err(TransportFault::Connection), u64::MAX);
    assert!(exchange.next_step(u64::MAX).is_ok());
    let error = world::refresh().next_step(u64::MAX).unwrap_err();
    assert_eq!(error.code(), "INVALID_DATE");
}

#[test]
fn what_is_received_after_the_end_changes_nothing() {
    for (name, exchange) in exchanges() {
        let good = run(exchange(), answer);
        let mut exchange = good.exchange;
        let (region, retry) = (exchange.region().cloned(), exchange.retry_after());
        for answer in [
            Err(TransportFault::Tls),
            Ok(HttpAnswer { status: 500, headers: &[("retry-after", "9")], body: b"" }),
            Ok(HttpAnswer { status: 200, headers: &[], body: b"{\"token\":\"a.b.c\"}" }),
        ] {
            exchange.receive(answer, NOW);
            let Ok(Step::Ready(credential)) = exchange.next_step(NOW) else { panic!("{name}") };
            assert!(Arc::ptr_eq(&credential, good.result.as_ref().unwrap()), "{name}");
            assert_eq!(
                (exchange.region().cloned(), exchange.retry_after()),
                (region.clone(), retry)
            );
        }
    }
    for (name, exchange) in exchanges() {
        let bad = run(exchange(), |_| Ok(Reply::new(403, "")));
        let Err(error) = bad.result else { continue };
        let mut exchange = bad.exchange;
        exchange.receive(Ok(HttpAnswer { status: 200, headers: &[], body: b"phx" }), NOW);
        assert_eq!(exchange.next_step(NOW + 1_000).unwrap_err(), error, "{name}");
    }
}

#[test]
fn a_401_by_a_clock_that_is_wrong_is_asked_again_once_and_at_once() {
    for (date, url, requests) in [
        ("Sat, 01 Jun 2024 00:05:00 GMT", world::AUTH, 2),
        ("Fri, 31 May 2024 23:55:00 GMT", world::AUTH, 2),
        ("Sun, 01 Jun 2025 00:00:00 GMT", world::AUTH, 2),
        ("Thu, 01 Jan 1970 00:00:00 GMT", world::AUTH, 2),
        ("Sat, 01 Jun 2024 00:04:59 GMT", world::AUTH, 1),
        ("Fri, 31 May 2024 23:55:01 GMT", world::AUTH, 1),
        ("yesterday", world::AUTH, 1),
        ("Sun, 01 Jun 2025 00:00:00 GMT", "http://auth.example.com", 1),
    ] {
        let instance = InstancePrincipal::new().federation(url).region(phoenix());
        let exchange = Exchange::instance_principal(instance, world::keys(), ENTROPY);
        let run = run(exchange, |request| match request.method {
            "POST" => Ok(Reply::new(401, "").header("Date", date)),
            _ => answer(request),
        });
        assert_eq!(run.requests.len(), 3 + requests, "{date} {url}");
        assert!(run.waits.is_empty(), "{date} {url}");
        assert_eq!(run.error().code(), "EXCHANGE_REFUSED");
    }
}

/// Whoever drives it reads the `Date` and tells the time by it: the clock jumps, by any span.
#[test]
fn with_the_servers_time_the_second_request_is_signed_at_once() {
    for offset in [-86_400, -302, -301, -300, 300, 301, 86_400_i64] {
        let server = NOW;
        let wrong = server.checked_add_signed(offset).unwrap();
        let mut exchange = world::refresh();
        let Ok(Step::Send(first)) = exchange.next_step(wrong) else { panic!("it sends") };
        let headers = [("date", "Sat, 01 Jun 2024 00:00:00 GMT")];
        exchange.receive(Ok(HttpAnswer { status: 401, headers: &headers, body: b"" }), wrong);
        let Ok(Step::Send(second)) = exchange.next_step(server) else { panic!("{offset}") };
        assert_ne!(first.header("date"), second.header("date"));
        assert_eq!(second.header("date"), Some(headers[0].1));
    }
}

#[test]
fn a_token_is_judged_by_the_servers_clock_where_tls_says_whose_it_is() {
    // This clock is a day ahead, by which the token has expired.
    let ahead = NOW + 86_400;
    for (url, expected) in [(world::AUTH, Ok(())), ("http://auth.example.com", Err("EXPIRED"))] {
        let instance = InstancePrincipal::new().federation(url).region(phoenix());
        let exchange = Exchange::instance_principal(instance, world::keys(), ENTROPY);
        let run = crate::drive::run_at(exchange, [ahead, ahead], |request| {
            let date = "Sat, 01 Jun 2024 00:00:00 GMT";
            Ok(answer(request).unwrap().header("date", date))
        });
        assert_eq!(run.result.map(drop).map_err(|error| error.code()), expected, "{url}");
    }
}

#[test]
fn one_session_key_is_made_in_an_exchange_and_none_where_none_is_needed() {
    let counted = |make: &dyn Fn(Arc<dyn KeyBackend>) -> Exchange| {
        let keys = Arc::new(QuickKeys::default());
        run(make(keys.clone()), answer).ready();
        keys.made.load(Ordering::Relaxed)
    };
    let instance = |keys| Exchange::instance_principal(InstancePrincipal::new(), keys, ENTROPY);
    assert_eq!(counted(&instance), 1);
    for (leaf, made) in [("1.1", 1), ("2.1", 1), ("2.2", 1)] {
        let resource = |keys| {
            let resource = resource_principal(&nested(leaf)).unwrap();
            Exchange::resource_principal(resource, keys, ENTROPY)
        };
        assert_eq!(counted(&resource), made, "{leaf}");
    }
    for (version, made) in [("1.1", 1), ("2.1", 0), ("2.1.1", 0), ("2.1.2", 0), ("2.2", 0)] {
        let resource = |keys| {
            let resource = resource_principal(&world::complete(version)).unwrap();
            Exchange::resource_principal(resource, keys, ENTROPY)
        };
        assert_eq!(counted(&resource), made, "{version}");
    }
}

#[test]
fn parents_are_asked_until_none_is_named() {
    for parents in 1..=10 {
        let run = run(exchange_of(resource_principal(&nested("2.2"))), climb(parents));
        run.ready();
        assert_eq!(run.requests.len(), 2 * parents);
    }
}

#[test]
fn eleven_parents_and_a_parent_that_was_there_before_are_refused() {
    let exchange = || exchange_of(resource_principal(&nested("2.2")));
    let eleven = run(exchange(), climb(11));
    assert_eq!((eleven.error().code(), eleven.requests.len()), ("PARENT_LOOP", 20));
    for (named, calls) in [(world::PARENT, 2), ("https://parent.example.com/rpt/2", 4)] {
        let run = run(exchange(), |request| {
            Ok(answer(request).unwrap().header("Opc-Parent-Rpt-Url", named))
        });
        assert_eq!((run.error().code(), run.requests.len()), ("PARENT_LOOP", calls));
        let call = format!("POST {}/v1/resourcePrincipalSessionToken", world::AUTH);
        assert_eq!(run.error().call, call);
    }
}

#[test]
fn a_parent_that_is_no_url_is_an_invalid_url_and_an_empty_one_is_none() {
    for named in
        ["parent", "ftp://h/", "https://user:a-password-of-somebody@h/", "/rpt", "https://h/\u{7f}"]
    {
        let run = run(exchange_of(resource_principal(&nested("2.2"))), |request| {
            Ok(answer(request).unwrap().header("opc-parent-rpt-url", named))
        });
        assert_eq!((run.error().code(), &*run.error().call), ("INVALID_URL", "GET"), "{named}");
        assert!(!format!("{:?} {}", run.error(), run.error()).contains("a-password"));
    }
    let run = run(exchange_of(resource_principal(&nested("2.2"))), |request| {
        Ok(answer(request).unwrap().header("opc-parent-rpt-url", " "))
    });
    run.ready();
}

#[test]
fn what_was_asked_over_tls_does_not_go_on_without_it() {
    let run = run(exchange_of(resource_principal(&nested("2.2"))), |request| {
        Ok(answer(request).unwrap().header("opc-parent-rpt-url", "HTTP://parent.example.com/rpt"))
    });
    assert_eq!(
        run.error().to_string().split(": ").last(),
        Some("the answer is not a parent's URL over https")
    );
}

/// A resource within so many others.
fn climb(parents: usize) -> impl FnMut(&ocisign_core::HttpRequest) -> crate::drive::Replied {
    let mut above = 0;
    move |request| {
        let reply = answer(request).unwrap();
        if request.method == "POST" {
            return Ok(reply);
        }
        above += 1;
        let url = format!("https://parent.example.com/rpt/{}", above + 1);
        Ok(if above < parents { reply.header("opc-parent-rpt-url", &url) } else { reply })
    }
}
