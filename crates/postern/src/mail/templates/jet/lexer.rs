//! A JET template, cut into text, comments and tags.

/// One stretch of a template, with the line on which it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// What is sent as it stands.
    Text { text: &'a str, line: usize },
    /// What stands in `{* … *}`.
    Comment { text: &'a str },
    /// `{{ … }}`.
    Tag(Tag<'a>),
    /// A tag or comment without an end, and all that follows.
    Unclosed { text: &'a str, line: usize },
}

/// `{{ … }}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// With its braces.
    pub(super) whole: &'a str,
    /// Without braces, trim marks and white space around.
    pub(super) inner: &'a str,
    pub(super) line: usize,
    trims: (bool, bool),
}

impl<'a> Tag<'a> {
    /// The first word, which tells what it is.
    pub(super) fn word(&self) -> &'a str {
        let end = self
            .inner
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &self.inner[..end.unwrap_or(self.inner.len())]
    }

    /// What follows the first word.
    pub(super) fn after(&self, word: &str) -> &'a str {
        self.inner.strip_prefix(word).unwrap_or_default()
    }

    /// The marks that trim white space on both sides.
    pub(super) fn trims(&self) -> (&'static str, &'static str) {
        let mark = |on| if on { "-" } else { "" };
        (mark(self.trims.0), mark(self.trims.1))
    }
}

/// Cuts a template up.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(at) = ["{{", "{*"].iter().filter_map(|tag| rest.find(tag)).min() {
        if at > 0 {
            let text = &rest[..at];
            found.push(Token::Text { text, line });
            line += text.matches('\n').count();
        }
        let tail = &rest[at..];
        let Some((token, length)) = cut(tail, line) else {
            found.push(Token::Unclosed { text: tail, line });
            return found;
        };
        found.push(token);
        line += tail[..length].matches('\n').count();
        rest = &tail[length..];
    }
    if !rest.is_empty() {
        found.push(Token::Text { text: rest, line });
    }
    found
}

fn cut(tail: &str, line: usize) -> Option<(Token<'_>, usize)> {
    if let Some(comment) = tail.strip_prefix("{*") {
        let end = comment.find("*}")?;
        let text = &comment[..end];
        return Some((Token::Comment { text }, end + 4));
    }
    let end = closing(tail)?;
    let inner = &tail[2..end];
    // As in Go, a mark counts only with white space beside it: `{{ -x }}` is a minus.
    let left = inner.starts_with('-') && inner[1..].starts_with(char::is_whitespace);
    let inner = if left { &inner[1..] } else { inner };
    let trimmed = inner.strip_suffix('-');
    let right = trimmed.filter(|inner| inner.ends_with(char::is_whitespace));
    let tag = Tag {
        whole: &tail[..end + 2],
        inner: right.unwrap_or(inner).trim(),
        line,
        trims: (left, right.is_some()),
    };
    Some((Token::Tag(tag), end + 2))
}

/// Where `}}` stands outside of quotes.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(2) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"' | '\'') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if text[at..].starts_with("}}") => return Some(at),
            Some(_) | None => {}
        }
    }
    None
}
