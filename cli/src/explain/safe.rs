//! What may be printed of what was given: a name, a host, a code; never more of it.

/// A header's name. What is too long for one may be a secret in the wrong place.
pub(crate) fn name(text: &str) -> String {
    let token = |c: char| c.is_ascii_alphanumeric() || "-_()".contains(c);
    let short = !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(token);
    if short { format!("`{}`", text.to_ascii_lowercase()) } else { "a header".to_owned() }
}

/// Names, with commas between.
pub(crate) fn names<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    all.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A host, with its port.
pub(crate) fn host(text: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if text.len() <= LONGEST_HOST && text.chars().all(legal) {
        format!("`{text}`")
    } else {
        "a host that is not one".to_owned()
    }
}

/// A code of OCI's.
pub(crate) fn code(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= LONGEST_NAME;
    (fits && text.chars().all(|c| c.is_ascii_alphabetic())).then(|| text.to_owned())
}

/// A character, however it is written.
pub(crate) fn character(c: char) -> String {
    match c {
        '`' | '\'' | '"' | '\\' => format!("`{c}`").replace("```", "a backquote"),
        ' ' => "a space".to_owned(),
        c if c.is_ascii_graphic() => format!("`{c}`"),
        c => format!("U+{:04X}", u32::from(c)),
    }
}

const LONGEST_NAME: usize = 40;
/// RFC 1035, and a port.
const LONGEST_HOST: usize = 259;
