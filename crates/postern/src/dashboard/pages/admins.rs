//! Admins and their sessions.

use askama::Template;
use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use postern_core::Error;
use postern_core::model::{Email, Role};

use super::entering;
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

struct AdminRow {
    email: String,
    role: &'static str,
    owner: bool,
    since: String,
    me: bool,
}

struct SessionRow {
    digest: String,
    email: String,
    browser: String,
    agent: String,
    opened: String,
    seen: String,
    this: bool,
}

#[derive(Template)]
#[template(path = "admins.html")]
struct Page {
    shell: Shell,
    admins: Vec<AdminRow>,
    sessions: Vec<SessionRow>,
    email: String,
    wrong: String,
}

#[derive(Template)]
#[template(path = "admin_remove.html")]
struct Removing {
    shell: Shell,
    email: String,
}

/// Admins and sessions.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    page(dashboard, &visit, String::new()).await
}

async fn page(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Result<Response, Trouble> {
    let now = dashboard.postern.now();
    let me = visit.signed_in()?;
    let snapshot = dashboard.postern.snapshot();
    let admins = snapshot.admins.iter().map(|admin| AdminRow {
        email: admin.email.as_given().to_owned(),
        role: admin.role.as_str(),
        owner: admin.role == Role::Owner,
        since: shown::at(admin.created_at),
        me: admin.email == me.account.email,
    });
    let sessions = dashboard.postern.store().sessions().await?;
    let sessions = sessions.into_iter().map(|session| SessionRow {
        digest: URL_SAFE_NO_PAD.encode(session.digest),
        email: session.email.as_given().to_owned(),
        browser: shown::browser(&session.agent),
        agent: session.agent,
        opened: shown::at(session.created_at),
        seen: shown::ago(now, session.seen_at),
        this: session.digest == me.session.digest,
    });
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        admins: admins.collect(),
        sessions: sessions.collect(),
        email: visit.form.get("email").to_owned(),
        wrong,
    }))
}

/// Lets somebody in, and mails them a link to begin with.
pub(in crate::dashboard) async fn add(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let (email, role) = (visit.form.get("email"), role_of(&visit)?);
    if let Ok(there) = known(dashboard, &visit) {
        let told = format!("{} is an admin already", there.as_given());
        return page(dashboard, &visit, told).await;
    }
    match dashboard
        .postern
        .acting(visit.me())
        .put_admin(email, role)
        .await
    {
        Ok(()) => {
            // Whoever cannot be mailed now asks for a mail on the sign-in page later.
            if let Err(error) = entering::welcome(dashboard, email).await {
                tracing::warn!(error = error.code(), "an invited admin was not mailed");
            }
            Ok(go("/dashboard/admins?done=invited"))
        }
        Err(Error::Invalid(wrong)) => page(dashboard, &visit, wrong[0].description.clone()).await,
        Err(error) => Err(error.into()),
    }
}

/// Gives an admin another role.
pub(in crate::dashboard) async fn role(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let (email, role) = (known(dashboard, &visit)?, role_of(&visit)?);
    let acting = dashboard.postern.acting(visit.me());
    acting.put_admin(email.as_given(), role).await?;
    Ok(go("/dashboard/admins?done=role"))
}

/// Asks before an admin is removed.
pub(in crate::dashboard) async fn removing(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    Ok(html(&Removing {
        shell: Shell::of(dashboard, &visit),
        email: visit.query.get("email").to_owned(),
    }))
}

/// Removes an admin.
pub(in crate::dashboard) async fn remove(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let email = visit.form.get("email");
    dashboard
        .postern
        .acting(visit.me())
        .drop_admin(email)
        .await?;
    Ok(go("/dashboard/admins?done=removed"))
}

/// Ends a session.
pub(in crate::dashboard) async fn end_session(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let digest = URL_SAFE_NO_PAD.decode(visit.form.get("session")).ok();
    let digest = digest
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Trouble::NotFound)?;
    dashboard
        .postern
        .acting(visit.me())
        .end_session(digest)
        .await?;
    Ok(go("/dashboard/admins?done=ended"))
}

fn role_of(visit: &Visit) -> Result<Role, Trouble> {
    Role::parse(visit.form.get("role"))
        .ok_or_else(|| Trouble::Told("Choose owner or viewer.".into()))
}

fn known(dashboard: &Dashboard, visit: &Visit) -> Result<Email, Trouble> {
    let email = Email::parse(visit.form.get("email")).map_err(|_| Trouble::NotFound)?;
    let snapshot = dashboard.postern.snapshot();
    snapshot
        .admin(&email)
        .map(|admin| admin.email.clone())
        .ok_or(Trouble::NotFound)
}
