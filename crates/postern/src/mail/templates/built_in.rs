//! The built-in set: MJML and text that name messages of the wording, so that one source serves
//! every language.

use std::borrow::Cow;

use postern_core::model::{MailKind, TemplateSource as Source};

macro_rules! read {
    ($name:literal) => {
        include_str!(concat!("../../../templates/emails/", $name))
    };
}

/// Pieces that several MJML sources share, by the path under which they include them.
const SHARED: [(&str, &str); 4] = [
    ("head.mjml", read!("head.mjml")),
    ("top.mjml", read!("top.mjml")),
    ("link.mjml", read!("link.mjml")),
    ("foot.mjml", read!("foot.mjml")),
];

/// The built-in template of a kind.
pub(super) fn source(kind: MailKind) -> Source {
    let (subject, html, text) = match kind {
        MailKind::SigninOtp | MailKind::SignupOtp => (
            read!("code.subject.txt"),
            read!("otp.mjml"),
            read!("otp.txt"),
        ),
        MailKind::SigninLink | MailKind::SignupLink => (
            read!("link.subject.txt"),
            read!("link_only.mjml"),
            read!("link_only.txt"),
        ),
        MailKind::SigninLinkOtp | MailKind::SignupLinkOtp => (
            read!("code.subject.txt"),
            read!("link_otp.mjml"),
            read!("link_otp.txt"),
        ),
    };
    let purpose = if kind.is_signup() { "signup" } else { "signin" };
    let (preview, warning) = match (kind.method().has_code(), kind.method().has_link()) {
        (true, true) => ("preview-code", "warning-both"),
        (true, false) => ("preview-code", "warning-code"),
        (false, _) => ("preview-link", "warning-link"),
    };
    let own = |text: &str| {
        text.replace("PURPOSE", purpose)
            .replace("PREVIEW", preview)
            .replace("WARNING", warning)
    };
    Source {
        subject: own(subject),
        html: own(&whole(html)),
        text: own(text),
    }
}

/// An MJML source with the shared pieces in their places.
fn whole(source: &str) -> String {
    let mut whole = Cow::Borrowed(source);
    for (path, piece) in SHARED {
        let tag = format!("<mj-include path=\"{path}\" />");
        if whole.contains(&tag) {
            whole = Cow::Owned(whole.replace(&tag, piece.trim_end()));
        }
    }
    whole.into_owned()
}
