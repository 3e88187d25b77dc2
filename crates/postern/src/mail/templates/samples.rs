//! What a template is filled with when there is no real mail: for previews and for lint.

use postern_core::model::{Language, Languages, MailKind, Timestamp};
use postern_core::settings::Settings;

use super::Source;
use super::Templates;
use super::built_in;
use super::compiled::Compiled;
use super::parts::{Fields, Parts, TemplateError};
use crate::mail::render::{branded, set_language, set_times};
use crate::mail::wording::Wording;

/// Digits for a code of any length.
const CODE: &str = "7319048265";
/// The code of a sample while codes have six digits.
pub const SAMPLE_CODE: &str = "731904";
/// The link of every sample; what it leads to is nobody's.
pub const SAMPLE_LINK: &str =
    "https://app.example.com/signin?from=mail&link_token=SAMPLE-0Zk3fQ9xYb2mT7_l";

/// What a mail of this kind in this language is filled with, as of `now`. `supplied` is what the
/// caller would have sent.
pub(super) fn fields(
    kind: MailKind,
    language: &Language,
    settings: &Settings,
    now: Timestamp,
    supplied: &[(String, String)],
) -> Fields {
    let mut fields = branded(settings);
    fields.set("user_name", "Ada");
    for (name, value) in supplied {
        fields.set(name, value.as_str());
    }
    fields.set("user_email", "ada@example.com");
    set_language(&mut fields, language);
    let wording = Wording::in_language(language);
    set_times(
        &mut fields,
        wording,
        (now, now.plus(settings.expires_in), now),
    );
    if kind.method().has_code() {
        let domain = match settings.app_domain.as_str() {
            "" => "app.example.com",
            domain => domain,
        };
        let length = usize::from(settings.code_length).min(CODE.len());
        fields.set("otp", &CODE[..length]);
        fields.set("code_domain", domain);
    }
    if kind.method().has_link() {
        fields.set("link", SAMPLE_LINK);
    }
    fields
}

/// The built-in mail under these settings, in the default language, for who edits what is in it.
///
/// # Errors
/// When it cannot be filled.
pub fn sample(
    templates: &Templates,
    settings: &Settings,
    kind: MailKind,
    now: Timestamp,
) -> Result<Parts, TemplateError> {
    let language = Wording::of(&Languages::default(), settings).language();
    templates.fill(kind, &fields(kind, language, settings, now, &[]))
}

/// A template, filled with samples. What a caller would have to supply and `supplied` does not
/// have reads as its own name in brackets.
///
/// # Errors
/// Why it cannot be filled.
pub fn preview(
    (kind, language): (MailKind, &Language),
    source: &Source,
    settings: &Settings,
    now: Timestamp,
    supplied: &[(String, String)],
) -> Result<Parts, TemplateError> {
    let compiled = Compiled::compile(kind, source)?;
    let stood_in = compiled
        .required()
        .chain(compiled.optional())
        .filter(|name| !supplied.iter().any(|(given, _)| given == *name))
        .map(|name| (name.clone(), format!("[{name}]")));
    let all: Vec<_> = stood_in.chain(supplied.iter().cloned()).collect();
    compiled.fill(&fields(kind, language, settings, now, &all))
}

/// The sentences of the built-in wording that the built-in template of a kind is made of, in their order: what
/// each is called, and how it reads in this language, filled with samples.
///
/// # Errors
/// Why one cannot be filled.
pub fn sentences(
    (kind, language): (MailKind, &Language),
    settings: &Settings,
    now: Timestamp,
) -> Result<Vec<(String, String)>, TemplateError> {
    let built_in = built_in::source(kind);
    let mut names: Vec<String> = Vec::new();
    for part in [&built_in.subject, &built_in.html, &built_in.text] {
        let called = part.split("t(\"").skip(1);
        for name in called.filter_map(|rest| rest.split('"').next()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    let calls: Vec<_> = names
        .iter()
        .map(|name| format!("{{{{ t(\"{name}\") }}}}"))
        .collect();
    let source = Source {
        text: calls.join("\n"),
        ..built_in
    };
    let said = preview((kind, language), &source, settings, now, &[])?;
    let said = said.text.lines().map(str::to_owned);
    Ok(names.into_iter().zip(said).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_of_a_built_in_template_is_listed_as_its_readers_see_it() {
        let (now, settings) = (
            Timestamp::from_unix_seconds(1_800_000_000),
            Settings::default(),
        );
        for kind in MailKind::ALL {
            let german = Language::parse("de").unwrap();
            let listed = sentences((kind, &german), &settings, now).unwrap();
            assert!(listed.len() > 5, "{listed:?}");
            assert!(listed.iter().all(|(_, said)| !said.is_empty()));
            let (_, hello) = listed.iter().find(|(name, _)| name == "hello").unwrap();
            assert_eq!(hello, "Guten Tag Ada,");
        }
    }

    #[test]
    fn a_sample_of_every_kind_shows_the_branding_in_every_language() {
        let templates = Templates::built_in();
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        for language in ["en", "ar", "ja"] {
            let changes = [
                ("app_name", "Tea & Co"),
                ("default_language", language),
                ("code_length", "10"),
            ];
            let settings = Settings::default().with(changes).unwrap();
            for kind in MailKind::ALL {
                let parts = sample(&templates, &settings, kind, now).unwrap();
                assert!(parts.html.contains("Tea &amp; Co"), "{kind:?} {language}");
                assert!(!kind.method().has_code() || parts.text.contains(CODE));
            }
        }
    }
}
