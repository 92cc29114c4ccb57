//! Why a rule, a statement or a definition was refused.

use std::error::Error;
use std::fmt;

/// What was refused, where in its text, and the piece at fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PolicyError {
    /// What is wrong.
    pub(crate) fault: Fault,
    /// Where the piece begins, in bytes; 0 where there is no text.
    pub(crate) offset: usize,
    /// The piece, on one line and cut to 60 characters; empty at the text's end.
    pub(crate) fragment: String,
}

impl PolicyError {
    pub(super) fn new(fault: Fault, offset: usize, fragment: &str) -> Self {
        // Cut first, or a text with an error at each piece would be read over and over.
        let fragment = one_line(&shorten(fragment, 4 * MAX_FRAGMENT));
        Self { fault, offset, fragment: shorten(&fragment, MAX_FRAGMENT) }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, offset, fragment } = self;
        match (fault, fragment.is_empty()) {
            (Fault::Expected(what), true) => {
                write!(f, "expected {what} at offset {offset}, found the end")
            }
            (Fault::Expected(what), false) => {
                write!(f, "expected {what} at offset {offset}, found `{fragment}`")
            }
            (_, true) => write!(f, "{fault} at offset {offset}"),
            (_, false) => write!(f, "{fault}: `{fragment}` at offset {offset}"),
        }
    }
}

impl Error for PolicyError {}

/// What is wrong with a text or a definition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub(crate) enum Fault {
    /// An id is defined already, or a name is, among its siblings.
    Duplicate,
    /// The grammar asks for this here.
    Expected(&'static str),
    /// OCI has it, the emulator has not.
    NotSupported(&'static str),
    /// A statement reaches beyond the compartment that it is attached to.
    OutsidePolicy,
    /// `all` and `any` nest deeper than 8.
    TooDeep,
    /// The text is longer than 4,096 bytes.
    TooLong,
    /// This begins and does not end.
    Unclosed(&'static str),
    /// No compartment has this name or id where the policy can see it. Define compartments
    /// before the statements that name them.
    UnknownCompartment,
    /// No resource type that the emulator knows has this permission.
    UnknownPermission,
    /// The emulator does not know this resource type: it has those its services need.
    UnknownResourceType,
    /// No such variable in a matching rule; in a condition, it begins with neither `request.`
    /// nor `target.`.
    UnknownVariable,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "defined twice",
            Self::Expected(what) => return write!(f, "expected {what}"),
            Self::NotSupported(what) => return write!(f, "{what} are not supported"),
            Self::OutsidePolicy => "not in the compartment that the policy is attached to",
            Self::TooDeep => "nested deeper than 8",
            Self::TooLong => "longer than 4,096 bytes",
            Self::Unclosed(what) => return write!(f, "{what} without an end"),
            Self::UnknownCompartment => "unknown compartment",
            Self::UnknownPermission => "unknown permission",
            Self::UnknownResourceType => "unknown resource type",
            Self::UnknownVariable => "unknown variable",
        })
    }
}

/// The text with each run of blanks and controls as one space: it goes into a log.
pub(super) fn one_line(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text, cut to so many characters, with a mark where it was cut.
pub(super) fn shorten(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}

const MAX_FRAGMENT: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_expected_where_and_what_was_found() {
        let error = PolicyError::new(Fault::Expected("`to`"), 23, "too");
        assert_eq!(error.to_string(), "expected `to` at offset 23, found `too`");
        let error = PolicyError::new(Fault::Expected("`to`"), 23, "");
        assert_eq!(error.to_string(), "expected `to` at offset 23, found the end");
        let error = PolicyError::new(Fault::UnknownResourceType, 5, "bukkits");
        assert_eq!(error.to_string(), "unknown resource type: `bukkits` at offset 5");
        let error = PolicyError::new(Fault::TooLong, 4096, "");
        assert_eq!(error.to_string(), "longer than 4,096 bytes at offset 4096");
        let error = PolicyError::new(Fault::NotSupported("`define` statements"), 0, "Define");
        assert_eq!(
            error.to_string(),
            "`define` statements are not supported: `Define` at offset 0"
        );
    }

    #[test]
    fn a_fragment_is_one_short_line() {
        let error = PolicyError::new(Fault::UnknownVariable, 0, &"a\n\u{1b}[31m".repeat(40));
        assert!(!error.fragment.contains(char::is_control));
        assert_eq!(error.fragment.chars().count(), MAX_FRAGMENT + 1);
        assert!(error.fragment.ends_with('…'));
        assert_eq!(shorten("ééé", 2), "éé…");
        assert_eq!(shorten("éé", 2), "éé");
    }
}
