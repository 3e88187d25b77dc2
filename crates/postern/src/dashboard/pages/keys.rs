//! Signing keys and root keys: where each stands, and what its next step waits for.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use postern_core::model::SigningState;

use crate::admin::{AdminCommand, AdminReply, SigningKeyRow};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// How long an access token lives: whoever fetched the keys before a standby was published has a token
/// that ends by then, and most of them have fetched the keys again.
const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

struct Signing {
    kid: String,
    state: String,
    made: String,
    waits: String,
}

struct Root {
    kid: u8,
    current: bool,
    /// Unknown until somebody asks: finding out looks at every stored request.
    in_use: Option<bool>,
    waits: &'static str,
}

impl Root {
    fn is_spare(&self) -> bool {
        !self.current && self.in_use == Some(false)
    }
}

#[derive(Template)]
#[template(path = "keys.html")]
struct Page {
    shell: Shell,
    signing: Vec<Signing>,
    early: bool,
    roots: Vec<Root>,
}

/// Both kinds of keys.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let AdminReply::SigningKeys(signing) =
        dashboard.admin.execute(AdminCommand::SigningList).await?
    else {
        return Err(Trouble::NotFound);
    };
    let keyring = dashboard.postern.keyring();
    let (current, kids) = (keyring.current_kid(), keyring.kids());
    let others = kids.iter().any(|kid| *kid != current);
    let used = if others && visit.query.ticked("look") {
        Some(dashboard.postern.store().kids_in_use().await?)
    } else {
        None
    };
    let root = |kid: u8| {
        // What issues is in use, whether anybody looks or not.
        let in_use = if kid == current {
            Some(true)
        } else {
            used.as_ref().map(|used| used.contains(&kid))
        };
        Root {
            kid,
            current: kid == current,
            in_use,
            waits: waits(kid, current, in_use),
        }
    };
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        early: standby_age(dashboard).is_some_and(|age| age < TOKEN_LIFETIME),
        signing: signing
            .into_iter()
            .map(|row| of_signing(dashboard, row))
            .collect(),
        roots: kids.into_iter().map(root).collect(),
    }))
}

/// For how long the standby has been published.
fn standby_age(dashboard: &Dashboard) -> Option<Duration> {
    let (snapshot, now) = (dashboard.postern.snapshot(), dashboard.postern.now());
    let mut keys = snapshot.signing_keys.iter();
    let standby = keys.find(|key| key.state == SigningState::Standby)?;
    Some(now.since(standby.created_at))
}

fn of_signing(dashboard: &Dashboard, row: SigningKeyRow) -> Signing {
    let waits = match row.state.as_str() {
        "active" => "It signs. Rotate to let the standby sign.".to_owned(),
        "standby" => match standby_age(dashboard).and_then(|age| TOKEN_LIFETIME.checked_sub(age)) {
            None => "Published for a day: it can sign from now on.".to_owned(),
            Some(left) => format!(
                "Published, does not sign yet. Apps have fetched it in {}: rotate after that.",
                shown::span(left)
            ),
        },
        _ => {
            "Signs no more. It is published until the last token that it signed is over.".to_owned()
        }
    };
    Signing {
        made: shown::written(&row.created_at),
        kid: row.kid,
        state: row.state,
        waits,
    }
}

fn waits(kid: u8, current: u8, in_use: Option<bool>) -> &'static str {
    if kid == current {
        return "New codes, links and seals are made with it. To replace it, add a root on every node first.";
    }
    if kid > current {
        return "Accepted, but nothing is made with it yet. Once every node has it: promote it.";
    }
    match in_use {
        None => "Accepted. Look whether anything still needs it before it is retired.",
        Some(true) => {
            "Stored requests or secrets still need it. Seal the secrets anew; requests go when their retention is over."
        }
        Some(false) => "Nothing needs it any more: it can be retired.",
    }
}

/// Promotes the standby signing key.
pub(in crate::dashboard) async fn rotate_signing(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    dashboard
        .admin
        .acting(visit.me())
        .execute(AdminCommand::SigningRotate)
        .await?;
    Ok(go("/dashboard/keys?done=rotated"))
}

/// Removes a signing key that does not sign.
pub(in crate::dashboard) async fn drop_signing(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let kid = visit.form.get("kid").to_owned();
    dashboard
        .admin
        .acting(visit.me())
        .execute(AdminCommand::SigningDrop { kid })
        .await?;
    Ok(go("/dashboard/keys?done=dropped"))
}

/// Seals stored secrets anew.
pub(in crate::dashboard) async fn reseal(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    dashboard
        .admin
        .acting(visit.me())
        .execute(AdminCommand::RootReseal)
        .await?;
    Ok(go("/dashboard/keys?done=resealed"))
}

/// Removes a root that nothing names.
pub(in crate::dashboard) async fn retire(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let kid: u8 = visit
        .form
        .get("kid")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    dashboard
        .admin
        .acting(visit.me())
        .execute(AdminCommand::RootRetire { kid })
        .await?;
    Ok(go("/dashboard/keys?done=retired"))
}
