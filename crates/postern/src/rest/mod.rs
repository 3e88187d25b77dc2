//! The REST door: the same calls in proto3 JSON (contract §8).

pub mod body;
mod json;
mod listing;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    response::Response,
    routing::{get, post},
};
use http::Request;

use crate::{
    app::App,
    calls::{self, Call, Resend, Send, Verify},
    listen::RequestContext,
    present,
    telemetry::labels::Door,
};

/// The REST twins of the gRPC methods.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/passwordless/email/send", post(unary::<Send>))
        .route("/api/v1/passwordless/email/resend", post(unary::<Resend>))
        .route("/api/v1/passwordless/email/verify", post(unary::<Verify>))
        .route(
            "/api/v1/logs/authentication/requests",
            get(listing::auth_requests),
        )
}

async fn unary<C: Call>(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let id = RequestContext::of(request.extensions()).id;
    let (head, body) = request.into_parts();
    let message = async {
        json::expect_json(&head.headers)?;
        json::decode(
            &body::read_body(&head.headers, body, body::BODY_LIMIT).await?,
            id,
        )
    };
    let performed = calls::perform::<C>(&app, &head, Door::Rest, message).await;
    match performed {
        Ok(answer) => present::rest::json(&answer),
        Err(refusal) => present::rest::answer(&refusal.problem(id)),
    }
}
