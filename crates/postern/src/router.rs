//! Every path, and the door it leads to.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    response::Response,
    routing::{get, post},
};
use http::Request;

use crate::{
    app::App,
    confirm, grpc, hooks, listen,
    oauth::{authorization_server, jwks, openid_configuration, token},
    openapi,
    present::Problem,
    rest,
};

/// The doors. Others merge their pages into it, and [`closed`] it is served.
pub fn router(app: &Arc<App>) -> Router {
    Router::new()
        // gRPC: send, resend, verify; health; reflection
        .merge(grpc::routes(app))
        // REST: send, resend, verify
        .merge(rest::routes())
        // the page between a mail and the app
        .merge(confirm::routes())
        // callbacks of mail providers
        .merge(hooks::routes())
        // OAuth
        .route("/oauth/token", post(token))
        .route("/keys", get(jwks))
        .route(
            "/.well-known/openid-configuration",
            get(openid_configuration),
        )
        .route(
            "/.well-known/oauth-authorization-server",
            get(authorization_server),
        )
        // what all this is
        .route("/openapi.json", get(openapi::answer))
        .with_state(Arc::clone(app))
}

/// All paths, with the answers to whatever no door and no page knows.
pub fn closed(paths: Router) -> Router {
    paths
        .method_not_allowed_fallback(wrong_method)
        .fallback(nothing_here)
}

/// A path that is there, and does not take the method.
pub(crate) async fn wrong_method(request: Request<Body>) -> Response {
    Problem::method_not_allowed().answer(listen::is_grpc(request.headers()))
}

/// A gRPC method that is not ours is unimplemented, also when its service is (contract §10).
async fn nothing_here(request: Request<Body>) -> Response {
    if listen::is_grpc(request.headers()) {
        return Problem::no_such_method(request.uri().path()).answer(true);
    }
    Problem::no_such_path().answer(false)
}
