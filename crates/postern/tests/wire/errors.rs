//! Trouble with HTTP itself, in the one error shape (contract §8, lifecycle §10).

use http::{Method, StatusCode};
use serde_json::Value;

use crate::support::{
    Server,
    http::{Answer, get, http1, http2, raw},
};

const SEND: &str = "/api/v1/passwordless/email/send";

/// The gRPC code in a body that has the error shape.
fn code_of(answer: &Answer) -> i64 {
    let body: Value = answer.json();
    assert!(!body["message"].as_str().unwrap().is_empty());
    let detail = &body["details"][0];
    assert_eq!(
        detail["@type"],
        "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo"
    );
    assert!(!detail["error_code"].as_str().unwrap().is_empty());
    assert!(
        answer
            .header("x-request-id")
            .is_some_and(|id| id.len() == 16)
    );
    body["code"].as_i64().unwrap()
}

#[tokio::test]
async fn an_unknown_path_is_404_with_code_5() {
    let server = Server::start().await;
    for path in [
        "/",
        "/nothing",
        "/api/v1/passwordless/email/send/",
        "/oauth",
    ] {
        let answer = get(server.addr, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(code_of(&answer), 5);
    }
}

#[tokio::test]
async fn another_method_is_405_with_code_12_and_says_which_are_allowed() {
    let server = Server::start().await;
    for (method, path, allowed) in [
        (Method::GET, SEND, "POST"),
        (Method::PUT, "/oauth/token", "POST"),
        (Method::POST, "/keys", "GET,HEAD"),
        (Method::DELETE, "/confirm/x", "GET,HEAD,POST"),
        (
            Method::GET,
            "/scalekit.v1.auth.passwordless.PasswordlessService/SendPasswordlessEmail",
            "POST",
        ),
    ] {
        let answer = http1(server.addr, method, path, &[], "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        assert_eq!(code_of(&answer), 12);
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_413_with_code_3_however_it_is_framed() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let headers = [("authorization", bearer.as_str())];
    let large = format!(r#"{{"email":"{}"}}"#, "a".repeat(65_536));
    let answers = [
        http1(server.addr, Method::POST, SEND, &headers, large.clone()).await,
        http2(server.addr, Method::POST, SEND, &headers, large.clone()).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(code_of(&answer), 3);
    }
    let chunked = format!(
        "POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let answer = raw(server.addr, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn exactly_64_kib_are_read() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let empty = r#"{"email":"a@example.com","x":""}"#;
    let body = empty.replace(
        r#""x":"""#,
        &format!(r#""x":"{}""#, "x".repeat(65_536 - empty.len())),
    );
    assert_eq!(body.len(), 65_536);
    let headers = [("authorization", bearer.as_str())];
    let answer = http1(server.addr, Method::POST, SEND, &headers, body).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn another_media_type_is_415_with_code_3() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let headers = [kind, ("authorization", bearer.as_str())];
    let answer = http1(server.addr, Method::POST, SEND, &headers, "email=a@b.c").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(code_of(&answer), 3);
}

#[tokio::test]
async fn a_body_that_is_no_json_of_the_call_is_400_with_code_3() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let headers = [("authorization", bearer.as_str())];
    for body in [
        "{",
        "[]",
        "\"x\"",
        r#"{"email": 7}"#,
        r#"{"email":"a@b.c","template":"NONE"}"#,
        "\u{0}",
    ] {
        let answer = http1(server.addr, Method::POST, SEND, &headers, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(code_of(&answer), 3);
    }
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let server = Server::start().await;
    let mut names = std::collections::HashSet::new();
    for path in ["/keys", "/nothing", "/openapi.json"] {
        let answer = get(server.addr, path).await;
        assert!(names.insert(answer.header("x-request-id").unwrap().to_owned()));
    }
}
