//! Signing keys and root keys: where each stands, and what its next step waits for.

use askama::Template;
use axum::response::Response;

use crate::admin::{AdminCommand, AdminReply, SigningKeyRow};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

struct Root {
    kid: u8,
    current: bool,
    in_use: bool,
    waits: &'static str,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct Page {
    shell: Shell,
    signing: Vec<SigningKeyRow>,
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
    let used = dashboard.postern.store().kids_in_use().await?;
    let current = keyring.current_kid();
    let root = |kid: u8| {
        let (is_current, in_use) = (kid == current, used.contains(&kid));
        Root {
            kid,
            current: is_current,
            in_use,
            waits: match (is_current, in_use, kid > current) {
                (true, ..) => "It issues. To replace it, add a root on every node first.",
                (_, _, true) => "Accepted, does not issue yet. Once every node has it: promote it.",
                (_, true, _) => {
                    "Still named by stored requests or secrets. Reseal now; requests go when their retention is over."
                }
                (_, false, _) => "Nothing names it any more: it can be retired.",
            },
        }
    };
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        signing,
        roots: keyring.kids().into_iter().map(root).collect(),
    }))
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
