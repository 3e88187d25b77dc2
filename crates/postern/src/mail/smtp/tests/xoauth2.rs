//! Logging in by access tokens that an endpoint hands out.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::join_all;
use postern_core::model::TokenSource;
use postern_testkit::tokens::TokenServer;

use super::*;
use crate::https::Https;
use crate::mail::{Matter, TokenFault};

const SECRET: &str = "s3cr3t-9f81-kq7w";

struct Scene {
    tokens: TokenServer,
    world: World,
}

impl Scene {
    /// A server that knows nobody but `login@app.example` with the token `first-token`, and a client
    /// whose connections carry one mail each.
    async fn new() -> Self {
        Self::before(SmtpServer::builder().token_user("login@app.example")).await
    }

    async fn before(builder: Builder) -> Self {
        let tokens = TokenServer::start().await.unwrap();
        let source = TokenSource {
            url: tokens.url(),
            client_id: "client-id".to_owned(),
            scope: Some("mail.send offline".to_owned()),
        };
        let limits = Limits {
            idle: Duration::ZERO,
            ..Limits::default()
        };
        let mut world = World::with(builder, TlsMode::None, None, limits).await;
        let source = Tokens::new(source, SecretText::new(SECRET), Arc::new(Https::default()));
        let endpoint = Endpoint {
            login: Some(Login::Token("login@app.example".to_owned(), source)),
            ..world.smtp.endpoint.clone()
        };
        world.smtp = Smtp::new(endpoint, Trust::System, limits);
        world.server.accept_token("first-token");
        Self { tokens, world }
    }
}

fn refused_at_login(outcome: &Outcome) -> bool {
    outcome.is_trouble() && outcome.reply().stage == Stage::Auth
}

#[tokio::test]
async fn a_token_is_fetched_once_and_opens_every_connection() {
    let Scene { tokens, world } = Scene::new().await;
    tokens.grant("first-token", 3600);
    let sent = join_all((0..6).map(|_| world.send())).await;
    assert!(
        sent.iter().all(|one| matches!(one, Outcome::Sent(_))),
        "{sent:?}"
    );
    assert!(matches!(world.send().await, Outcome::Sent(_)));
    assert_eq!(
        tokens.asked(),
        [
            "grant_type=client_credentials&client_id=client-id&client_secret=s3cr3t-9f81-kq7w&scope=mail.send+offline"
        ]
    );
    let mails = world.server.wait_for(7).await;
    assert!(
        mails
            .iter()
            .all(|mail| mail.login.as_deref() == Some("login@app.example"))
    );
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_offered() {
    let Scene { tokens, world } = Scene::new().await;
    tokens.grant("first-token", 0);
    tokens.grant("second-token", 3600);
    assert!(matches!(world.send().await, Outcome::Sent(_)));
    world.server.accept_token("second-token");
    assert!(matches!(world.send().await, Outcome::Sent(_)));
    assert_eq!(tokens.asked().len(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_is_fetched_anew_once() {
    let Scene { tokens, world } = Scene::new().await;
    for token in ["first-token", "second-token"] {
        tokens.grant(token, 3600);
    }
    assert!(matches!(world.send().await, Outcome::Sent(_)));
    world.server.accept_token("second-token");
    assert!(matches!(world.send().await, Outcome::Sent(_)));
    assert_eq!((tokens.asked().len(), world.server.connections()), (2, 2));

    world.server.accept_token("a token that nobody has");
    let refused = world.send().await;
    assert!(
        matches!(&refused, Outcome::ProviderTrouble(reply) if reply.code == Some(535)),
        "{refused:?}"
    );
    assert!(refused_at_login(&refused), "{refused:?}");
    assert_eq!(tokens.asked().len(), 3, "and not once more");
    assert!(
        !refused.reply().text.contains("second-token"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn trouble_with_the_endpoint_is_the_providers_and_tells_no_secret() {
    let basic = BASE64_STANDARD.encode(format!("client-id:{SECRET}"));
    let said = format!(
        r#"{{"error":"invalid_client","error_description":"AADSTS7000215: no {SECRET} {basic}"}}"#
    );
    let answers = [
        (
            401,
            said.as_str(),
            "401 invalid_client AADSTS7000215: no *** ***",
            TokenFault::Refused,
        ),
        (
            400,
            r#"{"error":"secret=7339 6372 3374"}"#,
            "token endpoint: 400 ***",
            TokenFault::Refused,
        ),
        (500, "<html>", "token endpoint: 500", TokenFault::Down),
        (404, "<html>", "token endpoint: 404", TokenFault::NoToken),
        (200, "{}", "is no token", TokenFault::NoToken),
        (
            200,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            "the token is not one that",
            TokenFault::NoToken,
        ),
        (
            200,
            r#"{"access_token":"ab","token_type":"mac"}"#,
            "not of type Bearer",
            TokenFault::NoToken,
        ),
    ];
    for (status, body, told, fault) in answers {
        let Scene { tokens, world } = Scene::new().await;
        tokens.answer(status, body);
        let outcome = world.send().await;
        assert!(refused_at_login(&outcome), "{outcome:?}");
        assert_eq!(outcome.reply().matter, Some(Matter::Token(fault)), "{body}");
        let text = &outcome.reply().text;
        assert!(text.contains(told), "{body}: {text}");
        assert!(!text.contains(SECRET), "{text}");
        assert_eq!(world.server.count(), 0);
    }
    let Scene { tokens, world } = Scene::new().await;
    drop(tokens);
    let outcome = world.send().await;
    assert!(refused_at_login(&outcome));
    let unreached = Some(Matter::Token(TokenFault::Unreached));
    assert_eq!(outcome.reply().matter, unreached, "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_does_not_know_tokens_is_offered_none() {
    let Scene { tokens, world } = Scene::before(SmtpServer::builder().account("a", "b")).await;
    let outcome = world.send().await;
    assert!(
        matches!(&outcome, Outcome::ProviderTrouble(reply) if reply.text.contains("XOAUTH2")),
        "{outcome:?}"
    );
    assert_eq!(tokens.asked(), [""; 0]);
}

#[tokio::test]
async fn a_server_may_repeat_secret_and_token_in_any_form_that_it_knows() {
    let Scene { tokens, world } = Scene::new().await;
    tokens.grant("first-token", 3600);
    world.send().await;
    let secrets = world.smtp.endpoint.secrets();
    let hidden = |text: &str| {
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        Reply::new(Stage::Mail, Some(550), text, &secrets).text
    };
    let sasl = "user=login@app.example\x01auth=Bearer first-token\x01\x01";
    for repeated in [
        SECRET.to_owned(),
        BASE64_STANDARD.encode(SECRET),
        BASE64_STANDARD.encode(format!("client-id:{SECRET}")),
        "first-token".to_owned(),
        BASE64_STANDARD.encode("first-token"),
        BASE64_STANDARD.encode(sasl),
    ] {
        assert_eq!(hidden(&format!("no {repeated}")), "no ***");
    }
}

#[tokio::test]
async fn a_client_shows_neither_secret_nor_token() {
    let Scene { tokens, world } = Scene::new().await;
    tokens.grant("first-token", 3600);
    world.send().await;
    let shown = format!("{:?}", world.smtp);
    assert!(
        !shown.contains("first-token") && !shown.contains(SECRET),
        "{shown}"
    );
}
