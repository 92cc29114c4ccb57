//! Random bytes, for ids and serial numbers.

use ring::rand::{SecureRandom, SystemRandom};

use crate::key::hex;

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without a random source ids repeat, and nothing is weaker for that.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

/// An id as OCI makes them: 32 hex digits, upper case.
pub(crate) fn id() -> String {
    hex(&bytes::<16>()).to_ascii_uppercase()
}
