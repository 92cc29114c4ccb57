//! The bytes that are signed: one line per signed header.

use alloc::string::String;

/// Lines of `name: value`, joined by a line feed, with none at the end.
#[derive(Default)]
pub(crate) struct SigningString {
    text: String,
    names: String,
}

impl SigningString {
    /// An empty one, with room for this many bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), names: String::with_capacity(96) }
    }

    /// Add a line, its value in pieces. The name is in lower case already.
    pub(crate) fn line(&mut self, name: &str, value: &[&str]) {
        if !self.names.is_empty() {
            self.names.push(' ');
            self.text.push('\n');
        }
        self.names.push_str(name);
        self.text.push_str(name);
        self.text.push_str(": ");
        for piece in value {
            self.text.push_str(piece);
        }
    }

    /// The text, and the names in order with a space between.
    pub(crate) fn into_parts(self) -> (String, String) {
        (self.text, self.names)
    }
}
