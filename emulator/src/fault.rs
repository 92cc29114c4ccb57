//! How the emulator misbehaves: a plan of which answers go wrong, and how.

use serde::{Deserialize, Serialize};

use crate::config::ConfigError;

/// One line of the plan.
///
/// The first that fits a request and is not used up is carried out.
///
/// ```
/// use ocisign_emulator::{Config, FaultKind};
///
/// // The second and the third federation fail.
/// let config = Config::from_toml(
///     r#"
///     [[faults]]
///     on = "POST /v1/x509"
///     skip = 1
///     times = 2
///     kind = "status"
///     status = 503
///     "#,
/// )?;
/// assert_eq!(config.faults[0].kind, FaultKind::Status);
/// # Ok::<(), ocisign_emulator::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Method and path, each `*` for any; a path that ends with `*` is a beginning.
    pub on: String,
    /// So many that fit go well first.
    pub skip: u32,
    /// So many go wrong then; without a number, all.
    pub times: Option<u32>,
    /// What happens.
    pub kind: FaultKind,
    /// Milliseconds to wait before it, or between the bytes of `slow`.
    pub delay_ms: u64,
    /// The status, for `status`; 429 and 5xx have OCI's codes.
    #[serde(deserialize_with = "final_status")]
    pub status: Option<u16>,
    /// Where to, for `redirect`.
    pub location: Option<String>,
    /// How many, for `huge`; 64 MiB without a number.
    pub bytes: Option<u64>,
}

/// What happens in place of an answer, or to it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is closed without an answer.
    Close,
    /// The answer comes late.
    #[default]
    Delay,
    /// The token given has expired.
    ExpiredToken,
    /// Status 200 and bytes that are nothing.
    Garbage,
    /// No answer, ever.
    Hang,
    /// A body without end, or nearly.
    Huge,
    /// The token given is another tenancy's.
    OtherTenancy,
    /// Elsewhere.
    Redirect,
    /// The right answer, a byte at a time.
    Slow,
    /// An error with this status.
    Status,
    /// The first half of the right answer.
    Truncated,
    /// The token given is bound to another key.
    WrongJwk,
}

/// Whether each says what it is about.
pub(crate) fn check(faults: &[Fault]) -> Result<(), ConfigError> {
    for (at, fault) in faults.iter().enumerate() {
        let place = fault.on.rsplit(' ').next().unwrap_or_default();
        if !place.starts_with(['/', '*']) {
            return Err(ConfigError(format!("faults[{at}].on: names no path")));
        }
    }
    Ok(())
}

/// The plan, and how far it is used up.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    faults: Vec<(Fault, u32)>,
}

impl FaultPlan {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { faults: faults.into_iter().map(|fault| (fault, 0)).collect() }
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.faults.iter().map(|(fault, _)| fault.clone()).collect()
    }

    /// The fault of this request, which counts.
    pub(crate) fn next(&mut self, method: &str, path: &str) -> Option<Fault> {
        for (fault, seen) in &mut self.faults {
            if !fits(&fault.on, method, path) {
                continue;
            }
            let nth = *seen;
            *seen = seen.saturating_add(1);
            let last = fault.times.map_or(u32::MAX, |times| fault.skip.saturating_add(times));
            if nth >= fault.skip && nth < last {
                return Some(fault.clone());
            }
        }
        None
    }
}

/// One that ends a request: 1xx are not answers, and HTTP has three digits.
fn final_status<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    let status = Option::<u16>::deserialize(from)?;
    match status {
        Some(status) if !(200..=999).contains(&status) => {
            Err(serde::de::Error::custom(format!("{status} is no status from 200 to 999")))
        }
        status => Ok(status),
    }
}

fn fits(on: &str, method: &str, path: &str) -> bool {
    let (wanted, place) = on.split_once(' ').unwrap_or(("*", on));
    let method_fits = wanted == "*" || wanted.eq_ignore_ascii_case(method);
    let path_fits = match place.trim().strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => path == place.trim(),
    };
    method_fits && path_fits
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind, FaultPlan};

    #[test]
    fn a_fault_skips_happens_and_is_used_up() {
        let on = "POST /v1/x509".to_owned();
        let fault =
            Fault { on, skip: 1, times: Some(2), kind: FaultKind::Hang, ..Fault::default() };
        let mut plan = FaultPlan::new(vec![fault]);
        let mut ask = |method, path| plan.next(method, path).is_some();
        assert!(!ask("GET", "/v1/x509"));
        assert!(!ask("POST", "/v1/x509x"));
        let happened = [0; 4].map(|_| ask("POST", "/v1/x509"));
        assert_eq!(happened, [false, true, true, false]);
    }

    #[test]
    fn a_star_is_any_method_and_any_end() {
        for (on, fit) in [("* /opc/*", true), ("/opc/*", true), ("*", true), ("GET /opc", false)] {
            let mut plan = FaultPlan::new(vec![Fault { on: on.to_owned(), ..Fault::default() }]);
            assert_eq!(plan.next("GET", "/opc/v2").is_some(), fit, "{on}");
        }
    }
}
