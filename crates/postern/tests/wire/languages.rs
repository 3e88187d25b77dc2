//! The language that a call asks a mail to be in, through both doors.

use http::{Method, StatusCode};
use postern_core::flow::MailInput;
use postern_proto::scalekit::v1::auth::passwordless::{
    SendPasswordlessRequest, passwordless_service_client::PasswordlessServiceClient,
};
use serde_json::json;
use tonic::Request;

use crate::support::{Server, http::http1};

const BROWSERS: &str = "sv, de-AT;q=0.8, de;q=0.7, en;q=0.5";

/// What the mail that was queued last is wanted in.
async fn wanted(server: &Server) -> String {
    let delivery = *server.queued.lock().unwrap().last().unwrap();
    let postern = &server.app.postern;
    let outgoing = postern.store().find_outgoing(delivery).await;
    let outgoing = outgoing.unwrap().unwrap();
    let keyring = postern.keyring();
    let input = MailInput::open(&keyring, outgoing.request.id, outgoing.input.as_ref());
    input.unwrap().wanted().to_string()
}

async fn rest(server: &Server, headers: &[(&str, &str)], locale: Option<&str>) {
    let bearer = format!("Bearer {}", server.token().await);
    let usual = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
    ];
    let headers = [&usual[..], headers].concat();
    let mut body = json!({ "email": "ada@example.com" });
    if let Some(locale) = locale {
        body["template_variables"] = json!({ "locale": locale });
    }
    let path = "/api/v1/passwordless/email/send";
    let answer = http1(server.addr, Method::POST, path, &headers, body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_rest_call_says_it_by_its_header_and_the_variable_locale_comes_first() {
    let server = Server::start().await;
    rest(&server, &[("accept-language", BROWSERS)], None).await;
    assert_eq!(wanted(&server).await, "sv,de-AT,de,en");
    rest(&server, &[("accept-language", BROWSERS)], Some("pt_BR")).await;
    assert_eq!(wanted(&server).await, "pt-BR,sv,de-AT,de,en");
}

#[tokio::test]
async fn a_grpc_call_says_it_by_its_metadata_and_the_variable_locale_comes_first() {
    let server = Server::start().await;
    let api = PasswordlessServiceClient::connect(server.url()).await;
    let mut api = api.unwrap();
    let bearer = format!("Bearer {}", server.token().await);
    for (locale, expected) in [(None, "sv,de-AT,de,en"), (Some("ja"), "ja,sv,de-AT,de,en")] {
        let locale = locale.map(|tag: &str| ("locale".to_owned(), tag.to_owned()));
        let mut call = Request::new(SendPasswordlessRequest {
            email: "ada@example.com".to_owned(),
            template_variables: locale.into_iter().collect(),
            ..Default::default()
        });
        let metadata = call.metadata_mut();
        metadata.insert("authorization", bearer.parse().unwrap());
        metadata.insert("accept-language", BROWSERS.parse().unwrap());
        api.send_passwordless_email(call).await.unwrap();
        assert_eq!(wanted(&server).await, expected);
    }
}
