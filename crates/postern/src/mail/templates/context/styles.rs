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
const TAKES_A_VALUE: &str = "attr";

/// What fetches, in a sheet: a rule that is in force or not by what the text reads, however it finds that out,
/// would tell it. Pictures of a mail are elements.
const FETCHING: [&str; 6] = [
    "url",
    "src",
    "image",
    "image-set",
    "-webkit-image-set",
    "cross-fade",
];

/// What is in force or not by how wide or where something is, and with that by its letters.
const MEASURING: [&str; 3] = ["scrollbar", "timeline", "content-visibility"];

/// How much of a selector of an attribute is looked at; whatever is longer counts as telling.
const SELECTOR: usize = 256;

/// What in the styles of an HTML document could tell a code or link, and where each begins.
pub(in super::super) fn telling(html: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    // In a drawing, styles are markup like all else.
    let drawn = has(html, "<svg") || has(html, "<math");
    for (at, _) in starting(html, "<link") {
        found.push((at, begins(&html[at..])));
    }
    // In a sheet and in an element's own style alike.
    found.extend(called(html, &[TAKES_A_VALUE]));
    found.extend(disguised(html));
    found.extend(late(html));
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
        let fetches = called(rules, &FETCHING).filter(|(_, what)| !what.contains("(#"));
        let measures = MEASURING.iter().flat_map(|word| named(rules, word));
        let both = fetches.chain(measures);
        found.extend(both.map(|(at, what)| (start + at, what)));
    }
    found
}

/// Where one of these functions is called.
fn called<'h>(text: &'h str, functions: &'h [&str]) -> impl Iterator<Item = (usize, &'h str)> {
    text.match_indices('(').filter_map(move |(at, _)| {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        // No name of these is longer.
        let near = text.as_bytes()[at.saturating_sub(20)..at].iter().rev();
        let length = near.take_while(|byte| name(char::from(**byte))).count();
        let called = &text[at - length..at];
        let known = functions.iter().any(|one| one.eq_ignore_ascii_case(called));
        known.then(|| (at - length, begins(&text[at - length..])))
    })
}

/// Where this word stands, in capitals or not.
fn named<'h>(text: &'h str, word: &'h str) -> impl Iterator<Item = (usize, &'h str)> {
    let first = word.as_bytes()[0];
    let starts = text.bytes().enumerate();
    let starts = starts.filter(move |(_, byte)| byte.eq_ignore_ascii_case(&first));
    let here = starts.filter_map(move |(at, _)| {
        let found = text.as_bytes().get(at..at + word.len());
        found
            .filter(|found| found.eq_ignore_ascii_case(word.as_bytes()))
            .map(|_| at)
    });
    here.map(|at| (at, begins(&text[at..])))
}

/// Letters and marks that are spelled so that only a mail program reads them: what they make is not known here.
fn disguised(html: &str) -> impl Iterator<Item = (usize, &str)> {
    html.match_indices(['\\', '&']).filter_map(|(at, mark)| {
        let rest = &html[at + 1..];
        let hides = if mark == "\\" {
            rest.starts_with(|c: char| c.is_ascii_hexdigit())
        } else {
            is_hidden(rest)
        };
        hides.then(|| (at, begins(&html[at..])))
    })
}

/// Whether what follows `&` stands for a letter, a digit, or a mark that functions and escapes are made of.
fn is_hidden(rest: &str) -> bool {
    let Some(number) = rest.strip_prefix('#') else {
        return ["lpar", "bsol", "commat", "lsqb", "lbrack"]
            .iter()
            .any(|name| rest.starts_with(name));
    };
    let (digits, base) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let end = digits
        .find(|c: char| !c.is_digit(base))
        .unwrap_or(digits.len());
    let code = digits[..end].trim_start_matches('0');
    let letter = u32::from_str_radix(code.get(..8.min(code.len())).unwrap_or_default(), base);
    letter
        .ok()
        .and_then(char::from_u32)
        .is_some_and(|c| c.is_ascii_alphanumeric() || "(\\@[-".contains(c))
}

/// What is fetched only when it comes into sight, which depends on what stands before it.
fn late(html: &str) -> impl Iterator<Item = (usize, &str)> {
    let loading = named(html, "loading").filter(|(at, _)| {
        let rest = html[at + "loading".len()..].trim_start();
        rest.starts_with('=')
    });
    loading.chain(named(html, "content-visibility"))
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
    let near = rest.char_indices().take_while(|(at, _)| *at < SELECTOR);
    let length = near.last().map_or(0, |(at, c)| at + c.len_utf8());
    let near = &rest[..length];
    let Some(end) = near.find(']').or((length == rest.len()).then_some(length)) else {
        return true;
    };
    let inner = &near[..end];
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
                assert!(!telling(&html).is_empty(), "{html}");
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
    fn what_fetches_or_measures_by_a_sheet_is_found() {
        for html in [
            "<style>#d01:empty{background:url(https://a.example/0is1)}</style>",
            "<style>p{background:URL('https://a.example/a')}</style>",
            "<style>p{background:image-set('https://a.example/a' 1x)}</style>",
            "<style>p{background:-webkit-image-set(url(a) 1x)}</style>",
            "<style>::-webkit-scrollbar{width:1px}</style>",
            "<style>p{animation-timeline:--a}</style>",
            "<style>p{background:u\\72l(https://a.example/a)}</style>",
            "<p style=\"background:&#117;rl(https://a.example/a)\">",
            "<p style=\"background:&#x75rl(https://a.example/a)\">",
            "<p style=\"background:url&lpar;https://a.example/a)\">",
            "<img loading=lazy src=\"https://a.example/a.png\">",
            "<img LOADING = \"lazy\" src=\"https://a.example/a.png\">",
            "<p style=\"content-visibility:auto\">",
        ] {
            assert!(!telling(html).is_empty(), "{html}");
        }
        for html in [
            "<td style=\"background:url(https://a.example/a.png);font-family:&quot;Segoe UI&quot;\">",
            "<style>v\\:* {behavior:url(#default#VML)} .sm\\:a{color:red} a:not(.b){color:red}</style>",
            "<p>Loading…</p><p>Tom&#39;s &#8199;&#xA0;&amp; C:\\Windows</p>",
        ] {
            assert_eq!(telling(html), [], "{html}");
        }
    }

    #[test]
    fn a_selector_without_an_end_is_not_looked_for_far_away() {
        let sheet = format!("<style>{}=]</style>", "[/**/".repeat(40_000));
        assert!(telling(&sheet).len() > 39_000);
        let sheet = format!("<style>{}=]</style>", "[".repeat(200_000));
        assert!(telling(&sheet).len() > 199_000);
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
