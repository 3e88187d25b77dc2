//! Emails → Branding: what every mail says of the app, with a mail to see it.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use postern_core::settings::Settings;

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html as page};
use crate::dashboard::fields::query;
use crate::dashboard::route::Visit;
use crate::dashboard::settings_form::{SettingsForm, Shown, told, typed};
use crate::dashboard::trouble::Trouble;
use crate::mail::inbox::{MAIL_POLICY, framed};
use crate::mail::wording::{language_name, languages};
use crate::mail::{Kind, sample};

const fn field(name: &'static str, label: &'static str) -> Shown {
    Shown {
        name,
        label,
        ticked: false,
    }
}

/// The settings of this page.
pub(super) const SHOWN: &[Shown] = &[
    field("app_name", "App name"),
    field("app_logo_url", "Logo"),
    field("app_color", "Colour"),
    field("app_support_email", "Support address"),
    field("app_domain", "Domain for codes"),
    field("default_language", "Language"),
];

#[derive(Template)]
#[template(path = "branding.html")]
struct Page {
    shell: Shell,
    form: SettingsForm,
    /// Their tags, and what they call themselves.
    languages: Vec<(String, String)>,
    preview: Preview,
}

/// The frame with the mail, or why there is none.
#[derive(Template)]
#[template(path = "branding_preview.html")]
struct Preview {
    query: String,
    wrong: Vec<String>,
}

/// The branding in force.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let form = SettingsForm::in_force(dashboard, SHOWN);
    Ok(rendered(dashboard, &visit, form))
}

fn rendered(dashboard: &Dashboard, visit: &Visit, form: SettingsForm) -> Response {
    let named = |tag: String| (tag.clone(), language_name(&tag).to_owned());
    let known = languages().iter().map(ToString::to_string);
    let mut languages: Vec<_> = known.map(named).collect();
    let chosen = form.value("default_language");
    if !languages.iter().any(|(tag, _)| tag == chosen) {
        languages.push((chosen.to_owned(), String::new()));
    }
    let pairs: Vec<_> = form.names().map(|name| (name, form.value(name))).collect();
    let preview = preview_of(&dashboard.postern.snapshot().settings, &pairs);
    page(&Page {
        shell: Shell::of(dashboard, visit),
        form,
        languages,
        preview,
    })
}

/// Saves what is different.
pub(in crate::dashboard) async fn save(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let form = SettingsForm::save(dashboard, &visit, SHOWN).await?;
    Ok(rendered(dashboard, &visit, form))
}

/// The frame for what is typed, for the live preview.
pub(in crate::dashboard) async fn preview(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let typed = typed(&visit.query, SHOWN);
    let pairs: Vec<_> = typed
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Ok(page(&preview_of(
        &dashboard.postern.snapshot().settings,
        &pairs,
    )))
}

fn preview_of(held: &Settings, pairs: &[(&str, &str)]) -> Preview {
    let wrong = held.with(pairs.iter().copied()).err().unwrap_or_default();
    Preview {
        query: query(pairs),
        wrong: told(wrong, SHOWN),
    }
}

/// The mail itself, for a frame that runs no script and has an origin of its own.
pub(in crate::dashboard) async fn html(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let typed = typed(&visit.query, SHOWN);
    let pairs = typed.iter().map(|(name, value)| (*name, value.as_str()));
    let held = dashboard.postern.snapshot().settings.clone();
    let settings = held.with(pairs).map_err(postern_core::Error::Invalid)?;
    let kind = Kind::of(settings.passwordless_type, None);
    let parts = sample(
        &dashboard.templates,
        &settings,
        kind,
        dashboard.postern.now(),
    );
    let parts = parts.map_err(|error| Trouble::Told(error.to_string()))?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    Ok((headers, framed(&parts.html)).into_response())
}
