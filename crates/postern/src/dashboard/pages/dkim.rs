//! Emails → Signatures: the DKIM keys of sender domains, and their DNS records.

use askama::Template;
use axum::response::Response;

use crate::admin::{AdminCommand, AdminReply, DkimCommand, DkimRow, NewDkim};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::mail::Sender;

#[derive(Template)]
#[template(path = "dkim.html")]
struct Page {
    shell: Shell,
    dkim: Vec<DkimRow>,
    domain: String,
    wrong: String,
    /// The domains that providers send from.
    senders: Vec<String>,
}

impl Page {
    fn is_sent_from(&self, domain: &str) -> bool {
        self.senders.iter().any(|sender| sender == domain)
    }
}

/// The keys with their records.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    page(dashboard, &visit, String::new()).await
}

async fn page(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Result<Response, Trouble> {
    let list = AdminCommand::Dkim(DkimCommand::List);
    let AdminReply::DkimKeys(dkim) = dashboard.admin.execute(list).await? else {
        return Err(Trouble::NotFound);
    };
    let typed = visit.form.get("domain");
    let domain = if typed.is_empty() {
        unsigned_domain(dashboard, &dkim)
    } else {
        typed.to_owned()
    };
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        senders: senders(dashboard),
        dkim,
        domain,
        wrong,
    }))
}

/// The first sender domain that has no DKIM key yet.
fn unsigned_domain(dashboard: &Dashboard, dkim: &[DkimRow]) -> String {
    let mut domains = senders(dashboard).into_iter();
    let unsigned = domains.find(|domain| dkim.iter().all(|row| row.domain != *domain));
    unsigned.unwrap_or_default()
}

fn senders(dashboard: &Dashboard) -> Vec<String> {
    let snapshot = dashboard.postern.snapshot();
    let senders = snapshot.providers.iter();
    let senders = senders.filter_map(|one| one.from.parse::<Sender>().ok());
    senders
        .map(|sender| sender.domain().to_ascii_lowercase())
        .collect()
}

/// Removes a key: mails of its domain are not signed with it from then on.
pub(in crate::dashboard) async fn remove(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let command = AdminCommand::Dkim(DkimCommand::Remove {
        domain: visit.form.get("domain").to_owned(),
        selector: visit.form.get("selector").to_owned(),
    });
    dashboard.admin.acting(visit.me()).execute(command).await?;
    Ok(go("/dashboard/emails/dkim?done=removed"))
}

/// Makes the DKIM keys of a domain; the page then shows their records.
pub(in crate::dashboard) async fn sign(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let command = DkimCommand::Create(NewDkim {
        domain: visit.form.get("domain").to_owned(),
        selector: None,
        algorithm: None,
    });
    let command = AdminCommand::Dkim(command);
    match dashboard.admin.acting(visit.me()).execute(command).await {
        Ok(_) => Ok(go("/dashboard/emails/dkim?done=signed")),
        Err(refusal) => page(dashboard, &visit, refusal.0).await,
    }
}
