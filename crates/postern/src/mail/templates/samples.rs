//! What a template is filled with when there is no real mail: for previews and for lint.

use std::time::Duration;

use postern_core::model::{Language, MailKind, Timestamp};
use postern_core::settings::Settings;

use super::Source;
use super::compiled::Compiled;
use super::parts::{Fields, Parts, TemplateError};
use crate::mail::render::{branded, set_language, set_times};
use crate::mail::wording::Wording;

/// The code of every sample.
pub const SAMPLE_CODE: &str = "731904";
/// The link of every sample; what it leads to is nobody's.
pub const SAMPLE_LINK: &str =
    "https://app.example.com/signin?from=mail&link_token=SAMPLE-0Zk3fQ9xYb2mT7_l";
/// How long the sample lives.
const LIVES: Duration = Duration::from_mins(5);

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
    set_times(&mut fields, wording, (now, now.plus(LIVES), now));
    if kind.method().has_code() {
        let domain = match settings.app_domain.as_str() {
            "" => "app.example.com",
            domain => domain,
        };
        fields.set("otp", SAMPLE_CODE);
        fields.set("code_domain", domain);
    }
    if kind.method().has_link() {
        fields.set("link", SAMPLE_LINK);
    }
    fields
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
