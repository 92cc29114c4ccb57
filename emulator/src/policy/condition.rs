//! The conditions of statements: a variable of the request, against values.

use super::cursor::Cursor;
use super::error::{Fault, PolicyError, one_line, shorten};
use super::node::Node;

/// What stands behind `where`.
///
/// - `variable = value`, `!=`, `in (value, …)`, `not in (value, …)`; joined by `all {…}` and
///   `any {…}`.
/// - A value is text in quotes or a pattern between slashes, and compared in any case (ASCII).
///   `*` stands for anything, in a pattern and in quotes: the documentation has it in patterns,
///   at an end or at both, and in practice `'logs/*'` is how object names are matched.
/// - A comparison with a variable that the request does not have is false, with `!=` too. The
///   documentation says so of a condition; that in `any {…}` another comparison may still hold
///   is our reading.
/// - A variable with several values, as `request.groups.id`, equals a value if one of them does.
/// - `before`, `after` and `between` are refused: nothing here knows the time.
///
/// Source: Oracle's documentation, "Conditions", "Advanced Policy Features" and "Using Tags to
/// Manage Access".
#[derive(Clone, Debug)]
pub(super) struct Condition {
    root: Node<Comparison>,
}

impl Condition {
    /// Read it, up to where no more of it can stand.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PolicyError> {
        Node::parse(cursor, Comparison::parse).map(|root| Self { root })
    }

    /// Whether it holds, given the values of a variable; of none, the request does not have it.
    pub(super) fn holds<'a>(&self, values: &impl Fn(&str) -> Vec<&'a str>) -> bool {
        self.root.holds(&|comparison| comparison.holds(&values(&comparison.variable)))
    }

    /// Why it does not hold: the comparisons at fault and what the request has.
    pub(super) fn explain<'a>(&self, values: &impl Fn(&str) -> Vec<&'a str>) -> String {
        let test = |comparison: &Comparison| comparison.holds(&values(&comparison.variable));
        let failures = self.root.failures(&test);
        let explained = failures.iter().take(MAX_EXPLAINED).map(|comparison| {
            let found = values(&comparison.variable);
            let found = found.iter().map(|value| format!("`{}`", shorten(value, MAX_VALUE)));
            let found = found.take(MAX_EXPLAINED).collect::<Vec<_>>().join(", ");
            let Comparison { text, variable, .. } = comparison;
            if found.is_empty() {
                format!("`{text}` is false, because the request has no {variable}")
            } else {
                format!("`{text}` is false, because it is {found}")
            }
        });
        let explained = explained.collect::<Vec<_>>().join("; ");
        match failures.len().checked_sub(MAX_EXPLAINED) {
            Some(more @ 1..) => format!("{explained}; and {more} more"),
            _ => explained,
        }
    }
}

#[derive(Clone, Debug)]
struct Comparison {
    text: String,
    variable: String,
    negated: bool,
    values: Vec<Pattern>,
}

impl Comparison {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PolicyError> {
        let start = cursor.offset();
        let unknown = cursor.fault(Fault::UnknownVariable);
        let missing = cursor.expected("a condition");
        let variable = cursor.word().ok_or(missing)?;
        let known = |prefix: &str| {
            variable.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix))
                && variable.len() > prefix.len()
        };
        if !known("request.") && !known("target.") {
            return Err(unknown);
        }
        let (negated, list) = operator(cursor)?;
        let mut values = Vec::new();
        if list && !cursor.symbol("(") {
            return Err(cursor.expected("`(`"));
        }
        values.push(value(cursor)?);
        while list && cursor.symbol(",") {
            values.push(value(cursor)?);
        }
        if list && !cursor.symbol(")") {
            return Err(cursor.expected("`,` or `)`"));
        }
        let text = one_line(cursor.since(start));
        Ok(Self { text, variable: variable.to_owned(), negated, values })
    }

    fn holds(&self, found: &[&str]) -> bool {
        let equal = |found: &&str| {
            let found = found.to_ascii_lowercase();
            self.values.iter().any(|value| value.matches(&found))
        };
        !found.is_empty() && found.iter().any(equal) != self.negated
    }
}

/// Whether the operator says not, and whether a list follows.
fn operator(cursor: &mut Cursor<'_>) -> Result<(bool, bool), PolicyError> {
    if cursor.symbol("!=") {
        return Ok((true, false));
    }
    if cursor.symbol("=") {
        return Ok((false, false));
    }
    if ["after", "before", "between"].iter().any(|word| cursor.peek().eq_ignore_ascii_case(word)) {
        return Err(cursor.fault(Fault::NotSupported("conditions on the time")));
    }
    let missing = cursor.expected("`=`, `!=`, `in` or `not in`");
    let negated = cursor.keyword("not");
    if cursor.keyword("in") { Ok((negated, true)) } else { Err(missing) }
}

fn value(cursor: &mut Cursor<'_>) -> Result<Pattern, PolicyError> {
    let missing = cursor.expected("a value in quotes or a pattern");
    let value = match cursor.quoted()? {
        Some(value) => Some(value),
        None => cursor.pattern()?,
    };
    value.map(Pattern::new).ok_or(missing)
}

/// Text in lower case, in which `*` stands for anything.
#[derive(Clone, Debug)]
struct Pattern {
    head: String,
    /// What must follow in this order, the last of it at the end; without it, `head` is all.
    tail: Option<(Vec<String>, String)>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let mut parts = text.split('*').map(str::to_owned);
        let head = parts.next().unwrap_or_default();
        let mut middle: Vec<_> = parts.collect();
        let last = middle.pop();
        middle.retain(|part| !part.is_empty());
        Self { head, tail: last.map(|last| (middle, last)) }
    }

    /// Whether a text in lower case is such. The leftmost place for each part is as good as any,
    /// so the time is linear.
    fn matches(&self, text: &str) -> bool {
        let Some((middle, last)) = &self.tail else { return text == self.head };
        let rest = text.strip_prefix(self.head.as_str());
        let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        for part in middle {
            let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
            rest = after;
        }
        true
    }
}

const MAX_EXPLAINED: usize = 3;
const MAX_VALUE: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Condition, PolicyError> {
        let mut cursor = Cursor::new(text)?;
        let condition = Condition::parse(&mut cursor)?;
        cursor.end("the end")?;
        Ok(condition)
    }

    fn holds(text: &str, variables: &[(&str, &str)]) -> bool {
        let values = |name: &str| {
            let same = variables.iter().filter(|(known, _)| *known == name);
            same.map(|(_, value)| *value).collect()
        };
        parse(text).unwrap().holds(&values)
    }

    #[test]
    fn a_pattern_matches_a_beginning_an_end_or_what_lies_between() {
        for (pattern, matching, other) in [
            ("/hr*/", ["hr", "HR-team", "hrx"], ["ahr", "h", ""]),
            ("/*hr/", ["hr", "the-HR", "xhr"], ["hrx", "r", ""]),
            ("/*hr*/", ["hr", "a-HR-b", "hrhr"], ["h-r", "rh", ""]),
            ("/A-Users-*/", ["a-users-", "A-Users-x", "a-users-*"], ["A-User", "x-A-Users-", ""]),
            ("'logs/*.gz'", ["logs/.gz", "logs/a/b.gz", "LOGS/x.GZ"], ["logs/a.g", "logs.gz", "l"]),
            ("/a*b*c/", ["abc", "axbxc", "abbcc"], ["acb", "ab", "abcd"]),
            ("/ab*ba/", ["abba", "abxba", "ababba"], ["aba", "ab", "ba"]),
            ("/*/", ["", "x", "*"], ["\u{0}never", "\u{0}never", "\u{0}never"]),
            ("'Ab'", ["ab", "AB", "aB"], ["abc", "a", "*"]),
            ("/Ab/", ["ab", "AB", "aB"], ["abc", "a", "*"]),
        ] {
            let text = format!("target.x = {pattern}");
            let not = format!("target.x != {pattern}");
            for value in matching {
                assert!(holds(&text, &[("target.x", value)]), "{pattern} {value}");
                assert!(!holds(&not, &[("target.x", value)]), "{pattern} {value}");
            }
            for value in other.into_iter().filter(|value| *value != "\u{0}never") {
                assert!(!holds(&text, &[("target.x", value)]), "{pattern} {value}");
                assert!(holds(&not, &[("target.x", value)]), "{pattern} {value}");
            }
        }
    }

    #[test]
    fn a_variable_that_the_request_does_not_have_makes_its_comparison_false() {
        for text in ["target.x = 'a'", "target.x != 'a'", "target.x not in ('a')", "target.x = /*/"]
        {
            assert!(!holds(text, &[("target.y", "b")]), "{text}");
        }
        assert!(holds("any {target.x = 'a', target.y = 'b'}", &[("target.y", "b")]));
        assert!(!holds("all {target.x != 'a', target.y = 'b'}", &[("target.y", "b")]));
    }

    #[test]
    fn in_takes_one_of_a_list_and_not_in_none() {
        let text = "target.x in ('a', /b*/ ,\"c\")";
        for value in ["A", "bb", "c"] {
            assert!(holds(text, &[("target.x", value)]));
            assert!(!holds(&text.replace(" in", " NOT IN"), &[("target.x", value)]));
        }
        assert!(!holds(text, &[("target.x", "d")]));
        assert!(holds(&text.replace(" in", " not  in"), &[("target.x", "d")]));
    }

    #[test]
    fn a_variable_with_several_values_equals_if_one_does() {
        let groups = [("request.groups.id", "a"), ("request.groups.id", "b")];
        assert!(holds("request.groups.id = 'b'", &groups));
        assert!(!holds("request.groups.id = 'c'", &groups));
        assert!(!holds("request.groups.id != 'b'", &groups));
        assert!(holds("request.groups.id != 'c'", &groups));
    }

    #[test]
    fn a_condition_that_cannot_be_read_says_where() {
        for (text, message) in [
            ("", "expected a condition at offset 0, found the end"),
            ("tag.a = 'x'", "unknown variable: `tag.a` at offset 0"),
            ("request. = 'x'", "unknown variable: `request.` at offset 0"),
            ("target.x > 'a'", "expected `=`, `!=`, `in` or `not in` at offset 9, found `>`"),
            ("target.x = a", "expected a value in quotes or a pattern at offset 11, found `a`"),
            (
                "target.x = target.y",
                "expected a value in quotes or a pattern at offset 11, found `target.y`",
            ),
            ("target.x in 'a'", "expected `(` at offset 12, found `'a'`"),
            ("target.x in ('a' 'b')", "expected `,` or `)` at offset 17, found `'b')`"),
            ("target.x = /a", "a pattern without an end: `/a` at offset 11"),
            (
                "request.utc-timestamp before '2022-01-01T00:00Z'",
                "conditions on the time are not supported: `before` at offset 22",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn an_explanation_names_what_is_false_and_what_the_request_has() {
        let condition =
            parse("all {target.a='x', any {target.b = /y*/, target.c != 'z'}}").unwrap();
        let explain = |variables: &[(&'static str, &'static str)]| {
            condition.explain(&|name: &str| {
                let same = variables.iter().filter(|(known, _)| *known == name);
                same.map(|(_, value)| *value).collect()
            })
        };
        assert_eq!(explain(&[("target.a", "q")]), "`target.a='x'` is false, because it is `q`");
        assert_eq!(
            explain(&[("target.a", "x"), ("target.c", "z")]),
            "`target.b = /y*/` is false, because the request has no target.b; \
             `target.c != 'z'` is false, because it is `z`"
        );
    }
}
