//! `all {…}` and `any {…}`, around whatever a rule or a condition tests.

use super::cursor::Cursor;
use super::error::{Fault, PolicyError};

/// Tests, joined by `all` and `any`.
#[derive(Clone, Debug)]
pub(super) enum Node<T> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Test(T),
}

impl<T> Node<T> {
    /// Read one test, or groups of them nested at most 8 deep. No group is empty.
    pub(super) fn parse(
        cursor: &mut Cursor<'_>,
        test: fn(&mut Cursor<'_>) -> Result<T, PolicyError>,
    ) -> Result<Self, PolicyError> {
        Self::nested(cursor, test, 0)
    }

    fn nested(
        cursor: &mut Cursor<'_>,
        test: fn(&mut Cursor<'_>) -> Result<T, PolicyError>,
        depth: usize,
    ) -> Result<Self, PolicyError> {
        let too_deep = cursor.fault(Fault::TooDeep);
        let group = if cursor.keyword("all") {
            Self::All
        } else if cursor.keyword("any") {
            Self::Any
        } else {
            return test(cursor).map(Self::Test);
        };
        if depth == MAX_DEPTH {
            return Err(too_deep);
        }
        if !cursor.symbol("{") {
            return Err(cursor.expected("`{`"));
        }
        let mut members = vec![Self::nested(cursor, test, depth + 1)?];
        while cursor.symbol(",") {
            members.push(Self::nested(cursor, test, depth + 1)?);
        }
        if !cursor.symbol("}") {
            return Err(cursor.expected("`,` or `}`"));
        }
        Ok(group(members))
    }

    /// Whether it holds, given which tests do.
    pub(super) fn holds(&self, test: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All(members) => members.iter().all(|member| member.holds(test)),
            Self::Any(members) => members.iter().any(|member| member.holds(test)),
            Self::Test(it) => test(it),
        }
    }

    /// The tests that keep it from holding: the first failure of each `all`, all of each `any`.
    pub(super) fn failures(&self, test: &impl Fn(&T) -> bool) -> Vec<&T> {
        let mut found = Vec::new();
        self.collect(test, &mut found);
        found
    }

    fn collect<'a>(&'a self, test: &impl Fn(&T) -> bool, found: &mut Vec<&'a T>) {
        match self {
            Self::All(members) => {
                if let Some(member) = members.iter().find(|member| !member.holds(test)) {
                    member.collect(test, found);
                }
            }
            Self::Any(_) if self.holds(test) => {}
            Self::Any(members) => members.iter().for_each(|member| member.collect(test, found)),
            Self::Test(it) if test(it) => {}
            Self::Test(it) => found.push(it),
        }
    }
}

/// How deep groups nest.
const MAX_DEPTH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(cursor: &mut Cursor<'_>) -> Result<char, PolicyError> {
        let error = cursor.expected("a letter");
        cursor.word().and_then(|word| word.chars().next()).ok_or(error)
    }

    fn parse(text: &str) -> Result<Node<char>, PolicyError> {
        Node::parse(&mut Cursor::new(text)?, letter)
    }

    #[test]
    fn all_wants_each_and_any_wants_one() {
        let node = parse("All {a, ANY{b, c}, aLl { d }}").unwrap();
        let holds = |truths: &str| node.holds(&|letter| truths.contains(*letter));
        assert!(holds("abd") && holds("acd") && holds("abcd"));
        assert!(!holds("ad") && !holds("abc") && !holds("bcd") && !holds(""));
    }

    #[test]
    fn failures_are_what_would_have_to_hold() {
        let node = parse("all {a, any {b, all {c, d}}, e}").unwrap();
        let failures = |truths: &str| {
            node.failures(&|letter| truths.contains(*letter)).into_iter().collect::<String>()
        };
        assert_eq!(failures(""), "a");
        assert_eq!(failures("a"), "bc");
        assert_eq!(failures("ac"), "bd");
        assert_eq!(failures("ab"), "e");
        assert_eq!(failures("abe"), "");
    }

    #[test]
    fn eight_groups_nest_and_nine_do_not() {
        let nested = |depth: usize| format!("{}a{}", "all {".repeat(depth), "}".repeat(depth));
        assert!(parse(&nested(8)).is_ok());
        let error = parse(&nested(9)).unwrap_err();
        assert_eq!((error.fault, error.offset), (Fault::TooDeep, 40));
    }

    #[test]
    fn an_empty_group_a_trailing_comma_and_a_missing_brace_are_errors() {
        for (text, message) in [
            ("all {}", "expected a letter at offset 5, found `}`"),
            ("all {a,}", "expected a letter at offset 7, found `}`"),
            ("all {a", "expected `,` or `}` at offset 6, found the end"),
            ("all {a b}", "expected `,` or `}` at offset 7, found `b`"),
            ("all a", "expected `{` at offset 4, found `a`"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
