use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;

use super::Pair;
use crate::{TokenChecks, TokenError, fake_server::lock};

impl Pair {
    async fn check(&self, token: &str) -> Result<crate::AccessClaims, TokenError> {
        self.client
            .validate_access_token(token, &TokenChecks::new())
            .await
    }

    fn keys_read(&self) -> usize {
        self.world().keys_read.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_valid_token_tells_its_claims() {
    let pair = Pair::new().await;
    let claims = pair.check(&pair.server.access_token()).await.unwrap();
    assert_eq!(claims.subject.as_deref(), Some("skc_1"));
    assert_eq!(claims.audience, ["skc_1"]);
    assert_eq!(claims.scopes, ["read", "write"]);
    assert_eq!(claims.all["jti"], "tkn_1");
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let pair = Pair::new().await;
    let token = pair.server.sign("snk_1", &pair.server.claims(-1));
    assert!(matches!(pair.check(&token).await, Err(TokenError::Expired)));
}

#[tokio::test]
async fn a_token_without_an_end_is_refused() {
    let pair = Pair::new().await;
    let token = pair.server.sign("snk_1", &json!({"sub": "skc_1"}));
    assert!(matches!(
        pair.check(&token).await,
        Err(TokenError::Malformed)
    ));
}

#[tokio::test]
async fn a_token_signed_by_another_key_of_the_same_id_is_refused() {
    let (pair, other) = (Pair::new().await, Pair::new().await);
    pair.check(&pair.server.access_token()).await.unwrap();
    let forged = other.server.access_token();
    assert!(matches!(
        pair.check(&forged).await,
        Err(TokenError::InvalidSignature)
    ));
}

#[tokio::test]
async fn a_token_of_another_algorithm_or_shape_is_malformed() {
    let pair = Pair::new().await;
    // {"alg":"HS256","kid":"snk_1"} and {"alg":"none"}
    for header in [
        "eyJhbGciOiJIUzI1NiIsImtpZCI6InNua18xIn0",
        "eyJhbGciOiJub25lIn0",
        "x",
    ] {
        let refused = pair.check(&format!("{header}.e30.AAAA")).await;
        assert!(matches!(refused, Err(TokenError::Malformed)), "{header}");
    }
    assert_eq!(pair.keys_read(), 0);
}

#[tokio::test]
async fn issuer_and_audience_are_checked_only_when_asked_for() {
    let pair = Pair::new().await;
    let token = pair.server.access_token();
    let client = &pair.client;
    let elsewhere = TokenChecks::new().issuer("https://elsewhere");
    let refused = client.validate_access_token(&token, &elsewhere).await;
    assert!(matches!(refused, Err(TokenError::WrongIssuer)));
    let others = TokenChecks::new().audience("skc_2");
    let refused = client.validate_access_token(&token, &others).await;
    assert!(matches!(refused, Err(TokenError::WrongAudience)));
    let ours = TokenChecks::new()
        .issuer(pair.server.url())
        .audience("skc_1");
    client.validate_access_token(&token, &ours).await.unwrap();
}

#[tokio::test]
async fn keys_are_read_once_for_many_tokens() {
    let pair = Pair::new().await;
    for _ in 0..5 {
        pair.check(&pair.server.access_token()).await.unwrap();
    }
    assert_eq!(pair.keys_read(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_by_reading_the_keys_again() {
    let pair = Pair::new().await;
    pair.check(&pair.server.access_token()).await.unwrap();
    let rotated = pair.server.sign("snk_2", &pair.server.claims(60));
    pair.clock.push(Duration::from_secs(10));
    pair.check(&rotated).await.unwrap();
    assert_eq!(pair.keys_read(), 2);
}

#[tokio::test]
async fn forged_key_ids_do_not_make_the_client_read_the_keys_each_time() {
    let (pair, other) = (Pair::new().await, Pair::new().await);
    pair.check(&pair.server.access_token()).await.unwrap();
    for forged in ["a", "b", "c"] {
        let token = other.server.sign(forged, &pair.server.claims(60));
        assert!(matches!(
            pair.check(&token).await,
            Err(TokenError::UnknownKey)
        ));
    }
    assert_eq!(pair.keys_read(), 1);
}

#[tokio::test]
async fn a_withdrawn_key_is_forgotten_within_the_hour() {
    let pair = Pair::new().await;
    let token = pair.server.sign("snk_1", &pair.server.claims(7200));
    pair.check(&token).await.unwrap();
    lock(&pair.world().keys).clear();
    pair.clock.push(Duration::from_secs(3599));
    pair.check(&token).await.unwrap();
    pair.clock.push(Duration::from_secs(1));
    assert!(matches!(
        pair.check(&token).await,
        Err(TokenError::UnknownKey)
    ));
}

#[tokio::test]
async fn keys_in_hand_serve_on_while_the_server_is_away() {
    let Pair {
        server,
        client,
        clock,
    } = Pair::new().await;
    let token = server.access_token();
    client
        .validate_access_token(&token, &TokenChecks::new())
        .await
        .unwrap();
    drop(server);
    clock.push(Duration::from_secs(4000));
    client
        .validate_access_token(&token, &TokenChecks::new())
        .await
        .unwrap();
}
