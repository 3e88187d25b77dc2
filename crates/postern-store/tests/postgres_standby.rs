//! Commits that wait for a synchronous standby which does not come.

use std::sync::Arc;
use std::time::Duration;

use postern_core::ports::StoreError;
use postern_core::settings::Settings;
use postern_store::contract::{address, issue, opening};
use postern_store::testing::TempStore;
use postern_store::{Patience, PostgresTuning, Tuning};
use postern_testkit::postgres::{Keeps, Postgres};

/// A primary whose next commit waits, and a node on it whose callers wait so long.
async fn waiting(patience: Patience) -> (Postgres, TempStore) {
    let postgres = Postgres::start(Keeps::WhatTestsNeed).unwrap_or_else(|error| panic!("{error}"));
    let tuning = Tuning {
        postgres: PostgresTuning {
            commit_timeout: Duration::from_mins(2),
            ..PostgresTuning::default()
        },
        patience,
        ..Tuning::default()
    };
    let store = TempStore::at(Some(postgres.database()), tuning).await;
    let standby = postgres.set("synchronous_standby_names", "nobody");
    standby.expect("the setting is taken");
    (postgres, store)
}

/// Sends while `end` is done to the session whose commit waits; what the caller is told, and how many
/// requests there are then.
async fn cut_short(end: &str) -> (Result<(), StoreError>, String) {
    let (postgres, store) = waiting(Patience::default()).await;
    let engine = Arc::clone(&store.engine);
    let issued = issue(&store, 1, &address("ada"));
    let opening = opening(issued, Settings::default(), None);
    let sending = tokio::spawn(async move { engine.open_auth_request(opening).await });
    let cut = format!("SELECT {end}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    while !postgres
        .psql("postgres", &cut)
        .expect("it answers")
        .contains('t')
    {
        tokio::task::yield_now().await;
    }
    let told = sending.await.expect("it does not panic").map(drop);
    // What is asked next must not find what was left of that session.
    postgres
        .set("synchronous_standby_names", "")
        .expect("the setting is taken");
    store.engine.ping().await.expect("the store answers");
    let count = postgres.psql("d0", "SELECT count(*) FROM auth_requests");
    (told, count.expect("it answers").trim().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_wait_for_the_standby_is_cancelled_is_told_as_unknown() {
    let (told, requests) = cut_short("pg_cancel_backend").await;
    let error = told.expect_err("it is not known to be on the standby");
    assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
    assert_eq!(requests, "1", "it is committed here, and may be seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_ended_while_it_waits_for_the_standby_leaves_the_outcome_unknown() {
    let (told, requests) = cut_short("pg_terminate_backend").await;
    let error = told.expect_err("it is not known to be on the standby");
    assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
    assert_eq!(requests, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_does_not_come_back_is_told_as_unknown_in_time() {
    let (postgres, store) = waiting(Patience {
        before_commit: Duration::from_millis(300),
        for_commit: Duration::from_millis(300),
    })
    .await;
    let opening = opening(issue(&store, 1, &address("ada")), Settings::default(), None);
    let told = store.engine.open_auth_request(opening).await.map(drop);
    assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let waits = postgres.psql("postgres", waits).expect("it answers");
    assert_eq!(waits.trim(), "1", "the commit still waits");
    postgres
        .set("synchronous_standby_names", "")
        .expect("the setting is taken");
}
