//! Sign-in by code or link: an axum app with Postern's Rust SDK.
//!
//! The address of who is signed in is taken from verify's answer, never from a form.

mod session;

use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{Form, Query, State};
use axum::http::header::{HOST, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use postern_client::{Client, Error, SendRequest, VerifyRequest};
use serde::Deserialize;
use session::{Session, Sessions};

const FORM: &str = r#"<h1>Sign in</h1><form method="post" action="/send">{csrf}<label>E-mail <input name="email" type="email" required></label><button>Mail me a code</button></form>"#;
const CODE: &str = r#"<h1>Check your mail</h1><form method="post" action="/verify">{csrf}<label>Code <input name="code" required inputmode="numeric" autocomplete="one-time-code"></label><button>Sign in</button></form><form method="post" action="/resend">{csrf}<button>Mail it again</button></form><p><a href="/">Start again</a></p>"#;
const LINK: &str = r#"<h1>One more click</h1><form method="post" action="/link">{csrf}<input type="hidden" name="link_token" value="{token}"><button>Sign me in</button></form>"#;
const INSIDE: &str = r#"<h1>Hello</h1><p>Signed in as {email}</p><form method="post" action="/sign-out">{csrf}<button>Sign out</button></form>"#;

struct App {
    postern: Client,
    sessions: Sessions,
}

/// Whatever a form of ours may hold.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    csrf: String,
    email: String,
    code: String,
    link_token: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let postern = Client::new(
        &variable("SCALEKIT_ENVIRONMENT_URL")?,
        variable("SCALEKIT_CLIENT_ID")?,
        variable("SCALEKIT_CLIENT_SECRET")?,
    )?;
    let app = Arc::new(App {
        postern,
        sessions: Sessions::default(),
    });
    let router = Router::new()
        .route("/", get(home))
        .route("/send", post(send))
        .route("/code", get(code))
        .route("/resend", post(resend))
        .route("/verify", post(verify))
        // Mail scanners open links: only the button verifies.
        .route("/link", get(link).post(verify_link))
        .route("/sign-out", post(sign_out))
        .with_state(app);
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    serve(listener, router).await?;
    Ok(())
}

async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let session = app.sessions.of(&headers);
    let body = match &session.email {
        Some(email) => INSIDE.replace("{email}", &escaped(email)),
        None => FORM.to_owned(),
    };
    page(&session, &body, "")
}

async fn send(State(app): State<Arc<App>>, headers: HeaderMap, form: Form<Fields>) -> Response {
    let Ok(mut session) = own(&app, &headers, &form) else {
        return refused();
    };
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let link = format!("http://{}/link", host.unwrap_or_default());
    let request = SendRequest::new(form.email.trim()).magiclink_auth_uri(link);
    match app.postern.passwordless().send(request).await {
        Ok(sent) => {
            session.auth_request_id = Some(sent.auth_request_id);
            app.sessions.keep(&session);
            to(&session, "/code")
        }
        Err(error) => failed(&session, FORM, &error),
    }
}

async fn code(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    page(&app.sessions.of(&headers), CODE, "")
}

async fn resend(State(app): State<Arc<App>>, headers: HeaderMap, form: Form<Fields>) -> Response {
    let Ok(session) = own(&app, &headers, &form) else {
        return refused();
    };
    let id = session.auth_request_id.clone().unwrap_or_default();
    match app.postern.passwordless().resend(&id).await {
        Ok(_) => page(&session, CODE, "A new mail is on its way."),
        Err(error) => failed(&session, CODE, &error),
    }
}

async fn verify(State(app): State<Arc<App>>, headers: HeaderMap, form: Form<Fields>) -> Response {
    let Ok(session) = own(&app, &headers, &form) else {
        return refused();
    };
    let id = session.auth_request_id.clone().unwrap_or_default();
    let proof = VerifyRequest::code(id, form.code.clone());
    enter(&app, &session, CODE, proof).await
}

async fn link(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(fields): Query<Fields>,
) -> Response {
    let body = LINK.replace("{token}", &escaped(&fields.link_token));
    page(&app.sessions.of(&headers), &body, "")
}

async fn verify_link(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Form<Fields>,
) -> Response {
    let Ok(session) = own(&app, &headers, &form) else {
        return refused();
    };
    let mut proof = VerifyRequest::link(form.link_token.clone());
    if let Some(id) = &session.auth_request_id {
        proof = proof.auth_request_id(id.clone());
    }
    enter(&app, &session, FORM, proof).await
}

async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap, form: Form<Fields>) -> Response {
    let Ok(session) = own(&app, &headers, &form) else {
        return refused();
    };
    app.sessions.end(&session);
    to(&app.sessions.fresh(), "/")
}

async fn enter(app: &App, session: &Session, body: &str, proof: VerifyRequest) -> Response {
    match app.postern.passwordless().verify(proof).await {
        Ok(verified) => {
            app.sessions.end(session);
            let mut session = app.sessions.fresh();
            session.email = Some(verified.email);
            app.sessions.keep(&session);
            to(&session, "/")
        }
        Err(error) => failed(session, body, &error),
    }
}

/// The session, if the form is one of its own.
fn own(app: &App, headers: &HeaderMap, form: &Fields) -> Result<Session, ()> {
    let session = app.sessions.of(headers);
    let same = aws_lc_rs::constant_time::verify_slices_are_equal;
    same(session.csrf.as_bytes(), form.csrf.as_bytes()).map_err(drop)?;
    Ok(session)
}

fn refused() -> Response {
    (StatusCode::FORBIDDEN, "reload the page and try again").into_response()
}

/// What Postern refuses, on the page where it can be mended.
fn failed(session: &Session, body: &str, error: &Error) -> Response {
    let mut response = page(session, body, &error.to_string());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn page(session: &Session, body: &str, wrong: &str) -> Response {
    let told = match wrong {
        "" => String::new(),
        wrong => format!(r#"<p role="alert">{}</p>"#, escaped(wrong)),
    };
    let csrf = format!(
        r#"<input type="hidden" name="csrf" value="{}">"#,
        session.csrf
    );
    let body = body.replace("{csrf}", &csrf);
    let html = format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><main>{told}{body}</main>"#
    );
    ([(SET_COOKIE, session.cookie())], Html(html)).into_response()
}

fn to(session: &Session, path: &str) -> Response {
    ([(SET_COOKIE, session.cookie())], Redirect::to(path)).into_response()
}

fn escaped(text: &str) -> String {
    let letter = |c: char| match c {
        '&' | '<' | '>' | '"' | '\'' => format!("&#{};", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(letter).collect()
}
