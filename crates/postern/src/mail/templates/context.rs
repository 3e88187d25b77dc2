//! Contextual escaping: what a value may do depends on where in the HTML it stands.
//!
//! HTML escaping alone keeps a value inside text and quoted attributes, and no more: in `href` it
//! could still be a `javascript:` URL. So the source is walked once, when it is compiled, and a
//! value in a URL gets a filter of its own; a value in a script, a style or an unquoted place is
//! refused, because no escaping makes it safe there.

mod fetched;
mod styles;
mod walk;

use std::fmt::Write as _;

use super::pieces::{Piece, pieces};
pub(super) use fetched::{conditions, secrets};
pub(super) use styles::telling;
use walk::walk;

/// Attributes whose values are URLs.
const URLS: [&str; 6] = ["href", "src", "action", "background", "cite", "poster"];

/// Variables of ours whose values fit into styles: sides, directions, a `#rrggbb`.
const STYLISH: [&str; 3] = ["start", "direction", "app_color"];

/// Where the walk stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    Text,
    Comment,
    /// In the text of an element that is not markup.
    Raw(&'static str),
    /// In a tag, outside of quoted values; the attribute that was named last.
    Tag {
        element: String,
        attribute: String,
        stage: Stage,
    },
    Value {
        element: String,
        attribute: String,
        quote: char,
        so_far: SoFar,
    },
}

/// How far an attribute has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its name is being read.
    Name,
    /// Its name has ended; `=` may follow.
    Named,
    /// After `=`: here alone a quote begins a value.
    Equals,
    /// In a value without quotes, to which everything up to the next space belongs.
    Unquoted,
}

/// How much of an attribute's value was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SoFar {
    Nothing,
    Path,
    Query,
}

/// The template with its values fit for their places.
///
/// # Errors
/// A value in a place where none is safe, or branches that end in different places.
pub(super) fn fit(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len() + 64);
    let mut at = At::Text;
    let mut branches: Vec<(At, Option<At>)> = Vec::new();
    for piece in pieces(source)? {
        match piece {
            Piece::Text(text) => {
                walk(&mut at, text);
                out.push_str(text);
            }
            // Its lines stay, so that a line in a message is one of the source.
            Piece::Comment(tag) => out.extend(tag.chars().filter(|c| *c == '\n')),
            Piece::Statement(tag) => {
                branch(&mut at, &mut branches, piece.inner())?;
                out.push_str(tag);
            }
            Piece::Output(tag) => out.push_str(&value(&mut at, tag, piece.inner())?),
        }
    }
    Ok(out)
}

/// Follows `if`, `elif`, `else` and `endif`: each branch begins where the first began, and all
/// have to end in one place.
fn branch(at: &mut At, open: &mut Vec<(At, Option<At>)>, statement: &str) -> Result<(), String> {
    let word = statement.split_whitespace().next().unwrap_or_default();
    let uneven = || "the branches of an if do not end in the same place of the HTML".to_owned();
    match word {
        "if" => open.push((at.clone(), None)),
        "elif" | "else" => {
            let (start, end) = open.last_mut().ok_or_else(uneven)?;
            let here = std::mem::replace(at, start.clone());
            *end = Some(match end.take() {
                Some(end) => end.meet(here).ok_or_else(uneven)?,
                None => here,
            });
        }
        "endif" => {
            let (start, end) = open.pop().ok_or_else(uneven)?;
            let here = std::mem::replace(at, At::Text);
            *at = end.unwrap_or(start).meet(here).ok_or_else(uneven)?;
        }
        _ => {}
    }
    Ok(())
}

impl At {
    /// Where two branches meet, if they do. In a value that only one of them has begun, what comes
    /// next is judged as its beginning.
    fn meet(mut self, mut other: Self) -> Option<Self> {
        if let (Self::Value { so_far: mine, .. }, Self::Value { so_far: theirs, .. }) =
            (&mut self, &mut other)
        {
            let both = (*mine).meet(*theirs);
            (*mine, *theirs) = (both, both);
        }
        (self == other).then_some(self)
    }
}

fn value(at: &mut At, tag: &str, expression: &str) -> Result<String, String> {
    let refuse = |place: &str| Err(format!("{tag} stands {place}, where no value is safe"));
    match at {
        At::Text | At::Raw("title") => Ok(tag.to_owned()),
        At::Comment => refuse("in a comment"),
        At::Raw("style") if STYLISH.contains(&expression) => Ok(tag.to_owned()),
        At::Raw(element) => refuse(&format!("in a <{element}>")),
        At::Tag { .. } => refuse("in a tag outside of quotes"),
        At::Value {
            attribute, so_far, ..
        } => {
            let place = *so_far;
            *so_far = so_far.after_value();
            fit_attribute(attribute, place, tag, expression)
        }
    }
}

fn fit_attribute(
    attribute: &str,
    so_far: SoFar,
    tag: &str,
    expression: &str,
) -> Result<String, String> {
    if attribute.starts_with("on") {
        return Err(format!(
            "{tag} stands in the script of {attribute}, where no value is safe"
        ));
    }
    if attribute == "style" && !STYLISH.contains(&expression) {
        return Err(format!(
            "{tag} stands in a style, where only {} may",
            STYLISH.join(", ")
        ));
    }
    // The link was checked when it was made, its scheme too.
    if !URLS.contains(&attribute) || (expression == "link" && so_far == SoFar::Nothing) {
        return Ok(tag.to_owned());
    }
    let filter = match so_far {
        SoFar::Nothing => "as_url",
        SoFar::Path => "in_path",
        SoFar::Query => "in_query",
    };
    Ok(format!("{{{{ ({expression})|{filter} }}}}"))
}

impl SoFar {
    fn meet(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::Query, _) | (_, Self::Query) => Self::Query,
            (Self::Path, Self::Path) => Self::Path,
        }
    }

    fn after_value(self) -> Self {
        if self == Self::Nothing {
            Self::Path
        } else {
            self
        }
    }

    fn after(self, c: char) -> Self {
        match c {
            '?' | '#' => Self::Query,
            _ => self.after_value(),
        }
    }
}

/// A whole URL: one that leads to the web, a mailbox or a telephone, else nowhere.
pub(super) fn as_url(value: &str) -> String {
    let leads = ["https:", "http:", "mailto:", "tel:"];
    let scheme = value.split_inclusive(':').next().unwrap_or_default();
    let fine = leads.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if fine { in_path(value) } else { "#".to_owned() }
}

/// A part of a URL before its query: what separates stays, what is no URL is encoded.
pub(super) fn in_path(value: &str) -> String {
    encode(value, b"-._~!$&'()*+,;=:@/?#[]%")
}

/// A part of a query or fragment: everything that could separate is encoded.
pub(super) fn in_query(value: &str) -> String {
    encode(value, b"-._~")
}

/// Percent-encoding (RFC 3986 §2.1) of all but letters, digits and `kept`.
fn encode(value: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_text_and_plain_attributes_stay_and_those_in_urls_get_a_filter() {
        for (source, expected) in [
            (
                "<p title=\"{{ a }}\">{{ b }}</p>",
                "<p title=\"{{ a }}\">{{ b }}</p>",
            ),
            ("<a href=\"{{ a }}\">", "<a href=\"{{ (a)|as_url }}\">"),
            ("<a HREF='{{ link }}'>", "<a HREF='{{ link }}'>"),
            (
                "<a href=\"mailto:{{ a }}\">",
                "<a href=\"mailto:{{ (a)|in_path }}\">",
            ),
            (
                "<a href=\"{{ a }}?x={{ b }}&y={{ link }}\">",
                "<a href=\"{{ (a)|as_url }}?x={{ (b)|in_query }}&y={{ (link)|in_query }}\">",
            ),
            (
                "<img src=\"{% if a %}{{ a }}{% endif %}\">",
                "<img src=\"{% if a %}{{ (a)|as_url }}{% endif %}\">",
            ),
            (
                "<!--[if mso]><v:x href=\"{{ a }}\"><![endif]-->",
                "<!--[if mso]><v:x href=\"{{ (a)|as_url }}\"><![endif]-->",
            ),
            (
                "<style>a{color:{{ app_color }}}</style>{{ b }}",
                "<style>a{color:{{ app_color }}}</style>{{ b }}",
            ),
            ("<title>{{ a }}</title>", "<title>{{ a }}</title>"),
            (
                "<a x=a' href=\"{{ a }}\" y='>{{ b }}",
                "<a x=a' href=\"{{ (a)|as_url }}\" y='>{{ b }}",
            ),
            (
                "<a x/href = \"{{ a }}\" y=a/b?c='d'e z>{{ b }}",
                "<a x/href = \"{{ (a)|as_url }}\" y=a/b?c='d'e z>{{ b }}",
            ),
            (
                "<td style=\"text-align:{{ start }}\">{# note #}</td>",
                "<td style=\"text-align:{{ start }}\"></td>",
            ),
        ] {
            assert_eq!(fit(source).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_value_where_no_escaping_helps_is_refused() {
        for source in [
            "<script>{{ a }}</script>",
            "<style>{{ a }}</style>",
            "<p onclick=\"{{ a }}\">",
            "<p style=\"color:{{ a }}\">",
            "<p title={{ a }}>",
            "<p {{ a }}>",
            "<!-- {{ a }} -->",
            "<textarea>{{ a }}</textarea>",
            "<noscript><a href=\"{{ a }}\"></a></noscript>",
            // Where a browser reads on otherwise than a careless reader would.
            "<title><p title=\"</title><img src='{{ a }}'>\"></title>",
            "<title></titlex><p title=\"</title><img src='{{ a }}'>\">",
            "<svg><title><img src=\"{{ a }}\"></title></svg>",
            "<!--[if mso]><p title=\"<![endif]--><img src='{{ a }}'>\"></p>",
            "<script><!--<script></script><p title=\"</script><img src='{{ a }}'>\">",
            "{% if a %}<a href=\"{% endif %}{{ b }}",
            "{% if a %}<a href=\"{% else %}<a title=\"{% endif %}{{ b }}\">",
        ] {
            assert!(fit(source).is_err(), "{source}");
        }
    }

    #[test]
    fn a_url_leads_where_people_expect_or_nowhere() {
        assert_eq!(as_url("javascript:alert(1)"), "#");
        assert_eq!(as_url("java\nscript:x"), "#");
        assert_eq!(as_url("//evil.example"), "#");
        assert_eq!(as_url("HTTPS://a.example/x y"), "HTTPS://a.example/x%20y");
        assert_eq!(in_query("a&b=c/é"), "a%26b%3Dc%2F%C3%A9");
        assert_eq!(in_path("ada@a.example"), "ada@a.example");
    }
}
