//! The OpenAPI 3.1 document, generated from the wire contract itself.
//!
//! Schemas are read from the descriptors that also make the messages, so that they cannot say
//! anything else; only the bounds, which protobuf has no words for, are written down here.

mod bounds;
mod oauth;
mod paths;
mod schema;

use axum::response::Response;
use serde_json::{Value, json};

/// The document, indented, with a newline at its end.
///
/// # Panics
/// Never: the document has string keys only.
pub fn openapi_json() -> String {
    let mut text = serde_json::to_string_pretty(&document()).expect("string keys only");
    text.push('\n');
    text
}

/// `GET /openapi.json`
pub(crate) async fn answer() -> Response {
    crate::present::rest::json(&document())
}

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postern",
            "summary": "Sign-in by e-mail: passcodes and magic links",
            "description": "Every call is also served over gRPC, with the same messages. \
                Errors have one shape; `details[0].error_code` is stable and tells what to do next.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "passwordless", "description": "Send, resend and verify"},
            {"name": "logs", "description": "Which auth requests there were and how each ended"},
            {"name": "oauth", "description": "Access tokens and the keys that verify them"},
        ],
        "paths": paths::all(),
        "components": {
            "schemas": schema::all(),
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "An access token of /oauth/token",
                },
                "client": {
                    "type": "http", "scheme": "basic",
                    "description": "Client id and secret, each form-encoded",
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_what_the_code_says() {
        let committed = include_str!("../../../../docs/openapi.json");
        assert_eq!(
            committed,
            openapi_json(),
            "run `cargo xtask generate` and look at the difference"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    let target = fields.get("$ref").and_then(Value::as_str);
                    found.extend(target.map(str::to_owned));
                    fields.values().for_each(|inner| references(inner, found));
                }
                Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
                _ => {}
            }
        }
        let (document, mut found) = (document(), Vec::new());
        references(&document, &mut found);
        assert!(found.len() > 10);
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }
}
