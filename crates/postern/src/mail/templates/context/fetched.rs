//! Codes and links in what a mail fetches to be shown.
//!
//! A mail program asks for such an address by itself: whoever serves it would read the code.

use super::super::engine;
use super::super::pieces::{Piece, pieces};
use super::{At, branch, walk};

/// Attributes whose values a mail program fetches, whatever the element.
const FETCHED: [&str; 9] = [
    "src",
    "srcset",
    "imagesrcset",
    "background",
    "poster",
    "lowsrc",
    "dynsrc",
    "data",
    "xlink:href",
];

/// Elements of which it fetches what `href` names too.
const REFERRING: [&str; 5] = ["link", "image", "use", "feimage", "v:fill"];

/// What opens a request.
const SECRETS: [&str; 2] = ["otp", "link"];

/// The tags that put a secret into an address that is fetched, or choose by it, and where each
/// begins.
pub(in super::super) fn secrets(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut at, mut start, mut open) = (At::Text, 0, Vec::new());
    for piece in pieces(source).unwrap_or_default() {
        if let Piece::Output(tag) | Piece::Statement(tag) = piece
            && is_fetched(&at)
            && names_a_secret(piece.inner())
        {
            found.push((start, tag));
        }
        match piece {
            Piece::Text(text) => walk(&mut at, text),
            // Branches that do not meet are refused elsewhere.
            Piece::Statement(_) if branch(&mut at, &mut open, piece.inner()).is_err() => break,
            Piece::Output(_) | Piece::Statement(_) | Piece::Comment(_) => {}
        }
        start += piece.len();
    }
    found
}

fn is_fetched(at: &At) -> bool {
    match at {
        At::Value {
            element, attribute, ..
        } => {
            let refers = attribute == "href" && REFERRING.contains(&element.as_str());
            refers || FETCHED.contains(&attribute.as_str()) || attribute == "style"
        }
        At::Raw(element) => *element == "style",
        At::Text | At::Comment | At::Tag { .. } => false,
    }
}

/// Whether an expression or a condition uses a secret; a text that only reads like one does not.
fn names_a_secret(inner: &str) -> bool {
    let condition = inner
        .strip_prefix("if")
        .or_else(|| inner.strip_prefix("elif"));
    let expression = condition.unwrap_or(inner);
    let environment = engine::environment();
    let Ok(compiled) = environment.compile_expression(expression) else {
        return false;
    };
    let named = compiled.undeclared_variables(false);
    SECRETS.iter().any(|secret| named.contains(*secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(source: &str) -> Vec<&str> {
        secrets(source).into_iter().map(|(_, tag)| tag).collect()
    }

    #[test]
    fn a_secret_in_what_is_fetched_is_found_however_it_is_written() {
        for (source, tag) in [
            ("<img src=\"https://a.example/{{ otp }}\">", "{{ otp }}"),
            (
                "<img SRC='{{ 'x' ~ link|upper }}'>",
                "{{ 'x' ~ link|upper }}",
            ),
            ("<img srcset=\"a 1x, {{ otp }} 2x\">", "{{ otp }}"),
            ("<td background = \"{{otp}}\">", "{{otp}}"),
            (
                "<img src=\"{% if otp == '1' %}a{% endif %}\">",
                "{% if otp == '1' %}",
            ),
            ("<p style=\"background:url({{ link }})\">", "{{ link }}"),
            ("<style>a{background:url({{ otp }})}</style>", "{{ otp }}"),
            (
                "<link rel=\"stylesheet\" href=\"{{ link }}\">",
                "{{ link }}",
            ),
            (
                "<!--[if mso]><v:fill src=\"{{ otp }}\"><![endif]-->",
                "{{ otp }}",
            ),
        ] {
            assert_eq!(tags(source), [tag], "{source}");
        }
    }

    #[test]
    fn links_to_click_texts_and_other_variables_are_none() {
        for source in [
            "<a href=\"{{ link }}\" title=\"{{ otp }}\">{{ otp }}</a>",
            "<img src=\"{{ app_logo_url }}\">{{ link }}",
            "<img src=\"{{ app_logo_url|default('https://a.example/link/otp') }}\">",
            "{% if otp %}<img src=\"https://a.example/x.png\">{% endif %}",
            "<p style=\"color:{{ app_color }}\">{{ otp }}</p>",
        ] {
            assert_eq!(tags(source), [""; 0], "{source}");
        }
    }
}
