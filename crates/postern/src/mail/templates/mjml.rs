//! MJML to HTML, by the library; at load, never on the way of a mail.

use std::collections::HashMap;

use htmlparser::{ElementEnd, Token, Tokenizer};
use mrml::prelude::parser::ParserOptions;
use mrml::prelude::render::RenderOptions;

use super::engine::MAX_BODY;
use super::lines;

/// How deep elements may lie in each other: the library descends by recursion.
const DEPTH: usize = 60;

/// The most bytes that all elements together may take over from others.
const MOST_TAKEN_OVER: usize = 4 << 20;

/// The most pictures in carousels.
const MOST_PICTURES: usize = 20;

/// Elements that the library takes for closed where they open.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// The elements of MJML that the library makes something of.
const KNOWN: [&str; 33] = [
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-include",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
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
    if let Some(problem) = Weight::of(source).too_much() {
        return Err(problem);
    }
    paired(source)?;
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
    let html = html.map_err(|error| error.to_string())?;
    if html.len() > MAX_BODY {
        return Err(format!(
            "it becomes {} bytes of HTML, and {MAX_BODY} is the most",
            html.len()
        ));
    }
    lines::broken(&html)
}

/// Passes a document whose elements of MJML are known and end as they begin, of which the library sees to nothing.
fn paired(source: &str) -> Result<(), String> {
    let (mut open, mut begun): (Vec<(&str, usize)>, _) = (Vec::new(), ("", 0));
    let line = |at: usize| source[..at].matches('\n').count() + 1;
    for token in Tokenizer::from(source) {
        match token {
            Ok(Token::ElementStart { local, span, .. }) => {
                begun = (local.as_str(), span.start());
                if begun.0.starts_with("mj-") && !KNOWN.contains(&begun.0) {
                    let (name, at) = (begun.0, line(begun.1));
                    return Err(format!("MJML has no <{name}> (line {at})"));
                }
            }
            Ok(Token::ElementEnd { end, span }) => match end {
                ElementEnd::Open if VOID.contains(&begun.0) => {}
                ElementEnd::Open => open.push(begun),
                ElementEnd::Close(_, local) => {
                    let (name, _) = open.pop().unwrap_or_default();
                    let ends = local.as_str();
                    if ends != name && (ends.starts_with("mj") || name.starts_with("mj")) {
                        let at = line(span.start());
                        return Err(format!("</{ends}> does not end <{name}> (line {at})"));
                    }
                }
                ElementEnd::Empty => {}
            },
            Ok(_) => {}
            // A `<` that begins nothing.
            Err(error) => {
                let at = error.pos().row;
                return Err(format!(
                    "it cannot be read from line {at} on: write &lt; for a < that begins no element"
                ));
            }
        }
    }
    match open.last() {
        Some((name, at)) => Err(format!("<{name}> is not closed (line {})", line(*at))),
        None => Ok(()),
    }
}

/// The library's message, in words of ours; where it names a byte, also the line.
fn placed(source: &str, problem: &str) -> String {
    let byte = problem
        .rsplit_once("position ")
        .and_then(|(_, span)| {
            span.split(|c: char| !c.is_ascii_digit())
                .find(|n| !n.is_empty())
        })
        .and_then(|digits| digits.parse::<usize>().ok());
    match byte.and_then(|byte| source.get(..byte)) {
        Some(before) => {
            let told = problem.split(" at position").next().unwrap_or(problem);
            let told = told.replace(" in root template", "");
            format!("{told} (line {})", before.matches('\n').count() + 1)
        }
        None => problem.replace(" in root template", ""),
    }
}

/// What a document would take, told from the tokens that the library parses: another reading of the
/// source would be another document.
#[derive(Debug, Default)]
struct Weight {
    /// How deep elements lie in each other.
    deep: usize,
    elements: usize,
    /// Bytes of the values that stand in the head, which other elements take over.
    head: usize,
    /// Bytes of the values of one element, which those in it may take over.
    longest: usize,
    /// Pictures of carousels, each of which has styles for each other.
    pictures: usize,
}

impl Weight {
    fn of(source: &str) -> Self {
        let mut weight = Self::default();
        let (mut open, mut name, mut own, mut in_head) = (0_usize, "", 0, false);
        for token in Tokenizer::from(source) {
            match token {
                Ok(Token::ElementStart { local, .. }) => {
                    (name, own) = (local.as_str(), 0);
                    weight.elements += 1;
                    weight.pictures += usize::from(name == "mj-carousel-image");
                    // Whatever comes before the body counts as the head, an unclosed one too.
                    in_head = (in_head || name == "mj-head") && name != "mj-body";
                }
                Ok(Token::Attribute { span, .. }) => {
                    own += span.len();
                    weight.head += if in_head { span.len() } else { 0 };
                }
                Ok(Token::ElementEnd { end, .. }) => match end {
                    ElementEnd::Open if VOID.contains(&name) => {}
                    ElementEnd::Open => {
                        open += 1;
                        if name.starts_with("mj-") {
                            weight.longest = weight.longest.max(own);
                        }
                    }
                    // The library compares no names.
                    ElementEnd::Close(..) => open = open.saturating_sub(1),
                    ElementEnd::Empty => {}
                },
                Ok(_) => {}
                // The library gives up here too.
                Err(_) => break,
            }
            weight.deep = weight.deep.max(open);
        }
        weight
    }

    /// Why the library is not given the document, if it is not.
    fn too_much(&self) -> Option<String> {
        let taken_over = self.elements.saturating_mul(self.head + self.longest);
        if self.deep > DEPTH {
            return Some(format!("elements lie more than {DEPTH} deep in each other"));
        }
        if self.pictures > MOST_PICTURES {
            return Some(format!(
                "a carousel shows more than {MOST_PICTURES} pictures"
            ));
        }
        (taken_over > MOST_TAKEN_OVER).then(|| {
            format!(
                "{} elements with up to {} bytes of attributes each, those of mj-attributes included, make too \
                 large a mail",
                self.elements,
                self.head + self.longest
            )
        })
    }
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
    fn what_is_wrong_is_told_with_its_line_and_without_words_of_the_library() {
        for (inner, told) in [
            (
                "<mj-text>\na</mj-tex>",
                "</mj-tex> does not end <mj-text> (line 2)",
            ),
            ("\n<mj-foo>a</mj-foo>", "MJML has no <mj-foo> (line 2)"),
            ("<mj-text>a", "</mj-column> does not end <mj-text> (line 1)"),
        ] {
            assert_eq!(to_html(&body(inner)).unwrap_err(), told);
        }
        let unclosed = to_html("<mjml>\n<mj-body>").unwrap_err();
        assert_eq!(unclosed, "<mj-body> is not closed (line 2)");
        for odd in [body("<mj-text>I <3 you</mj-text>"), body("") + "{% if a }"] {
            let told = to_html(&odd).unwrap_err();
            assert!(
                told.contains("line 1") && !told.contains("template"),
                "{told}"
            );
        }
        let bold = body("<mj-text><b>a<i>b</b></i><br>c</mj-text>");
        assert!(to_html(&bold).is_ok(), "sloppy HTML is as before");
    }

    #[test]
    fn a_document_that_grows_beyond_measure_is_refused_before_it_is_made() {
        let head = |inner: &str, body: &str| {
            format!(
                "<mjml><mj-head>{inner}</mj-head><mj-body><mj-section><mj-column>{body}</mj-column></mj-section>\
                 </mj-body></mjml>"
            )
        };
        let long = "a".repeat(50_000);
        let everywhere =
            format!("<mj-attributes><mj-text font-family=\"{long}\" /></mj-attributes>");
        let texts = "<mj-text>a</mj-text>".repeat(1_000);
        let taken = to_html(&head(&everywhere, &texts));
        assert!(taken.unwrap_err().contains("too large"));
        let split = "<mj-attributes><mj-all color=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" /></mj-attributes>";
        let taken = to_html(&head(&split.repeat(200), &texts));
        assert!(taken.unwrap_err().contains("too large"));
        let inside = format!(
            "<mj-social font-family=\"{long}\">{}</mj-social>",
            "<mj-social-element name=\"x\">a</mj-social-element>".repeat(1_000)
        );
        assert!(to_html(&body(&inside)).unwrap_err().contains("too large"));
        let pictures = "<mj-carousel-image src=\"https://a.example/a.png\" />".repeat(500);
        let carousel = format!("<mj-carousel>{pictures}</mj-carousel>");
        assert!(to_html(&body(&carousel)).unwrap_err().contains("pictures"));
        let many = "<mj-text>a</mj-text>".repeat(20_000);
        assert!(to_html(&body(&many)).unwrap_err().contains("bytes of HTML"));
        assert!(to_html(&head("", &texts[..4_000])).is_ok());
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
