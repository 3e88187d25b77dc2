//! What others may know: the public keys, and where everything is.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{
    HeaderValue,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE},
};
use serde_json::{Value, json};

use crate::app::App;

/// `GET /keys`: the JWKS, the standby key included (contract §6).
pub async fn jwks(State(app): State<Arc<App>>) -> Response {
    document(app.keys.current().jwks())
}

/// `GET /.well-known/openid-configuration`: what is served, and nothing else.
pub async fn openid_configuration(State(app): State<Arc<App>>) -> Response {
    document(described(&app.public_url).to_string().into())
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414): the same.
pub async fn authorization_server(State(app): State<Arc<App>>) -> Response {
    document(described(&app.public_url).to_string().into())
}

/// Members are added with the endpoints that they describe.
fn described(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    })
}

/// Public, the same for everybody, and readable by pages of any origin.
fn document(body: Bytes) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=60"),
    );
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
