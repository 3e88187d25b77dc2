//! A template's source, cut into text and tags.

/// One stretch of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// What is sent as it stands.
    Text(&'a str),
    /// `{{ … }}`, with its braces.
    Output(&'a str),
    /// `{% … %}`, with its braces.
    Statement(&'a str),
    /// `{# … #}`, with its braces.
    Comment(&'a str),
}

impl<'a> Piece<'a> {
    /// How many bytes of the source it is.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Text(all) | Self::Output(all) | Self::Statement(all) | Self::Comment(all) => {
                all.len()
            }
        }
    }

    /// What stands between the braces, without the marks that trim white space.
    pub(super) fn inner(self) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Output(tag) | Self::Statement(tag) | Self::Comment(tag) => {
                let inner = &tag[2..tag.len() - 2];
                let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
                inner.strip_suffix(['-', '+']).unwrap_or(inner).trim()
            }
        }
    }
}

/// The longest tag, in bytes. Engines read an expression by calling themselves for each part of it, so
/// what one may hold is bounded by its length.
const LONGEST_TAG: usize = 1024;

/// Cuts a template up.
///
/// # Errors
/// A tag that is not closed, or is too long: how it begins.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(start) = next_tag(rest) {
        if start > 0 {
            found.push(Piece::Text(&rest[..start]));
        }
        let (tag, after) = cut_tag(&rest[start..])?;
        found.push(tag);
        rest = after;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    Ok(found)
}

fn next_tag(text: &str) -> Option<usize> {
    let opens = |at: &usize| {
        let next = text.as_bytes().get(at + 1);
        next.is_some_and(|next| b"{%#".contains(next))
    };
    text.match_indices('{').map(|(at, _)| at).find(opens)
}

fn cut_tag(text: &str) -> Result<(Piece<'_>, &str), String> {
    let end = match &text[..2] {
        "{#" => text[2..].find("#}").map(|end| end + 2),
        "{{" => closing(text, "}}"),
        _ => closing(text, "%}"),
    };
    let told = || {
        format!(
            "a tag is not closed: {:?}",
            text.chars().take(24).collect::<String>()
        )
    };
    let (tag, after) = text.split_at(end.ok_or_else(told)? + 2);
    if tag.len() > LONGEST_TAG && !tag.starts_with("{#") {
        let begins: String = tag.chars().take(24).collect();
        return Err(format!(
            "a tag is longer than {LONGEST_TAG} bytes: {begins:?}"
        ));
    }
    let piece = match &text[..2] {
        "{#" => Piece::Comment(tag),
        "{{" => Piece::Output(tag),
        _ => Piece::Statement(tag),
    };
    Ok((piece, after))
}

/// Where `end` stands outside of quotes.
fn closing(text: &str, end: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(2) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if text[at..].starts_with(end) => return Some(at),
            Some(_) | None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_tags_are_told_apart() {
        let source = "a{b {{- x -}} {% if y %}{# {{ z #}}}";
        assert_eq!(
            pieces(source).unwrap(),
            [
                Piece::Text("a{b "),
                Piece::Output("{{- x -}}"),
                Piece::Text(" "),
                Piece::Statement("{% if y %}"),
                Piece::Comment("{# {{ z #}"),
                Piece::Text("}}"),
            ]
        );
        assert_eq!(Piece::Output("{{- x -}}").inner(), "x");
    }

    #[test]
    fn a_mark_both_opens_and_closes_nothing() {
        for source in ["{#}", "{{}", "{%}"] {
            assert!(pieces(source).is_err(), "{source}");
        }
        assert_eq!(pieces("{#}#}").unwrap()[0].inner(), "}");
    }

    #[test]
    fn a_tag_is_bounded_and_a_comment_is_not() {
        let long = |begin: &str, end: &str| format!("{begin}{}1{end}", "not ".repeat(400));
        assert!(pieces(&long("{{", "}}")).unwrap_err().contains("longer"));
        assert!(
            pieces(&long("{% if ", "%}"))
                .unwrap_err()
                .contains("longer")
        );
        assert!(pieces(&long("{#", "#}")).is_ok());
    }

    #[test]
    fn braces_in_quotes_close_nothing() {
        let source = r#"{{ "}}" ~ '\'}}' }}!"#;
        assert_eq!(pieces(source).unwrap().len(), 2);
        assert!(pieces("{{ 'a }}").is_err());
        assert!(pieces("{# a").is_err());
    }
}
