//! The audit: who did what, with before and after.

use askama::Template;
use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// Entries of a page.
const PAGE: u16 = 50;

struct Row {
    at: String,
    actor: String,
    action: String,
    target: String,
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    shell: Shell,
    rows: Vec<Row>,
    older: String,
}

/// A page of it, newest first.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let before = URL_SAFE_NO_PAD.decode(visit.query.get("before")).ok();
    let before = before.and_then(|bytes| bytes.try_into().ok());
    let found = dashboard.postern.store().audit(before, PAGE).await?;
    let older = match found.last() {
        Some((id, _)) if found.len() == usize::from(PAGE) => URL_SAFE_NO_PAD.encode(id),
        _ => String::new(),
    };
    let rows = found.into_iter().map(|(_, entry)| Row {
        at: shown::at(entry.at),
        actor: entry.actor,
        action: entry.action.replace(['.', '_'], " "),
        target: entry.target,
        before: entry.before,
        after: entry.after,
    });
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        rows: rows.collect(),
        older,
    }))
}
