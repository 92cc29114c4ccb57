//! The bytes that are signed: one line per signed header.

use alloc::string::String;

use crate::request::REQUEST_TARGET;
use crate::url::Target;

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

    /// Add a line. The name is in lower case already.
    pub(crate) fn line(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text.push_str(value);
    }

    /// Add the line of method, path and query.
    pub(crate) fn request_target(&mut self, method: &str, target: &Target<'_>) {
        self.name(REQUEST_TARGET);
        self.text.extend(method.chars().map(|c| c.to_ascii_lowercase()));
        self.text.push_str(if target.slash { " /" } else { " " });
        self.text.push_str(target.path_and_query);
    }

    fn name(&mut self, name: &str) {
        if !self.names.is_empty() {
            self.names.push(' ');
            self.text.push('\n');
        }
        self.names.push_str(name);
        self.text.push_str(name);
        self.text.push_str(": ");
    }

    /// The text, and the names in order with a space between.
    pub(crate) fn into_parts(self) -> (String, String) {
        (self.text, self.names)
    }
}
