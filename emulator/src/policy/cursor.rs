//! A place in a text, always at a piece and never at a blank.

use super::error::{Fault, PolicyError};

/// Reads a rule or a statement from left to right, each byte a bounded number of times.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the first piece of a text of at most 4,096 bytes.
    pub(super) fn new(text: &'a str) -> Result<Self, PolicyError> {
        if text.len() > MAX_TEXT {
            return Err(PolicyError::new(Fault::TooLong, MAX_TEXT, ""));
        }
        let mut cursor = Self { text, at: 0 };
        cursor.advance(0);
        Ok(cursor)
    }

    /// Where the next piece begins, in bytes.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// The text from this offset up to the next piece.
    pub(super) fn since(&self, offset: usize) -> &'a str {
        self.text.get(offset..self.at).unwrap_or_default().trim_end()
    }

    /// The word that comes next; empty if none does.
    pub(super) fn peek(&self) -> &'a str {
        let rest = self.rest();
        rest.find(|c| !is_word(c)).and_then(|end| rest.get(..end)).unwrap_or(rest)
    }

    /// Pass over the word that comes next, if one does.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        let word = Some(self.peek()).filter(|word| !word.is_empty())?;
        self.advance(word.len());
        Some(word)
    }

    /// Pass over this word in any case, if it comes next.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = self.peek().eq_ignore_ascii_case(word);
        if found {
            self.advance(word.len());
        }
        found
    }

    /// Pass over these characters, if they come next.
    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.rest().starts_with(symbol);
        if found {
            self.advance(symbol.len());
        }
        found
    }

    /// Pass over a text in single or double quotes, if one comes next. There are no escapes.
    pub(super) fn quoted(&mut self) -> Result<Option<&'a str>, PolicyError> {
        let rest = self.rest();
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        let inner = rest.get(1..).unwrap_or_default();
        let (value, _) =
            inner.split_once(quote).ok_or_else(|| self.fault(Fault::Unclosed("a quote")))?;
        self.advance(value.len() + 2);
        Ok(Some(value))
    }

    /// Pass over a pattern between slashes, if one comes next.
    ///
    /// It ends at a slash before a blank, `,`, `}`, `)` or the end, so that it can hold
    /// others: `/logs/2024*/`.
    pub(super) fn pattern(&mut self) -> Result<Option<&'a str>, PolicyError> {
        let Some(inner) = self.rest().strip_prefix('/') else { return Ok(None) };
        let mut characters = inner.char_indices().peekable();
        while let Some((end, c)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if c == '/' && next.is_none_or(|next| next.is_whitespace() || ",})".contains(next)) {
                self.advance(end + 2);
                return Ok(Some(inner.get(..end).unwrap_or_default()));
            }
            if "\n,{}'\"".contains(c) {
                break;
            }
        }
        Err(self.fault(Fault::Unclosed("a pattern")))
    }

    /// Pass over a word or a quoted text, or say that `what` was expected.
    pub(super) fn name(&mut self, what: &'static str) -> Result<&'a str, PolicyError> {
        let error = self.expected(what);
        let name = match self.quoted()? {
            Some(name) => Some(name),
            None => self.word(),
        };
        name.filter(|name| !name.is_empty()).ok_or(error)
    }

    /// Nothing may be left; else say that `what` was expected.
    pub(super) fn end(&self, what: &'static str) -> Result<(), PolicyError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected(what)) }
    }

    /// The error that this was expected here.
    pub(super) fn expected(&self, what: &'static str) -> PolicyError {
        self.fault(Fault::Expected(what))
    }

    /// The error that the next piece has this fault.
    pub(super) fn fault(&self, fault: Fault) -> PolicyError {
        let rest = self.rest();
        let fragment = match (self.peek(), rest.chars().next()) {
            (_, Some('\'' | '"' | '/')) => rest,
            ("", Some(c)) => rest.get(..c.len_utf8()).unwrap_or_default(),
            (word, _) => word,
        };
        PolicyError::new(fault, self.at, fragment)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.at += bytes;
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }
}

fn is_word(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !",{}()'\"=!/:".contains(c)
}

/// The longest rule or statement, in bytes.
pub(super) const MAX_TEXT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_and_blanks_do_not_matter() {
        let mut cursor = Cursor::new(" \n ALL{ a.b\t!='x y',c= /p*/ }  ").unwrap();
        assert_eq!(cursor.offset(), 3);
        assert!(!cursor.keyword("any") && cursor.keyword("all") && cursor.symbol("{"));
        assert_eq!(cursor.word(), Some("a.b"));
        assert!(cursor.symbol("!="));
        assert_eq!(cursor.quoted(), Ok(Some("x y")));
        assert!(cursor.symbol(",") && cursor.keyword("C") && cursor.symbol("="));
        assert_eq!(cursor.quoted(), Ok(None));
        assert_eq!(cursor.pattern(), Ok(Some("p*")));
        assert!(cursor.symbol("}"));
        assert_eq!(cursor.end("the end"), Ok(()));
    }

    #[test]
    fn a_pattern_may_hold_slashes_and_ends_before_a_delimiter() {
        for (text, pattern) in [
            ("/a/b*/", "a/b*"),
            ("/a*/,x", "a*"),
            ("/a*/}", "a*"),
            ("/*/", "*"),
            ("/my bucket*/ }", "my bucket*"),
            ("//", ""),
        ] {
            assert_eq!(Cursor::new(text).unwrap().pattern(), Ok(Some(pattern)), "{text}");
        }
        for text in ["/", "/a", "/a*, b = /c*/", "/a*} /", "/a\n*/"] {
            let fault = Cursor::new(text).unwrap().pattern().unwrap_err().fault;
            assert_eq!(fault, Fault::Unclosed("a pattern"), "{text}");
        }
    }

    #[test]
    fn a_quote_that_does_not_close_is_an_error() {
        let error = Cursor::new("  'abc\"").unwrap().quoted().unwrap_err();
        assert_eq!((error.fault, error.offset), (Fault::Unclosed("a quote"), 2));
    }

    #[test]
    fn a_text_of_4096_bytes_is_read_and_one_more_is_refused() {
        assert!(Cursor::new(&"a".repeat(4096)).is_ok());
        let error = Cursor::new(&"a".repeat(4097)).err().unwrap();
        assert_eq!((error.fault, error.offset), (Fault::TooLong, 4096));
    }
}
