//! What a rejected request makes of the generation that signed it.

use std::time::Duration;

use ocisign_core::Rejection::{NotFound, Unauthorized};
use ocisign_core::{Rotation, Verdict};

use crate::support::{at, begin, decided, expiring, plain, rotation, set};

#[test]
fn case_20_a_rejection_of_an_older_generation_is_answered_by_the_newer_one() {
    let mut rotation = rotation(1_000);
    let claim = begin(&mut rotation, at(600));
    assert_eq!(rotation.reject(1, Unauthorized, at(600)), Verdict::Await);
    rotation.succeed(claim, expiring(2, 2_000), at(601)).unwrap();
    assert_eq!(rotation.reject(1, Unauthorized, at(601)), Verdict::SignAgain);
    assert_eq!(rotation.reject(1, NotFound, at(601)), Verdict::SignAgain);
}

#[test]
fn case_20_of_many_rejected_callers_one_refreshes_and_the_others_wait_for_it() {
    let mut rotation = rotation(1_000);
    let verdicts: Vec<Verdict> =
        (0..3).map(|_| rotation.reject(1, Unauthorized, at(100))).collect();
    assert_eq!(verdicts, [Verdict::Refresh; 3], "nobody has begun yet");
    let claim = begin(&mut rotation, at(100));
    assert!(rotation.begin(at(100)).is_none());
    assert_eq!(rotation.reject(1, Unauthorized, at(101)), Verdict::Await);
    rotation.succeed(claim, expiring(2, 1_100), at(101)).unwrap();
    assert_eq!(rotation.reject(1, Unauthorized, at(101)), Verdict::SignAgain);
    // The new one is rejected as well: that is the server's last word for ten seconds.
    assert_eq!(rotation.reject(2, Unauthorized, at(102)), Verdict::GiveUp);
    assert_eq!(rotation.reject(2, Unauthorized, at(109)), Verdict::GiveUp);
    assert_eq!(rotation.reject(2, Unauthorized, at(110)), Verdict::Refresh);
}

#[test]
fn case_20_a_401_for_ever_makes_one_refresh_in_ten_seconds() {
    for same in [false, true] {
        let mut rotation = rotation(100_000);
        let mut refreshes = 0;
        for second in 1..=1_000 {
            let number = rotation.current().unwrap().number();
            if rotation.reject(number, Unauthorized, at(second)) == Verdict::Refresh {
                let claim = begin(&mut rotation, at(second));
                let key = if same { 1 } else { second };
                rotation.succeed(claim, expiring(key, 100_000), at(second)).unwrap();
                refreshes += 1;
            }
        }
        assert_eq!(refreshes, 100);
    }
}

#[test]
fn case_20_a_forced_refresh_that_fails_is_tried_again_at_the_pace_of_failures() {
    let mut rotation = rotation(1_000);
    assert_eq!(rotation.reject(1, Unauthorized, at(100)), Verdict::Refresh);
    let claim = begin(&mut rotation, at(100));
    rotation.fail(claim, None, at(100));
    assert_eq!(rotation.reject(1, Unauthorized, at(100)), Verdict::GiveUp);
    assert_eq!(decided(&rotation, at(100)), 's', "it is valid for all that is known here");
    assert_eq!(decided(&rotation, at(101)), 'b');
    let claim = begin(&mut rotation, at(101));
    rotation.fail(claim, Some(Duration::from_secs(60)), at(101));
    assert_eq!(rotation.reject(1, Unauthorized, at(160)), Verdict::GiveUp);
    assert_eq!(rotation.reject(1, Unauthorized, at(161)), Verdict::Refresh);
}

#[test]
fn case_20_a_forced_refresh_whose_leader_vanished_is_made_by_another() {
    let mut rotation = rotation(1_000);
    assert_eq!(rotation.reject(1, Unauthorized, at(100)), Verdict::Refresh);
    // Whoever was told so never begins: the next one does, rejected or not.
    assert_eq!(decided(&rotation, at(101)), 'b');
    let _vanished = begin(&mut rotation, at(101));
    assert_eq!(rotation.reject(1, Unauthorized, at(220)), Verdict::Await);
    assert_eq!(decided(&rotation, at(221)), 'b');
}

#[test]
fn case_20_a_rejection_when_a_refresh_is_due_anyway_does_not_count_as_forced() {
    let mut rotation = rotation(1_000);
    assert_eq!(rotation.reject(1, Unauthorized, at(600)), Verdict::Refresh);
    let claim = begin(&mut rotation, at(600));
    rotation.succeed(claim, expiring(2, 2_000), at(601)).unwrap();
    assert_eq!(rotation.reject(2, Unauthorized, at(602)), Verdict::Refresh);
    let claim = begin(&mut rotation, at(602));
    rotation.succeed(claim, expiring(3, 2_000), at(602)).unwrap();
    assert_eq!(rotation.reject(3, Unauthorized, at(603)), Verdict::GiveUp);
}

#[test]
fn case_20_a_rejection_before_any_credential_came_stands() {
    let mut rotation = Rotation::new([7; 32]);
    assert_eq!(rotation.reject(1, Unauthorized, at(0)), Verdict::GiveUp);
}

#[test]
fn case_21_a_404_asks_for_a_new_token_after_fifteen_minutes() {
    let mut rotation = rotation(100_000);
    assert_eq!(rotation.reject(1, NotFound, at(899)), Verdict::GiveUp);
    assert_eq!(rotation.reject(1, NotFound, at(900)), Verdict::Refresh);
    let claim = begin(&mut rotation, at(900));
    rotation.succeed(claim, expiring(2, 100_000), at(900)).unwrap();
    assert_eq!(rotation.reject(1, NotFound, at(900)), Verdict::SignAgain);
    // What was not found is not there: no further token for a quarter of an hour.
    assert_eq!(rotation.reject(2, NotFound, at(1_799)), Verdict::GiveUp);
    assert_eq!(rotation.reject(2, NotFound, at(1_800)), Verdict::Refresh);
}

#[test]
fn case_21_a_404_does_not_ask_a_source_over_and_over_that_gives_the_same() {
    let mut rotation = Rotation::new([7; 32]);
    let claim = begin(&mut rotation, at(0));
    rotation.succeed(claim, plain(1), at(0)).unwrap();
    let mut refreshes = 0;
    for second in 0..9_000 {
        if rotation.reject(1, NotFound, at(second)) == Verdict::Refresh {
            let claim = begin(&mut rotation, at(second));
            rotation.succeed(claim, plain(1), at(second)).unwrap();
            refreshes += 1;
        }
    }
    assert_eq!(refreshes, 9);
}

#[test]
fn case_18_and_20_a_401_after_a_clock_was_set_refreshes_at_once() {
    let mut rotation = rotation(10_000);
    assert_eq!(rotation.reject(1, Unauthorized, set(at(100), 3_600)), Verdict::Refresh);
    let claim = begin(&mut rotation, set(at(100), 3_600));
    rotation.succeed(claim, expiring(2, 10_000), set(at(100), 3_600)).unwrap();
    assert_eq!(rotation.reject(1, Unauthorized, set(at(101), 3_600)), Verdict::SignAgain);
}
