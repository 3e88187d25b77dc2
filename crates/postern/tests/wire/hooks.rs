//! Callbacks of mail providers.

use http::{Method, StatusCode};
use postern::telemetry::metrics::Gauges;
use postern_core::model::{DeliveryId, HookProvider, SecretText};
use serde_json::{Value, json};

use crate::support::{Server, http::http1};

const AUTH: (&str, &str) = ("authorization", "Basic cG9zdGVybjowMTIzNDU2Nzg5YWJjZGVm");

async fn open() -> (Server, DeliveryId) {
    let server = Server::start().await;
    let secret = SecretText::new("postern:0123456789abcdef");
    let put = server.app.postern.put_hook(HookProvider::Postmark, secret);
    put.await.unwrap();
    let token = server.token().await;
    assert_eq!(send(&server, &token).await, StatusCode::OK);
    let id = server.queued.lock().unwrap()[0];
    (server, id)
}

async fn send(server: &Server, token: &str) -> StatusCode {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
    ];
    let path = "/api/v1/passwordless/email/send";
    let body = json!({"email": "ada@example.com"}).to_string();
    http1(server.addr, Method::POST, path, &headers, body)
        .await
        .status
}

async fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &Value) -> StatusCode {
    http1(server.addr, Method::POST, path, headers, body.to_string())
        .await
        .status
}

fn bounce(id: DeliveryId) -> Value {
    json!({
        "RecordType": "Bounce", "Type": "HardBounce", "Details": "smtp;550 5.1.1 user unknown",
        "Metadata": {"postern-delivery": id.to_string()},
    })
}

fn counted(server: &Server, told: &str) -> bool {
    let text = server.app.metrics.render(Gauges::default());
    text.contains(&format!(
        "postern_mail_callbacks_total{{provider=\"postmark\",told=\"{told}\"}} 1\n"
    ))
}

#[tokio::test]
async fn a_bounce_is_noted_once_and_its_address_is_sent_no_mail() {
    let (server, id) = open().await;
    for told in ["bounced", "known"] {
        let status = post(&server, "/hooks/mail/postmark", &[AUTH], &bounce(id)).await;
        assert_eq!(status, StatusCode::OK);
        assert!(counted(&server, told), "{told}");
    }
    let token = server.token().await;
    assert_eq!(send(&server, &token).await, StatusCode::BAD_REQUEST);
    let listed = server.app.postern.suppressions(None, 10).await.unwrap();
    assert_eq!(listed[0].address.as_given(), "ada@example.com");
}

#[tokio::test]
async fn a_callback_that_does_not_prove_itself_changes_nothing() {
    let (server, id) = open().await;
    let status = post(&server, "/hooks/mail/postmark", &[], &bounce(id)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(counted(&server, "refused"));
    let listed = server.app.postern.suppressions(None, 10).await.unwrap();
    assert_eq!(listed, []);
}

#[tokio::test]
async fn every_answer_to_a_callback_has_a_body() {
    let (server, id) = open().await;
    let post = async |headers: &[(&str, &str)], body: String| {
        let path = "/hooks/mail/postmark";
        http1(server.addr, Method::POST, path, headers, body).await
    };
    let taken = post(&[AUTH], bounce(id).to_string()).await;
    assert_eq!((taken.status, taken.json()), (StatusCode::OK, json!({})));
    let unverified = post(&[], bounce(id).to_string()).await;
    assert_eq!(unverified.json()["code"], 16);
    let told = unverified.header("www-authenticate");
    assert_eq!(told, Some("Basic realm=\"callbacks\""));
    let unread = post(&[AUTH], "{".to_owned()).await;
    assert_eq!(
        (unread.status, &unread.json()["code"]),
        (StatusCode::BAD_REQUEST, &json!(3))
    );
}

#[tokio::test]
async fn callbacks_that_are_not_configured_or_not_known_have_no_path() {
    let (server, id) = open().await;
    for path in [
        "/hooks/mail/mailgun",
        "/hooks/mail/other",
        "/hooks/mail",
        "/hooks/mail/%ff",
    ] {
        let body = bounce(id).to_string();
        let answer = http1(server.addr, Method::POST, path, &[AUTH], body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["code"], 5, "{path}");
    }
    let get = http1(
        server.addr,
        Method::GET,
        "/hooks/mail/postmark",
        &[],
        String::new(),
    )
    .await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_callback_of_more_than_a_mebibyte_is_refused() {
    let (server, _) = open().await;
    let body = json!({"RecordType": "x".repeat(1024 * 1024)});
    let status = post(&server, "/hooks/mail/postmark", &[AUTH], &body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_word_on_mail_that_is_not_ours_is_answered_and_counted() {
    let (server, _) = open().await;
    let foreign = json!({"RecordType": "Delivery", "Metadata": {}});
    let status = post(&server, "/hooks/mail/postmark", &[AUTH], &foreign).await;
    assert_eq!(status, StatusCode::OK);
    assert!(counted(&server, "unknown"));
}
