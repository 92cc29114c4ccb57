//! What the fuzz targets reach into; there under `cfg(fuzzing)` alone.

use std::sync::OnceLock;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::call::Call;
use crate::guard::Incoming;
use crate::log::Log;
use crate::policy::{Caller, CallerKind, MatchingRule, Operation, Policies, Request};
use crate::service::route;
use crate::state::State;
use crate::{Config, authorization};

/// The status of the answer to a request, at a time when nothing has expired.
///
/// # Panics
///
/// When the built-in configuration is not good.
#[must_use]
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
    static STATE: OnceLock<State> = OnceLock::new();
    let config = || Config { time: Some(NOW), skew: i64::MAX, ..Config::default() };
    let state = STATE.get_or_init(|| match State::new(config(), Log::default()) {
        Ok(state) => state,
        Err(error) => unreachable!("{error}"),
    });
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            map.append(name, value);
        }
    }
    let mut call = Call {
        state,
        request: Incoming { method, target, headers: &map, body },
        secure: false,
        fault: None,
        now: NOW,
        caller: None,
        reason: None,
    };
    route(&mut call).status
}

/// Read the value of a header `authorization`.
#[must_use]
pub fn authorization(value: &str) -> bool {
    authorization::parse(value).is_ok()
}

/// Read a rule and a statement, and ask them.
#[must_use]
pub fn policy(rule: &str, statement: &str) -> bool {
    let mut policies = Policies::new("t", "tenancy");
    if let Ok(rule) = MatchingRule::parse(rule) {
        // A name that is no name is refused, which is as good.
        let _ = policies.add_dynamic_group("g", "ocid1.dynamicgroup.oc1..g", rule);
    }
    let added = policies.add_statement("t", statement).is_ok();
    let caller = Caller {
        id: "ocid1.fnfunc.oc1..a",
        kind: CallerKind::Resource { resource_type: "fnfunc" },
        compartment_id: "t",
        tags: &[("n", "k", "v")],
        groups: &[],
    };
    let variables = [("target.bucket.name", "b")];
    let decision = policies.decide(&caller, &Request::new(Operation::GetBucket, "t", &variables));
    assert!(added || !decision.allowed, "nothing allows this");
    assert!(!decision.explanation.contains('\n'));
    decision.allowed
}

const NOW: i64 = 1_704_110_645;
