//! The REST door (contract §8).

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    Server,
    http::{Answer, get, http1, http2},
};

const SEND: &str = "/api/v1/passwordless/email/send";
const RESEND: &str = "/api/v1/passwordless/email/resend";
const VERIFY: &str = "/api/v1/passwordless/email/verify";
const JSON: (&str, &str) = ("content-type", "application/json");

async fn post(server: &Server, path: &str, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [JSON, ("authorization", bearer.as_str())];
    http1(server.addr, Method::POST, path, &headers, body.to_string()).await
}

#[tokio::test]
async fn send_answers_in_proto3_json() {
    let server = Server::start().await;
    let token = server.token().await;
    let answer = post(&server, SEND, &token, &json!({"email": "ada@example.com"})).await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    let now = server.app.postern.now().unix_seconds();
    assert_eq!(
        body["expires_at"],
        json!((now + 300).to_string()),
        "a 64-bit integer is a string"
    );
    assert_eq!(body["expires_in"], json!(300));
    assert_eq!(body["passwordless_type"], "OTP");
    assert_eq!(body["auth_request_id"].as_str().unwrap().len(), 44);
    assert_eq!(body.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn both_cases_string_numbers_enum_numbers_and_unknown_keys_are_read() {
    let server = Server::start().await;
    let token = server.token().await;
    for body in [
        json!({"email": "a@example.com", "expires_in": 1800, "template": "SIGNUP", "x": {"y": [null]}}),
        json!({"email": "b@example.com", "expiresIn": "1800", "template": 2, "templateVariables": {"name": "Ada"}}),
    ] {
        let answer = post(&server, SEND, &token, &body).await;
        assert_eq!(answer.json()["expires_in"], json!(1800), "{body}");
    }
}

#[tokio::test]
async fn a_test_identity_signs_in_with_the_static_code_and_the_outbox_is_never_rung() {
    let server = Server::start().await;
    let listed = ("test_addresses", "review+sktest@example.com");
    let changes = vec![(listed.0.to_owned(), listed.1.to_owned())];
    server.app.postern.change_settings(changes).await.unwrap();
    let token = server.token().await;
    let sent = post(&server, SEND, &token, &json!({"email": listed.1})).await;
    let id = sent.json()["auth_request_id"].clone();
    let again = post(&server, RESEND, &token, &json!({"auth_request_id": id})).await;
    assert_eq!(again.status, StatusCode::OK);
    let proof = json!({"auth_request_id": id, "code": "424242"});
    let verified = post(&server, VERIFY, &token, &proof).await;
    assert_eq!(verified.json()["email"], listed.1);
    assert!(server.queued.lock().unwrap().is_empty());
}

#[tokio::test]
async fn resend_keeps_the_id_and_verify_refuses_a_wrong_code_with_attempts_left() {
    let server = Server::start().await;
    let token = server.token().await;
    let sent = post(&server, SEND, &token, &json!({"email": "ada@example.com"}))
        .await
        .json();
    let id = &sent["auth_request_id"];
    let again = post(&server, RESEND, &token, &json!({"authRequestId": id})).await;
    assert_eq!(&again.json()["auth_request_id"], id);
    let wrong = post(
        &server,
        VERIFY,
        &token,
        &json!({"code": "nonsense", "auth_request_id": id}),
    )
    .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(wrong.json()["code"], 3);
    assert_eq!(wrong.json()["details"][0]["error_code"], "INVALID_CODE");
}

#[tokio::test]
async fn the_right_code_is_accepted_once_and_echoes_what_send_was_given() {
    let server = Server::start().await;
    let token = server.token().await;
    let asked = json!({"email": "Ada@Example.com", "state": "s 1", "template": "SIGNUP"});
    let sent = post(&server, SEND, &token, &asked).await.json();
    let id = sent["auth_request_id"].as_str().unwrap();
    let proof = json!({"code": server.code_of(id).await, "auth_request_id": id});
    let verified = post(&server, VERIFY, &token, &proof).await;
    assert_eq!(verified.status, StatusCode::OK);
    assert_eq!(
        verified.json(),
        json!({"email": "Ada@Example.com", "state": "s 1", "template": "SIGNUP", "passwordless_type": "OTP"})
    );
    let again = post(&server, VERIFY, &token, &proof).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert_eq!(again.json()["code"], 9);
    assert_eq!(
        again.json()["details"][0]["error_code"],
        "AUTH_REQUEST_USED"
    );
}

#[tokio::test]
async fn a_throttled_send_is_429_and_says_how_many_seconds_to_wait() {
    let server = Server::start().await;
    let token = server.token().await;
    let body = json!({"email": "ada@example.com"});
    for _ in 0..2 {
        assert_eq!(
            post(&server, SEND, &token, &body).await.status,
            StatusCode::OK
        );
    }
    let third = post(&server, SEND, &token, &body).await;
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(third.json()["code"], 8);
    assert_eq!(third.json()["details"][0]["error_code"], "RATE_LIMITED");
    let seconds = third.header("retry-after").unwrap();
    let wait = Duration::from_secs(seconds.parse().unwrap());
    assert!(
        third.json()["message"]
            .as_str()
            .unwrap()
            .contains(&format!("{seconds} seconds"))
    );
    server.advance(wait);
    assert_eq!(
        post(&server, SEND, &token, &body).await.status,
        StatusCode::OK,
        "as it said"
    );
}

#[tokio::test]
async fn any_valid_one_of_several_authorization_values_is_enough() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let orders = [["Bearer stale", &bearer], [&bearer, "Bearer stale"]];
    for [first, second] in orders {
        let headers = [JSON, ("authorization", first), ("authorization", second)];
        let answer = http1(server.addr, Method::POST, SEND, &headers, "{}").await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "known, and its body looked at"
        );
    }
    let joined = format!("Bearer stale, {bearer}");
    let headers = [JSON, ("authorization", joined.as_str())];
    let answer = http2(server.addr, Method::POST, SEND, &headers, "{}").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn authentication_comes_before_the_body_is_looked_at() {
    let server = Server::start().await;
    for (kind, body) in [
        (JSON, "not json"),
        (("content-type", "text/plain"), "x"),
        (JSON, ""),
    ] {
        let answer = http1(server.addr, Method::POST, SEND, &[kind], body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            answer.json(),
            json!({"code": 16, "message": "Token empty", "details": [{
                "@type": "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo",
                "error_code": "UNAUTHENTICATED",
            }]})
        );
    }
    let wrong = post(&server, SEND, "not.a.token", &json!({})).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn validation_names_every_offending_field() {
    let server = Server::start().await;
    let token = server.token().await;
    let body =
        json!({"email": "nobody", "expires_in": 0, "template_variables": {"otp": "1", "x": "y"}});
    let answer = post(&server, SEND, &token, &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let body = answer.json();
    assert_eq!(body["code"], 3);
    assert_eq!(body["details"][0]["error_code"], "INVALID_ARGUMENT");
    let violations = &body["details"][0]["validation_error_info"]["field_violations"];
    let fields: Vec<_> = violations
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["field"].as_str().unwrap())
        .collect();
    for field in [
        "email",
        "expires_in",
        "template_variables.otp",
        "template_variables.x",
    ] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
    for violation in violations.as_array().unwrap() {
        assert!(!violation["description"].as_str().unwrap().is_empty());
        assert!(!violation["constraint"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn real_requests_and_answers_match_the_openapi_document() {
    let server = Server::start().await;
    let token = server.token().await;
    let document = get(server.addr, "/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = Schemas(&document);
    let asked = json!({"email": "ada@example.com", "template": "SIGNIN", "expires_in": 60, "template_variables": {"name": "Ada"}});
    schemas.check("SendPasswordlessRequest", &asked);
    let sent = post(&server, SEND, &token, &asked).await.json();
    schemas.check("SendPasswordlessResponse", &sent);
    let verify = json!({"code": "123", "auth_request_id": sent["auth_request_id"]});
    schemas.check("VerifyPasswordLessRequest", &verify);
    schemas.check(
        "Error",
        &post(&server, VERIFY, &token, &verify).await.json(),
    );
    schemas.check(
        "Error",
        &post(&server, SEND, &token, &json!({})).await.json(),
    );
    schemas.check("Error", &post(&server, SEND, "x", &json!({})).await.json());
    schemas.check("Jwks", &get(server.addr, "/keys").await.json());
    schemas.check(
        "Metadata",
        &get(server.addr, "/.well-known/openid-configuration")
            .await
            .json(),
    );
    let refused = schemas.problems(
        "SendPasswordlessRequest",
        &json!({"email": 7, "expires_in": 59}),
    );
    assert_eq!(refused.len(), 2, "the checker checks: {refused:?}");
}

/// As much of JSON Schema as the document uses for types and bounds.
struct Schemas<'a>(&'a Value);

impl Schemas<'_> {
    fn check(&self, name: &str, value: &Value) {
        let problems = self.problems(name, value);
        assert!(problems.is_empty(), "{name}: {problems:?} in {value}");
    }

    fn problems(&self, name: &str, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.look(
            &json!({"$ref": format!("#/components/schemas/{name}")}),
            value,
            name,
            &mut found,
        );
        found
    }

    fn look(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(target) = schema["$ref"].as_str() {
            let target = self.0.pointer(target.trim_start_matches('#')).unwrap();
            self.look(target, value, at, found);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.look(part, value, at, found);
        }
        let fits = match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            _ => true,
        };
        let listed = schema["enum"]
            .as_array()
            .is_none_or(|all| all.contains(value));
        let enough = schema["minimum"]
            .as_i64()
            .is_none_or(|least| value.as_i64().is_none_or(|v| v >= least));
        if !(fits && listed && enough) {
            found.push(format!("{at} is {value}, not {schema}"));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                found.push(format!("{at} lacks {name}"));
            }
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.look(inner, value, &format!("{at}.{name}"), found);
            }
        }
        for item in value.as_array().into_iter().flatten() {
            self.look(&schema["items"], item, &format!("{at}[]"), found);
        }
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_in_the_callers_terms() {
    let server = Server::start().await;
    let token = server.token().await;
    let body = json!({"email": "ada@example.com", "expires_in": -1});
    let answer = post(&server, SEND, &token, &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = answer.json();
    let message = answer["message"].as_str().unwrap().to_owned();
    assert!(!message.contains("enum"), "{message}");
    let info = &answer["details"][0]["validation_error_info"];
    assert_eq!(
        info["field_violations"][0]["field"], "expires_in",
        "{answer}"
    );
}
