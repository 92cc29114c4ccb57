//! Many at once: rotations under load, leaders that fail, herds, refusals, cancelled tasks.
//! `STORM=full` runs the long form.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod emulated;
mod faults;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use emulated::Emulated;
use faults::{
    KEY, OTHER_KEY, Virtual, asked, full, key, numbered, numbers, request, token, until, verifies,
};
use ocisign::{Credential, InstanceSource, Refusal, SignError, Signer, SourceError};
use ocisign_emulator::Config;

const THREADS: usize = 64;
const PLAIN: Refusal<'static> = Refusal::new(None, b"");

/// Sign on 64 threads while another one rotates, so that the rotations spread over all of it.
fn storm(
    signer: &Signer,
    signatures: usize,
    rotations: usize,
    check: impl Fn(&ocisign::Signed) + Sync,
) {
    let (made, start) = (AtomicUsize::new(0), Instant::now());
    signer.warm().unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while made.fetch_add(1, Ordering::Relaxed) < signatures {
                    check(&signer.sign(&request()).unwrap());
                }
            });
        }
        for rotation in 1..rotations {
            while made.load(Ordering::Relaxed) < rotation * signatures / rotations {
                thread::yield_now();
            }
            signer.refresh().unwrap();
        }
    });
    let generation = signer.status().generation;
    println!(
        "{signatures} signatures, {generation} generations, {THREADS} threads, 0 mismatches, {:.1} s",
        start.elapsed().as_secs_f64()
    );
    assert_eq!(generation, rotations as u64);
}

#[test]
fn case_1_a_key_signs_only_under_its_own_key_id_whatever_rotates() {
    let (signatures, rotations) = if full() { (1_000_000, 1_000) } else { (20_000, 100) };
    let made = AtomicUsize::new(0);
    let signer = Signer::from_fn(move || {
        Ok::<_, SignError>(numbered(made.fetch_add(1, Ordering::SeqCst) as u64 + 1))
    });
    storm(&signer, signatures, rotations, |signed| {
        assert_eq!(numbers(signed), (signed.generation(), signed.generation()));
    });
}

#[test]
fn case_1_signatures_of_real_keys_verify_with_the_key_of_their_token() {
    let (signatures, rotations) = if full() { (40_000, 1_000) } else { (600, 30) };
    let made = AtomicUsize::new(0);
    let signer = Signer::from_fn(move || {
        let number = made.fetch_add(1, Ordering::SeqCst);
        let pem = if number.is_multiple_of(2) { KEY } else { OTHER_KEY };
        Credential::security_token(&token(pem, 4_102_444_800, &number.to_string()), key(pem))
    });
    storm(&signer, signatures, rotations, |signed| assert!(verifies(signed)));
}

#[test]
fn case_3_a_leader_that_panics_stops_nobody_and_is_followed_by_another() {
    let (clock, entered) = (Virtual::new(), Arc::new(Barrier::new(2)));
    let at = entered.clone();
    let (signer, times) = asked(&clock, move |time| {
        if time == 1 {
            at.wait();
            thread::sleep(Duration::from_millis(100)); // until the others follow
            panic!("the source's own");
        }
        Ok(numbered(1))
    });
    thread::scope(|scope| {
        let leader = scope.spawn(|| catch_unwind(AssertUnwindSafe(|| signer.sign(&request()))));
        entered.wait();
        let followers: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let start = Instant::now();
                    (signer.sign(&request()).unwrap_err().code(), start.elapsed())
                })
            })
            .collect();
        assert!(leader.join().unwrap().is_err());
        for follower in followers {
            let (code, waited) = follower.join().unwrap();
            assert_eq!(code, "REFRESH_STOPPED");
            assert!(waited < Duration::from_millis(1_100), "{waited:?}");
        }
    });
    assert_eq!((signer.status().failures, times.load(Ordering::SeqCst)), (1, 1));
    clock.advance(2);
    assert_eq!(signer.sign(&request()).unwrap().generation(), 1);
}

#[test]
fn case_3_a_background_refresh_that_panics_is_tried_again_while_the_old_signs() {
    let clock = Virtual::new();
    let expires = clock.time() + 1_200;
    let (signer, times) = asked(&clock, move |time| match time {
        2 => panic!("the source's own"),
        number => Ok(numbered(number as u64).with_expiry(expires + 1_000)),
    });
    signer.warm().unwrap();
    clock.advance(1_300);
    assert_eq!(signer.sign(&request()).unwrap().generation(), 1);
    until("the refresh failed", || signer.status().failures == 1);
    clock.advance(2);
    assert_eq!(signer.sign(&request()).unwrap().generation(), 1);
    until("the next one did not", || signer.status().generation == 2);
    assert_eq!(times.load(Ordering::SeqCst), 3);
}

#[test]
fn case_3_who_follows_a_leader_that_hangs_goes_on_a_second_after_its_lease() {
    let clock = Virtual::new();
    let (hang, freed) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let (hanging, free) = (hang.clone(), freed.clone());
    let (signer, times) = asked(&clock, move |time| {
        while time == 1 && hanging.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        if time == 1 {
            free.store(true, Ordering::SeqCst);
        }
        Ok(numbered(time as u64))
    });
    thread::scope(|scope| {
        scope.spawn(|| signer.sign(&request()).unwrap());
        until("the leader leads", || times.load(Ordering::SeqCst) == 1);
        let blocking: Vec<_> =
            (0..8).map(|_| scope.spawn(|| signer.sign(&request()).unwrap())).collect();
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(signer.sign_async(&request())).unwrap()
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        assert_eq!(times.load(Ordering::SeqCst), 1);
        clock.advance(121);
        let start = Instant::now();
        for follower in blocking.into_iter().chain(waiting) {
            assert_eq!(numbers(&follower.join().unwrap()), (2, 2));
        }
        assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
        hang.store(false, Ordering::SeqCst);
    });
    // What came late undid nothing.
    assert!(freed.load(Ordering::SeqCst));
    assert_eq!(numbers(&signer.sign(&request()).unwrap()), (2, 2));
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

#[test]
fn case_4_a_thousand_tasks_at_half_life_make_one_federation_and_wait_for_none() {
    let emulated = Emulated::start(Config::default());
    let clock = Virtual::new();
    let signer = emulated.builder(InstanceSource::new()).clock(clock.clone()).build();
    signer.warm().unwrap();
    assert_eq!(emulated.count("POST", "/v1/x509"), 1);
    clock.advance(700);
    emulated.emulator.set_time(i64::try_from(clock.time()).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let signer = signer.clone();
            runtime.spawn(async move {
                let start = Instant::now();
                signer.sign_async(&request()).await.unwrap();
                start.elapsed()
            })
        })
        .collect();
    let mut took: Vec<_> = tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).collect();
    took.sort();
    until("the refresh succeeded", || signer.status().generation == 2);
    println!("p50 {:?}, p99 {:?}, longest {:?}", took[500], took[990], took[999]);
    assert_eq!(emulated.count("POST", "/v1/x509"), 2);
}

#[test]
fn case_4_sixty_four_threads_at_the_start_make_one_federation() {
    let emulated = Emulated::start(Config::default());
    let signer = emulated.builder(InstanceSource::new()).build();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                assert_eq!(signer.sign(&request()).unwrap().generation(), 1);
            });
        }
    });
    assert_eq!(emulated.count("POST", "/v1/x509"), 1);
}

#[test]
fn case_20_thirty_two_threads_that_are_refused_make_one_refresh() {
    let clock = Virtual::new();
    let (signer, times) = asked(&clock, |time| {
        thread::sleep(Duration::from_millis(20));
        Ok(numbered(time as u64))
    });
    let start = Barrier::new(32);
    signer.warm().unwrap();
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let signed = signer.sign(&request()).unwrap();
                start.wait();
                assert!(signer.on_unauthorized(&signed, &PLAIN));
                assert_eq!(signer.sign(&request()).unwrap().generation(), 2);
            });
        }
    });
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

#[test]
fn case_20_a_server_that_refuses_for_ever_is_refreshed_for_once_in_ten_seconds() {
    let clock = Virtual::new();
    let (signer, times) = asked(&clock, |time| Ok(numbered(time as u64)));
    for second in 0..60 {
        let signed = signer.sign(&request()).unwrap();
        let again = signer.on_unauthorized(&signed, &PLAIN);
        assert_eq!(again, second % 10 == 0, "{second}");
        clock.advance(1);
    }
    assert_eq!(times.load(Ordering::SeqCst), 1 + 6);
}

#[test]
fn case_20_a_refresh_that_brings_the_same_lets_the_refusal_stand() {
    let clock = Virtual::new();
    let (signer, times) = asked(&clock, |_| Ok(numbered(1)));
    let signed = signer.sign(&request()).unwrap();
    for _ in 0..5 {
        assert!(!signer.on_unauthorized(&signed, &PLAIN));
    }
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

/// Poll so often at most, then drop. Whether it came to its end.
fn poll_then_drop<T>(times: usize, future: impl Future<Output = T>) -> bool {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    (0..times).any(|_| {
        let ready = matches!(future.as_mut().poll(&mut context), Poll::Ready(_));
        thread::sleep(Duration::from_millis(3));
        ready
    })
}

#[test]
fn case_26_a_task_that_is_dropped_at_any_await_leaves_nothing_behind() {
    let mut ends = 0;
    for polls in 0..12 {
        let clock = Virtual::new();
        let (signer, times) = asked(&clock, |time| {
            thread::sleep(Duration::from_millis(15));
            Ok(numbered(time as u64))
        });
        let wanted = request();
        ends += usize::from(poll_then_drop(polls, signer.warm_async()));
        ends += usize::from(poll_then_drop(polls, signer.sign_async(&wanted)));
        let signed = signer.sign(&request()).unwrap();
        assert_eq!(numbers(&signed), (1, 1), "{polls}");
        assert_eq!(times.load(Ordering::SeqCst), 1, "{polls}");

        ends += usize::from(poll_then_drop(polls, signer.on_unauthorized_async(&signed, &PLAIN)));
        // Dropped before its first poll it asked for nothing: then this one does.
        assert!(signer.on_unauthorized(&signed, &PLAIN), "{polls}");
        assert_eq!(numbers(&signer.sign(&request()).unwrap()), (2, 2), "{polls}");
        assert_eq!((times.load(Ordering::SeqCst), signer.status().failures), (2, 0), "{polls}");
        clock.advance(901);
        ends += usize::from(poll_then_drop(polls, signer.on_not_found_async(&signed)));
        signer.refresh().unwrap();
        assert!(signer.status().valid);
    }
    assert!((4..44).contains(&ends), "{ends}");
}

#[test]
fn case_26_a_task_that_waits_for_a_failing_refresh_hears_of_it() {
    let clock = Virtual::new();
    let (signer, _) = asked(&clock, |_| Err(SourceError::Other("no".into())));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(signer.warm_async()).unwrap_err();
    assert_eq!(error.code(), "SOURCE_FAILED");
}
