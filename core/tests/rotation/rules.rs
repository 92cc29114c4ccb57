//! When a refresh is due, who makes it, and what it changes.

use std::sync::Arc;
use std::time::Duration;

use ocisign_core::{Credential, Decision, Moment, RefusedGeneration, Rotation};
use proptest::prelude::*;

use crate::support::{
    NumberKey, START, after, api_key, at, begin, decided, due, expiring, plain, rotation, set,
    token,
};

#[test]
fn nothing_signs_before_the_first_credential_came() {
    let mut rotation = Rotation::new([7; 32]);
    assert!(rotation.current().is_none());
    assert!(!rotation.quiet().covers(at(0)));
    assert_eq!(decided(&rotation, at(0)), 'r');
    let claim = begin(&mut rotation, at(0));
    assert_eq!(decided(&rotation, at(1)), 'a');
    let first = rotation.succeed(claim, expiring(1, 1_000), at(2)).unwrap();
    assert_eq!((first.number(), first.received()), (1, at(2)));
    assert_eq!(first.expires(), Some(Duration::from_secs(1_000)));
    assert_eq!(decided(&rotation, at(2)), 's');
}

#[test]
fn a_refresh_is_due_at_half_of_the_life_and_a_tenth_earlier_or_later() {
    for life in [10, 60, 100, 1_200, 86_400, 31_536_000] {
        let mut earliest = Duration::MAX;
        let mut latest = Duration::ZERO;
        for seed in 0..=255 {
            let mut rotation = Rotation::new([seed; 32]);
            let claim = begin(&mut rotation, at(0));
            rotation.succeed(claim, expiring(1, life), at(0)).unwrap();
            let part = |part: u64| after(Duration::from_millis(life * part));
            assert_eq!(decided(&rotation, part(449)), 's', "{life} s");
            assert_eq!(decided(&rotation, part(551)), 'b', "{life} s");
            let due = (449..=551).find(|&p| decided(&rotation, part(p)) == 'b').unwrap();
            earliest = earliest.min(part(due).uptime);
            latest = latest.max(part(due).uptime);
        }
        let spread = (latest - earliest).as_secs_f64() / Duration::from_secs(life).as_secs_f64();
        assert!(spread > 0.09, "clients with a life of {life} s are {spread} of it apart");
    }
}

#[test]
fn a_refresh_has_a_minute_before_the_end_or_a_quarter_of_the_life() {
    for life in 2..1_000 {
        let margin = Duration::from_secs(60).min(Duration::from_secs(life) / 4);
        let rotation = rotation(life);
        let latest = after(Duration::from_secs(life).checked_sub(margin).unwrap());
        assert_eq!(decided(&rotation, latest), 'b', "{life} s");
    }
}

#[test]
fn a_life_of_seconds_is_refreshed_once_a_second_at_most_and_signs_to_its_end() {
    for life in 1..=5 {
        let rotation = rotation(life);
        let last = after(Duration::from_secs(life) - Duration::from_nanos(1));
        assert_eq!(decided(&rotation, after(Duration::from_millis(999))), 's', "{life} s");
        assert!(matches!(decided(&rotation, last), 's' | 'b'), "{life} s");
        assert_eq!(decided(&rotation, at(life)), 'r', "{life} s");
    }
}

#[test]
fn a_life_is_counted_from_the_end_of_the_second_in_which_it_came() {
    for (says, lives) in [(START + 100, Some(99)), (START + 2, Some(1)), (START + 1, None)] {
        let mut rotation = Rotation::new([7; 32]);
        let claim = begin(&mut rotation, at(0));
        let first = rotation.succeed(claim, plain(1).with_expiry(says), at(0));
        assert_eq!(first.ok().and_then(|first| first.expires()), lives.map(Duration::from_secs));
    }
}

#[test]
fn a_source_that_gives_the_same_to_its_end_is_asked_a_few_times_more() {
    let mut rotation = rotation(3_600);
    let mut asked = 0;
    for second in 0..3_600 {
        if let Some(claim) = rotation.begin(at(second)) {
            rotation.succeed(claim, expiring(1, 3_600), at(second)).unwrap();
            asked += 1;
        }
    }
    assert!((8..=20).contains(&asked), "case 14: asked {asked} times");
    let claim = begin(&mut rotation, at(3_600));
    let refused = rotation.succeed(claim, expiring(1, 3_600), at(3_600)).unwrap_err();
    assert_eq!(refused, RefusedGeneration::Expired(START + 3_601));
    assert_eq!(decided(&rotation, at(3_600)), 'x');
}

#[test]
fn case_5_while_it_is_valid_it_signs_whatever_failed() {
    let mut rotation = rotation(1_800);
    let mut failed = 0;
    for second in 0..1_800 {
        assert!(matches!(decided(&rotation, at(second)), 's' | 'b'), "at {second} s");
        if let Some(claim) = rotation.begin(at(second)) {
            rotation.fail(claim, None, at(second));
            failed += 1;
        }
    }
    assert_eq!(rotation.failures(), failed);
    // 990 s of failures: six until the cap, and then one in 15 to 30 s.
    assert!((35..=75).contains(&failed), "{failed}");
    assert_eq!(rotation.current().unwrap().number(), 1);
}

#[test]
fn case_6_after_its_end_requests_are_refused_and_the_source_is_asked_at_its_pace() {
    let mut rotation = rotation(100);
    let claim = begin(&mut rotation, at(100));
    rotation.fail(claim, None, at(100));
    let Decision::Refuse(until) = rotation.decide(at(100)) else { panic!("not refused") };
    let wait = until - at(100).uptime;
    assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&wait), "{wait:?}");
    assert!(rotation.begin(at(100)).is_none());
    assert_eq!(decided(&rotation, after(until)), 'r');
    let claim = begin(&mut rotation, after(until));
    rotation.succeed(claim, expiring(2, 500), after(until)).unwrap();
    assert_eq!(decided(&rotation, after(until)), 's');
}

#[test]
fn case_22_failures_wait_longer_each_time_up_to_thirty_seconds_until_a_success() {
    let mut rotation = rotation(86_400);
    let mut now = at(47_520);
    for full in [1, 2, 4, 8, 16, 30, 30, 30] {
        let claim = begin(&mut rotation, now);
        rotation.fail(claim, None, now);
        let full = Duration::from_secs(full);
        let early = after(now.uptime + full / 2 - Duration::from_nanos(1));
        assert_eq!(decided(&rotation, early), 's', "{full:?}");
        assert!(rotation.begin(early).is_none(), "{full:?}");
        now = after(now.uptime + full);
        assert_eq!(decided(&rotation, now), 'b', "{full:?}");
    }
    let claim = begin(&mut rotation, now);
    rotation.succeed(claim, expiring(2, 172_800), now).unwrap();
    assert_eq!(rotation.failures(), 0);
    let now = at(172_800);
    let claim = begin(&mut rotation, now);
    rotation.fail(claim, None, now);
    assert_eq!(decided(&rotation, at(172_801)), 'r');
}

#[test]
fn case_22_what_the_server_asks_for_is_waited_for_up_to_five_minutes() {
    for (asked, waited) in [(17, 17), (300, 300), (86_400, 300)] {
        let mut rotation = rotation(1_000);
        let claim = begin(&mut rotation, at(550));
        rotation.fail(claim, Some(Duration::from_secs(asked)), at(550));
        assert_eq!(due(&rotation, 550..2_000), 550 + waited);
    }
    let mut rotation = rotation(1_000);
    let claim = begin(&mut rotation, at(550));
    rotation.fail(claim, Some(Duration::ZERO), at(550));
    assert_eq!(decided(&rotation, at(550)), 's', "a server that asks for nothing gets a pause");
}

#[test]
fn case_22_a_success_undoes_what_the_server_asked_for() {
    let mut rotation = rotation(1_000);
    let claim = begin(&mut rotation, at(550));
    rotation.fail(claim, Some(Duration::from_secs(300)), at(550));
    let claim = rotation.force(at(551)).unwrap();
    rotation.succeed(claim, expiring(2, 651), at(551)).unwrap();
    assert_eq!(decided(&rotation, at(610)), 'b');
}

#[test]
fn case_22_what_the_server_asks_for_outlasts_the_generation_that_signs_to_its_end() {
    let mut rotation = rotation(700);
    let claim = begin(&mut rotation, at(600));
    rotation.fail(claim, Some(Duration::from_secs(300)), at(600));
    assert_eq!(decided(&rotation, at(699)), 's');
    let refused = rotation.decide(at(700));
    assert!(matches!(refused, Decision::Refuse(until) if until == at(900).uptime), "{refused:?}");
    assert_eq!(decided(&rotation, at(900)), 'r');
}

#[test]
fn case_4_of_a_thousand_callers_one_refreshes() {
    let mut rotation = rotation(1_000);
    let claims: Vec<_> = (0..1_000).filter_map(|_| rotation.begin(at(600))).collect();
    assert_eq!(claims.len(), 1);
    assert_eq!(decided(&rotation, at(600)), 's');
}

#[test]
fn case_4_of_a_thousand_callers_that_decided_together_one_refreshes_even_where_it_ends_at_once() {
    let mut rotation = rotation(1_000);
    assert_eq!(decided(&rotation, at(600)), 'b');
    let claim = begin(&mut rotation, at(600));
    rotation.fail(claim, None, at(600));
    assert!((0..999).all(|_| rotation.begin(at(600)).is_none()));
    assert_eq!(decided(&rotation, at(601)), 'b');
    let claim = begin(&mut rotation, at(601));
    rotation.succeed(claim, expiring(2, 2_000), at(601)).unwrap();
    assert!((0..999).all(|_| rotation.begin(at(601)).is_none()));
}

#[test]
fn case_3_a_leader_that_vanished_is_replaced_after_two_minutes() {
    let mut rotation = rotation(1_000);
    let _vanished = begin(&mut rotation, at(1_000));
    assert_eq!(decided(&rotation, at(1_119)), 'a');
    assert!(rotation.begin(at(1_119)).is_none());
    assert_eq!(decided(&rotation, at(1_120)), 'r');
    let claim = begin(&mut rotation, at(1_120));
    rotation.succeed(claim, expiring(2, 2_000), at(1_121)).unwrap();
    assert_eq!(decided(&rotation, at(1_121)), 's');
}

#[test]
fn case_3_a_leader_that_fails_late_does_not_end_the_refresh_of_its_successor() {
    let mut rotation = rotation(1_000);
    let late = begin(&mut rotation, at(1_000));
    let successor = begin(&mut rotation, at(1_120));
    rotation.fail(late, Some(Duration::from_secs(300)), at(1_121));
    assert_eq!((decided(&rotation, at(1_121)), rotation.failures()), ('a', 0));
    rotation.fail(successor, None, at(1_122));
    assert_eq!((decided(&rotation, at(1_122)), rotation.failures()), ('x', 1));
}

#[test]
fn case_3_a_leader_that_fails_late_without_successor_has_failed() {
    let mut rotation = rotation(1_000);
    let late = begin(&mut rotation, at(1_000));
    rotation.fail(late, None, at(1_500));
    assert_eq!((decided(&rotation, at(1_500)), rotation.failures()), ('x', 1));
}

#[test]
fn case_3_what_a_late_leader_brings_never_replaces_what_its_successor_brought() {
    let mut rotation = rotation(1_000);
    let late = begin(&mut rotation, at(1_000));
    let successor = begin(&mut rotation, at(1_120));
    rotation.succeed(successor, expiring(3, 3_000), at(1_121)).unwrap();
    let quiet = rotation.quiet();
    let current = rotation.succeed(late, expiring(2, 9_000), at(1_122)).unwrap();
    assert_eq!((current.number(), current.expires()), (2, Some(at(3_000).uptime)));
    assert_eq!(*current.credential().public_key(), *expiring(3, 0).public_key());
    assert_eq!(format!("{:?}", rotation.quiet()), format!("{quiet:?}"));
}

#[test]
fn case_3_what_a_late_leader_brings_signs_until_its_successor_brings_something() {
    let mut rotation = rotation(1_000);
    let late = begin(&mut rotation, at(1_000));
    let successor = begin(&mut rotation, at(1_120));
    assert_eq!(rotation.succeed(late, expiring(2, 1_300), at(1_121)).unwrap().number(), 2);
    assert_eq!(decided(&rotation, at(1_121)), 's');
    assert!(rotation.begin(at(1_239)).is_none(), "the successor's is in flight");
    assert_eq!(rotation.succeed(successor, expiring(3, 3_000), at(1_239)).unwrap().number(), 3);
}

#[test]
fn the_same_credential_again_changes_no_generation() {
    let mut rotation = rotation(1_000);
    let claim = begin(&mut rotation, at(600));
    let same = rotation.succeed(claim, Arc::new(expiring(1, 1_000)), at(600)).unwrap();
    assert_eq!((same.number(), same.received()), (1, at(0)));
    assert_eq!(same.expires(), Some(at(1_000).uptime));
    let rest = due(&rotation, 600..1_000) - 600;
    assert!((180..=221).contains(&rest), "half of what is left, and not {rest} s");
    let claim = begin(&mut rotation, at(900));
    let other = rotation.succeed(claim, expiring(2, 1_000), at(900)).unwrap();
    assert_eq!((other.number(), other.received()), (2, at(900)));
}

#[test]
fn a_new_token_for_the_same_key_is_a_new_generation_and_so_is_a_new_key_for_the_same_id() {
    let mut rotation = Rotation::new([7; 32]);
    let tokens = [token(1, "a", START..START + 1_000), token(1, "a", START..START + 2_000)];
    for (token, number) in tokens.iter().zip(1..) {
        let claim = rotation.force(at(number)).unwrap();
        let credential = Credential::security_token(token, NumberKey::new(1)).unwrap();
        let next = rotation.succeed(claim, credential, at(number)).unwrap();
        assert_eq!((next.number(), next.received()), (number, at(number)));
        assert_eq!(next.credential().key_id().as_str(), format!("ST${token}"));
    }
    let claim = rotation.force(at(3)).unwrap();
    let id = rotation.current().unwrap().credential().key_id().clone();
    let other = Credential::new(id, NumberKey::new(2));
    assert_eq!(rotation.succeed(claim, other, at(3)).unwrap().number(), 3);
}

#[test]
fn case_18_a_life_that_was_judged_by_a_wrong_clock_is_judged_again_and_only_lengthened() {
    let mut rotation = Rotation::new([7; 32]);
    let claim = begin(&mut rotation, set(at(0), 3_600));
    let first = rotation.succeed(claim, expiring(1, 4_000), set(at(0), 3_600)).unwrap();
    assert_eq!(first.expires(), Some(Duration::from_secs(400)));
    // The clock is set right; the source still has the same.
    let claim = begin(&mut rotation, at(10));
    let same = rotation.succeed(claim, expiring(1, 4_000), at(10)).unwrap();
    assert_eq!((same.number(), same.expires()), (1, Some(Duration::from_secs(4_000))));
    assert_eq!(decided(&rotation, at(400)), 's');
    // It is set wrong again.
    let claim = begin(&mut rotation, set(at(20), 3_600));
    let same = rotation.succeed(claim, expiring(1, 4_000), set(at(20), 3_600)).unwrap();
    assert_eq!(same.expires(), Some(Duration::from_secs(4_000)));
}

#[test]
fn case_9_another_tenancy_is_refused_and_the_old_one_kept() {
    let of = |key, tenancy| {
        let token = token(key, tenancy, START..START + 1_000 * key);
        Credential::security_token(&token, NumberKey::new(key)).unwrap()
    };
    let mut rotation = Rotation::new([7; 32]);
    let claim = begin(&mut rotation, at(0));
    rotation.succeed(claim, of(1, "a"), at(0)).unwrap();
    for (second, other) in [(600, of(2, "b")), (700, api_key(3, "b"))] {
        let claim = begin(&mut rotation, at(second));
        let refused = rotation.succeed(claim, other, at(second)).unwrap_err();
        assert_eq!(refused, RefusedGeneration::TenancyChanged);
        assert_eq!(refused.code(), "TENANCY_CHANGED");
        assert_eq!(rotation.current().unwrap().number(), 1);
        assert_eq!(decided(&rotation, at(second)), 's', "the refresh has failed, and waits");
    }
    assert_eq!(rotation.failures(), 2);
    // What says no tenancy is taken, and does not make the next one free.
    let claim = begin(&mut rotation, at(800));
    assert_eq!(rotation.succeed(claim, expiring(4, 2_000), at(800)).unwrap().number(), 2);
    let claim = begin(&mut rotation, at(2_000));
    rotation.succeed(claim, of(5, "b"), at(2_000)).unwrap_err();
}

#[test]
fn case_10_what_has_expired_when_it_comes_is_refused_and_the_old_one_kept() {
    let mut rotation = rotation(1_000);
    let claim = begin(&mut rotation, at(600));
    let refused = rotation.succeed(claim, expiring(2, 600), at(600)).unwrap_err();
    assert_eq!(refused, RefusedGeneration::Expired(START + 601));
    assert_eq!(refused.code(), "EXPIRED");
    assert_eq!((rotation.current().unwrap().number(), rotation.failures()), (1, 1));
    assert_eq!(decided(&rotation, at(600)), 's');
}

#[test]
fn case_2_8_and_11_a_key_that_is_not_the_tokens_makes_no_credential_and_the_old_one_stays() {
    let mut rotation = rotation(1_000);
    let claim = begin(&mut rotation, at(600));
    let token = token(2, "a", START..START + 2_000);
    let error = Credential::security_token(&token, NumberKey::new(3)).unwrap_err();
    assert_eq!(error.code(), "KEY_MISMATCH");
    rotation.fail(claim, None, at(600));
    assert_eq!((rotation.current().unwrap().number(), rotation.failures()), (1, 1));
    assert_eq!(decided(&rotation, at(600)), 's');
    assert_eq!(decided(&rotation, at(601)), 'b');
}

#[test]
fn case_18_a_clock_that_is_set_makes_a_refresh_due_and_ends_no_life() {
    for by in [-86_400, -3_600, -360, 360, 3_600, 86_400] {
        let mut rotation = rotation(7_200);
        let jumped = set(at(10), by);
        assert!(rotation.quiet().covers(at(10)) && !rotation.quiet().covers(jumped));
        assert_eq!(decided(&rotation, at(10)), 's');
        assert_eq!(decided(&rotation, jumped), 'b', "{by} s");
        assert_eq!(decided(&rotation, set(at(7_199), by)), 'b', "{by} s");
        assert_eq!(decided(&rotation, set(at(7_200), by)), 'r', "{by} s");
        let claim = begin(&mut rotation, jumped);
        rotation.succeed(claim, plain(2).with_expiry(jumped.time + 7_201), jumped).unwrap();
        assert_eq!(decided(&rotation, set(at(11), by)), 's', "{by} s, and it is known");
    }
    // A clock that is trimmed has not been set.
    assert_eq!(decided(&rotation(7_200), set(at(3_000), 60)), 's');
    assert_eq!(decided(&rotation(7_200), set(at(3_000), -60)), 's');
}

#[test]
fn case_18_a_clock_that_is_set_makes_refreshes_no_more_frequent_than_failures_allow() {
    let mut rotation = rotation(86_400);
    let mut asked = 0;
    for second in 0..3_600 {
        // Set twice a minute, to and fro.
        let now = set(at(second), if second / 30 % 2 == 0 { 3_600 } else { -3_600 });
        if let Some(claim) = rotation.begin(now) {
            rotation.fail(claim, None, now);
            asked += 1;
        }
    }
    assert!((120..=250).contains(&asked), "{asked}");
}

#[test]
fn case_18_a_machine_that_slept_refreshes_whether_its_uptime_counted_on_or_not() {
    // It counted on: the life is over, or due, as if it had been awake.
    assert_eq!(decided(&rotation(7_200), at(7_000)), 'b');
    assert_eq!(decided(&rotation(7_200), at(7_300)), 'r');
    // It stood still: the time of day tells.
    let woken = set(at(10), 28_800);
    assert_eq!(decided(&rotation(7_200), woken), 'b');
    // A nap changes nothing.
    assert_eq!(decided(&rotation(7_200), set(at(10), 30)), 's');
}

#[test]
fn what_says_no_expiry_is_left_alone_or_looked_at_again_after_the_time_given() {
    let first = |mut rotation: Rotation| {
        let claim = begin(&mut rotation, at(0));
        assert_eq!(rotation.succeed(claim, plain(1), at(0)).unwrap().expires(), None);
        rotation
    };
    let for_ever = first(Rotation::new([7; 32]));
    assert!(for_ever.quiet().covers(at(3_000_000_000)));
    assert_eq!(decided(&for_ever, at(3_000_000_000)), 's');

    let mut looked_at = first(Rotation::new([7; 32]).recheck(Duration::from_secs(300)));
    let second = due(&looked_at, 0..1_000);
    assert!((270..=331).contains(&second), "{second}");
    // Case 23: the file has another key now.
    let claim = begin(&mut looked_at, at(second));
    assert_eq!(looked_at.succeed(claim, plain(2), at(second)).unwrap().number(), 2);
    // One that says its expiry is not looked at for this reason.
    let claim = begin(&mut looked_at, at(second + 331));
    looked_at.succeed(claim, expiring(3, 10_000), at(second + 331)).unwrap();
    assert_eq!(decided(&looked_at, at(second + 331 + 331)), 's');
    // Never more often than once in a second.
    let always = first(Rotation::new([7; 32]).recheck(Duration::ZERO));
    assert_eq!(decided(&always, after(Duration::from_millis(999))), 's');
}

#[test]
fn case_11_and_23_a_source_that_says_that_it_changed_is_asked_now() {
    let mut rotation = rotation(1_000);
    assert!(rotation.begin(at(1)).is_none());
    let claim = rotation.force(at(1)).unwrap();
    assert!(rotation.force(at(1)).is_none());
    assert_eq!(rotation.succeed(claim, expiring(2, 2_000), at(1)).unwrap().number(), 2);
    assert_eq!(decided(&rotation, at(1)), 's');
}

#[test]
fn case_24_a_child_of_a_fork_goes_on_with_the_generation_of_its_parent() {
    let parent = rotation(1_000);
    let mut child = Rotation::new([8; 32]);
    child.adopt(parent.current().unwrap().clone(), at(400));
    assert_eq!(decided(&child, at(400)), 's');
    let due = due(&child, 400..1_000);
    assert!((670..=731).contains(&due), "half of what is left, and not {due}");
    let claim = begin(&mut child, at(due));
    assert_eq!(child.succeed(claim, expiring(2, 2_000), at(due)).unwrap().number(), 2);
}

#[test]
fn the_ends_of_numbers_overflow_nothing() {
    let most = Moment { time: u64::MAX, uptime: Duration::MAX };
    let early = Moment { time: 0, uptime: Duration::from_secs(100) };
    for seed in 0..50 {
        for now in [early, at(1), most] {
            for credential in
                [plain(1), plain(1).with_expiry(u64::MAX), plain(1).with_expiry(now.time)]
            {
                let recheck = if seed % 2 == 0 { Duration::MAX } else { Duration::from_secs(1) };
                let mut rotation = Rotation::new([seed; 32]).recheck(recheck);
                let claim = begin(&mut rotation, now);
                let _ = rotation.succeed(claim, credential, now);
                for then in [now, most, early] {
                    let _ = (rotation.decide(then), rotation.quiet().covers(then));
                    if let Some(claim) = rotation.force(then) {
                        rotation.fail(claim, Some(Duration::MAX), then);
                    }
                }
            }
        }
    }
}

#[test]
fn an_uptime_that_goes_back_by_a_fault_of_the_host_is_borne() {
    let mut rotation = Rotation::new([7; 32]);
    let claim = begin(&mut rotation, at(5_000));
    rotation.succeed(claim, expiring(1, 6_000), at(5_000)).unwrap();
    // Another thread's look at the clock, a moment older than the one that was used.
    assert_eq!(decided(&rotation, at(4_999)), 's');
    // As if the machine had started anew.
    let reset = Moment { uptime: Duration::ZERO, ..at(5_100) };
    assert_eq!(decided(&rotation, reset), 'b');
    let claim = begin(&mut rotation, reset);
    let next = rotation.succeed(claim, expiring(2, 6_100), reset).unwrap();
    assert_eq!(next.expires(), Some(Duration::from_secs(1_000)));
}

#[test]
fn a_printed_rotation_has_no_token_in_it() {
    let mut rotation = Rotation::new([7; 32]);
    let token = token(1, "a", START..START + 1_000);
    let claim = begin(&mut rotation, at(0));
    let credential = Credential::security_token(&token, NumberKey::new(1)).unwrap();
    rotation.succeed(claim, credential, at(0)).unwrap();
    assert!(!format!("{rotation:?}").contains(&token));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn quiet_covers_only_moments_at_which_the_decision_is_to_sign(history: Vec<(u8, u16, u16)>, probes: Vec<(u16, i16)>) {
        let mut rotation = Rotation::new([7; 32]).recheck(Duration::from_secs(40));
        let (mut now, mut key, mut claims) = (at(0), 0, Vec::new());
        for (what, wait, value) in history {
            let wait = Duration::from_millis(u64::from(wait));
            let uptime = now.uptime + wait * u32::from(what / 16);
            now = Moment { time: now.time + uptime.as_secs() - now.uptime.as_secs(), uptime };
            key += 1;
            match what % 8 {
                0..=2 => claims.extend(rotation.begin(now)),
                3 => {
                    let credential = if value % 4 == 0 { plain(key) } else { plain(key - key % 2) };
                    let end = now.time.saturating_add(u64::from(value)).saturating_sub(20);
                    let credential = if value % 8 == 0 { credential } else { credential.with_expiry(end) };
                    if let Some(claim) = claims.pop() {
                        let _ = rotation.succeed(claim, credential, now);
                    }
                }
                4 => if let Some(claim) = claims.pop() {
                    rotation.fail(claim, (value % 2 == 0).then_some(wait), now);
                },
                5 => drop(claims.pop()),
                6 => now = set(now, i64::from(value) - 32_768),
                _ => {
                    let number = rotation.current().map_or(0, |known| known.number());
                    rotation.reject(number, ocisign_core::Rejection::Unauthorized, now);
                }
            }
            let quiet = rotation.quiet();
            let later = probes.iter().map(|&(ahead, by)| {
                let ahead = Duration::from_millis(u64::from(ahead) * 16);
                let uptime = now.uptime + ahead;
                set(Moment { time: now.time + ahead.as_secs(), uptime }, i64::from(by) / 256)
            });
            for moment in later.chain([now]) {
                if quiet.covers(moment) {
                    prop_assert_eq!(decided(&rotation, moment), 's');
                }
            }
        }
    }
}
