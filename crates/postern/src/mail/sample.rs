//! A mail as it would look, for who edits what is in it.

use std::time::Duration;

use postern_core::model::{Languages, Timestamp};
use postern_core::settings::Settings;

use super::Kind;
use super::render::set_language;
use super::templates::{Fields, Parts, TemplateError, Templates};
use super::wording::Wording;

/// Digits and letters for a code of any length.
const CODE: &str = "4829137056";

/// The mail that a person would get under these settings at `now`, with a code and a link that open
/// nothing.
///
/// # Errors
/// When the template names what only an app supplies.
pub fn sample(
    templates: &Templates,
    settings: &Settings,
    kind: Kind,
    now: Timestamp,
) -> Result<Parts, TemplateError> {
    let wording = Wording::of(&Languages::default(), settings);
    let mut fields = Fields::default();
    for (name, value) in [
        ("app_name", settings.app_name.as_str()),
        ("app_logo_url", &settings.app_logo_url),
        ("app_support_email", &settings.app_support_email),
        ("app_color", &settings.app_color),
        ("app_organization_meta_name", ""),
        ("organization_name", ""),
        ("user_name", ""),
        ("user_email", "ada@example.com"),
        (
            "otp",
            &CODE[..usize::from(settings.code_length).min(CODE.len())],
        ),
        ("code_domain", &settings.app_domain),
        ("link", "https://app.example.com/sign-in?link_token=sample"),
    ] {
        fields.set(name, value);
    }
    set_language(&mut fields, wording.language());
    set_times(&mut fields, wording, now, settings.expires_in);
    templates.fill(kind, &fields)
}

fn set_times(fields: &mut Fields, wording: &Wording, now: Timestamp, left: Duration) {
    let expires = wording.moment(now.plus(left));
    fields.set("expiry_time", expires.as_str());
    fields.set("expire_time", expires);
    fields.set("expiry_time_relative", wording.span(left));
    fields.set("expiry_within", wording.within(left));
    fields.set("requested_at", wording.moment(now));
}

#[cfg(test)]
mod tests {
    use super::*;

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
            for kind in Kind::ALL {
                let parts = sample(&templates, &settings, kind, now).unwrap();
                assert!(parts.html.contains("Tea &amp; Co"), "{kind:?} {language}");
                assert!(!kind.method().has_code() || parts.text.contains("4829137056"));
            }
        }
    }
}
