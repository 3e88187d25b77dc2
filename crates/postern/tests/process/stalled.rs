//! A database that holds everybody up: callers are told so before their own deadline of ten seconds
//! (contract §1.14), however long the operator lets a node wait for the database.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use postern_testkit::postgres::{Keeps, Postgres};
use postern_testkit::process::{Plan, Server};
use tokio::task::JoinSet;

use crate::caller::{Answer, Caller, error_code};

/// Much longer than anybody is to be held up; it ends only a test that fails.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server on the database at `url` that gives nothing up by itself while the test lasts.
fn patient(url: &str) -> Server {
    let plan = Plan::new(env!("CARGO_BIN_EXE_postern")).set("data.database_url", url);
    let bounds = ["statement_timeout", "lock_timeout", "commit_timeout"];
    let plan = bounds.iter().fold(plan, |plan, name| {
        plan.set(&format!("postgres.{name}"), "10m")
    });
    plan.start()
}

async fn in_time(calls: impl Future<Output = Vec<Answer>>) -> Vec<Answer> {
    let told = tokio::time::timeout(PATIENCE, calls).await;
    told.expect("callers are told while the database is held up")
}

async fn sends(caller: &Arc<Caller>, count: usize) -> Vec<Answer> {
    let mut calls = JoinSet::new();
    for n in 0..count {
        let caller = Arc::clone(caller);
        calls.spawn(async move { caller.send(&format!("p{n}@example.com")).await.unwrap() });
    }
    calls.join_all().await
}

/// Locks the table that every send counts in, until [`let_go`].
fn hold(postgres: &Arc<Postgres>) -> JoinHandle<()> {
    let holder = Arc::clone(postgres);
    let thread = std::thread::spawn(move || {
        let sql = "BEGIN; LOCK TABLE address_sends IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)";
        // Ended by the test.
        let _ = holder.psql("d0", sql);
    });
    while held(postgres) == 0 {
        std::thread::yield_now();
    }
    thread
}

fn held(postgres: &Postgres) -> u32 {
    let sql = "SELECT count(*) FROM pg_locks WHERE relation = 'address_sends'::regclass \
               AND mode = 'AccessExclusiveLock' AND granted";
    postgres.psql("d0", sql).unwrap().trim().parse().unwrap()
}

fn let_go(postgres: &Postgres, holder: JoinHandle<()>) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()";
    postgres.psql("d0", end).unwrap();
    holder.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_behind_a_lock_are_told_in_time_that_nothing_was_done() {
    let postgres = Postgres::start(Keeps::WhatTestsNeed).unwrap_or_else(|error| panic!("{error}"));
    let postgres = Arc::new(postgres);
    let server = patient(&postgres.database());
    let caller = Arc::new(Caller::new(server.credentials()).await);
    let holder = hold(&postgres);
    let told = in_time(sends(&caller, 12)).await;
    assert_eq!(held(&postgres), 1, "the lock is still held");
    for answer in &told {
        assert_eq!(
            (answer.0, error_code(answer)),
            (503, "UNAVAILABLE"),
            "{answer:?}"
        );
    }
    let_go(&postgres, holder);
    let sent = caller.send("p0@example.com").await.unwrap();
    assert_eq!(sent.0, 200, "{sent:?}");
    let stored = postgres
        .psql("d0", "SELECT count(*) FROM auth_requests")
        .unwrap();
    assert_eq!(stored.trim(), "1", "what was refused is not done later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_are_told_in_time_while_the_whole_database_stands_still() {
    let postgres = Postgres::start(Keeps::WhatTestsNeed).unwrap_or_else(|error| panic!("{error}"));
    let server = patient(&postgres.database());
    let caller = Arc::new(Caller::new(server.credentials()).await);
    assert_eq!(caller.send("ada@example.com").await.unwrap().0, 200);
    assert_eq!(caller.log().await.unwrap().0, 200);
    postgres.stand_still(true).unwrap();
    let calls = async {
        let (mut told, log) = tokio::join!(sends(&caller, 12), caller.log());
        told.push(log.unwrap());
        told
    };
    let told = in_time(calls).await;
    postgres.stand_still(false).unwrap();
    for answer in &told {
        assert_eq!(
            (answer.0, error_code(answer)),
            (503, "UNAVAILABLE"),
            "{answer:?}"
        );
    }
    let goes_on = async {
        while caller.send("bob@example.com").await.unwrap().0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let goes_on = tokio::time::timeout(PATIENCE, goes_on).await;
    goes_on.expect("it goes on when the database does");
}
