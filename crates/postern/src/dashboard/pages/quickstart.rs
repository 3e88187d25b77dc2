//! Quickstart: environment, code, the prompt for an assistant, and a mail to see it work.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use postern_core::error::Error;
use postern_core::flow::{SendInput, VerifyInput};
use postern_core::model::{Caller, ClientId};

use super::steps::{self, Step};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::prompt::{self as prompts, Stack};

#[derive(Template)]
#[template(path = "quickstart.html")]
struct Page {
    shell: Shell,
    url: String,
    client: Option<(String, String)>,
    stack: Stack,
    stacks: [Stack; 6],
    code: &'static str,
    prompt: String,
    ready: Vec<(bool, &'static str, &'static str)>,
}

/// A mail on its way, as its steps are shown.
#[derive(Template)]
#[template(path = "quickstart_steps.html")]
struct Trial {
    csrf: String,
    request: String,
    to: String,
    steps: Vec<Step>,
    done: bool,
    told: String,
    wrong: String,
    has_code: bool,
}

/// The page.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let snapshot = dashboard.postern.snapshot();
    let stack = Stack::parse(visit.query.get("stack")).unwrap_or(Stack::Node);
    let mails = dashboard.inbox.is_some() || !snapshot.providers.is_empty();
    let client = client(dashboard);
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        url: dashboard.url.clone(),
        ready: vec![
            (
                snapshot.settings.enabled,
                "Choose what is mailed: a code, a link or both",
                "/dashboard/authentication",
            ),
            (mails, "Connect a mail provider", "/dashboard/emails"),
            (
                client.is_some(),
                "Create API credentials",
                "/dashboard/applications",
            ),
        ],
        client,
        stack,
        stacks: Stack::ALL,
        code: stack.code().trim_end(),
        prompt: prompts::prompt(stack, &dashboard.url),
    }))
}

/// The client that was made last: its id and its name.
fn client(dashboard: &Dashboard) -> Option<(String, String)> {
    let snapshot = dashboard.postern.snapshot();
    let newest = snapshot
        .clients
        .values()
        .max_by_key(|client| client.created_at)?;
    Some((newest.id.to_string(), newest.name.clone()))
}

fn caller(dashboard: &Dashboard) -> Result<Caller, Trouble> {
    let (id, _) =
        client(dashboard).ok_or_else(|| Trouble::Told("Create an application first.".into()))?;
    let client = ClientId::parse(&id).ok_or(Trouble::NotFound)?;
    Ok(Caller::new(client))
}

/// Sends one now, as the newest application would.
pub(in crate::dashboard) async fn send(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let to = visit.form.get("email").to_owned();
    let input = SendInput {
        email: to.clone(),
        magiclink_auth_uri: Some(format!("{}/dashboard/quickstart", dashboard.url)),
        ..SendInput::default()
    };
    let mut trial = Trial {
        csrf: visit.csrf.clone(),
        request: String::new(),
        to,
        steps: Vec::new(),
        done: false,
        told: String::new(),
        wrong: String::new(),
        has_code: dashboard
            .postern
            .snapshot()
            .settings
            .passwordless_type
            .has_code(),
    };
    match dashboard.postern.send(&caller(dashboard)?, input).await {
        Ok(receipt) => {
            (dashboard.outbox)(receipt.delivery);
            receipt
                .auth_request_id
                .expose()
                .clone_into(&mut trial.request);
        }
        Err(error) => trial.wrong = told(error)?,
    }
    Ok(html(&trial))
}

/// How far it is.
pub(in crate::dashboard) async fn steps(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let request = visit.query.get("request").to_owned();
    let steps = match dashboard.postern.logged(&request).await {
        Ok((_, events)) => events,
        Err(Error::AuthRequestNotFound) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let done = steps
        .iter()
        .any(|event| matches!(event.what.name(), "verified" | "expired" | "locked"));
    Ok(html(&Trial {
        csrf: visit.csrf.clone(),
        to: visit.query.get("to").to_owned(),
        steps: steps::of(&steps),
        done,
        told: String::new(),
        wrong: String::new(),
        has_code: dashboard
            .postern
            .snapshot()
            .settings
            .passwordless_type
            .has_code(),
        request,
    }))
}

/// Judges the code.
pub(in crate::dashboard) async fn verify(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let request = visit.form.get("request").to_owned();
    let input = VerifyInput {
        code: Some(visit.form.get("code").to_owned()),
        auth_request_id: Some(request.clone()),
        ..VerifyInput::default()
    };
    let mut trial = Trial {
        csrf: visit.csrf.clone(),
        to: visit.form.get("to").to_owned(),
        steps: Vec::new(),
        done: false,
        told: String::new(),
        wrong: String::new(),
        has_code: true,
        request,
    };
    match dashboard.postern.verify(&caller(dashboard)?, input).await {
        Ok(verified) => {
            trial.told = format!("Verified: your app would sign in {} now.", verified.email);
            trial.done = true;
        }
        Err(error) => trial.wrong = told(error)?,
    }
    if let Ok((_, events)) = dashboard.postern.logged(&trial.request).await {
        trial.steps = steps::of(&events);
    }
    Ok(html(&trial))
}

fn told(error: Error) -> Result<String, Trouble> {
    use postern_core::error::Kind;
    if matches!(error.kind(), Kind::Internal | Kind::Unavailable) {
        return Err(error.into());
    }
    Ok(error.to_string())
}

/// `GET /llms.txt`
pub(in crate::dashboard) async fn llms(
    dashboard: &Dashboard,
    _: Visit,
) -> Result<Response, Trouble> {
    let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, prompts::llms(&dashboard.url)).into_response())
}

/// `GET /prompts/{stack}.md`
pub(in crate::dashboard) async fn prompt(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let stack = visit
        .path
        .get("file")
        .strip_suffix(".md")
        .and_then(Stack::parse);
    let stack = stack.ok_or(Trouble::NotFound)?;
    let kind = [(CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((kind, prompts::prompt(stack, &dashboard.url)).into_response())
}
