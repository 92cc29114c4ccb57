//! What can be wrong with a request, group by group.

mod authorization;
mod federation;
mod message;
mod token;

use crate::wire::Wire;
use crate::{Case, Stage};

pub(crate) use federation::body as federation_body;

/// All groups, by name.
pub(crate) fn groups(stage: &Stage) -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("a signed header dropped", message::dropped(stage)),
        ("a signed header doubled", message::doubled(stage)),
        ("a byte of a signed header changed", message::changed_bytes(stage)),
        ("a header that has to be signed left out", message::unsigned(stage)),
        ("the names of what is signed in another order", message::reordered(stage)),
        ("the names of what is signed not those", message::misnamed(stage)),
        ("another body", message::bodies(stage)),
        ("another date", message::dates(stage)),
        ("another host", message::hosts(stage)),
        ("another method", message::methods(stage)),
        ("another target", message::targets(stage)),
        ("a delegation token that is not signed", message::delegation(stage)),
        ("a parameter dropped, doubled or changed", authorization::parameters(stage)),
        ("no authorization, or of another scheme", authorization::schemes(stage)),
        ("another algorithm", authorization::algorithms(stage)),
        ("another signature", authorization::signatures(stage)),
        ("another key id", authorization::key_ids(stage)),
        ("another token", token::tokens(stage)),
        ("another certificate", federation::certificates(stage)),
        ("a resource's own key", federation::own_keys(stage)),
    ]
}

/// What is written otherwise and means the same, and other right requests.
pub(crate) fn equal(stage: &Stage) -> Vec<(String, Wire)> {
    let mut equal = authorization::equal(stage);
    equal.extend(message::equal(stage));
    equal.extend(token::equal(stage));
    equal.extend(federation::equal(stage));
    equal
}
