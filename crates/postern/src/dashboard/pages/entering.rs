//! Getting in and out: invitation, sign-in by code or link, sign-out. Nothing happens on a GET.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::header::SET_COOKIE;
use postern_core::Error;
use postern_core::error::Kind;
use postern_core::flow::{AdminMail, VerifyInput, token_digest};
use postern_core::model::Email;

use super::within;
use crate::dashboard::Dashboard;
use crate::dashboard::cookie::Cookie;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::fields::query;
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    shell: Shell,
    to: String,
    email: String,
    wrong: String,
    unclaimed: bool,
    /// Something was sent after the session had ended.
    ended: bool,
}

#[derive(Template)]
#[template(path = "code.html")]
struct Code {
    shell: Shell,
    to: String,
    wrong: String,
    dev: bool,
}

#[derive(Template)]
#[template(path = "link.html")]
struct Link {
    shell: Shell,
    token: String,
    /// The request that an invitation's link names itself; others are known to the browser that asked.
    request: String,
}

#[derive(Template)]
#[template(path = "invite.html")]
struct Invited {
    shell: Shell,
    token: String,
    email: Option<String>,
}

/// `GET /`
pub(in crate::dashboard) async fn root(_: &Dashboard, _: Visit) -> Result<Response, Trouble> {
    Ok(go("/dashboard"))
}

/// Whom the invitation is for, and a button.
pub(in crate::dashboard) async fn invite(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let token = visit.query.get("token").to_owned();
    let email = dashboard.postern.invited(&token).await?;
    Ok(html(&Invited {
        shell: Shell::gate(dashboard, &visit),
        email: email.map(|email| email.as_given().to_owned()),
        token,
    }))
}

/// Uses the invitation up.
pub(in crate::dashboard) async fn accept(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let session = dashboard
        .postern
        .accept_invite(visit.form.get("token"), &visit.agent)
        .await;
    match session {
        Ok(session) => enter(dashboard, &visit, session.expose(), "/dashboard/quickstart").await,
        Err(Error::InvalidLink) => Ok(go("/dashboard/invite")),
        Err(error) => Err(error.into()),
    }
}

/// Asks for the address.
pub(in crate::dashboard) async fn sign_in(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    if visit.who.is_some() {
        return Ok(go(within(visit.query.get("to"))));
    }
    Ok(asked(dashboard, &visit, String::new()))
}

fn asked(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Response {
    let to = [visit.form.get("to"), visit.query.get("to")].concat();
    html(&SignIn {
        shell: Shell::gate(dashboard, visit),
        to: within(&to).to_owned(),
        email: visit.form.get("email").to_owned(),
        wrong,
        unclaimed: dashboard.postern.snapshot().admins.is_empty(),
        ended: visit.query.ticked("ended"),
    })
}

/// Mails the code and the link, if the address is an admin's; everybody goes to the same page.
pub(in crate::dashboard) async fn send(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let to = within(visit.form.get("to")).to_owned();
    match written(dashboard, visit.form.get("email")) {
        Ok(mail) => {
            let next = format!("/dashboard/sign-in/code?{}", query(&[("to", &to)]));
            let mut response = go(&next);
            let cookie = Cookie::Awaited.set(dashboard, mail.handle.expose());
            response.headers_mut().append(SET_COOKIE, cookie);
            send_apart(dashboard, mail);
            Ok(response)
        }
        Err(error) if matches!(error.kind(), Kind::Invalid | Kind::NotReady) => {
            Ok(asked(dashboard, &visit, told(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

fn written(dashboard: &Dashboard, email: &str) -> Result<AdminMail, Error> {
    let uri = format!("{}/dashboard/sign-in/link", dashboard.url);
    dashboard.postern.admin_mail(email, &uri)
}

/// Sends it after the answer: how long that takes, and what goes wrong with it, would tell an admin's
/// address from another.
fn send_apart(dashboard: &Dashboard, mail: AdminMail) {
    let (postern, outbox) = (
        Arc::clone(&dashboard.postern),
        Arc::clone(&dashboard.outbox),
    );
    tokio::spawn(async move {
        match postern.send_admin_mail(mail).await {
            Ok(Some(receipt)) => outbox(receipt.delivery),
            Ok(None) => {}
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "an admin's sign-in mail could not be sent"
            ),
        }
    });
}

/// Mails somebody who has just been let in: a link that begins their first session.
pub(super) async fn welcome(dashboard: &Dashboard, email: &str) -> Result<(), Error> {
    let uri = format!("{}/dashboard/sign-in/link", dashboard.url);
    let mail = dashboard.postern.invitation_mail(email, &uri)?;
    if let Some(receipt) = dashboard.postern.send_admin_mail(mail).await? {
        (dashboard.outbox)(receipt.delivery);
    }
    Ok(())
}

/// Mails an admin who is signed in; answers what this browser has to keep.
pub(super) async fn mail(dashboard: &Dashboard, email: &str) -> Result<String, Error> {
    let mail = written(dashboard, email)?;
    let awaited = mail.handle.expose().to_owned();
    if let Some(receipt) = dashboard.postern.send_admin_mail(mail).await? {
        (dashboard.outbox)(receipt.delivery);
    }
    Ok(awaited)
}

fn told(error: &Error) -> String {
    if matches!(error, Error::MailNotConfigured) {
        return "No mail can be sent yet. On the server, run `postern admin invite ADDRESS`: it prints a link that \
                signs you in without a mail."
            .to_owned();
    }
    error.to_string()
}

/// Asks for the code.
pub(in crate::dashboard) async fn code(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    Ok(awaiting(dashboard, &visit, String::new()))
}

fn awaiting(dashboard: &Dashboard, visit: &Visit, wrong: String) -> Response {
    let to = [visit.form.get("to"), visit.query.get("to")].concat();
    html(&Code {
        shell: Shell::gate(dashboard, visit),
        to: within(&to).to_owned(),
        wrong,
        dev: dashboard.inbox.is_some(),
    })
}

/// The page that the link leads to: a button, for scanners open links too.
pub(in crate::dashboard) async fn link(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    Ok(html(&Link {
        shell: Shell::gate(dashboard, &visit),
        token: visit.query.get("link_token").to_owned(),
        request: visit.query.get("request").to_owned(),
    }))
}

/// Judges code or link, and signs in.
pub(in crate::dashboard) async fn verify(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    match judged(dashboard, &visit).await {
        Ok(email) => {
            let session = dashboard.postern.open_session(&email, &visit.agent).await?;
            let to = within(visit.form.get("to")).to_owned();
            enter(dashboard, &visit, session.expose(), &to).await
        }
        Err(error) => Ok(awaiting(dashboard, &visit, stays_out(&error)?)),
    }
}

/// Whom the form and this browser prove to be there. The link of an invitation says for itself of which.
async fn judged(dashboard: &Dashboard, visit: &Visit) -> Result<Email, Error> {
    let (link, named) = (visit.form.get("link_token"), visit.form.get("request"));
    if link.is_empty() || named.is_empty() {
        return dashboard
            .postern
            .verify_admin(proof(dashboard, visit))
            .await;
    }
    let invited = VerifyInput {
        auth_request_id: Some(named.to_owned()),
        link_token: Some(link.to_owned()),
        ..VerifyInput::default()
    };
    dashboard.postern.verify_invited(invited).await
}

/// What the form and this browser offer.
pub(super) fn proof(dashboard: &Dashboard, visit: &Visit) -> VerifyInput {
    let given = |name| Some(visit.form.get(name).to_owned());
    let awaited = visit.cookies.get(Cookie::Awaited.name(dashboard));
    VerifyInput {
        code: given("code"),
        link_token: given("link_token"),
        auth_request_id: Some(awaited.to_owned()),
    }
}

/// What to say of a refused sign-in: one sentence whatever the reason, for who is no admin has no
/// attempts left, no code that is used up and none that expired.
fn stays_out(error: &Error) -> Result<String, Trouble> {
    let told = "That code or link is not right, or no longer. Check the newest mail, or ask for a new one.";
    not_in(error).map(|_| told.to_owned())
}

/// What to say of a refused proof to who is signed in.
pub(super) fn not_in(error: &Error) -> Result<String, Trouble> {
    Ok(match error.kind() {
        Kind::NotFound | Kind::Invalid => {
            "That code is not right, or it belongs to another browser. Check the newest mail."
                .to_owned()
        }
        Kind::Refused | Kind::Spent | Kind::Throttled => error.to_string(),
        _ => return Err(Trouble::Told(error.to_string())),
    })
}

/// Sets the new session; the one that this browser had before ends, so that nobody can have
/// planted it.
pub(super) async fn enter(
    dashboard: &Dashboard,
    visit: &Visit,
    session: &str,
    to: &str,
) -> Result<Response, Trouble> {
    let before = visit.cookies.get(Cookie::Session.name(dashboard));
    if !before.is_empty() {
        dashboard.postern.end_session(token_digest(before)).await?;
    }
    let mut response = go(to);
    for cookie in [
        Cookie::Session.set(dashboard, session),
        Cookie::Awaited.set(dashboard, ""),
    ] {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Ends the session.
pub(in crate::dashboard) async fn sign_out(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let digest = visit.signed_in()?.session.digest;
    dashboard
        .postern
        .acting(visit.me())
        .end_session(digest)
        .await?;
    let mut response = go("/dashboard/sign-in");
    for cookie in [Cookie::Session, Cookie::Trial] {
        let gone = cookie.set(dashboard, "");
        response.headers_mut().append(SET_COOKIE, gone);
    }
    Ok(response)
}

/// Light, dark, or as the browser has it.
pub(in crate::dashboard) async fn theme(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let chosen = match visit.form.get("theme") {
        "light" => "light",
        "dark" => "dark",
        _ => "",
    };
    let mut response = go(within(visit.form.get("to")));
    let cookie = Cookie::Theme.set(dashboard, chosen);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn whatever_is_wrong_with_a_sign_in_is_told_in_one_sentence() {
        let refused = [
            Error::AuthRequestNotFound,
            Error::InvalidCode { attempts_left: 4 },
            Error::InvalidLink,
            Error::OtherBrowser,
            Error::AuthRequestExpired,
            Error::AuthRequestUsed,
            Error::CodeSuperseded,
            Error::LinkSuperseded,
            Error::StartAgain,
            Error::TooManyAttempts,
            Error::RateLimited {
                what: "attempts",
                retry_after: Duration::from_secs(9),
            },
            Error::invalid("code", "len:6", "a code has six digits"),
        ];
        let told = |error: &Error| stays_out(error).ok().unwrap();
        let stranger = told(&Error::AuthRequestNotFound);
        assert!(stranger.contains("not right"), "{stranger}");
        for error in refused {
            assert_eq!(told(&error), stranger, "{error:?}");
        }
    }
}
