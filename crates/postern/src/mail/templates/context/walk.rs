//! Where literal HTML leads, as browsers read it.
//!
//! Where mail programs could differ, the walk ends in [`NOWHERE`]: no value is allowed from there on.

use super::{At, SoFar, Stage};

/// Elements whose text is no markup, or is only in some programs.
const RAW: [&str; 10] = [
    "style",
    "script",
    "title",
    "textarea",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
];

/// Like the text of an element that nothing ends.
const NOWHERE: At = At::Raw("plaintext");

/// Moves over literal text.
pub(super) fn walk(at: &mut At, text: &str) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let step = match at {
            At::Text => from_text(at, rest),
            At::Comment => leave_comment(at, rest),
            At::Raw(element) => {
                let element = *element;
                leave_raw(at, rest, element)
            }
            At::Tag { .. } => in_tag(at, c),
            // A comment for Outlook alone would end here for all others.
            At::Value { .. } if rest.starts_with("-->") => lost(at, rest),
            At::Value { .. } => in_value(at, c),
        };
        rest = &rest[step..];
    }
}

fn lost(at: &mut At, rest: &str) -> usize {
    *at = NOWHERE;
    rest.len()
}

/// The bytes to pass over, in text.
fn from_text(at: &mut At, rest: &str) -> usize {
    // What Outlook alone reads is markup all the same.
    if rest.starts_with("<!--[if") || rest.starts_with("<![") || rest.starts_with("<!--<!") {
        return rest.find('>').map_or(rest.len(), |end| end + 1);
    }
    if rest.starts_with("<!--") {
        *at = At::Comment;
        return 4;
    }
    let named = rest
        .strip_prefix('<')
        .map(|rest| rest.strip_prefix('/').unwrap_or(rest));
    if let Some(named) = named.filter(|named| named.starts_with(|c: char| c.is_ascii_alphabetic()))
    {
        let element: String = named
            .chars()
            .take_while(|c| !c.is_whitespace() && !">/".contains(*c))
            .collect();
        let passed = rest.len() - named.len() + element.len();
        let closing = rest.starts_with("</");
        let element = if closing {
            String::new()
        } else {
            element.to_ascii_lowercase()
        };
        *at = At::Tag {
            element,
            attribute: String::new(),
            stage: Stage::Name,
        };
        return passed;
    }
    rest.chars().next().map_or(0, char::len_utf8)
}

fn leave_comment(at: &mut At, rest: &str) -> usize {
    match rest.find("-->") {
        Some(0) => {
            *at = At::Text;
            3
        }
        found => found.unwrap_or(rest.len()),
    }
}

fn leave_raw(at: &mut At, rest: &str, element: &str) -> usize {
    // Nothing ends that one.
    let end = (element != "plaintext")
        .then(|| find_end(rest, element))
        .flatten();
    let text = &rest[..end.unwrap_or(rest.len())];
    // A title within an image is markup, and a script that has begun a comment ends elsewhere.
    let strange = match element {
        "title" => text.contains('<'),
        "script" => text.contains("<!--"),
        _ => false,
    };
    if strange {
        return lost(at, rest);
    }
    if end == Some(0) {
        *at = At::Text;
    }
    text.len()
}

/// Where `</element` stands as a whole word, in capitals or not, without a copy of what is searched.
pub(super) fn find_end(text: &str, element: &str) -> Option<usize> {
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let (from, bytes) = (at + 2, text.as_bytes());
        let named = bytes.get(from..from + element.len());
        let after = bytes.get(from + element.len());
        named.is_some_and(|named| named.eq_ignore_ascii_case(element.as_bytes()))
            && after.is_none_or(|c| c.is_ascii_whitespace() || b"/>".contains(c))
    })
}

fn in_tag(at: &mut At, c: char) -> usize {
    let At::Tag {
        element,
        attribute,
        stage,
    } = at
    else {
        return c.len_utf8();
    };
    let (begun, space) = (!attribute.is_empty(), c.is_whitespace());
    match (*stage, c) {
        (_, '>') => {
            let raw = RAW.into_iter().find(|raw| raw == element);
            *at = raw.map_or(At::Text, At::Raw);
        }
        (Stage::Equals, '"' | '\'') => {
            *at = At::Value {
                element: std::mem::take(element),
                attribute: std::mem::take(attribute),
                quote: c,
                so_far: SoFar::Nothing,
            };
        }
        (Stage::Unquoted, _) if space => (*attribute, *stage) = (String::new(), Stage::Name),
        (Stage::Unquoted, _) => {}
        (Stage::Equals, _) if space => {}
        (Stage::Equals, _) => *stage = Stage::Unquoted,
        (Stage::Name | Stage::Named, '=') if begun => *stage = Stage::Equals,
        (Stage::Name, _) if begun && (space || c == '/') => *stage = Stage::Named,
        (Stage::Name | Stage::Named, _) if space || c == '/' => {}
        (Stage::Named, _) => {
            (*attribute, *stage) = (c.to_lowercase().collect(), Stage::Name);
        }
        (Stage::Name, _) => attribute.extend(c.to_lowercase()),
    }
    c.len_utf8()
}

fn in_value(at: &mut At, c: char) -> usize {
    let At::Value {
        element,
        quote,
        so_far,
        ..
    } = at
    else {
        return c.len_utf8();
    };
    if c == *quote {
        *at = At::Tag {
            element: std::mem::take(element),
            attribute: String::new(),
            stage: Stage::Name,
        };
    } else {
        *so_far = so_far.after(c);
    }
    c.len_utf8()
}
