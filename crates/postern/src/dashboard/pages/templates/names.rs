//! What kinds, languages and variables are called.

use postern_core::model::{Language, MailKind, TemplateKey};

use crate::dashboard::fields::{Fields, query};
use crate::dashboard::trouble::Trouble;

/// What a kind of mail is called.
pub(super) fn title(kind: MailKind) -> &'static str {
    match kind {
        MailKind::SigninOtp => "Sign-in: verification code",
        MailKind::SigninLink => "Sign-in: magic link",
        MailKind::SigninLinkOtp => "Sign-in: magic link + code",
        MailKind::SignupOtp => "Sign-up: verification code",
        MailKind::SignupLink => "Sign-up: magic link",
        MailKind::SignupLinkOtp => "Sign-up: magic link + code",
    }
}

/// When it is sent.
pub(super) fn about(kind: MailKind) -> &'static str {
    if kind.is_signup() {
        "Sent when the call names SIGNUP."
    } else {
        "Sent when the call names no template, or SIGNIN."
    }
}

/// The template that a page is about: its kind is in the path, its language in the query or form.
///
/// # Errors
/// There is no such kind, or the language is none.
pub(super) fn key(path: &Fields, given: &Fields) -> Result<TemplateKey, Trouble> {
    let kind = MailKind::parse(path.get("id")).ok_or(Trouble::NotFound)?;
    let language = match given.get("language") {
        "" => None,
        tag => {
            let told = format!("{tag:?} is no language tag, such as de or pt-BR.");
            Some(Language::parse(tag).ok_or(Trouble::Told(told))?)
        }
    };
    Ok(TemplateKey { kind, language })
}

/// The editor's address.
pub(super) fn address(key: &TemplateKey, done: &str) -> String {
    let tag = key.tag();
    let query = query(&[("language", &tag), ("done", done)]);
    let mark = if query.is_empty() { "" } else { "?" };
    format!(
        "/dashboard/emails/templates/{}{mark}{query}",
        key.kind.as_str()
    )
}

/// The variables that a mail of this kind has, and what they say.
pub(super) fn variables(kind: MailKind) -> Vec<(&'static str, &'static str)> {
    let code = [
        ("otp", "The code. It has to be in every mail."),
        (
            "code_domain",
            "For the last line of the text: @{{ code_domain }} #{{ otp }}",
        ),
    ];
    let link = [("link", "The magic link. It has to be in every mail.")];
    let rest = [
        ("app_name", "Your app, from Branding or the call"),
        ("app_logo_url", "Its logo; empty when there is none"),
        (
            "app_support_email",
            "Where to ask; empty when there is none",
        ),
        ("app_color", "The colour of buttons"),
        ("user_email", "Whom the mail is for"),
        ("user_name", "Their name, if the call says it; else empty"),
        ("organization_name", "If the call says it; else empty"),
        ("expiry_time_relative", "Such as “5 minutes”"),
        ("expiry_within", "Such as “within 5 minutes”"),
        ("expiry_time", "Such as “22 November 2026, 20:31 UTC”"),
        ("requested_at", "When it was asked for"),
        ("language", "The language of the mail, such as de"),
        ("direction", "ltr or rtl"),
        ("start", "left or right: where lines begin"),
        ("subject", "The subject, in text and HTML"),
    ];
    let method = kind.method();
    let code = method.has_code().then_some(code).into_iter().flatten();
    let link = method.has_link().then_some(link).into_iter().flatten();
    code.chain(link).chain(rest).collect()
}
