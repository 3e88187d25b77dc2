//! Who may see a page, asked before the page runs.

use std::sync::Arc;

use aws_lc_rs::{constant_time, hmac};
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::extract::rejection::RawPathParamsRejection;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, any, on};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header::{CONTENT_TYPE, HOST, LOCATION, ORIGIN, REFERER, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use postern_core::flow::SignedIn;
use postern_core::model::Role;

use super::cookie::Cookie;
use super::document;
use super::fields::{Fields, query};
use super::route::{Access, Route, Visit};
use super::trouble::Trouble;
use super::{Dashboard, pages};
use crate::rest::body::{FORM_LIMIT, read_body};

/// The page's handler.
pub(super) fn guarded(dashboard: &Arc<Dashboard>, route: Route) -> MethodRouter {
    let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
    let (dashboard, route) = (Arc::clone(dashboard), Arc::new(route));
    let handler = move |path: Named, request: Request<Body>| {
        let (dashboard, route) = (Arc::clone(&dashboard), Arc::clone(&route));
        async move {
            match path {
                Ok(path) => answer(dashboard, &route, &path, request).await,
                // What is no UTF-8 names nothing of ours.
                Err(_) => nothing(&dashboard, request).await,
            }
        }
    };
    on(filter, handler)
}

/// The names in a path, where they can be read.
type Named = Result<RawPathParams, RawPathParamsRejection>;

/// The answer to every path without a page.
pub(super) fn nowhere(dashboard: &Arc<Dashboard>) -> MethodRouter {
    let dashboard = Arc::clone(dashboard);
    any(move |request: Request<Body>| {
        let dashboard = Arc::clone(&dashboard);
        async move { nothing(&dashboard, request).await }
    })
}

async fn nothing(dashboard: &Dashboard, request: Request<Body>) -> Response {
    let (head, _) = request.into_parts();
    let token = session(dashboard, &head);
    // Whether somebody is signed in dresses the page and no more.
    let shell = match signed_in(dashboard, &token).await {
        Ok(Some(who)) => {
            let visit = visit(&head, Some(who), csrf(&token));
            document::Shell::of(dashboard, &visit)
        }
        _ => document::Shell::bare(dashboard, &head),
    };
    Trouble::NotFound.page(shell)
}

/// The token of the session that the browser names.
fn session(dashboard: &Dashboard, head: &Parts) -> String {
    let cookies = Fields::cookies(&head.headers);
    cookies.get(Cookie::Session.name(dashboard)).to_owned()
}

/// A visit that has brought no form and no names in its path.
fn visit(head: &Parts, who: Option<SignedIn>, csrf: String) -> Visit {
    let here = head.uri.path_and_query().map(ToString::to_string);
    Visit {
        who,
        csrf,
        path: Fields::default(),
        query: Fields::urlencoded(head.uri.query().unwrap_or_default().as_bytes()),
        form: Fields::default(),
        cookies: Fields::cookies(&head.headers),
        here: here.unwrap_or_default(),
        back: led_from(&head.headers),
        partial: head.headers.contains_key("hx-request"),
        agent: text(&head.headers, USER_AGENT.as_str()).to_owned(),
    }
}

async fn answer(
    dashboard: Arc<Dashboard>,
    route: &Route,
    path: &RawPathParams,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    let pairs = path
        .iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()));
    let path = Fields::of(pairs.collect());
    match enter(&dashboard, route, &head, body, path).await {
        Ok(visit) => {
            let shell = document::Shell::of(&dashboard, &visit);
            let ran = (route.run)(Arc::clone(&dashboard), visit).await;
            ran.unwrap_or_else(|trouble| trouble.page(shell))
        }
        Err(Refused::Answer(response)) => response,
        Err(Refused::Seen(trouble, visit)) => trouble.page(document::Shell::of(&dashboard, &visit)),
        Err(Refused::Trouble(trouble)) => trouble.page(document::Shell::bare(&dashboard, &head)),
    }
}

/// Why a page is not run.
enum Refused {
    Answer(Response),
    Trouble(Trouble),
    /// To somebody who is signed in.
    Seen(Trouble, Box<Visit>),
}

impl<T: Into<Trouble>> From<T> for Refused {
    fn from(trouble: T) -> Self {
        Self::Trouble(trouble.into())
    }
}

async fn enter(
    dashboard: &Dashboard,
    route: &Route,
    head: &Parts,
    body: Body,
    path: Fields,
) -> Result<Visit, Refused> {
    let token = session(dashboard, head);
    let mut who = signed_in(dashboard, &token).await?;
    let csrf = csrf(&token);
    let writes = head.method == Method::POST;
    if writes && !is_our_own(dashboard, &head.headers) {
        return Err(Trouble::Forged.into());
    }
    let form = if writes {
        let permitted = |who: &SignedIn| may(route.access, who).is_ok();
        let room = if who.as_ref().is_some_and(permitted) {
            route.room()
        } else {
            FORM_LIMIT
        };
        let form = read_form(&head.headers, body, room).await?;
        // A form may take its time, and whoever sends it may have lost their role or session by then.
        who = signed_in(dashboard, &token).await?;
        form
    } else {
        Fields::default()
    };
    let visit = Visit {
        path,
        form,
        ..visit(head, who, csrf)
    };
    if route.access == Access::Anyone {
        return Ok(visit);
    }
    let Some(who) = visit.who.as_ref() else {
        return Err(to_sign_in(dashboard, head));
    };
    match may(route.access, who) {
        Err(Missing::Role) => Err(Refused::Seen(Trouble::OwnersOnly, Box::new(visit))),
        _ if writes && !same(visit.form.get("csrf"), &visit.csrf) => {
            let trouble = Trouble::OfEarlierSession {
                to: pages::within(&visit.here).to_owned(),
                fields: visit.form.without("csrf"),
            };
            Err(Refused::Seen(trouble, Box::new(visit)))
        }
        Err(Missing::Proof) => Err(to_prove(head)),
        Ok(()) => Ok(visit),
    }
}

async fn signed_in(dashboard: &Dashboard, token: &str) -> Result<Option<SignedIn>, Refused> {
    match token {
        "" => Ok(None),
        token => Ok(dashboard.postern.signed_in(token).await?),
    }
}

/// What an admin lacks for a page.
enum Missing {
    Role,
    Proof,
}

fn may(access: Access, who: &SignedIn) -> Result<(), Missing> {
    let owner = who.account.role == Role::Owner;
    match access {
        Access::Anyone | Access::Viewer => Ok(()),
        Access::Owner if owner => Ok(()),
        Access::Proven if owner && who.fresh => Ok(()),
        Access::Proven if owner => Err(Missing::Proof),
        Access::Owner | Access::Proven => Err(Missing::Role),
    }
}

fn to_prove(head: &Parts) -> Refused {
    let to = if head.method == Method::GET {
        head.uri.path().to_owned()
    } else {
        came_from(&head.headers)
    };
    let query = query(&[("to", &to)]);
    Refused::Answer(see_other(head, &format!("/dashboard/prove?{query}")))
}

fn to_sign_in(dashboard: &Dashboard, head: &Parts) -> Refused {
    let to = match head.uri.path_and_query() {
        Some(here) if head.method == Method::GET => here.to_string(),
        _ => came_from(&head.headers),
    };
    // What was sent is lost, and whoever sent it is told so.
    let ended = if head.method == Method::GET { "" } else { "1" };
    let query = query(&[("to", pages::within(&to)), ("ended", ended)]);
    let mut response = see_other(head, &format!("/dashboard/sign-in?{query}"));
    let gone = Cookie::Session.set(dashboard, "");
    response.headers_mut().append("set-cookie", gone);
    Refused::Answer(response)
}

/// To another page; a script that asked for a part of one is told to go there too.
fn see_other(head: &Parts, to: &str) -> Response {
    if head.headers.contains_key("hx-request") {
        return (StatusCode::OK, [("hx-redirect", to.to_owned())]).into_response();
    }
    (StatusCode::SEE_OTHER, [(LOCATION, to.to_owned())]).into_response()
}

/// The page of ours that led here; empty when none did.
fn led_from(headers: &HeaderMap) -> String {
    let led = headers.contains_key(REFERER).then(|| came_from(headers));
    let ours = led.filter(|path| path.starts_with("/dashboard"));
    ours.unwrap_or_default()
}

/// The page that a form was on.
fn came_from(headers: &HeaderMap) -> String {
    let from = text(headers, REFERER.as_str());
    let path = from
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or("/dashboard").to_owned()
}

/// Whether a write comes from one of our pages: by its origin, or where a browser names none, by
/// what it says about the site. In development the server answers to every loopback name.
fn is_our_own(dashboard: &Dashboard, headers: &HeaderMap) -> bool {
    let origin = text(headers, ORIGIN.as_str());
    if origin.is_empty() {
        return text(headers, "sec-fetch-site") == "same-origin";
    }
    if origin == dashboard.url {
        return true;
    }
    let host = text(headers, HOST.as_str());
    dashboard.inbox.is_some()
        && origin
            .split_once("://")
            .is_some_and(|(_, authority)| authority == host)
        && crate::mail::inbox::is_loopback_host(host)
}

async fn read_form(headers: &HeaderMap, body: Body, room: usize) -> Result<Fields, Trouble> {
    let kind = text(headers, CONTENT_TYPE.as_str());
    if !kind.starts_with("application/x-www-form-urlencoded") && !kind.is_empty() {
        return Err(Trouble::Forged);
    }
    let body = read_body(headers, body, room).await;
    let told = || {
        format!(
            "The form did not arrive whole, or is over {} KiB.",
            room / 1024
        )
    };
    let body = body.map_err(|_| Trouble::Told(told()))?;
    Ok(Fields::urlencoded(&body))
}

/// What a session's forms carry: nobody who lacks its token can make it.
fn csrf(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hmac::sign(&key, b"csrf").as_ref()[..18])
}

fn same(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use postern_core::model::{AdminAccount, AdminSession, Email, Timestamp};

    use super::*;

    fn owner(fresh: bool) -> SignedIn {
        let email = Email::parse("ada@example.com").unwrap();
        let at = Timestamp::from_unix_seconds(0);
        SignedIn {
            account: AdminAccount {
                email: email.clone(),
                role: Role::Owner,
                created_at: at,
            },
            session: AdminSession {
                digest: [0; 32],
                email,
                created_at: at,
                seen_at: at,
                proved_at: at,
                agent: String::new(),
            },
            fresh,
        }
    }

    fn led_to(method: Method, path: &str) -> String {
        let request = Request::builder().method(method).uri(path);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let missing = may(Access::Proven, &owner(false)).err();
        assert!(matches!(missing, Some(Missing::Proof)));
        match to_prove(&head) {
            Refused::Answer(answer) => text(answer.headers(), LOCATION.as_str()).to_owned(),
            Refused::Trouble(_) | Refused::Seen(..) => String::new(),
        }
    }

    #[test]
    fn an_owner_whose_proof_is_stale_is_led_to_prove_it_anew() {
        assert!(may(Access::Proven, &owner(true)).is_ok());
        assert!(may(Access::Owner, &owner(false)).is_ok());
        let page = led_to(Method::GET, "/dashboard/admins/add");
        assert!(page.starts_with("/dashboard/prove?to="), "{page}");
        let change = led_to(Method::POST, "/dashboard/keys/drop");
        assert!(change.starts_with("/dashboard/prove?to="), "{change}");
    }
}
