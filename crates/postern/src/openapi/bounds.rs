//! What the contract demands of fields, beyond their types (contract §3, §11).

use serde_json::{Value, json};

/// Members that the schema of `message.field` has besides its type.
pub(super) fn of_field(message: &str, field: &str) -> Value {
    match (message, field) {
        ("SendPasswordlessRequest", "email") => {
            json!({"format": "email", "minLength": 1, "maxLength": 320})
        }
        ("SendPasswordlessRequest", "magiclink_auth_uri") => {
            json!({"format": "uri", "minLength": 1, "maxLength": 1000})
        }
        ("SendPasswordlessRequest", "state") => json!({"minLength": 1, "maxLength": 1000}),
        ("SendPasswordlessRequest", "expires_in") => json!({"minimum": 60, "maximum": 3600}),
        ("SendPasswordlessRequest", "template_variables") => json!({
            "maxProperties": 30,
            "propertyNames": {
                "minLength": 2, "maxLength": 25,
                "not": {"enum": ["otp", "link", "expiry_time", "expire_time", "expiry_time_relative"]},
            },
            "additionalProperties": {"type": "string", "maxLength": 256},
        }),
        ("VerifyPasswordLessRequest", "code") => json!({"minLength": 1, "maxLength": 20}),
        ("VerifyPasswordLessRequest", "link_token") => json!({"minLength": 1, "maxLength": 100}),
        ("VerifyPasswordLessRequest", "auth_request_id") => json!({"maxLength": 200}),
        ("ResendPasswordlessRequest", "auth_request_id") => {
            json!({"minLength": 1, "maxLength": 200})
        }
        _ => json!({}),
    }
}

/// Members that the schema of `message` has besides its fields.
pub(super) fn of_message(message: &str) -> Value {
    match message {
        "SendPasswordlessRequest" => json!({"required": ["email"]}),
        "ResendPasswordlessRequest" => json!({"required": ["auth_request_id"]}),
        "VerifyPasswordLessRequest" => json!({
            "oneOf": [
                {"required": ["code", "auth_request_id"]},
                {"required": ["link_token"]},
            ],
        }),
        _ => json!({}),
    }
}
