//! The development inbox.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use serde_json::Value;

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html as page};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;
use crate::mail::inbox::{DevInbox, MAIL_POLICY, framed};

/// How many mails the list shows.
const SHOWN: usize = 50;

struct Mail {
    id: String,
    to: String,
    from: String,
    subject: String,
    code: String,
    link: String,
    at: String,
    text: String,
    headers: Vec<(String, String)>,
}

impl Mail {
    fn of(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let headers = value["headers"].as_object().into_iter().flatten();
        Self {
            id: text("id"),
            to: text("to"),
            from: text("from"),
            subject: text("subject"),
            code: text("otp"),
            link: text("link"),
            at: shown::written(&text("received_at")),
            text: text("text"),
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct List {
    shell: Shell,
    mails: Vec<Mail>,
    live: bool,
}

#[derive(Template)]
#[template(path = "inbox_rows.html")]
struct Rows {
    mails: Vec<Mail>,
}

#[derive(Template)]
#[template(path = "inbox_mail.html")]
struct One {
    shell: Shell,
    mail: Mail,
}

/// The newest mails.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    Ok(page(&List {
        shell: Shell::of(dashboard, &visit),
        live: visit.query.get("live") != "off",
        mails: newest(dashboard).await?,
    }))
}

/// Their rows, for the live list.
pub(in crate::dashboard) async fn rows(
    dashboard: &Dashboard,
    _: Visit,
) -> Result<Response, Trouble> {
    Ok(page(&Rows {
        mails: newest(dashboard).await?,
    }))
}

/// One mail.
pub(in crate::dashboard) async fn mail(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let mail = find(dashboard, &visit).await?;
    Ok(page(&One {
        shell: Shell::of(dashboard, &visit),
        mail: Mail::of(&mail),
    }))
}

/// Its HTML, for a frame that runs no script and has an origin of its own.
pub(in crate::dashboard) async fn html(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let mail = find(dashboard, &visit).await?;
    let text = framed(mail["html"].as_str().unwrap_or_default());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    Ok((headers, text).into_response())
}

async fn newest(dashboard: &Dashboard) -> Result<Vec<Mail>, Trouble> {
    let mails = inbox(dashboard)?.newest(SHOWN).await;
    let mails = mails.map_err(|error| Trouble::Told(error.to_string()))?;
    Ok(mails.iter().map(Mail::of).collect())
}

async fn find(dashboard: &Dashboard, visit: &Visit) -> Result<Value, Trouble> {
    let found = inbox(dashboard)?.one(visit.path.get("id")).await;
    let found = found.map_err(|error| Trouble::Told(error.to_string()))?;
    found.ok_or(Trouble::NotFound)
}

fn inbox(dashboard: &Dashboard) -> Result<&DevInbox, Trouble> {
    dashboard.inbox.as_deref().ok_or(Trouble::NotFound)
}
