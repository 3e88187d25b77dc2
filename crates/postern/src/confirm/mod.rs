//! The page between a mail and the app: links that survive scanners.
//!
//! Software that checks mails opens the links in them, and an app that verifies on GET loses its
//! links to it. So, with the setting `confirm_page`, the link leads here. Looking changes nothing,
//! by any method, by anybody and any number of times; a button that needs no script posts, and
//! the answer leads on to the app with the link token.

mod crossing;
mod page;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use postern_core::flow::LinkPage;
use postern_core::model::{Languages, PageToken};

use crate::app::App;
use crate::listen::RequestContext;
use crate::present::Problem;
use page::Shown;

/// The address of the page with this token.
pub fn address(public_url: &str, token: &PageToken) -> String {
    format!("{public_url}/confirm/{}", token.expose())
}

/// The page. `get` answers HEAD too, in the same way.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/confirm/{token}", get(show).post(follow))
}

async fn show(
    State(app): State<Arc<App>>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let token = read(token);
    match find(&app, &token, &head).await {
        Ok(found) => shown(&app, &head.headers, found.as_ref(), None),
        Err(response) => response,
    }
}

/// What the button does: leads on, and still changes nothing here; the app's verify will.
async fn follow(
    State(app): State<Arc<App>>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let token = read(token);
    let found = match find(&app, &token, &head).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if crossing::is_from_elsewhere(&head.headers, &app.public_url) {
        let refused = Some(StatusCode::FORBIDDEN);
        return shown(&app, &head.headers, found.as_ref(), refused);
    }
    let onward = found.as_ref().and_then(|page| page.onward.as_ref().ok());
    let location = onward.and_then(|link| HeaderValue::from_str(link.expose()).ok());
    let Some(mut location) = location else {
        return shown(&app, &head.headers, found.as_ref(), None);
    };
    location.set_sensitive(true);
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// What is not even text is no token of ours.
fn read(token: Result<Path<String>, PathRejection>) -> String {
    token.map(|Path(token)| token).unwrap_or_default()
}

async fn find(app: &App, token: &str, head: &Parts) -> Result<Option<LinkPage>, Response> {
    let id = RequestContext::of(&head.extensions).id;
    let found = app.postern.find_link_page(token).await;
    found.map_err(|error| Problem::new(error, id).into_response())
}

fn shown(
    app: &App,
    headers: &HeaderMap,
    found: Option<&LinkPage>,
    status: Option<StatusCode>,
) -> Response {
    let snapshot = app.postern.snapshot();
    let shown = Shown {
        page: found,
        settings: &snapshot.settings,
        public_url: &app.public_url,
        browser: &languages(headers),
        entropy: &*app.entropy,
    };
    shown.response(status)
}

/// What the browser says of its reader; counts after what the mail was written in.
fn languages(headers: &HeaderMap) -> Languages {
    let said = headers.get(ACCEPT_LANGUAGE);
    let said = said.and_then(|value| value.to_str().ok());
    said.map(Languages::parse).unwrap_or_default()
}
