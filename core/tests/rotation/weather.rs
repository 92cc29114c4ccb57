//! What goes wrong, and when: drawn from a seed.

use crate::world::Source;

/// What goes wrong for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The server's clock is right, and this machine's is off by so many seconds.
    Clock(i64),
    Down,
    Expired,
    /// The API key is replaced; whether the old one is accepted until the end of it.
    KeyReplaced {
        overlap: bool,
    },
    LeaderDies,
    NotFound,
    NotThere,
    NotYetValid,
    OtherTenancy,
    Revoked,
    Sleep,
    Slow,
    Throttled {
        retry_after: u64,
    },
    Torn {
        key_first: bool,
    },
    Unauthorized,
    WriterStops,
    WrongKey,
}

/// A fault with its first and last millisecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spell {
    pub(crate) fault: Fault,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clock(_) => "case 18: the clock is set",
            Self::Down => "case 5, 6: the source is down",
            Self::Expired => "case 10: tokens come that have expired",
            Self::KeyReplaced { .. } => "case 23: the API key is replaced",
            Self::LeaderDies => "case 3: leaders die or are cancelled",
            Self::NotFound => "case 21: a policy changed, older tokens get 404",
            Self::NotThere => "case 21: 404, whoever asks",
            Self::NotYetValid => "case 10: tokens come that are not yet valid",
            Self::OtherTenancy => "case 9: tokens of another tenancy come",
            Self::Revoked => "case 20: 401 until a new token is fetched",
            Self::Sleep => "case 18: the machine sleeps",
            Self::Slow => "case 3: answers take minutes",
            Self::Throttled { .. } => "case 22: 429 with Retry-After",
            Self::Torn { .. } => "case 11: key and token are replaced one after the other",
            Self::Unauthorized => "case 20: 401, whoever asks",
            Self::WriterStops => "case 14: the file is not replaced",
            Self::WrongKey => "case 2, 8, 10: tokens come that are bound to another key",
        }
    }

    /// One of those that this source can have, and how many seconds it lasts.
    fn draw(dice: &mut Dice, source: Source) -> (Self, u64) {
        loop {
            let minutes = dice.within(60..3_600);
            let fault = match dice.below(21) {
                0 => (Self::Down, dice.within(60..1_800)),
                1 => (Self::Down, dice.within(3_600..40_000)),
                2 => (Self::Throttled { retry_after: dice.within(0..30) }, minutes),
                3 => (Self::Throttled { retry_after: dice.within(30..900) }, minutes),
                4 => (Self::WrongKey, minutes),
                5 => (Self::OtherTenancy, minutes),
                6 => (Self::Expired, minutes),
                7 => (Self::NotYetValid, minutes),
                8 | 19 => (Self::Slow, minutes),
                9 => (Self::LeaderDies, minutes),
                10 => (Self::Torn { key_first: dice.below(2) == 0 }, dice.within(1..30)),
                11 => (Self::WriterStops, dice.within(3_600..100_000)),
                12 | 13 => {
                    let by = [-86_400, -3_600, -360, -240, 240, 360, 3_600, 86_400];
                    (Self::Clock(by[usize::try_from(dice.below(8)).unwrap()]), minutes)
                }
                14 => (Self::Sleep, dice.within(20..60_000)),
                15 => (Self::Unauthorized, dice.within(5..1_200)),
                16 => (Self::Revoked, 1),
                17 => (Self::NotFound, 1),
                18 => (Self::NotThere, minutes * 3),
                _ => (Self::KeyReplaced { overlap: dice.below(2) == 0 }, dice.within(1..900)),
            };
            let possible = match fault.0 {
                Self::WrongKey
                | Self::OtherTenancy
                | Self::Expired
                | Self::NotYetValid
                | Self::NotFound => matches!(source, Source::Server { .. }),
                Self::Torn { .. } | Self::WriterStops => matches!(source, Source::File { .. }),
                Self::KeyReplaced { .. } => source == Source::ApiKey,
                Self::Revoked => source != Source::ApiKey,
                _ => true,
            };
            if possible {
                return fault;
            }
        }
    }
}

/// One fault in two days, sometimes several at once.
pub(crate) fn forecast(dice: &mut Dice, source: Source, days: u64) -> Vec<Spell> {
    let mut spells = Vec::new();
    let mut start = 0;
    loop {
        start += if dice.below(4) == 0 {
            dice.within(1_000..600_000)
        } else {
            dice.within(HOUR..120 * HOUR)
        };
        if start > days * 24 * HOUR {
            return spells;
        }
        let (fault, seconds) = Fault::draw(dice, source);
        spells.push(Spell { fault, start, end: start + seconds * 1_000 });
    }
}

/// Numbers that look random: `SplitMix64`.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(crate) fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }
}

const HOUR: u64 = 3_600_000;
