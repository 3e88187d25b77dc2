//! `POST /oauth/token`: client credentials for an access token (RFC 6749 §4.4, contract §5).

use std::sync::Arc;

use axum::{body::Body, extract::State, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{
    HeaderMap, HeaderValue, Request,
    header::{CONTENT_TYPE, PRAGMA},
};
use postern_core::{model::ClientId, ports::random};
use serde::Serialize;

use super::{
    claims::{Claims, LIFETIME},
    form::Form,
    signing::NotSigned,
};
use crate::{
    app::{App, Stopwatch, sdk_of},
    listen::{RequestContext, RequestId},
    present::{self, Problem, oauth::Refusal},
    rest::body::{FORM_LIMIT, read_body},
    telemetry::labels::{Door, Method, Outcome},
};

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
}

/// `POST /oauth/token`
pub async fn token(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let begun = Stopwatch::start();
    let id = RequestContext::of(request.extensions()).id;
    let sdk = sdk_of(request.headers()).cloned();
    let (response, outcome) = match issue(&app, request, id).await {
        Ok(response) => (response, Outcome::Ok),
        Err(refusal) => (
            present::oauth::answer(&refusal),
            present::oauth::outcome(&refusal),
        ),
    };
    let took = begun.elapsed();
    app.answered(
        id,
        (Method::Token, Door::Oauth),
        outcome,
        took,
        sdk.as_ref(),
    );
    response
}

async fn issue(app: &App, request: Request<Body>, id: RequestId) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    if !is_form(&head.headers) {
        return Err(Refusal::Other(Problem::wrong_media_type(FORM)));
    }
    let body = read_body(&head.headers, body, FORM_LIMIT)
        .await
        .map_err(Refusal::Other)?;
    let form = Form::parse(&body)?;
    let grant_type = form.grant_type.clone();
    let credentials = form.credentials(&head.headers)?;
    let basic = credentials.basic;
    app.freshness
        .check()
        .map_err(|error| Refusal::Other(Problem::new(error, id)))?;
    let caller = app
        .postern
        .authenticate(&credentials.id, credentials.secret.expose());
    let Ok(caller) = caller else {
        return Err(Refusal::InvalidClient { basic });
    };
    match grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::UnsupportedGrantType),
        None => return Err(Refusal::InvalidRequest("grant_type is required")),
    }
    let token = sign(app, &caller.client, id).await?;
    app.secret_uses.note(&app.postern, credentials.secret);
    Ok(answer(&token))
}

async fn sign(app: &App, client: &ClientId, id: RequestId) -> Result<String, Refusal> {
    let name: [u8; 16] = random(&*app.entropy);
    let jti = format!("tkn_{}", URL_SAFE_NO_PAD.encode(name));
    let claims = Claims::new(&app.public_url, client, jti, app.postern.now());
    let claims = serde_json::to_vec(&claims).expect("claims can be written as JSON");
    let signed = app.signing.sign(app.keys.current(), claims).await;
    signed.map_err(|not| match not {
        NotSigned::Busy => Refusal::Busy,
        NotSigned::Failed => {
            tracing::error!(request_id = %id, "no token was signed: is there an active signing key?");
            Refusal::Other(Problem::internal(id))
        }
    })
}

fn answer(token: &str) -> Response {
    let mut response = present::rest::json(&TokenAnswer {
        access_token: token,
        token_type: "Bearer",
        expires_in: LIFETIME,
    });
    let no_cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(PRAGMA, no_cache);
    response
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}
