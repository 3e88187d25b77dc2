//! The OpenAPI document.
use axum::response::Response;

/// `GET /openapi.json`
pub async fn document() -> Response {
    crate::present::rest::json(&serde_json::json!({}))
}
