//! What is on the request line, and what clients make of such URLs.

use ocisign::{KeyId, Request, SignError, UrlFault, prepare};

use super::evidence::{Sent, target_of};
use super::safe;
use super::variants;
use super::verdict::{Verdict, Verdicts};

pub(crate) fn check(sent: &Sent) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("url");
    let Some(target) = sent.target() else { return verdicts.list };
    let given = sent.url.as_deref().filter(|_| sent.target.is_some()).map(target_of);
    if let Some(given) = given.filter(|given| **given != *target) {
        let slash = given.is_empty() && target == "/";
        if !slash {
            let same = given.bytes().zip(target.bytes()).take_while(|(a, b)| a == b).count();
            let at = given.get(same..).and_then(|rest| rest.chars().next());
            let what = at.map_or_else(|| "the end".to_owned(), safe::character);
            verdicts.bad(format!(
                "the request line has another path or query than the URL, from {what} at offset \
                 {same} of the path on: a client rewrote it; sign what it sends",
            ));
        }
    }
    let method = sent.method.as_deref().unwrap_or("GET");
    if let (Ok(key_id), Some(url)) = (KeyId::new("k"), sent.url.as_deref())
        && let Err(SignError::InvalidUrl(error)) = prepare(&Request::new(method, url), &key_id, 0)
    {
        let advice = match error.fault {
            UrlFault::Character => "; clients escape it, and not alike: escape it as `%XX`",
            UrlFault::UserInfo => "; drop it",
            _ => "",
        };
        verdicts.bad(format!("{error}{advice}"));
    }
    rewritten(&mut verdicts, &target, sent.url.as_deref());
    if verdicts.list.is_empty() {
        verdicts.ok("path and query hold nothing that a client is known to rewrite");
    }
    verdicts.list
}

/// What clients are known to change, each with those that do.
fn rewritten(verdicts: &mut Verdicts, target: &str, url: Option<&str>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for (there, what) in [
        (
            path.contains(['[', ']']),
            "`[` or `]` in the path: Python escapes it, Go and Node keep it, Java and Ruby refuse \
             it; curl needs --globoff",
        ),
        (
            path.contains(['|', '^']),
            "`|` or `^` in the path: Python and Go escape it, Node keeps it, Java and Ruby refuse it",
        ),
        (
            query.contains('\''),
            "`'` in the query: Node and Ruby write `%27`, Python, Go and Java keep it",
        ),
        (
            query.contains(['{', '}']),
            "`{` or `}` in the query: Python escapes it, Go and Node keep it; curl needs --globoff",
        ),
        (
            query.contains(['"', '<', '>']),
            "`\"`, `<` or `>` in the query: Python, Node and Ruby escape it, Go keeps it",
        ),
        (path.contains('\\'), "`\\` in the path: Node makes it `/`, Python and Go escape it"),
        (
            path.contains(['{', '}', '"', '<', '>', '`']),
            "`{`, `}`, `\"`, `<`, `>` or a backquote in the path: some clients escape it, others refuse it",
        ),
        (
            variants::resolve(path) != path,
            "`.` or `..` in the path: Python, Node, browsers and curl resolve it (curl not with \
             --path-as-is), Go, Java and Ruby keep it",
        ),
        (
            escapes(target).any(|hex| hex.bytes().any(|byte| byte.is_ascii_lowercase())),
            "`%xx` in lower case: Python writes it in upper case, others keep it",
        ),
        (
            escapes(target).any(|hex| {
                let byte = u8::from_str_radix(hex, 16).map(char::from);
                byte.is_ok_and(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
            }),
            "an escape that need not be one, such as `%41` or `%7E`: Python decodes it, others keep it",
        ),
        (
            target.split('%').skip(1).any(|after| !is_hex(after)),
            "a `%` without two digits behind it: Python and others write `%25`, Go and Java refuse it",
        ),
        (
            target.ends_with('?'),
            "`?` at the end: Python, Node and Java drop it, Go and Ruby keep it",
        ),
        (
            url.is_some_and(|url| url.contains('#')),
            "a fragment, from `#` on: it is neither sent nor signed; write `%23` for what belongs \
             to the path",
        ),
    ] {
        if there {
            verdicts.note(format!("{what}; write such characters as `%XX`, and sign what is sent"));
        }
    }
}

/// The two digits of each escape.
fn escapes(target: &str) -> impl Iterator<Item = &str> {
    target.split('%').skip(1).filter(|after| is_hex(after)).filter_map(|after| after.get(..2))
}

fn is_hex(after: &str) -> bool {
    after.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
