//! What must hold whichever door is used, and when both are used at once.

use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use postern::{freshness::Freshness, listen::Limits};
use postern_proto::scalekit::v1::auth::passwordless::{
    SendPasswordlessRequest, VerifyPasswordLessRequest,
    passwordless_service_client::PasswordlessServiceClient,
    verify_password_less_request::AuthCredential,
};
use tonic::{Code, Request, Status};

use crate::support::{
    Server,
    http::{Answer, http1, post_form},
};

const VERIFY: &str = "/api/v1/passwordless/email/verify";
const SEND: &str = "/api/v1/passwordless/email/send";

async fn by_rest(server: &Server, token: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    http1(server.addr, Method::POST, path, &headers, body.to_owned()).await
}

fn authorized<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

async fn send_by_grpc(server: &Server, token: &str) -> Result<String, Status> {
    let mut api = PasswordlessServiceClient::connect(server.url())
        .await
        .unwrap();
    let to = SendPasswordlessRequest {
        email: "ada@example.com".to_owned(),
        ..Default::default()
    };
    let sent = api.send_passwordless_email(authorized(to, token)).await?;
    Ok(sent.into_inner().auth_request_id)
}

async fn verify_by_grpc(server: &Server, token: &str, code: &str, id: &str) -> bool {
    let mut api = PasswordlessServiceClient::connect(server.url())
        .await
        .unwrap();
    let proof = VerifyPasswordLessRequest {
        auth_credential: Some(AuthCredential::Code(code.to_owned())),
        auth_request_id: Some(id.to_owned()),
    };
    let verified = api.verify_passwordless_email(authorized(proof, token));
    verified.await.is_ok()
}

#[tokio::test]
async fn of_sixteen_callers_through_both_doors_exactly_one_is_accepted() {
    let server = Server::start().await;
    let token = server.token().await;
    let id = send_by_grpc(&server, &token).await.unwrap();
    let code = server.code_of(&id).await;
    let body = serde_json::json!({ "code": code, "auth_request_id": id }).to_string();
    let callers = (0..16).map(|caller| {
        let (server, token, code, id, body) = (&server, &token, &code, &id, &body);
        async move {
            if caller % 2 == 0 {
                verify_by_grpc(server, token, code, id).await
            } else {
                by_rest(server, token, VERIFY, body).await.status == 200
            }
        }
    });
    let accepted = join_all(callers).await;
    assert_eq!(accepted.iter().filter(|accepted| **accepted).count(), 1);
}

#[tokio::test]
async fn nobody_is_served_by_knowledge_of_clients_that_may_have_been_revoked() {
    // Known to be current for so long, whatever the machine is busy with meanwhile.
    let ahead = Duration::from_hours(1);
    let server = Server::knowing(Freshness::new(), Limits::default(), None).await;
    server.app.freshness.confirm(ahead);
    let token = server.token().await;
    let body = r#"{"email":"ada@example.com"}"#;
    tokio::time::pause();
    tokio::time::advance(ahead + Duration::from_secs(3)).await;
    tokio::time::resume();
    let sent = by_rest(&server, &token, SEND, body).await;
    assert_eq!(sent.status, 503);
    let sent = send_by_grpc(&server, &token).await;
    assert_eq!(sent.unwrap_err().code(), Code::Unavailable);
    let asked = post_form(server.addr, "/oauth/token", &server.token_form()).await;
    assert_eq!(asked.status, 503);
    assert_eq!(asked.json()["error"], "temporarily_unavailable");
    let fresh = &server.app.freshness;
    fresh.confirm(fresh.asked() + ahead);
    assert_eq!(by_rest(&server, &token, SEND, body).await.status, 200);
}
