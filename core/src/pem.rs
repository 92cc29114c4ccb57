//! Finding the PEM in what people give, and decoding it with `pem-rfc7468`.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::KeyError;

/// One `-----BEGIN X-----` … `-----END X-----`.
pub(crate) struct Section<'a> {
    /// The `X`.
    pub(crate) label: &'a str,
    /// The lines between, headers and all.
    body: &'a str,
}

/// The text with its line ends made real, where they came as `\n`, as they do
/// in environment variables. Base64 has no backslash.
pub(crate) fn unescape(text: &str) -> Zeroizing<String> {
    Zeroizing::new(if text.contains("\\n") {
        // Two pieces, not two copies: the first copy would not be wiped.
        text.split("\\n").flat_map(|line| [line.strip_suffix("\\r").unwrap_or(line), "\n"]).fold(
            String::with_capacity(text.len() + 1),
            |mut text, piece| {
                text.push_str(piece);
                text
            },
        )
    } else {
        text.into()
    })
}

/// The sections of a text, in order; what stands around them is passed over.
///
/// # Errors
///
/// `Malformed` for a section that does not end.
pub(crate) fn sections(text: &str) -> impl Iterator<Item = Result<Section<'_>, KeyError>> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (_, after) = rest.split_once(BEGIN)?;
        let section = section(after);
        rest = section.as_ref().map_or("", |(_, rest)| rest);
        Some(section.map(|(section, _)| section))
    })
}

fn section(text: &str) -> Result<(Section<'_>, &str), KeyError> {
    let (label, after) = text.split_once(DASHES).ok_or(KeyError::Malformed)?;
    let (body, after) = after.split_once(END).ok_or(KeyError::Malformed)?;
    let rest = after.strip_prefix(label).and_then(|rest| rest.strip_prefix(DASHES));
    Ok((Section { label, body }, rest.ok_or(KeyError::Malformed)?))
}

impl<'a> Section<'a> {
    /// The value of a header such as `DEK-Info` (RFC 1421, section 4.6).
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.body
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    }

    /// The base64 as it stands, without blanks and line ends.
    pub(crate) fn base64(&self) -> String {
        self.body.split_ascii_whitespace().collect()
    }

    /// What the base64 holds.
    pub(crate) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        // The decoder is strict (RFC 7468): no headers, blank lines or indentation, and
        // lines of 64. The capacity holds all of it, so that no copy stays behind.
        let capacity = self.body.len() + self.body.len() / LINE + 128;
        let mut pem = Zeroizing::new(String::with_capacity(capacity));
        for piece in [BEGIN, self.label, DASHES, "\n"] {
            pem.push_str(piece);
        }
        let lines = self.body.lines().map(str::trim).filter(|line| !line.contains(':'));
        for (index, character) in lines.flat_map(str::chars).enumerate() {
            if index > 0 && index % LINE == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        for piece in ["\n", END, self.label, DASHES, "\n"] {
            pem.push_str(piece);
        }
        let mut buffer = Zeroizing::new(vec![0; pem.len()]);
        let (_, decoded) =
            pem_rfc7468::decode(pem.as_bytes(), &mut buffer).map_err(|_| KeyError::Malformed)?;
        let length = decoded.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// What a text is that has no section at all.
pub(crate) fn nothing_in(text: &str) -> KeyError {
    if is_path(text) { KeyError::PathGiven } else { KeyError::NotPem }
}

/// Whether a text looks like the name of a file.
fn is_path(text: &str) -> bool {
    let text = text.trim();
    let begins = ["/", "~", "./", "../", ".\\", "..\\"].iter().any(|start| text.starts_with(start));
    let drive = text.get(1..3).is_some_and(|drive| drive == ":\\" || drive == ":/");
    let ends = [".pem", ".key"].iter().any(|end| text.ends_with(end));
    !text.contains('\n') && (begins || drive || ends)
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const LINE: usize = 64;
