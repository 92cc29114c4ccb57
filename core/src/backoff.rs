//! How long to wait before asking again, with jitter that is a function of a seed.

use alloc::string::String;
use core::fmt::{self, Write};
use core::time::Duration;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Numbers that look random, from entropy that the caller gave. They keep clients apart and
/// nothing secret.
#[derive(Clone)]
pub(crate) struct Jitter {
    seed: Zeroizing<[u8; 32]>,
    drawn: u64,
}

impl Jitter {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed), drawn: 0 }
    }

    /// A time from `least` to `most`, another one each time.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let digest = Sha256::new()
            .chain_update(self.seed.as_slice())
            .chain_update(self.drawn.to_be_bytes())
            .finalize();
        self.drawn += 1;
        let part = digest.iter().take(4).fold(0_u32, |sum, &byte| (sum << 8) | u32::from(byte));
        let span = most.saturating_sub(least);
        least.saturating_add(span.mul_f64(f64::from(part) / f64::from(u32::MAX)))
    }

    /// A time within a tenth of this one, another one each time.
    pub(crate) fn around(&mut self, mean: Duration) -> Duration {
        self.between(mean.saturating_sub(mean / 10), mean.saturating_add(mean / 10))
    }

    /// Three random-looking numbers, as OCI's clients name their requests.
    pub(crate) fn request_id(&self) -> String {
        let digest =
            Sha256::new().chain_update(self.seed.as_slice()).chain_update(b"request").finalize();
        let mut text = String::with_capacity(98);
        for (index, byte) in digest.iter().chain(&digest[..16]).enumerate() {
            if index > 0 && index % 16 == 0 {
                text.push('/');
            }
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Whole seconds between two attempts of one call: 1 to 3, then 2 to 6, or what the server
    /// asked for and up to 2 more. `None` for more than ten: that is too long to sit out.
    pub(crate) fn pause(&mut self, attempt: u32, asked: Option<Duration>) -> Option<u64> {
        if asked.is_some_and(|asked| asked > PATIENCE) {
            return None;
        }
        let attempt = attempt.clamp(1, 2);
        let drawn = self.between(BASE * attempt, BASE * attempt * 3);
        let pause =
            asked.map_or(drawn, |asked| drawn.max(asked + (drawn / attempt).saturating_sub(BASE)));
        Some(pause.as_secs() + u64::from(pause.subsec_millis() >= 500))
    }

    /// The wait after so many failures in a row: between half and all of 1, 2, 4, … 30 seconds,
    /// or what the server asked for, up to five minutes.
    pub(crate) fn backoff(&mut self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let full = BASE.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(CAP);
        let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        self.between(full / 2, full).max(asked)
    }
}

/// How far it has come, and not the seed.
impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jitter").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

const BASE: Duration = Duration::from_secs(1);
/// What is waited for while others wait for the one who waits.
const PATIENCE: Duration = Duration::from_secs(10);
const CAP: Duration = Duration::from_secs(30);
const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::{CAP, Jitter};
    use core::time::Duration;

    #[test]
    fn waits_double_up_to_the_cap_and_spread_over_half_of_it() {
        let mut jitter = Jitter::new([7; 32]);
        for failures in 1..100 {
            let full = Duration::from_secs(1 << (failures - 1).min(5)).min(CAP);
            for _ in 0..20 {
                let wait = jitter.backoff(failures, None);
                assert!((full / 2..=full).contains(&wait), "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn what_the_server_asks_for_counts_up_to_five_minutes() {
        let mut jitter = Jitter::new([0; 32]);
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(jitter.backoff(1, asked(17)), Duration::from_secs(17));
        assert_eq!(jitter.backoff(1, asked(86_400)), Duration::from_mins(5));
    }

    #[test]
    fn equal_seeds_give_equal_times_and_other_seeds_others() {
        let draw = |seed| {
            let mut jitter = Jitter::new([seed; 32]);
            [(); 8].map(|()| jitter.between(Duration::ZERO, CAP))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).windows(2).all(|pair| pair[0] != pair[1]));
    }
}
