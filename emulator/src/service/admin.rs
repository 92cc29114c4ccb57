//! What only an emulator has: `/emulator/…`, unsigned, for tests.

use serde_json::{Value, json};

use super::Outcome;
use crate::answer::Answer;
use crate::config::{ConfigError, DynamicGroupConfig};
use crate::fault::{Fault, FaultPlan, check};
use crate::guard::Incoming;
use crate::state::State;

/// The answer to a request below `/emulator/`. Rotation takes as long as a key takes.
pub(crate) fn answer(state: &State, request: Incoming<'_>) -> Answer {
    // A page that a browser shows must not reach what no signature guards.
    if request.headers.contains_key("origin") {
        return Answer::error(403, "NotAllowed", "The emulator's own paths are not for browsers.");
    }
    let outcome = match (request.method, request.target) {
        ("GET", "/emulator/faults") => Ok(Answer::json(&json!(plan(state).faults()))),
        ("PUT", "/emulator/faults") => set_faults(state, request.body),
        ("GET", "/emulator/log") => Ok(Answer::json(&json!(state.log.entries()))),
        ("PUT", "/emulator/clock") => set_clock(state, request.body),
        ("PUT", "/emulator/policies") => set_policies(state, request.body),
        ("POST", "/emulator/rotate") => match state.rotate_instance() {
            Ok(()) => Ok(Answer::empty(204)),
            Err(error) => Err(Answer::error(500, "InternalServerError", &error.to_string())),
        },
        _ => Err(Answer::not_found("the emulator has nothing of this method and path")),
    };
    outcome.unwrap_or_else(|answer| answer)
}

fn plan(state: &State) -> std::sync::MutexGuard<'_, FaultPlan> {
    crate::lock(&state.faults)
}

fn set_faults(state: &State, body: &[u8]) -> Outcome {
    let faults: Vec<Fault> = parse(body)?;
    check(&faults).map_err(|ConfigError(error)| Answer::invalid(&error))?;
    *plan(state) = FaultPlan::new(faults);
    Ok(Answer::empty(204))
}

/// `{"time": seconds}`; `{}` is the machine's time.
fn set_clock(state: &State, body: &[u8]) -> Outcome {
    let value: Value = parse(body)?;
    match value.get("time") {
        Some(time) => {
            let time = time.as_i64().ok_or_else(|| Answer::invalid("time is no whole number"))?;
            state.clock.set(time);
        }
        None => state.clock.reset(),
    }
    Ok(Answer::json(&json!({ "time": state.clock.now() })))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    dynamic_groups: Vec<DynamicGroupConfig>,
    policies: Vec<String>,
}

fn set_policies(state: &State, body: &[u8]) -> Outcome {
    let Rules { dynamic_groups, policies } = parse(body)?;
    state
        .set_policies(dynamic_groups, policies)
        .map_err(|error| Answer::invalid(&error.to_string()))?;
    Ok(Answer::empty(204))
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|error| Answer::invalid(&error.to_string()))
}
