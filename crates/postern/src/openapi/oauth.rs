//! The schemas that no protobuf message stands behind: errors as a whole, and OAuth's.

use postern_proto::ERROR_INFO_TYPE_URL;
use serde_json::{Map, Value, json};

use super::schema::reference;

/// Every such schema by its name.
pub(super) fn schemas() -> Map<String, Value> {
    [
        ("Error", error()),
        ("TokenRequest", token_request()),
        ("TokenResponse", token_response()),
        ("OauthError", oauth_error()),
        (
            "Jwks",
            object(
                &["keys"],
                json!({
                    "keys": {"type": "array", "minItems": 1, "items": reference("Jwk")},
                }),
            ),
        ),
        ("Jwk", jwk()),
        ("Metadata", metadata()),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
    .collect()
}

fn object(required: &[&str], properties: Value) -> Value {
    let mut schema = json!({"type": "object", "required": required});
    schema["properties"] = properties;
    schema
}

fn error() -> Value {
    let detail = json!({
        "allOf": [reference("ErrorInfo")],
        "required": ["@type"],
        "properties": {"@type": {"type": "string", "enum": [ERROR_INFO_TYPE_URL]}},
    });
    object(
        &["code", "message", "details"],
        json!({
            "code": {"type": "integer", "description": "gRPC status code", "minimum": 1, "maximum": 16},
            "message": {"type": "string", "description": "Sentence for the developer"},
            "details": {"type": "array", "minItems": 1, "maxItems": 1, "items": detail},
        }),
    )
}

fn token_request() -> Value {
    object(
        &["grant_type"],
        json!({
            "grant_type": {"type": "string", "enum": ["client_credentials"]},
            "client_id": {"type": "string"},
            "client_secret": {"type": "string", "description": "Here or by HTTP Basic, not both"},
        }),
    )
}

fn token_response() -> Value {
    object(
        &["access_token", "token_type", "expires_in"],
        json!({
            "access_token": {"type": "string", "description": "A JWT signed with RS256"},
            "token_type": {"type": "string", "enum": ["Bearer"]},
            "expires_in": {"type": "integer", "description": "Seconds"},
        }),
    )
}

fn oauth_error() -> Value {
    object(
        &["error", "error_description"],
        json!({
            "error": {"type": "string"},
            "error_description": {"type": "string"},
        }),
    )
}

fn jwk() -> Value {
    object(
        &["kty", "use", "alg", "kid", "n", "e"],
        json!({
            "kty": {"type": "string", "enum": ["RSA"]},
            "use": {"type": "string", "enum": ["sig"]},
            "alg": {"type": "string", "enum": ["RS256"]},
            "kid": {"type": "string"},
            "n": {"type": "string"},
            "e": {"type": "string"},
        }),
    )
}

fn metadata() -> Value {
    object(
        &["issuer", "token_endpoint", "jwks_uri"],
        json!({
            "issuer": {"type": "string", "format": "uri"},
            "token_endpoint": {"type": "string", "format": "uri"},
            "jwks_uri": {"type": "string", "format": "uri"},
        }),
    )
}
