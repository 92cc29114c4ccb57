//! The two parts of a URL that are signed, byte for byte as they were given.

use core::net::Ipv6Addr;

use crate::error::{UrlError, UrlFault};

/// What an absolute URL says of the request line and the `host` header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Target<'a> {
    /// The host, with its port unless that is empty or the scheme's own.
    pub(crate) host: &'a str,
    /// The path, without its first slash where the URL has no path.
    pub(crate) path_and_query: &'a str,
    /// Whether a slash must be put before `path_and_query`.
    pub(crate) slash: bool,
}

/// Split a URL. Nothing is decoded, encoded, resolved or re-ordered: what goes
/// on the request line is what was given, or the URL is refused.
pub(crate) fn parse(url: &str) -> Result<Target<'_>, UrlError> {
    if url.len() > MAX_LENGTH {
        return Err(UrlError { fault: UrlFault::TooLong, character: None, offset: MAX_LENGTH });
    }
    if let Some(offset) = url.bytes().position(|byte| !byte.is_ascii_graphic()) {
        // The first byte outside ASCII is the first of its character.
        let character = url.get(offset..).and_then(|rest| rest.chars().next());
        return Err(UrlError { fault: UrlFault::Character, character, offset });
    }
    let (start, own_port) = scheme(url)?;
    let rest = &url[start..];
    let rest = rest.split_once('#').map_or(rest, |(rest, _fragment)| rest);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at(end);
    Ok(Target {
        host: host(authority, start, own_port)?,
        path_and_query,
        slash: !path_and_query.starts_with('/'),
    })
}

/// Where the authority starts, and the port that need not be said.
fn scheme(url: &str) -> Result<(usize, u16), UrlError> {
    for (scheme, port) in [("https", 443), ("http", 80)] {
        let is_scheme = url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
        if let Some(rest) = url.get(scheme.len()..).filter(|_| is_scheme) {
            if rest.starts_with("://") {
                return Ok((scheme.len() + 3, port));
            }
            if rest.starts_with(':') {
                let offset = scheme.len() + 1;
                return Err(UrlError { fault: UrlFault::NoHost, character: None, offset });
            }
        }
    }
    Err(UrlError { fault: UrlFault::Scheme, character: None, offset: 0 })
}

/// The `host` header of an authority that starts at this offset of the URL.
fn host(authority: &str, start: usize, own_port: u16) -> Result<&str, UrlError> {
    let fail = |fault, at: usize| {
        let character = authority.get(at..).and_then(|rest| rest.chars().next());
        Err(UrlError { fault, character, offset: start + at })
    };
    if let Some(at) = authority.find('@') {
        return fail(UrlFault::UserInfo, at);
    }
    let end = if authority.starts_with('[') {
        match authority.find(']') {
            Some(close) if authority[1..close].parse::<Ipv6Addr>().is_ok() => close + 1,
            _ => return fail(UrlFault::Host, 0),
        }
    } else {
        // RFC 3986, section 3.2.2: reg-name = *( unreserved / pct-encoded / sub-delims )
        let legal = |c: char| c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=".contains(c);
        authority.find(|c| !legal(c)).unwrap_or(authority.len())
    };
    if end == 0 && (authority.is_empty() || authority.starts_with(':')) {
        return Err(UrlError { fault: UrlFault::NoHost, character: None, offset: start });
    }
    let Some(port) = authority[end..].strip_prefix(':') else {
        return if end == authority.len() { Ok(authority) } else { fail(UrlFault::Host, end) };
    };
    if port.is_empty() {
        return Ok(&authority[..end]);
    }
    if let Some(at) = port.find(|c: char| !c.is_ascii_digit()) {
        return fail(UrlFault::Port, end + 1 + at);
    }
    match port.parse::<u16>() {
        Ok(port) if port == own_port => Ok(&authority[..end]),
        Ok(_) => Ok(authority),
        Err(_) => Err(UrlError { fault: UrlFault::Port, character: None, offset: start + end + 1 }),
    }
}

/// Many times what any server reads.
const MAX_LENGTH: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::{Target, parse};
    use crate::error::UrlFault;

    #[test]
    fn keeps_every_byte_of_path_and_query() {
        let url = r#"https://h/a/../%2f[]{}|^\"<>`%?a=%zz&a=&&?"#;
        assert_eq!(parse(url).unwrap().path_and_query, &url["https://h".len()..]);
    }

    #[test]
    fn drops_only_the_fragment_and_a_needless_port() {
        for (url, host, path_and_query, slash) in [
            ("https://h", "h", "", true),
            ("https://h?a", "h", "?a", true),
            ("https://h/?", "h", "/?", false),
            ("https://h#/a", "h", "", true),
            ("http://H:80/a#b?c", "H", "/a", false),
            ("https://h:/a", "h", "/a", false),
            ("https://h:80/", "h:80", "/", false),
            ("HTTPS://[::1]:443/", "[::1]", "/", false),
            ("http://[::1]:8080", "[::1]:8080", "", true),
        ] {
            assert_eq!(parse(url), Ok(Target { host, path_and_query, slash }), "{url}");
        }
    }

    #[test]
    fn names_the_character_and_its_offset() {
        for (url, fault, character, offset) in [
            ("https://h/a b", UrlFault::Character, Some(' '), 11),
            ("https://h/\u{e9}", UrlFault::Character, Some('\u{e9}'), 10),
            ("https://u:p@h/", UrlFault::UserInfo, Some('@'), 11),
            ("https://h\\x/", UrlFault::Host, Some('\\'), 9),
            ("https://h:1x/", UrlFault::Port, Some('x'), 11),
            ("https://h:65536/", UrlFault::Port, None, 10),
            ("https://[::1/", UrlFault::Host, Some('['), 8),
            ("https://[::1]x/", UrlFault::Host, Some('x'), 13),
            ("https:///a", UrlFault::NoHost, None, 8),
            ("https://:443/a", UrlFault::NoHost, None, 8),
            ("https:/h", UrlFault::NoHost, None, 6),
            ("ftp://h", UrlFault::Scheme, None, 0),
            ("httpsx://h", UrlFault::Scheme, None, 0),
            ("", UrlFault::Scheme, None, 0),
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(
                (error.fault, error.character, error.offset),
                (fault, character, offset),
                "{url}"
            );
        }
    }
}
