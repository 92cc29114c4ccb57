//! A matching rule, a line end and a policy statement, through the emulator's access
//! control: they are refused, or say who may do what.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocisign_emulator::fuzzing::policy;

fuzz_target!(|text: &str| {
    let (rule, statement) = text.split_once('\n').unwrap_or((text, text));
    let allowed = policy(rule, statement);
    // The same texts say the same.
    assert_eq!(policy(rule, statement), allowed);
});
