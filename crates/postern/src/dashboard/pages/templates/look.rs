//! How a template looks as a mail: one document for a frame that runs nothing and has an origin of its own.

use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use postern_core::model::{Language, TemplateKey, TemplateSource};

use super::names::key;
use crate::dashboard::Dashboard;
use crate::dashboard::fields::Fields;
use crate::dashboard::pages::templates::editor::{asked, typed};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::mail::inbox::{MAIL_POLICY, framed};
use crate::mail::{Parts, escape_html, in_turn, preview};

/// A version that is in the store, or the built-in template.
pub(in crate::dashboard) async fn preview_saved(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.query)?;
    let (_, source) = asked(dashboard, &key, &visit.query).await?;
    Ok(document(dashboard, key, source, &visit.query).await)
}

/// What is in the form.
pub(in crate::dashboard) async fn preview_typed(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.form)?;
    let source = typed(&visit.form);
    Ok(document(dashboard, key, source, &visit.form).await)
}

/// `wanted` names the reader's language and the way of looking: `desktop`, `mobile`, `dark` or `text`.
async fn document(
    dashboard: &Dashboard,
    key: TemplateKey,
    source: TemplateSource,
    wanted: &Fields,
) -> Response {
    let snapshot = dashboard.postern.snapshot();
    let reader = Language::parse(wanted.get("reader"));
    let view = wanted.get("view").to_owned();
    let now = dashboard.postern.now();
    // A large template takes a while: calls do not wait behind it.
    let filled = in_turn(move || {
        let settings = &snapshot.settings;
        let language = key.language.as_ref().or(reader.as_ref());
        let language = language.unwrap_or(&settings.default_language);
        match preview((key.kind, language), &source, settings, now, &[]) {
            Ok(parts) => shown(&parts, &view),
            Err(problem) => plain(&problem.to_string(), "ltr"),
        }
    });
    let text = filled
        .await
        .unwrap_or_else(|error| plain(&error.to_string(), "ltr"));
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    (headers, text).into_response()
}

fn shown(parts: &Parts, view: &str) -> String {
    match view {
        "text" => plain(&format!("{}\n\n{}", parts.subject, parts.text), "auto"),
        view => framed(&in_theme(&parts.html, view == "dark")),
    }
}

fn plain(text: &str, direction: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Preview</title></head>\
         <body style=\"margin:16px;background:#fff;color:#14181f\"><pre dir=\"{direction}\" style=\"white-space:pre-wrap;\
         overflow-wrap:anywhere;font:14px/1.6 ui-monospace,Menlo,Consolas,monospace\">{}</pre></body></html>",
        escape_html(text)
    )
}

/// The mail as a reader with this theme sees it, whatever the admin's own is.
fn in_theme(html: &str, dark: bool) -> String {
    let (dark, light) = if dark {
        ("(min-width: 0)", "(max-width: 0)")
    } else {
        ("(max-width: 0)", "(min-width: 0)")
    };
    let mut out = html.to_owned();
    for space in [" ", ""] {
        out = out.replace(&format!("(prefers-color-scheme:{space}dark)"), dark);
        out = out.replace(&format!("(prefers-color-scheme:{space}light)"), light);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_dark_when_it_is_looked_at_so_and_light_otherwise() {
        let html = "@media (prefers-color-scheme: dark) {} @media (prefers-color-scheme:light) {}";
        let dark = "@media (min-width: 0) {} @media (max-width: 0) {}";
        assert_eq!(in_theme(html, true), dark);
        let light = "@media (max-width: 0) {} @media (min-width: 0) {}";
        assert_eq!(in_theme(html, false), light);
    }
}
