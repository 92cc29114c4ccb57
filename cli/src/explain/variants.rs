//! What may have been signed in place of the request: what clients do to a URL, and what
//! signers written by hand get wrong.

use std::fmt::Write;

use super::authorization::Authorization;
use super::evidence::{Sent, split_url, target_of};

/// The text that a signature of this request has to be over.
pub(crate) fn as_sent(sent: &Sent, authorization: &Authorization) -> Option<String> {
    text(sent, authorization, &sent.target()?, ": ", &|_, value| value.trim().to_owned())
}

/// What it would be otherwise, and in which way.
pub(crate) fn all(sent: &Sent, authorization: &Authorization) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |what: &str, text: Option<String>| {
        if let Some(text) = text {
            all.push((what.to_owned(), text));
        }
    };
    let Some(target) = sent.target() else { return all };
    let trimmed = |_: &str, value: &str| value.trim().to_owned();
    for (what, other) in targets(sent, &target) {
        if other != target {
            let what =
                format!("its target was signed {what}; sign what stands on the request line");
            add(&what, text(sent, authorization, &other, ": ", &trimmed));
        }
    }
    let right = as_sent(sent, authorization);
    add(
        "it ends with a line end: join the lines with one, and put none behind the last",
        right.as_ref().map(|text| format!("{text}\n")),
    );
    add(
        "its lines end with CR LF: join them with LF",
        right.map(|text| text.replace('\n', "\r\n")),
    );
    add(
        "it has no blank behind the colons: write `name: value`",
        text(sent, authorization, &target, ":", &trimmed),
    );
    add(
        "the blanks around values were signed, which the server drops",
        text(sent, authorization, &target, ": ", &|_, value| {
            value.strip_prefix(' ').unwrap_or(value).to_owned()
        }),
    );
    add(
        "its method is in upper case: write it in lower case in `(request-target)`",
        as_sent(sent, authorization).map(|text| upper_method(&text)),
    );
    for (what, host) in hosts(sent) {
        let what = format!("the host was signed {what}; sign what the host header says");
        add(
            &what,
            text(sent, authorization, &target, ": ", &|name, value| match name {
                "host" => host.clone(),
                _ => value.trim().to_owned(),
            }),
        );
    }
    all
}

/// The lines, joined: what the signed headers say, each through `value`.
fn text(
    sent: &Sent,
    authorization: &Authorization,
    target: &str,
    separator: &str,
    value: &dyn Fn(&str, &str) -> String,
) -> Option<String> {
    let mut lines = Vec::with_capacity(authorization.headers.len());
    for name in &authorization.headers {
        let line = if name == "(request-target)" {
            format!("{} {target}", sent.method.as_deref()?.to_ascii_lowercase())
        } else {
            value(name, sent.all(name).next()?)
        };
        lines.push([name, separator, &line].concat());
    }
    Some(lines.join("\n"))
}

/// Every target that clients and signers are known to make of this one.
fn targets(sent: &Sent, target: &str) -> Vec<(&'static str, String)> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let whole = |path: String, query: Option<String>| match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let owned = || query.map(str::to_owned);
    let sorted = query.map(|query| {
        let mut parts: Vec<&str> = query.split('&').collect();
        parts.sort_unstable();
        parts.join("&")
    });
    let mut targets = vec![
        ("with its dot segments resolved", whole(resolve(path), owned())),
        ("with `%XX` in upper case", escapes(target, |byte| Some(format!("%{byte:02X}")))),
        ("with `%XX` in lower case", escapes(target, |byte| Some(format!("%{byte:02x}")))),
        ("with needless escapes decoded", escapes(target, unreserved)),
        ("decoded", escapes(target, |byte| byte.is_ascii().then(|| char::from(byte).to_string()))),
        ("escaped twice", target.replace('%', "%25")),
        ("with its odd characters escaped", escape(target, "\"<>[]\\^`{|} ")),
        ("with its odd characters and quotes escaped", escape(target, "\"<>[]\\^`{|} '")),
        ("with `'` as `%27`", target.replace('\'', "%27")),
        ("with `%20` as `+`", target.replace("%20", "+")),
        ("with `+` as `%20`", target.replace('+', "%20")),
        ("with its query sorted", whole(path.to_owned(), sorted)),
        ("without its query", path.to_owned()),
        ("without the `?` at its end", target.trim_end_matches('?').to_owned()),
        ("without the `/` at its end", whole(path.trim_end_matches('/').to_owned(), owned())),
        ("with a `/` at its end", whole(format!("{path}/"), owned())),
        ("with host and scheme", sent.url.clone().unwrap_or_default()),
    ];
    if let Some(url) = &sent.url {
        targets.push(("as the URL has it, not as it was sent", target_of(url).to_owned()));
    }
    targets
}

fn hosts(sent: &Sent) -> Vec<(&'static str, String)> {
    let Some(host) = sent.get("host") else { return Vec::new() };
    let name = host.split(':').next().unwrap_or(host);
    let authority = sent.url.as_deref().and_then(|url| split_url(url).0).unwrap_or(host);
    [
        ("without its port", name.to_owned()),
        ("with the port 443", format!("{name}:443")),
        ("with the port 80", format!("{name}:80")),
        ("in lower case", host.to_ascii_lowercase()),
        ("as the URL has it", authority.to_owned()),
        ("with the path behind it", format!("{host}{}", sent.target().unwrap_or_default())),
    ]
    .into_iter()
    .filter(|(_, other)| other != host)
    .collect()
}

/// The same text, with the method of its request target in upper case.
fn upper_method(text: &str) -> String {
    let upper = |line: &str| match line.strip_prefix("(request-target): ") {
        Some(rest) => match rest.split_once(' ') {
            Some((method, target)) => {
                format!("(request-target): {} {target}", method.to_ascii_uppercase())
            }
            None => line.to_owned(),
        },
        None => line.to_owned(),
    };
    text.split('\n').map(upper).collect::<Vec<_>>().join("\n")
}

/// RFC 3986, section 5.2.4, where an escaped dot counts as one too, as it does for browsers.
pub(crate) fn resolve(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    let last = segments.len().saturating_sub(1);
    for (index, segment) in segments.into_iter().enumerate() {
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." if index == last => out.push(""),
            "." => {}
            ".." => {
                if out.len() > 1 {
                    out.pop();
                }
                if index == last {
                    out.push("");
                }
            }
            _ => out.push(segment),
        }
    }
    out.join("/")
}

/// Each `%XX` through `change`, which may leave it as it is.
fn escapes(text: &str, change: impl Fn(u8) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(changed) = byte.and_then(&change) {
            out.push_str(&changed);
            rest = after.get(2..).unwrap_or("");
        } else {
            out.push('%');
            rest = after;
        }
    }
    out + rest
}

fn unreserved(byte: u8) -> Option<String> {
    let c = char::from(byte);
    (c.is_ascii_alphanumeric() || "-._~".contains(c)).then(|| c.to_string())
}

/// These characters, and all outside ASCII, as `%XX`.
fn escape(text: &str, characters: &str) -> String {
    let mut buffer = [0; 4];
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_ascii() && !characters.contains(c) {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::{escape, escapes, resolve, unreserved};

    #[test]
    fn paths_are_resolved_as_rfc_3986_does() {
        for (path, resolved) in [
            ("/a/./b", "/a/b"),
            ("/a/b/../c", "/a/c"),
            ("/a/%2E%2e/c", "/c"),
            ("/a/..", "/"),
            ("/../a", "/a"),
            ("/a/.", "/a/"),
            ("/a//b/", "/a//b/"),
        ] {
            assert_eq!(resolve(path), resolved, "{path}");
        }
    }

    #[test]
    fn escapes_are_changed_and_odd_ones_kept() {
        assert_eq!(escapes("/%41%2f%zz%", unreserved), "/A%2f%zz%");
        assert_eq!(escape("/a|\u{e9}", "|"), "/a%7C%C3%A9");
    }
}
