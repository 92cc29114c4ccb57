//! Texts that nobody would write.

use super::*;

/// xorshift64*: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit.max(1)
    }
}

const SEEDS: [&str; 8] = [
    "Any {instance.compartment.id = 'ocid1.compartment.oc1..a', tag.a.b.value, resource.id != 'x'}",
    "all {all {resource.type='fnfunc', any {tag.ä.ö.value = \"ß\"}}, instance.id = 'i'}",
    "Allow group 'D'/'G', id ocid1.group.oc1..x to manage all-resources in compartment Prod:Apps",
    "Allow dynamic-group apps to {OBJECT_READ, VCN_READ} in compartment id \
     ocid1.compartment.oc1..prod",
    "Allow any-user to read objects in tenancy where all {target.bucket.name = /a*b/, any \
     {request.permission != 'OBJECT_READ', request.operation not in ('x', /*y*/)}}",
    "Allow any-group to use secret-family in tenancy where target.secret.name = /*ü*/",
    "Define tenancy x as y",
    "ALLOW SERVICE x TO READ keys IN TENANCY WHERE request.utc-timestamp BEFORE 'x'",
];

/// Both readers on one text: no panic, and an error that points into it.
fn read(text: &str) -> bool {
    let rule = MatchingRule::parse(text);
    let statement = Statement::parse(text);
    let errors = [rule.as_ref().err(), statement.as_ref().err()];
    for error in errors.into_iter().flatten() {
        assert!(text.is_char_boundary(error.offset) || error.fault == Fault::TooLong, "{text:?}");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
        assert!(error.fragment.chars().count() <= 61, "{error:?}");
    }
    if let Ok(rule) = &rule {
        let _ = [INSTANCE, FUNCTION, USER].map(|who| rule.matches(&who));
    }
    let mut policies = statement.is_ok().then(|| tenancy(&[]));
    let added = policies.as_mut().is_some_and(|it| it.add_statement(TENANCY, text).is_ok());
    if let Some(policies) = policies.filter(|_| added) {
        for who in [INSTANCE, FUNCTION, USER] {
            let variables = [("target.bucket.name", "a*b"), ("target.secret.name", text)];
            let request = Request::new(GET, APPS, &variables);
            let decision = policies.decide(&who, &request);
            assert!(!decision.explanation.contains(char::is_control));
        }
    }
    rule.is_ok() || statement.is_ok()
}

#[test]
fn no_bytes_make_a_reader_panic() {
    let mut numbers = Numbers(1);
    for _ in 0..20_000 {
        let length = numbers.below(80);
        let bytes: Vec<u8> =
            (0..length).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect();
        read(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn no_change_to_a_text_makes_a_reader_panic() {
    let mut numbers = Numbers(2);
    let mut readable = 0;
    for _ in 0..40_000 {
        let mut bytes = SEEDS[numbers.below(SEEDS.len())].as_bytes().to_vec();
        for _ in 0..=numbers.below(4) {
            let (at, end) = (numbers.below(bytes.len()), numbers.below(bytes.len()));
            let piece = bytes[at.min(end)..at.max(end)].to_vec();
            let special = b"{}()'\"=!/,:* \n.\xc3"[numbers.below(16)];
            match numbers.below(6) {
                0 => bytes.insert(at, special),
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 if !bytes.is_empty() => bytes[at] = special,
                3 => drop(bytes.drain(at.min(end)..at.max(end))),
                4 => drop(bytes.splice(at..at, piece)),
                _ => {
                    let other = SEEDS[numbers.below(SEEDS.len())].as_bytes();
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[numbers.below(other.len())..]);
                }
            }
        }
        readable += usize::from(read(&String::from_utf8_lossy(&bytes)));
    }
    assert!(readable > 1000, "only {readable} were read");
}

#[test]
fn every_prefix_of_a_text_is_read_or_refused() {
    for seed in SEEDS {
        for (end, _) in seed.char_indices() {
            read(&seed[..end]);
        }
    }
}

#[test]
fn texts_at_the_limits_end_soon() {
    let filled = |start: &str, piece: &str, end: &str| {
        let count = (4096 - start.len() - end.len()) / piece.len();
        format!("{start}{}{end}", piece.repeat(count))
    };
    assert!(read(&filled("any {tag.a.b.value", ",tag.a.b.value", "}")));
    assert!(read(&filled("Allow group a", ",'b'", " to read keys in tenancy")));
    assert!(read(&filled("Allow any-user to {OBJECT_READ", ",OBJECT_READ", "} in tenancy")));
    let start = "Allow any-user to read keys in tenancy where request.x ";
    assert!(read(&filled(&format!("{start}in ('x'"), ",/*a*/", ")")));
    assert!(read(&filled(&format!("{start}= /"), "*a", "/")));
    for piece in ["all{", "'", "/", "{", "(", ",", "all {any {", "\u{a0}", "'a' ", "tag."] {
        read(&filled("", piece, ""));
        read(&filled("Allow group ", piece, ""));
        read(&filled(start, piece, ""));
    }
    assert!(!read(&"a".repeat(1 << 20)));
}

#[test]
fn a_pattern_takes_time_linear_in_its_text() {
    let text = "a".repeat(1 << 20);
    for pattern in [
        format!("*{}b*", "a".repeat(3000)),
        format!("{}b", "*a".repeat(1500)),
        format!("*{}*b*", "aab*".repeat(700)),
    ] {
        let statement =
            format!("Allow any-user to read objects in tenancy where target.x = /{pattern}/");
        let policies = tenancy(&[&statement]);
        let variables = [("target.x", text.as_str())];
        assert!(!policies.decide(&USER, &Request::new(GET, PROD, &variables)).allowed);
    }
}
