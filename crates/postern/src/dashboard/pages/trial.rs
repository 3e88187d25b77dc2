//! Quickstart → a mail to see it work: sent, followed and judged as an app would.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use http::header::SET_COOKIE;
use postern_core::error::{Error, Kind};
use postern_core::flow::{SendInput, VerifyInput};
use postern_core::model::{AuthRequestId, Caller, ClientId, Method};

use super::quickstart::{client, page};
use super::steps::{self, Step};
use crate::dashboard::Dashboard;
use crate::dashboard::cookie::Cookie;
use crate::dashboard::document::{go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

/// Within what time the log knows of a request, on a busy server too.
const LOGGED_WITHIN: Duration = Duration::from_secs(30);

/// How far a trial is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Something is to be typed or clicked.
    Waiting,
    /// It was right; the timeline does not know yet.
    Verified,
    /// Its last step is in the timeline.
    Ended,
}

/// A mail on its way, as its steps are shown.
#[derive(Template)]
#[template(path = "quickstart_steps.html")]
pub(super) struct Trial {
    csrf: String,
    request: String,
    steps: Vec<Step>,
    progress: Progress,
    /// Whether the page asks by itself how far it is: what is typed there meanwhile is left alone.
    polled: bool,
    pub(super) told: String,
    pub(super) wrong: String,
    method: Method,
    dev: bool,
}

impl Trial {
    fn is_done(&self) -> bool {
        self.progress != Progress::Waiting
    }

    fn has_ended(&self) -> bool {
        self.progress == Progress::Ended
    }

    /// There is none yet.
    pub(super) fn none(dashboard: &Dashboard, visit: &Visit) -> Self {
        Self {
            csrf: visit.csrf.clone(),
            request: String::new(),
            steps: Vec::new(),
            progress: Progress::Waiting,
            polled: false,
            told: String::new(),
            wrong: String::new(),
            method: dashboard.postern.snapshot().settings.passwordless_type,
            dev: dashboard.inbox.is_some(),
        }
    }

    /// Takes in what happened so far.
    async fn look(&mut self, dashboard: &Dashboard) -> Result<(), Trouble> {
        let (entry, events) = match dashboard.postern.logged(&self.request).await {
            Ok(found) => found,
            Err(Error::AuthRequestNotFound) if self.may_come(dashboard) => return Ok(()),
            Err(Error::AuthRequestNotFound) => {
                // Forgotten meanwhile, or never one of ours.
                self.request.clear();
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for event in &events {
            match event.what.name() {
                "verified" => self.told = signed_in(&entry.email),
                "expired" | "locked" => {}
                _ => continue,
            }
            self.progress = Progress::Ended;
        }
        self.steps = steps::of(&events);
        Ok(())
    }

    /// Whether it was opened so lately that the log may not have it yet.
    fn may_come(&self, dashboard: &Dashboard) -> bool {
        let id = dashboard.postern.keyring().read_handle(&self.request);
        let oldest = AuthRequestId::floor(dashboard.postern.now().minus(LOGGED_WITHIN));
        id.is_some_and(|id| id.as_bytes() >= oldest.as_bytes())
    }

    /// A part for the script, or the whole page for a browser without one.
    fn answer(self, dashboard: &Dashboard, visit: &Visit) -> Response {
        if visit.partial {
            return html(&self);
        }
        page(dashboard, visit, self)
    }
}

/// The trial of this browser, as far as it is.
pub(super) async fn under_way(dashboard: &Dashboard, visit: &Visit) -> Result<Trial, Trouble> {
    let mut trial = Trial::none(dashboard, visit);
    visit
        .cookies
        .get(Cookie::Trial.name(dashboard))
        .clone_into(&mut trial.request);
    if !trial.request.is_empty() {
        trial.look(dashboard).await?;
    }
    Ok(trial)
}

fn caller(dashboard: &Dashboard) -> Result<Caller, Error> {
    let none = || Error::invalid("client_id", "exists", "Create an application first.");
    let (id, _) = client(dashboard).ok_or_else(none)?;
    Ok(Caller::new(ClientId::parse(&id).ok_or_else(none)?))
}

/// Sends one now, as the newest application would.
pub(in crate::dashboard) async fn send(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let input = SendInput {
        email: visit.form.get("email").to_owned(),
        magiclink_auth_uri: Some(format!("{}/dashboard/quickstart", dashboard.url)),
        ..SendInput::default()
    };
    let sent = match caller(dashboard) {
        Ok(caller) => dashboard.postern.send(&caller, input).await,
        Err(error) => Err(error),
    };
    let mut trial = Trial::none(dashboard, &visit);
    match sent {
        Ok(receipt) => {
            (dashboard.outbox)(receipt.delivery);
            let acting = dashboard.postern.acting(visit.me());
            let to = visit.form.get("email").to_owned();
            acting
                .note("quickstart.send", to, String::new(), String::new())
                .await?;
            let request = receipt.auth_request_id.expose();
            request.clone_into(&mut trial.request);
            let cookie = Cookie::Trial.set(dashboard, request);
            let mut response = if visit.partial {
                html(&trial)
            } else {
                go("/dashboard/quickstart#trial")
            };
            response.headers_mut().append(SET_COOKIE, cookie);
            Ok(response)
        }
        Err(error) => {
            trial.wrong = told(error)?;
            Ok(trial.answer(dashboard, &visit))
        }
    }
}

/// How far it is.
pub(in crate::dashboard) async fn steps(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let trial = under_way(dashboard, &visit).await?;
    let polled = Trial {
        polled: true,
        ..trial
    };
    Ok(html(&polled))
}

fn signed_in(email: &str) -> String {
    format!("Verified: your app would sign in {email} now.")
}

/// Judges the code that was typed, or the link that was clicked.
pub(in crate::dashboard) async fn verify(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let mut trial = under_way(dashboard, &visit).await?;
    let given = |name| Some(visit.form.get(name).to_owned());
    let input = VerifyInput {
        code: given("code"),
        link_token: given("link_token"),
        auth_request_id: Some(trial.request.clone()),
    };
    let verified = match caller(dashboard) {
        Ok(caller) => dashboard.postern.verify(&caller, input).await,
        Err(error) => Err(error),
    };
    match verified {
        Ok(verified) => {
            trial.told = signed_in(&verified.email);
            trial.progress = Progress::Verified;
        }
        Err(error) => trial.wrong = told(error)?,
    }
    if !trial.request.is_empty() {
        trial.look(dashboard).await?;
    }
    Ok(trial.answer(dashboard, &visit))
}

fn told(error: Error) -> Result<String, Trouble> {
    match (error.kind(), &error) {
        (Kind::Internal | Kind::Unavailable, _) => Err(error.into()),
        (_, Error::Invalid(wrong)) => {
            let told: Vec<_> = wrong.iter().map(|one| one.description.as_str()).collect();
            Ok(told.join(" "))
        }
        _ => Ok(error.to_string()),
    }
}
