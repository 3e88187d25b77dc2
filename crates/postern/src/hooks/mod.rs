//! `POST /hooks/mail/{provider}`: what mail services tell of our mails.
//!
//! Each callback is verified as its service documents before anything in it is believed; what it then
//! tells is found by the delivery that our own Message-ID names, noted once, and answered with 200.
//! Addresses and texts in a callback are never acted on: whom a bounce suppresses is read from the
//! store.

mod aws;
mod certificates;
mod https;
mod mailgun;
mod payload;
mod postmark;
mod reading;
mod sendgrid;
mod ses;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
    routing::post,
};
use http::{HeaderMap, HeaderValue, Request, header::WWW_AUTHENTICATE};
use postern_core::{
    Error,
    flow::{Heard, Postern},
    model::{HookProvider, SecretText, Timestamp},
};

pub use aws::{Fetch, SnsKeys, TopicArn};
pub use payload::{Report, Subject};
use reading::Reading;

use crate::{
    app::App,
    listen::{RequestContext, RequestId},
    present::{Problem, rest as shown},
    telemetry::labels::Told,
};

/// Reports taken from one callback.
const REPORTS: usize = 10_000;
/// How old a signed callback may be: services repeat one for up to a day.
const MAX_AGE: i64 = 24 * 3600;
/// How far a service's clock may be ahead, in seconds.
const MAX_AHEAD: i64 = 300;

/// What the callbacks need beside the flows.
pub struct Hooks {
    reading: Reading,
    sns: SnsKeys,
    mailgun: mailgun::Seen,
}

impl Hooks {
    /// Callbacks whose certificates and confirmations go through `fetch`.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            reading: Reading::new(),
            sns: SnsKeys::new(fetch),
            mailgun: mailgun::Seen::new(),
        }
    }
}

/// Why a callback is not believed. The reason goes to the log, not to whoever called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// It does not prove where it is from, or not for now.
    #[error("{0}")]
    Unverified(&'static str),
    /// It is verified, and is not what the service documents.
    #[error("{0}")]
    Malformed(&'static str),
    /// It could not be verified at this moment.
    #[error("{0}")]
    NotNow(String),
}

/// A callback as it came.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, as it was signed.
    pub body: &'a [u8],
    /// When it came.
    pub now: Timestamp,
}

impl<'a> Callback<'a> {
    /// One header's text.
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Refuses a moment that is too long past or to come: a recording.
    fn check_age(&self, seconds: i64) -> Result<(), Distrust> {
        let age = self.now.unix_seconds().saturating_sub(seconds);
        if (-MAX_AHEAD..=MAX_AGE).contains(&age) {
            return Ok(());
        }
        Err(Distrust::Unverified("its timestamp is too far from now"))
    }
}

/// The route.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/hooks/mail/{provider}", post(answer))
}

async fn answer(
    State(app): State<Arc<App>>,
    provider: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response {
    let id = RequestContext::of(request.extensions()).id;
    let named = provider
        .ok()
        .and_then(|Path(name)| HookProvider::parse(&name));
    let Some(provider) = named else {
        return shown::answer(&Problem::no_such_path());
    };
    match take(&app, provider, request).await {
        Ok(()) => shown::json(&serde_json::json!({})),
        Err(refused) => refused.response(&app, provider, id),
    }
}

/// Why a callback was not taken.
enum Refused {
    /// Callbacks of this provider are not configured.
    NotConfigured,
    Body(Problem),
    Distrust(Distrust),
    Error(Error),
}

impl Refused {
    fn response(self, app: &App, provider: HookProvider, id: RequestId) -> Response {
        let name = provider.as_str();
        match self {
            Self::NotConfigured => shown::answer(&Problem::no_such_path()),
            Self::Body(problem) => shown::answer(&problem),
            Self::Error(error) => shown::answer(&Problem::new(error, id)),
            Self::Distrust(why) => {
                app.metrics.hook(provider, Told::Refused);
                tracing::warn!(request_id = %id, provider = name, %why, "callback refused");
                distrusted(&why)
            }
        }
    }
}

/// Tells no more than the kind of refusal: who sent it has proved nothing.
fn distrusted(why: &Distrust) -> Response {
    match why {
        Distrust::Malformed(_) => shown::answer(&Problem::malformed("the callback does not read")),
        Distrust::NotNow(_) => shown::answer(&Problem::callback_not_now()),
        Distrust::Unverified(_) => {
            let mut answer = shown::answer(&Problem::callback_unverified());
            let basic = HeaderValue::from_static("Basic realm=\"callbacks\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, basic);
            answer
        }
    }
}

async fn take(app: &App, provider: HookProvider, request: Request<Body>) -> Result<(), Refused> {
    let secret = app.postern.hook_secret(provider).map_err(Refused::Error)?;
    let secret = secret.ok_or(Refused::NotConfigured)?;
    let (head, body) = request.into_parts();
    let read = app.hooks.reading.whole(&head.headers, body).await;
    let read = read.map_err(Refused::Body)?;
    let callback = Callback {
        headers: &head.headers,
        body: &read.body,
        now: app.postern.now(),
    };
    let reports = verified(&app.hooks, provider, &secret, &callback).await;
    for report in reports
        .map_err(Refused::Distrust)?
        .into_iter()
        .take(REPORTS)
    {
        let told = note(&app.postern, provider, report)
            .await
            .map_err(Refused::Error)?;
        app.metrics.hook(provider, told);
    }
    Ok(())
}

/// Verifies a callback as its service documents and reads what it tells.
///
/// # Errors
/// Why it is not believed.
pub async fn verified(
    hooks: &Hooks,
    provider: HookProvider,
    secret: &SecretText,
    callback: &Callback<'_>,
) -> Result<Vec<Report>, Distrust> {
    match provider {
        HookProvider::Postmark => postmark::read(secret, callback),
        HookProvider::Sendgrid => sendgrid::read(secret, callback),
        HookProvider::Mailgun => mailgun::read(&hooks.mailgun, secret, callback),
        HookProvider::Ses => ses::read(&hooks.sns, secret, callback).await,
    }
}

/// Refuses a secret that the provider's callbacks cannot be verified with.
///
/// # Errors
/// What it should be, in a sentence.
pub fn check_secret(provider: HookProvider, secret: &str) -> Result<(), String> {
    match provider {
        HookProvider::Postmark => postmark::check(secret),
        HookProvider::Sendgrid => sendgrid::check(secret),
        HookProvider::Mailgun => mailgun::check(secret),
        HookProvider::Ses => TopicArn::parse(secret).map(drop).ok_or_else(|| {
            "give the topic's ARN, such as arn:aws:sns:eu-central-1:123456789012:mail".to_owned()
        }),
    }
}

/// Notes one report; answers what it is counted as.
async fn note(postern: &Postern, provider: HookProvider, report: Report) -> Result<Told, Error> {
    let Some(what) = report.what else {
        return Ok(Told::Ignored);
    };
    let Subject::Delivery(id) = report.subject else {
        return Ok(Told::Unknown);
    };
    let told = Told::of(&what);
    let feedback = postern_core::model::Feedback { provider, what };
    let heard = postern.receive(id, feedback).await?;
    if heard == Heard::Noted && told == Told::Complained {
        tracing::warn!(delivery = %id, provider = provider.as_str(), "a mail was reported as spam");
    }
    Ok(match heard {
        Heard::Noted => told,
        Heard::Known => Told::Known,
        Heard::Unknown => Told::Unknown,
    })
}
