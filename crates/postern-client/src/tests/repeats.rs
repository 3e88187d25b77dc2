use std::{sync::atomic::Ordering, time::Duration};

use tokio::net::TcpListener;
use tonic::Code;

use super::Pair;
use crate::{
    Client, Error, SendRequest,
    fake_server::{Step, refusal},
};

fn unavailable() -> Step {
    Step::Refuse(refusal(Code::Unavailable, "UNAVAILABLE", "try again"))
}

#[tokio::test]
async fn unavailable_is_repeated_until_it_is_over() {
    let pair = Pair::new().await;
    pair.next_call(unavailable());
    pair.next_call(unavailable());
    pair.send().await.unwrap();
    assert_eq!(pair.calls(), 3);
}

#[tokio::test]
async fn unavailable_is_repeated_three_times_and_then_told() {
    let pair = Pair::new().await;
    for _ in 0..5 {
        pair.next_call(unavailable());
    }
    let error = pair.send().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)));
    assert_eq!(pair.calls(), 4);
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_not_begun() {
    let pair = Pair::with(|builder| {
        builder
            .deadline(Duration::from_secs(5))
            .back_off(Duration::from_hours(1))
    })
    .await;
    pair.next_call(unavailable());
    let error = pair.send().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)));
    assert_eq!(pair.calls(), 1);
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    for code in [
        Code::ResourceExhausted,
        Code::Internal,
        Code::InvalidArgument,
        Code::Aborted,
    ] {
        let pair = Pair::new().await;
        pair.next_call(Step::Refuse(refusal(code, "", "no")));
        pair.send().await.unwrap_err();
        assert_eq!(pair.calls(), 1, "{code:?}");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let pair = Pair::new().await;
    pair.send().await.unwrap();
    pair.revoke_tokens();
    pair.send().await.unwrap();
    assert_eq!((pair.calls(), pair.tokens_given()), (3, 2));
}

#[tokio::test]
async fn a_token_refused_twice_is_an_error() {
    let pair = Pair::new().await;
    pair.world()
        .tokens_revoked
        .store(usize::MAX, Ordering::Relaxed);
    let error = pair.send().await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated(_)));
    assert_eq!((pair.calls(), pair.tokens_given()), (2, 2));
}

#[tokio::test]
async fn a_server_that_refuses_every_token_is_asked_for_one_in_five_seconds() {
    let pair = Pair::new().await;
    let revoked = &pair.world().tokens_revoked;
    revoked.store(usize::MAX, Ordering::Relaxed);
    let at_once: Vec<_> = (0..16)
        .map(|_| {
            let api = pair.client.passwordless();
            tokio::spawn(async move { api.send(SendRequest::new("ada@example.com")).await })
        })
        .collect();
    for sent in at_once {
        let sent = sent.await.unwrap();
        assert!(matches!(sent, Err(Error::Unauthenticated(_))), "{sent:?}");
    }
    assert_eq!(pair.tokens_given(), 2);
    let before = pair.calls();
    for _ in 0..4 {
        pair.send().await.unwrap_err();
    }
    assert_eq!((pair.calls() - before, pair.tokens_given()), (4, 2));
    pair.clock.push(Duration::from_secs(5));
    pair.send().await.unwrap_err();
    assert_eq!(pair.tokens_given(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder(&url, "skc_1", "secret").back_off(Duration::ZERO);
    let client = client.build().unwrap();
    let sent = client
        .passwordless()
        .send(SendRequest::new("ada@example.com"))
        .await;
    assert!(matches!(sent, Err(Error::Unreachable(_))), "{sent:?}");
}

/// A connection that breaks in a call leaves the outcome open, so the call is not repeated.
#[tokio::test]
async fn a_call_whose_connection_broke_is_not_repeated() {
    let pair = Pair::new().await;
    pair.send().await.unwrap();
    pair.next_call(Step::Silence);
    let Pair { server, client, .. } = pair;
    let call = tokio::spawn(async move {
        client
            .passwordless()
            .send(SendRequest::new("ada@example.com"))
            .await
    });
    while server.world().calls.load(Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    server.break_connections();
    let sent = call.await.unwrap();
    assert!(matches!(sent, Err(Error::OutcomeUnknown(_))), "{sent:?}");
    assert_eq!(server.world().calls.load(Ordering::Relaxed), 2);
}

/// The call that meets the broken connection may fail, the one after it does not.
#[tokio::test]
async fn a_lost_connection_is_made_again() {
    let pair = Pair::new().await;
    pair.send().await.unwrap();
    pair.server.break_connections();
    match pair.send().await {
        Ok(_) => {}
        Err(Error::OutcomeUnknown(_)) => drop(pair.send().await.unwrap()),
        Err(error) => panic!("{error:?}"),
    }
}
