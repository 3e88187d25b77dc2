//! Reading an expression from left to right.

/// What is left to read.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// `"…"` with escapes, or `` `…` `` without; in our spelling.
    pub(super) fn text(&mut self) -> Result<String, String> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        let open = chars.next().map(|(_, c)| c);
        while let Some((at, c)) = chars.next() {
            if Some(c) == open {
                self.rest = &self.rest[at + c.len_utf8()..];
                return serde_json::to_string(&value).map_err(|error| error.to_string());
            }
            if c == '\\' && open == Some('"') {
                match chars.next().map(|(_, c)| c) {
                    Some('n') => value.push('\n'),
                    Some('t') => value.push('\t'),
                    Some('r') => value.push('\r'),
                    Some(c @ ('"' | '\\' | '\'')) => value.push(c),
                    _ => return Err("a text has an escape that is not carried".to_owned()),
                }
            } else {
                value.push(c);
            }
        }
        Err("a text is not closed".to_owned())
    }

    pub(super) fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn takes(&mut self, mark: &str) -> bool {
        let after = self.rest.strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        let after = after.filter(|after| !after.starts_with(named));
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    pub(super) fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !named(c));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }
}

/// Whether a character may stand in a name.
pub(super) fn named(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
