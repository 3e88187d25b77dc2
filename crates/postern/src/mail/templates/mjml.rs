//! MJML to HTML, by the library; at load, never on the way of a mail.

use std::collections::HashMap;

use htmlparser::{ElementEnd, Token, Tokenizer};
use mrml::prelude::parser::ParserOptions;
use mrml::prelude::render::RenderOptions;

use super::lines;

/// How deep elements may lie in each other: the library descends by recursion.
const DEPTH: usize = 60;

/// Elements that the library takes for closed where they open.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Whether a source is MJML rather than HTML.
pub(super) fn is_mjml(source: &str) -> bool {
    let start = source.trim_start();
    start
        .get(..5)
        .is_some_and(|tag| tag.eq_ignore_ascii_case("<mjml"))
}

/// The HTML of an MJML document. Template tags in it pass through as they are.
///
/// # Errors
/// What is wrong with the document, and where.
pub(super) fn to_html(source: &str) -> Result<String, String> {
    let source = source.trim();
    if depth(source) > DEPTH {
        return Err(format!("elements lie more than {DEPTH} deep in each other"));
    }
    if source.contains("<mj-include") {
        return Err("mj-include reads other files, which a stored template cannot".to_owned());
    }
    let parsed = mrml::parse_with_options(source, &ParserOptions::default());
    let parsed = parsed.map_err(|error| placed(source, &error.to_string()))?;
    // No web font: a mail fetches nothing to be read.
    let options = RenderOptions {
        disable_comments: true,
        social_icon_origin: None,
        fonts: HashMap::new(),
    };
    let html = parsed.element.render(&options);
    lines::broken(&html.map_err(|error| error.to_string())?)
}

/// The library's message; where it names a byte, also the line.
fn placed(source: &str, problem: &str) -> String {
    let byte = problem
        .rsplit_once("position ")
        .and_then(|(_, span)| {
            span.split(|c: char| !c.is_ascii_digit())
                .find(|n| !n.is_empty())
        })
        .and_then(|digits| digits.parse::<usize>().ok());
    match byte.and_then(|byte| source.get(..byte)) {
        Some(before) => format!("{problem} (line {})", before.matches('\n').count() + 1),
        None if problem.contains("end of stream") => {
            format!("{problem}: an element is not closed")
        }
        None => problem.to_owned(),
    }
}

/// How deep elements lie in each other, told from the tokens that the library parses: another reading
/// of the source would be another depth.
fn depth(source: &str) -> usize {
    let (mut open, mut most, mut void) = (0_usize, 0, false);
    for token in Tokenizer::from(source) {
        match token {
            Ok(Token::ElementStart { local, .. }) => void = VOID.contains(&local.as_str()),
            Ok(Token::ElementEnd { end, .. }) => match end {
                ElementEnd::Open if void => {}
                ElementEnd::Open => open += 1,
                // The library compares no names.
                ElementEnd::Close(..) => open = open.saturating_sub(1),
                ElementEnd::Empty => {}
            },
            Ok(_) => {}
            // The library gives up here too.
            Err(_) => break,
        }
        most = most.max(open);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(inner: &str) -> String {
        format!(
            "<mjml><mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>"
        )
    }

    #[test]
    fn template_tags_pass_through_and_nothing_is_fetched() {
        let html = to_html(&body(
            "<mj-text font-family=\"Roboto\">{{ t(\"x\") }}<br>&nbsp;</mj-text>\
             <mj-raw>{% if a %}</mj-raw><mj-button href=\"{{ link }}\">b</mj-button><mj-raw>{% endif %}</mj-raw>",
        ))
        .unwrap();
        for kept in [
            "{{ t(\"x\") }}",
            "{% if a %}<tr>",
            "href=\"{{ link }}\"",
            "{% endif %}",
        ] {
            assert!(html.contains(kept), "{kept}\n{html}");
        }
        assert!(!html.contains("fonts.googleapis"), "{html}");
    }

    #[test]
    fn what_does_not_balance_is_refused_with_a_reason() {
        for bad in [
            "<mjml><mj-body><mj-section></mj-body></mjml>",
            "<mjml><mj-body>",
            &body("<mj-text>a<b>c</mj-text>"),
            &body("<mj-include path=\"/etc/passwd\" />"),
        ] {
            assert!(to_html(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_deep_document_is_refused_before_it_is_parsed() {
        let deep = format!(
            "<mj-text>{}{}</mj-text>",
            "<div>".repeat(9_999),
            "</div>".repeat(9_999)
        );
        assert!(to_html(&body(&deep)).unwrap_err().contains("deep"));
        let hidden = format!("<mj-text>{}</mj-text>", "<div><!--</div>-->".repeat(9_999));
        assert!(to_html(&body(&hidden)).unwrap_err().contains("deep"));
        for odd in [
            "<div a=\"/>\">",
            "<div a='/>'>",
            "<_>",
            "<BR>",
            "<é>",
            "<a:b>",
            "<mj-text>",
            "<mj-raw>",
        ] {
            let source = format!("<mj-text>{}", odd.repeat(9_999));
            assert!(to_html(&body(&source)).is_err(), "{odd}");
            let source = format!("<mj-raw>{}", odd.repeat(9_999));
            assert!(to_html(&body(&source)).is_err(), "{odd}");
        }
        let fine = format!(
            "<mj-text>{}{}</mj-text>",
            "<div>".repeat(50),
            "</div>".repeat(50)
        );
        assert!(to_html(&body(&fine)).is_ok());
    }
}
