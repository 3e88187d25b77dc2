//! Emails → Callbacks: by which providers tell what became of our mails.

use askama::Template;
use axum::response::Response;
use postern_core::model::HookProvider;

use crate::admin::{AdminCommand, AdminReply, HookRow, Revealed};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

#[derive(Template)]
#[template(path = "callbacks.html")]
struct Page {
    shell: Shell,
    hooks: Vec<(String, String)>,
    offers: Vec<(&'static str, &'static str, &'static str)>,
    provider: String,
    wrong: String,
}

/// A provider with its name for people, and what its callbacks are verified with.
fn offer(provider: HookProvider) -> (&'static str, &'static str, &'static str) {
    let (name, secret) = match provider {
        HookProvider::Postmark => (
            "Postmark",
            "NAME:PASSWORD, as they stand in the URL that you give Postmark",
        ),
        HookProvider::Sendgrid => (
            "SendGrid",
            "the verification key of the signed event webhook",
        ),
        HookProvider::Ses => (
            "Amazon SES",
            "the ARN of the SNS topic, whose SignatureVersion is 2",
        ),
        HookProvider::Mailgun => ("Mailgun", "the HTTP webhook signing key of the account"),
    };
    (provider.as_str(), name, secret)
}

/// The URL to give a provider. Postmark's bears what it is known by, which is secret: it is hinted at.
fn url_for(origin: &str, hook: &HookRow) -> String {
    let postmark = hook.provider == HookProvider::Postmark.as_str();
    match origin.split_once("://") {
        Some((scheme, host)) if postmark => {
            format!("{scheme}://NAME:PASSWORD@{host}{}", hook.path)
        }
        _ => format!("{origin}{}", hook.path),
    }
}

/// Whose callbacks are taken.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    page(dashboard, &visit, String::new()).await
}

async fn page(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Result<Response, Trouble> {
    let AdminReply::Hooks(hooks) = dashboard.admin.execute(AdminCommand::HookList).await? else {
        return Err(Trouble::NotFound);
    };
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        hooks: hooks
            .into_iter()
            .map(|hook| (url_for(&dashboard.url, &hook), hook.provider))
            .collect(),
        offers: HookProvider::ALL.map(offer).to_vec(),
        provider: visit.form.get("provider").to_owned(),
        wrong,
    }))
}

/// Takes a provider's callbacks from now on.
pub(in crate::dashboard) async fn set(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let command = AdminCommand::HookSet {
        provider: visit.form.get("provider").to_owned(),
        secret: Revealed::new(visit.form.get("secret").to_owned()),
    };
    match dashboard.admin.acting(visit.me()).execute(command).await {
        Ok(_) => Ok(go("/dashboard/emails/callbacks?done=added")),
        Err(refusal) => page(dashboard, &visit, refusal.0).await,
    }
}

/// Takes them no more.
pub(in crate::dashboard) async fn remove(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let provider = visit.form.get("provider").to_owned();
    let command = AdminCommand::HookRemove { provider };
    dashboard.admin.acting(visit.me()).execute(command).await?;
    Ok(go("/dashboard/emails/callbacks?done=removed"))
}
