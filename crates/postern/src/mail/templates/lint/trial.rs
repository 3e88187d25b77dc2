//! What only filling a template shows: whether the code and the link arrive, in every language that
//! it serves, with and without what a caller may leave out.

use postern_core::model::{Language, Method, TemplateKey, Timestamp};
use postern_core::settings::Settings;

use super::super::compiled::{Compiled, MAX_SUBJECT};
use super::super::parts::{Fields, Part, Parts, TemplateError};
use super::super::pieces::{Piece, pieces};
use super::super::samples::{self, SAMPLE_CODE, SAMPLE_LINK};
use super::super::{Source, escape_html};
use super::{Finding, line_at, roots};
use crate::mail::wording;

/// Gmail shows no more of a mail than 102 KB.
const CLIPPED: usize = 100 * 1024;
/// A moment with two digits in every place.
const WHEN: Timestamp = Timestamp::from_unix_seconds(1_795_379_460);
/// A logo.
const LOGO: &str = "https://cdn.example.com/logo.png";
/// Optional variables that are tried one by one.
const TRIED: usize = 40;

/// What goes wrong when it is filled, and what is not in it then.
pub(super) fn findings(key: &TemplateKey, source: &Source, compiled: &Compiled) -> Vec<Finding> {
    let languages = match &key.language {
        Some(language) => std::slice::from_ref(language),
        None => wording::languages(),
    };
    let mut found = Vec::new();
    for language in languages {
        for fields in occasions(key, language, compiled, language == &languages[0]) {
            match compiled.fill(&fields) {
                Ok(parts) => found.extend(judge(key.kind.method(), &parts)),
                Err(error) => found.push(failed(source, &error)),
            }
        }
    }
    found.extend(logo(key, source, compiled, &languages[0]));
    found
}

/// A picture of nowhere where there is no logo.
fn logo(
    key: &TemplateKey,
    source: &Source,
    compiled: &Compiled,
    language: &Language,
) -> Option<Finding> {
    let value = |name: &String| (name.clone(), format!("[{name}]"));
    let supplied: Vec<_> = compiled
        .required()
        .chain(compiled.optional())
        .map(value)
        .collect();
    let nowhere = |logo: &str| {
        let settings = Settings {
            app_logo_url: logo.to_owned(),
            ..Settings::default()
        };
        let fields = samples::fields(key.kind, language, &settings, WHEN, &supplied);
        let html = compiled.fill(&fields).ok()?.html;
        let found = ["src=\"#", "src='#", "src=#"].map(|src| html.matches(src).count());
        Some(found.into_iter().sum::<usize>())
    };
    // What a caller supplies is no address here either, with a logo and without.
    if nowhere("")? <= nowhere(LOGO)? {
        return None;
    }
    let told = "without a logo there is a picture of nowhere (src=\"#\"): put it between {% if app_logo_url %} and \
                {% endif %}";
    let finding = Finding::warning(Part::Html, "empty-picture", told);
    Some(finding.at(only_line(&source.html, "app_logo_url")))
}

/// The line on which a variable is shown, if it is shown once.
fn only_line(written: &str, name: &str) -> Option<usize> {
    let mut at = 0;
    let mut found = Vec::new();
    for piece in pieces(written).unwrap_or_default() {
        if matches!(piece, Piece::Output(_)) && roots(piece.inner()).any(|root| root == name) {
            found.push(line_at(written, at));
        }
        at += piece.len();
    }
    match *found {
        [line] => Some(line),
        _ => None,
    }
}

/// A full mail, a bare one, and, with `each`, those in which one optional variable is there or not.
fn occasions(
    key: &TemplateKey,
    language: &Language,
    compiled: &Compiled,
    each: bool,
) -> Vec<Fields> {
    let settings = Settings {
        app_name: "Acme".to_owned(),
        app_logo_url: LOGO.to_owned(),
        app_support_email: "help@example.com".to_owned(),
        ..Settings::default()
    };
    let value = |name: &String| (name.clone(), format!("[{name}]"));
    let required: Vec<_> = compiled.required().map(value).collect();
    let optional: Vec<_> = compiled.optional().map(value).collect();
    let with = |some: &[(String, String)], settings: &Settings| {
        let supplied = [required.clone(), some.to_vec()].concat();
        samples::fields(key.kind, language, settings, WHEN, &supplied)
    };
    let mut bare = with(&[], &Settings::default());
    bare.set("user_name", "");
    let mut all = vec![with(&optional, &settings), bare];
    if each {
        for at in 0..optional.len().min(TRIED) {
            let mut others = optional.clone();
            let one = others.remove(at);
            all.push(with(&[one], &settings));
            all.push(with(&others, &settings));
        }
    }
    all
}

fn failed(source: &Source, error: &TemplateError) -> Finding {
    let part = error.part();
    let undefined = error.problem.contains("undefined");
    let told = if undefined {
        // The engine puts what is not there between these.
        let name = error.problem.split('`').nth(1);
        let name = name.unwrap_or("an optional variable");
        format!(
            "it cannot be filled when {name} is left out: ask with `is defined` wherever it is named"
        )
    } else {
        format!("it cannot be filled: {}", error.problem)
    };
    let line = error
        .line
        .filter(|line| *line <= part.of(source).lines().count());
    let rule = if part == Part::Subject && !undefined {
        "subject-break"
    } else {
        "fill"
    };
    Finding::error(part, rule, told).at(line)
}

fn judge(method: Method, parts: &Parts) -> Vec<Finding> {
    let mut found = Vec::new();
    let seen = visible(&parts.html);
    if method.has_code() {
        found.extend(code(&parts.text, &seen));
    }
    if method.has_link() {
        found.extend(link(parts, &seen));
    }
    if parts.html.len() > CLIPPED {
        let told = format!(
            "the mail has {} KB: some mail programs cut it off after 100 KB",
            parts.html.len() / 1024
        );
        found.push(Finding::warning(Part::Html, "clipping", told));
    }
    if parts.subject.chars().count() >= MAX_SUBJECT {
        let told = "the subject is cut after 255 characters";
        found.push(Finding::warning(Part::Subject, "subject-long", told));
    }
    found
}

fn code(text: &str, seen: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (part, place) in [(Part::Text, text), (Part::Html, seen)] {
        if !place.contains(SAMPLE_CODE) {
            let told = "the code is not in every mail: {{ otp }} has to stand outside of any if";
            found.push(Finding::error(part, "missing-otp", told));
        }
    }
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    if !(last.starts_with('@') && last.ends_with(&format!("#{SAMPLE_CODE}"))) {
        let told = "phones and browsers fill the code in by themselves when the last line of the text is \
                    @{{ code_domain }} #{{ otp }}";
        found.push(Finding::warning(Part::Text, "autofill", told));
    }
    found
}

fn link(parts: &Parts, seen: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let told = "the link is not in every mail: {{ link }} has to stand outside of any if";
    if !parts.text.contains(SAMPLE_LINK) {
        found.push(Finding::error(Part::Text, "missing-link", told));
    }
    let escaped = escape_html(SAMPLE_LINK);
    let leads = ["\"", "'"].map(|quote| format!("href={quote}{escaped}{quote}"));
    if !leads.iter().any(|href| parts.html.contains(href)) {
        let told =
            "the link is not in every mail: <a href=\"{{ link }}\"> has to stand outside of any if";
        found.push(Finding::error(Part::Html, "missing-link", told));
    } else if !seen.contains(&escaped) {
        let told = "show {{ link }} as text too, for programs that show no buttons";
        found.push(Finding::warning(Part::Html, "plain-link", told));
    }
    found
}

/// Whether a tag hides what is in it, as the preview of a mail is hidden.
fn is_hidden(tag: &str) -> bool {
    let bare: String = tag.split_whitespace().collect();
    bare.to_ascii_lowercase().contains("display:none")
}

/// The HTML without its tags, comments, styles and title, and without what it hides.
fn visible(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = [
            ("<!--", "-->"),
            ("<style", "</style"),
            ("<title", "</title"),
        ]
        .into_iter()
        .find(|(begin, _)| rest.starts_with(begin))
        .map_or(">", |(_, end)| end);
        // What a tag hides reaches to the next end of an element.
        let (tag, after) = rest.split_once(end).unwrap_or((rest, ""));
        let hidden = end == ">" && is_hidden(tag);
        let shown = if hidden { after.find("</") } else { Some(0) };
        rest = shown.map_or("", |from| &after[from..]);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_left_out_and_what_stands_after_it_is_not() {
        for (html, seen) in [
            ("a<p style=\"display:none\">b</p>c", "ac"),
            ("a<p STYLE='color:red; display : NONE'>b</p>c", "ac"),
            ("a<p>b</p>c<!-- d -->", "abc"),
            ("a<p style=\"display:none\"</b", "a"),
            ("a<style>p{display:none}</style>b", "a>b"),
        ] {
            assert_eq!(visible(html), seen, "{html}");
        }
    }

    #[test]
    fn a_tag_that_never_ends_is_looked_at_once() {
        let endless = "<p style=\"display:none\"</".repeat(40_000);
        assert_eq!(visible(&endless), "");
    }
}
