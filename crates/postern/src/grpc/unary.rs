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
    rest::body::{BODY_LIMIT, read_body},
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
    let message = async {
        let body = read_body(&head.headers, body, BODY_LIMIT).await?;
        let shape: C::Shape = frame::decode(&body)?;
        C::check(&shape).map_err(|error| Problem::new(error, id))?;
        frame::decode(&body)
    };
    match calls::perform::<C>(&app, &head, Door::Grpc, message).await {
        Ok(answer) => frame::answer(&answer),
        Err(refusal) => present::grpc::answer(&refusal.problem(id)),
    }
}
