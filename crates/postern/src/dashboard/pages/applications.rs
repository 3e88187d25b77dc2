//! Applications: the API clients.

use std::collections::HashMap;

use askama::Template;
use axum::response::Response;
use postern_core::model::{Client, ClientId, ClientSecret, SecretDigest, Timestamp};
use postern_core::ports::LogQuery;

use crate::admin::{AdminCommand, AdminReply, NewSecret};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

struct Row {
    id: String,
    name: String,
    made: String,
    secrets: Vec<Secret>,
    used: String,
}

/// A secret that is good, as the list tells of it.
struct Secret {
    /// Which it is, and since or until when.
    told: String,
    /// When an app last fetched a token with it.
    used: String,
    /// Whether it ends by itself, because a newer one was made.
    earlier: bool,
}

impl Row {
    /// Whether an earlier secret is still good.
    fn is_rotating(&self) -> bool {
        self.secrets.iter().any(|secret| secret.earlier)
    }
}

#[derive(Template)]
#[template(path = "applications.html")]
struct Page {
    shell: Shell,
    rows: Vec<Row>,
    name: String,
    wrong: String,
}

#[derive(Template)]
#[template(path = "secret.html")]
struct Made {
    shell: Shell,
    url: String,
    id: String,
    name: String,
    secret: String,
    earlier: Option<String>,
}

#[derive(Template)]
#[template(path = "application.html")]
struct Asked {
    shell: Shell,
    id: String,
    name: String,
    rotate: bool,
    /// When its newest secret was made.
    seen: i64,
}

/// The clients.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    page(dashboard, &visit, String::new()).await
}

async fn page(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Result<Response, Trouble> {
    let snapshot = dashboard.postern.snapshot();
    let mut clients: Vec<_> = snapshot.clients.values().collect();
    clients.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let uses = dashboard.postern.secrets_seen().await?;
    let mut rows = Vec::new();
    for client in clients {
        rows.push(row(dashboard, client, &uses).await?);
    }
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        rows,
        name: visit.form.get("name").to_owned(),
        wrong,
    }))
}

/// When secrets were used last, by their digest.
type Uses = HashMap<SecretDigest, Timestamp>;

async fn row(dashboard: &Dashboard, client: &Client, uses: &Uses) -> Result<Row, Trouble> {
    let now = dashboard.postern.now();
    let last = LogQuery {
        client: Some(client.id.clone()),
        limit: 1,
        ..LogQuery::default()
    };
    let last = dashboard.postern.store().log(last).await?;
    let valid = client.secrets.iter().filter(|secret| secret.valid_at(now));
    let secret = |secret: &ClientSecret| Secret {
        told: match secret.expires_at {
            Some(end) => format!("Earlier, until {}", shown::at(end)),
            None => format!("Current, since {}", shown::at(secret.created_at)),
        },
        used: match uses.get(&secret.digest) {
            Some(at) => format!("last token {}", shown::ago(now, *at)),
            None => "no token yet".to_owned(),
        },
        earlier: secret.expires_at.is_some(),
    };
    Ok(Row {
        id: client.id.to_string(),
        name: client.name.clone(),
        made: shown::at(client.created_at),
        secrets: valid.map(secret).collect(),
        used: last
            .entries
            .first()
            .map_or_else(|| "never".to_owned(), |entry| shown::ago(now, entry.at)),
    })
}

/// Makes a client; its secret is on the page that answers, and nowhere else.
pub(in crate::dashboard) async fn create(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let name = visit.form.get("name").to_owned();
    let admin = dashboard.admin.acting(visit.me());
    let command = AdminCommand::ClientCreate { name, only: true };
    match admin.execute(command).await {
        Ok(AdminReply::ClientCreated(made)) => Ok(secret(dashboard, &visit, &made)),
        Ok(_) => Err(Trouble::NotFound),
        Err(refusal) => page(dashboard, &visit, refusal.0).await,
    }
}

fn secret(dashboard: &Dashboard, visit: &Visit, made: &NewSecret) -> Response {
    html(&Made {
        shell: Shell::of(dashboard, visit),
        url: dashboard.url.clone(),
        id: made.id.clone(),
        name: made.name.clone(),
        secret: made.secret.expose().to_owned(),
        earlier: made.earlier_secrets_end_at.as_deref().map(shown::written),
    })
}

/// Asks before a new secret is made.
pub(in crate::dashboard) async fn rotating(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    ask(dashboard, &visit, true)
}

/// Asks before a client ends.
pub(in crate::dashboard) async fn revoking(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    ask(dashboard, &visit, false)
}

fn ask(dashboard: &Dashboard, visit: &Visit, rotate: bool) -> Result<Response, Trouble> {
    let snapshot = dashboard.postern.snapshot();
    let id = ClientId::parse(visit.path.get("id")).ok_or(Trouble::NotFound)?;
    let client = snapshot.clients.get(&id).ok_or(Trouble::NotFound)?;
    Ok(html(&Asked {
        shell: Shell::of(dashboard, visit),
        id: id.to_string(),
        name: client.name.clone(),
        rotate,
        seen: client
            .secrets
            .first()
            .map_or(0, |secret| secret.created_at.micros()),
    }))
}

/// Makes a new secret; the earlier ones stay for the overlap.
pub(in crate::dashboard) async fn rotate(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let overlap_seconds = visit.form.get("overlap").parse().unwrap_or(86_400);
    let command = AdminCommand::ClientRotate {
        id: visit.path.get("id").to_owned(),
        overlap_seconds,
        seen: visit.form.get("seen").parse().ok(),
    };
    match dashboard.admin.acting(visit.me()).execute(command).await? {
        AdminReply::ClientRotated(made) => Ok(secret(dashboard, &visit, &made)),
        _ => Err(Trouble::NotFound),
    }
}

/// Ends a client.
pub(in crate::dashboard) async fn revoke(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let id = visit.path.get("id").to_owned();
    let command = AdminCommand::ClientRevoke { id };
    dashboard.admin.acting(visit.me()).execute(command).await?;
    Ok(go("/dashboard/applications?done=revoked"))
}
