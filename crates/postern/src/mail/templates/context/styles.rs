//! What a style sheet could tell of the code or link.
//!
//! Styles choose what is fetched. They can choose by the values of attributes, and sheets and fonts
//! that come from elsewhere can choose by what the text reads.

use super::walk::find_end;

/// Attributes that may hold a code or link.
const TELLING: [&str; 5] = ["href", "alt", "title", "aria-label", "value"];

/// What brings in a sheet or a font whose letters are fetched one by one, and what chooses by a value that
/// styles have taken from an attribute.
const TELLING_RULES: [&str; 3] = ["import", "font-face", "container"];

/// What takes the value of an attribute into styles.
const TAKES_A_VALUE: &str = "attr(";

/// What in the styles of an HTML document could tell a code or link, and where each begins.
pub(in super::super) fn telling(html: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    // In a drawing, styles are markup like all else.
    let drawn = has(html, "<svg") || has(html, "<math");
    for (at, _) in starting(html, "<link") {
        found.push((at, begins(&html[at..])));
    }
    // In a sheet and in an element's own style alike.
    for (at, _) in html.match_indices('(') {
        let start = at.checked_sub(TAKES_A_VALUE.len() - 1);
        let named = start.and_then(|start| html.get(start..=at));
        if named.is_some_and(|named| named.eq_ignore_ascii_case(TAKES_A_VALUE)) {
            found.push((
                at + 1 - TAKES_A_VALUE.len(),
                begins(&html[at + 1 - TAKES_A_VALUE.len()..]),
            ));
        }
    }
    let mut after = 0;
    for (at, _) in starting(html, "<style") {
        if at < after {
            continue;
        }
        let sheet = &html[at..];
        let sheet = &sheet[..find_end(sheet, "style").unwrap_or(sheet.len())];
        after = at + sheet.len();
        let rules = sheet.find('>').map_or(sheet.len(), |end| end + 1);
        let (start, rules) = (at + rules, &sheet[rules..]);
        if drawn && rules.contains(['<', '&']) {
            found.push((start, begins(rules)));
        }
        found.extend(in_sheet(rules).map(|(at, what)| (start + at, what)));
    }
    found
}

fn has(html: &str, start: &str) -> bool {
    starting(html, start).next().is_some()
}

/// Where the document holds this, in capitals or not.
fn starting<'h>(html: &'h str, start: &'h str) -> impl Iterator<Item = (usize, &'h str)> {
    html.match_indices('<').filter(move |(at, _)| {
        let named = html.as_bytes().get(*at..at + start.len());
        named.is_some_and(|named| named.eq_ignore_ascii_case(start.as_bytes()))
    })
}

fn in_sheet(rules: &str) -> impl Iterator<Item = (usize, &str)> {
    rules.match_indices(['@', '[']).filter_map(|(at, mark)| {
        let rest = &rules[at + 1..];
        let tells = if mark == "@" {
            is_telling_rule(rest)
        } else {
            chooses_by_value(rest)
        };
        tells.then(|| (at, begins(&rules[at..])))
    })
}

/// Whether an at-rule could tell something. One that is spelled in a way of its own counts as one.
fn is_telling_rule(rest: &str) -> bool {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
    let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
    let name = name.to_ascii_lowercase();
    TELLING_RULES.contains(&name.as_str()) || after.starts_with('\\') || is_tag(after)
}

/// Whether a selector of an attribute compares one that may hold a secret.
fn chooses_by_value(rest: &str) -> bool {
    let inner = &rest[..rest.find(']').unwrap_or(rest.len())];
    let Some((name, _)) = inner.split_once('=') else {
        // Whether the attribute is there tells nothing.
        return false;
    };
    if name.contains('\\') || inner.contains('{') {
        return true;
    }
    let name = without_comments(name);
    let name = name.trim_end_matches(['^', '$', '*', '~', '|', ' ', '\n', '\t']);
    let name = name.rsplit('|').next().unwrap_or(name).trim();
    TELLING.contains(&name.to_ascii_lowercase().as_str())
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default();
    let rest = parts.filter_map(|part| part.split_once("*/").map(|(_, after)| after));
    [first].into_iter().chain(rest).collect()
}

/// Whether a tag of the template begins there, which could be anything.
fn is_tag(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|tag| text.starts_with(tag))
}

/// The beginning, for a message.
fn begins(text: &str) -> &str {
    let end = text.char_indices().nth(32).map_or(text.len(), |(at, _)| at);
    text[..end].lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chooses_by_a_value_or_comes_from_elsewhere_is_found() {
        for rule in [
            "p[title^=\"32\"]{background:url(https://a.example/32)}",
            "P[ TITLE *= '1' ]{}",
            "p[/**/title/**/$=\"3\"]{}",
            "p[*|title~=a]{}",
            "a[href*=\"7\"]{}",
            "p[\\74itle^='2']{}",
            "p[{% if a %}title{% endif %}^='2']{}",
            "@import url(https://a.example/a.css);",
            "@IMPORT 'https://a.example/a.css';",
            "@container style(--a > 500000){p{background:url(https://a.example/1)}}",
            "p{--a:ATTR(title)}",
            "@\\69mport 'https://a.example/a.css';",
            "@i\\6dport 'https://a.example/a.css';",
            "@{% if a %}import{% endif %} 'https://a.example/a.css';",
            "@font-face{font-family:a;src:url(https://a.example/1);unicode-range:U+31}",
        ] {
            for html in [
                format!("<style>{rule}</style>"),
                format!("<p><STYLE type=\"text/css\">\n{rule}"),
                format!("<!-- <style> --><style>{rule}</style>"),
            ] {
                assert_eq!(telling(&html).len(), 1, "{html}");
            }
        }
        for html in [
            "<link rel=\"stylesheet\" href=\"https://a.example/a.css\">",
            "<p style=\"--a:attr(title)\">",
            "<svg><style>&#64;import 'https://a.example/a.css';</style></svg>",
            "<svg/><style>@<!-- -->import 'https://a.example/a.css';</style>",
        ] {
            assert!(!telling(html).is_empty(), "{html}");
        }
    }

    #[test]
    fn other_styles_are_none() {
        for html in [
            "<style>@media (prefers-color-scheme:dark){.a{color:#fff}}</style>",
            "<style>@media only screen and (max-width:480px){td[class=\"a\"]{width:100%}}</style>",
            "<style>[data-ogsc] .a{color:#fff} a[href]{color:red} .sm\\:w-full{width:100%}</style>",
            "<style>@{{ a }}</style>@import [title=a] <p title=\"[title=a]\">",
            "<style><!-- p{color:red} --></style>",
            "<svg><style>p{color:red}</style></svg>",
        ] {
            let expected = usize::from(html.contains("@{{"));
            assert_eq!(telling(html).len(), expected, "{html}");
        }
    }
}
