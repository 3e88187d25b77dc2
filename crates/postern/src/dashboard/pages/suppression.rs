//! Emails → Suppression list: addresses that are sent no mail.

use askama::Template;
use axum::response::Response;

use crate::admin::{AdminCommand, AdminReply, SuppressionRow};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

#[derive(Template)]
#[template(path = "suppression.html")]
struct Page {
    shell: Shell,
    rows: Vec<SuppressionRow>,
    more: bool,
    search: String,
    address: String,
    note: String,
    wrong: String,
}

/// The list, or one address of it.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    page(dashboard, &visit, String::new()).await
}

async fn page(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Result<Response, Trouble> {
    let search = visit.query.get("search").to_owned();
    let (rows, more, told) = match of(dashboard, &search).await {
        Ok((rows, more)) => (rows, more, String::new()),
        Err(refusal) => (Vec::new(), false, refusal),
    };
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        rows,
        more,
        address: visit.form.get("address").to_owned(),
        note: visit.form.get("note").to_owned(),
        wrong: if wrong.is_empty() { told } else { wrong },
        search,
    }))
}

/// The entries of an address, or all when it is empty; whether there are more.
///
/// # Errors
/// A sentence for the admin.
pub(super) async fn of(
    dashboard: &Dashboard,
    address: &str,
) -> Result<(Vec<SuppressionRow>, bool), String> {
    let address = (!address.is_empty()).then(|| address.to_owned());
    let command = AdminCommand::SuppressionList { address };
    match dashboard.admin.execute(command).await {
        Ok(AdminReply::Suppressions { entries, more }) => Ok((entries, more)),
        Ok(_) => Ok((Vec::new(), false)),
        Err(refusal) => Err(refusal.0),
    }
}

/// Puts an address on it.
pub(in crate::dashboard) async fn add(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let address = visit.form.get("address").to_owned();
    let command = AdminCommand::SuppressionAdd {
        address,
        for_seconds: visit.form.get("for").parse().ok(),
        note: visit.form.get("note").to_owned(),
    };
    if let Err(refusal) = dashboard.admin.acting(visit.me()).execute(command).await {
        return page(dashboard, &visit, refusal.0).await;
    }
    Ok(go("/dashboard/suppression?done=added"))
}

/// Takes an address off it.
pub(in crate::dashboard) async fn remove(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let address = visit.form.get("address").to_owned();
    let command = AdminCommand::SuppressionRemove { address };
    let admin = dashboard.admin.acting(visit.me());
    admin.execute(command).await?;
    Ok(go("/dashboard/suppression?done=removed"))
}
