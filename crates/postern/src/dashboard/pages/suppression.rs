//! Emails → Suppression list: addresses that are sent no mail.

use askama::Template;
use axum::response::Response;

use crate::admin::{AdminCommand, AdminReply, Refusal, SuppressionRow};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::settings_form::{SettingsForm, Shown};
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// The settings of this page.
pub(super) const SHOWN: &[Shown] = &[
    Shown {
        name: "suppress_for",
        label: "Addresses stay on it for",
        ticked: false,
    },
    Shown {
        name: "suppress_complaints",
        label: "Complaints put an address on it",
        ticked: true,
    },
];

#[derive(Template)]
#[template(path = "suppression.html")]
struct Page {
    shell: Shell,
    rows: Vec<SuppressionRow>,
    more: bool,
    search: String,
    address: String,
    note: String,
    /// What is wrong with the address that was looked for.
    unfound: String,
    /// What is wrong with the address that was to be put on it.
    wrong: String,
    form: SettingsForm,
}

/// The list, or one address of it.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let form = SettingsForm::in_force(dashboard, SHOWN);
    page(dashboard, &visit, String::new(), form).await
}

/// Saves who comes onto it, and for how long.
pub(in crate::dashboard) async fn rules(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let form = SettingsForm::save(dashboard, &visit, SHOWN).await?;
    page(dashboard, &visit, String::new(), form).await
}

async fn page(
    dashboard: &Dashboard,
    visit: &Visit,
    wrong: String,
    form: SettingsForm,
) -> Result<Response, Trouble> {
    let search = visit.query.get("search").to_owned();
    let (rows, more, unfound) = match of(dashboard, &search).await {
        Ok((rows, more)) => (rows, more, String::new()),
        Err(refusal) => (Vec::new(), false, refusal),
    };
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        rows,
        more,
        address: visit.form.get("address").to_owned(),
        note: visit.form.get("note").to_owned(),
        unfound,
        wrong,
        search,
        form,
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
        Ok(AdminReply::Suppressions { entries, more, .. }) => {
            let readable = |row: SuppressionRow| SuppressionRow {
                since: shown::written(&row.since),
                until: row.until.as_deref().map(shown::written),
                ..row
            };
            Ok((entries.into_iter().map(readable).collect(), more))
        }
        Ok(_) => Ok((Vec::new(), false)),
        Err(refusal) => Err(refusal.0),
    }
}

/// Puts an address on it.
pub(in crate::dashboard) async fn add(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    if let Err(refusal) = listed(dashboard, &visit).await {
        let form = SettingsForm::in_force(dashboard, SHOWN);
        return page(dashboard, &visit, refusal.0, form).await;
    }
    Ok(go("/dashboard/suppression?done=added"))
}

async fn listed(dashboard: &Dashboard, visit: &Visit) -> Result<(), Refusal> {
    let command = AdminCommand::SuppressionAdd {
        address: visit.form.get("address").to_owned(),
        for_seconds: seconds(visit.form.get("for"))?,
        note: visit.form.get("note").to_owned(),
    };
    let admin = dashboard.admin.acting(visit.me());
    admin.execute(command).await.map(drop)
}

/// For how long: without an end where nothing is given, and never for good by mistake.
fn seconds(text: &str) -> Result<Option<u64>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let told = || Refusal(format!("{text:?} is not a number of seconds"));
    text.parse().map(Some).map_err(|_| told())
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
