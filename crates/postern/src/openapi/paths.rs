//! The paths, and what each answers.

use serde_json::{Map, Value, json};

use super::schema::reference;

/// Name, summary, request and response of each call.
const CALLS: [(&str, &str, &str, &str); 3] = [
    (
        "send",
        "Mails a passcode or a magic link",
        "SendPasswordlessRequest",
        "SendPasswordlessResponse",
    ),
    (
        "resend",
        "Mails it again, or a new one",
        "ResendPasswordlessRequest",
        "SendPasswordlessResponse",
    ),
    (
        "verify",
        "Judges what the person typed or followed",
        "VerifyPasswordLessRequest",
        "VerifyPasswordLessResponse",
    ),
];

/// Every path.
pub(super) fn all() -> Value {
    let mut paths = Map::new();
    for (name, summary, request, response) in CALLS {
        let path = format!("/api/v1/passwordless/email/{name}");
        paths.insert(path, call(name, summary, request, response));
    }
    paths.insert("/api/v1/logs/authentication/requests".to_owned(), log());
    paths.insert("/oauth/token".to_owned(), token());
    paths.insert(
        "/keys".to_owned(),
        read(
            "keys",
            "The public signing keys, the next one included",
            "Jwks",
        ),
    );
    for name in ["openid-configuration", "oauth-authorization-server"] {
        let summary = "What this server serves, and where";
        paths.insert(
            format!("/.well-known/{name}"),
            read(name, summary, "Metadata"),
        );
    }
    Value::Object(paths)
}

fn call(name: &str, summary: &str, request: &str, response: &str) -> Value {
    let mut responses = json!({
        "200": answer("Done", response),
        "400": answer("Fix the request, ask the person again, or send again: see the error code", "Error"),
        "401": answer("Fetch a new access token", "Error"),
        "429": throttled(),
    });
    for (status, told) in REFUSALS {
        responses[status] = answer(told, "Error");
    }
    json!({"post": {
        "operationId": name,
        "summary": summary,
        "tags": ["passwordless"],
        "security": [{"token": []}],
        "requestBody": {"required": true, "content": {"application/json": {"schema": reference(request)}}},
        "responses": responses,
    }})
}

const REFUSALS: [(&str, &str); 5] = [
    ("404", "No such auth request of this client"),
    ("413", "The body is over 64 KiB"),
    ("415", "The body is not JSON"),
    (
        "500",
        "Report the request id; the call may have taken effect",
    ),
    ("503", "Try again: nothing was done"),
];

fn throttled() -> Value {
    let mut answer = answer("Too many calls, or too many wrong codes", "Error");
    answer["headers"] = json!({"Retry-After": {
        "description": "Seconds until the same call can succeed; absent when waiting does not help",
        "schema": {"type": "integer", "minimum": 1},
    }});
    answer
}

fn log() -> Value {
    let text = json!({"type": "string"});
    let moment = json!({"type": "string", "format": "date-time"});
    let statuses = json!({"type": "array", "items": {
        "type": "string", "enum": ["INITIATED", "PENDING", "SUCCESS", "FAILED"],
    }});
    let parameters = [
        (
            "page_size",
            "Rows in a page, 20 unless told, at most 100",
            json!({"type": "integer", "minimum": 0}),
        ),
        ("page_token", "A token of an earlier answer", text.clone()),
        ("email", "Only this address", text.clone()),
        ("status", "Only these, in any case", statuses),
        ("start_time", "Not before this moment", moment.clone()),
        ("end_time", "Not after this moment", moment),
        (
            "resource_id",
            "Only this auth request: req_…, or what send answered",
            text.clone(),
        ),
        ("client_id", "Only this API client", text),
    ];
    let parameters = parameters.map(|(name, told, schema)| {
        json!({"name": name, "in": "query", "description": told, "schema": schema})
    });
    json!({"get": {
        "operationId": "listAuthRequests",
        "summary": "The authentication log, newest first; at most 2 s behind",
        "tags": ["logs"],
        "security": [{"token": []}],
        "parameters": parameters,
        "responses": {
            "200": answer("A page", "ListAuthLogResponse"),
            "400": answer("Fix the request", "Error"),
            "401": answer("Fetch a new access token", "Error"),
            "503": answer("Try again", "Error"),
        },
    }})
}

fn token() -> Value {
    let form = json!({"application/x-www-form-urlencoded": {"schema": reference("TokenRequest")}});
    json!({"post": {
        "operationId": "token",
        "summary": "An access token for client credentials",
        "tags": ["oauth"],
        "security": [{}, {"client": []}],
        "requestBody": {"required": true, "content": form},
        "responses": {
            "200": answer("A token", "TokenResponse"),
            "400": answer("Fix the request", "OauthError"),
            "401": answer("Unknown client or wrong secret", "OauthError"),
            "503": answer("Try again: nothing was done", "OauthError"),
        },
    }})
}

fn read(name: &str, summary: &str, schema: &str) -> Value {
    json!({"get": {
        "operationId": name,
        "summary": summary,
        "tags": ["oauth"],
        "responses": {"200": answer("The document", schema)},
    }})
}

fn answer(told: &str, schema: &str) -> Value {
    json!({"description": told, "content": {"application/json": {"schema": reference(schema)}}})
}
