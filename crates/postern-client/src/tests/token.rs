use std::{sync::atomic::Ordering, time::Duration};

use super::Pair;
use crate::{
    Client, Error, SendRequest,
    fake_server::{Fake, lock},
};

#[tokio::test]
async fn nothing_is_fetched_before_the_first_call() {
    let pair = Pair::new().await;
    assert_eq!(pair.tokens_given(), 0);
    pair.send().await.unwrap();
    assert_eq!(pair.tokens_given(), 1);
}

#[tokio::test]
async fn one_token_serves_many_calls() {
    let pair = Pair::new().await;
    for _ in 0..5 {
        pair.send().await.unwrap();
    }
    assert_eq!(pair.tokens_given(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_share_one_fetch() {
    let pair = Pair::new().await;
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let passwordless = pair.client.passwordless();
            tokio::spawn(
                async move { passwordless.send(SendRequest::new("ada@example.com")).await },
            )
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(pair.tokens_given(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_a_minute_before_it_expires() {
    let pair = Pair::new().await;
    pair.world().token_lifetime.store(3600, Ordering::Relaxed);
    pair.send().await.unwrap();
    pair.clock.push(Duration::from_secs(3530));
    pair.send().await.unwrap();
    assert_eq!(pair.tokens_given(), 1);
    pair.clock.push(Duration::from_secs(20));
    pair.send().await.unwrap();
    assert_eq!(pair.tokens_given(), 2);
}

#[tokio::test]
async fn a_token_still_valid_serves_on_when_it_cannot_be_renewed() {
    let pair = Pair::new().await;
    pair.world().token_lifetime.store(3600, Ordering::Relaxed);
    pair.send().await.unwrap();
    pair.clock.push(Duration::from_secs(3550));
    lock(&pair.world().token_answers).push_back(500);
    pair.send().await.unwrap();
    assert_eq!(pair.tokens_given(), 1);
}

#[tokio::test]
async fn a_token_endpoint_that_is_busy_is_asked_again() {
    let pair = Pair::new().await;
    lock(&pair.world().token_answers).push_back(503);
    pair.send().await.unwrap();
    assert_eq!(pair.tokens_given(), 1);
}

#[tokio::test]
async fn a_wrong_secret_is_told_in_the_servers_words_and_asked_once() {
    let server = Fake::start().await;
    let client = Client::new(&server.url(), Fake::CLIENT_ID, "wrong").unwrap();
    let sent = client
        .passwordless()
        .send(SendRequest::new("ada@example.com"))
        .await;
    let Err(Error::Unauthenticated(refusal)) = sent else {
        panic!("{sent:?}")
    };
    assert_eq!(refusal.message(), "unknown client");
    assert_eq!(refusal.error_code(), "invalid_client");
    assert_eq!(server.world().calls.load(Ordering::Relaxed), 0);
}
