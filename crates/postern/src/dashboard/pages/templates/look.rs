//! How a template looks as a mail: one document for a frame that runs nothing and has an origin of its own.

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
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
    let filled = document(dashboard, key, source, &visit.query).await;
    Ok(answer(
        filled.unwrap_or_else(|problem| plain(&problem, "ltr")),
    ))
}

/// What is in the form. While it is being typed it often cannot be filled: a page with a script keeps the mail that
/// it shows then, and what lint says is below it.
pub(in crate::dashboard) async fn preview_typed(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.form)?;
    let source = typed(&visit.form);
    Ok(match document(dashboard, key, source, &visit.form).await {
        Ok(text) => answer(text),
        Err(_) if visit.form.ticked("live") => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => answer(plain(&problem, "ltr")),
    })
}

/// `wanted` names the reader's language and the way of looking: `desktop`, `mobile`, `dark` or `text`.
///
/// # Errors
/// Why it cannot be filled.
async fn document(
    dashboard: &Dashboard,
    key: TemplateKey,
    source: TemplateSource,
    wanted: &Fields,
) -> Result<String, String> {
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
            Ok(parts) => Ok(shown(&parts, &view)),
            Err(problem) => Err(problem.to_string()),
        }
    });
    filled.await.unwrap_or_else(|busy| Err(busy.to_string()))
}

fn answer(text: String) -> Response {
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
