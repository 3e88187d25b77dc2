//! A call through the gRPC door.

use std::sync::Arc;

use axum::{body::Body, extract::State, response::Response};
use http::Request;

use super::frame;
use crate::{
    app::App,
    calls::{self, Call},
    listen::{RequestContext, is_grpc},
    present::{self, Problem},
    rest::body::read_body,
    telemetry::labels::Door,
};

/// `POST /scalekit.v1.auth.passwordless.PasswordlessService/…`
pub(super) async fn unary<C: Call>(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Response {
    let id = RequestContext::of(request.extensions()).id;
    let (head, body) = request.into_parts();
    if !is_grpc(&head.headers) {
        return present::rest::answer(&Problem::wrong_media_type("application/grpc"));
    }
    let message = async { frame::decode(&read_body(&head.headers, body).await?) };
    match calls::perform::<C>(&app, &head, Door::Grpc, message).await {
        Ok(answer) => frame::answer(&answer),
        Err(refusal) => present::grpc::answer(&refusal.problem(id)),
    }
}
