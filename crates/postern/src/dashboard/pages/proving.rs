//! Proving again who you are, before secrets, keys and admins.

use askama::Template;
use axum::response::Response;
use http::header::SET_COOKIE;
use postern_core::Error;

use super::{entering, within};
use crate::dashboard::Dashboard;
use crate::dashboard::cookie::Cookie;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::fields::query;
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

#[derive(Template)]
#[template(path = "prove.html")]
struct Page {
    shell: Shell,
    to: String,
    sent: bool,
    wrong: String,
}

/// Offers to mail a code, then asks for it.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    Ok(asked(dashboard, &visit, String::new()))
}

fn asked(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Response {
    let to = [visit.form.get("to"), visit.query.get("to")].concat();
    html(&Page {
        shell: Shell::of(dashboard, visit),
        to: within(&to).to_owned(),
        sent: !visit
            .cookies
            .get(Cookie::Awaited.name(dashboard))
            .is_empty(),
        wrong,
    })
}

/// Mails the code.
pub(in crate::dashboard) async fn send(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let to = within(visit.form.get("to")).to_owned();
    match entering::mail(dashboard, visit.me()).await {
        Ok(awaited) => {
            let mut response = go(&format!("/dashboard/prove?{}", query(&[("to", &to)])));
            let cookie = Cookie::Awaited.set(dashboard, &awaited);
            response.headers_mut().append(SET_COOKIE, cookie);
            Ok(response)
        }
        Err(Error::MailNotConfigured) => Ok(asked(
            dashboard,
            &visit,
            "No mail can be sent yet: run `postern admin invite` with your address on the server, and open what it \
             prints."
                .to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Judges it: the session is a new one afterwards.
pub(in crate::dashboard) async fn verify(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let me = visit.signed_in()?.account.email.clone();
    match dashboard
        .postern
        .verify_admin(entering::proof(dashboard, &visit))
        .await
    {
        Ok(email) if email.normal() == me.normal() => {
            let session = dashboard.postern.open_session(&email, &visit.agent).await?;
            let to = within(visit.form.get("to")).to_owned();
            entering::enter(dashboard, &visit, session.expose(), &to).await
        }
        Ok(_) => Ok(asked(
            dashboard,
            &visit,
            "That code is somebody else's.".to_owned(),
        )),
        Err(error) => Ok(asked(dashboard, &visit, entering::not_in(&error)?)),
    }
}
