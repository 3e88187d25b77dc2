//! How the engine reaches its PostgreSQL: TLS, several hosts, bounds and timeouts.
#![expect(
    clippy::unwrap_used,
    reason = "the functions beside the tests are theirs"
)]

use std::sync::Arc;
use std::time::Duration;

use postern_core::model::NodeId;
use postern_core::ports::{Engine, StoreError};
use postern_core::settings::Settings;
use postern_store::contract::{address, issue, opening, send_many};
use postern_store::testing::{FrozenClock, TempStore};
use postern_store::{ConnectError, Patience, PostgresTuning, Tuning, connect, migrate};
use postern_testkit::postgres::{Keeps, Postgres};
use tokio::task::JoinSet;

async fn open(url: &str) -> Result<Arc<dyn Engine>, ConnectError> {
    let clock = Arc::new(FrozenClock::default());
    migrate(url, clock.clone(), Tuning::default()).await?;
    connect(url, NodeId([1; 8]), clock, Tuning::default()).await
}

fn tuned(queue: usize, postgres: PostgresTuning) -> Tuning {
    Tuning {
        queue,
        postgres,
        ..Tuning::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_verified_against_the_authority_that_the_url_names_and_against_the_name() {
    let postgres = Postgres::start_tls().unwrap_or_else(|error| panic!("{error}"));
    let (port, ca) = postgres.tls().unwrap();
    let url = |host: &str, rest: &str| format!("postgres://postern@{host}:{port}/postgres?{rest}");
    let trusted = format!("sslmode=verify-full&sslrootcert={ca}&application_name=over-tls");
    let engine = open(&url("localhost", &trusted)).await.unwrap();
    engine.ping().await.unwrap();
    let asked = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE application_name = 'over-tls'";
    assert_eq!(postgres.psql("postgres", asked).unwrap().trim(), "t");

    // The system trusts no such authority.
    assert!(
        open(&url("localhost", "sslmode=verify-full"))
            .await
            .is_err()
    );
    // The certificate is for another name.
    let nameless = format!("hostaddr=127.0.0.1&host=db.example.com&port={port}&{trusted}");
    let url = format!("postgres:///postgres?user=postern&{nameless}");
    assert!(open(&url).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let settings = ["default_transaction_read_only=on".to_owned()];
    let standby = Postgres::start_with(Keeps::WhatTestsNeed, &settings);
    let standby = standby.unwrap_or_else(|error| panic!("{error}"));
    let primary = Postgres::start(Keeps::WhatTestsNeed).unwrap_or_else(|error| panic!("{error}"));
    let host = |server: &Postgres| server.folder().display().to_string().replace('/', "%2F");
    let (first, second) = (host(&standby), host(&primary));
    let url = format!("postgres://postern@%2Fnowhere,{first},{second}/postgres");
    let engine = open(&url).await.unwrap();
    engine.ping().await.unwrap();
    let tables =
        "SELECT count(*) FROM information_schema.tables WHERE table_name = 'auth_requests'";
    assert_eq!(primary.psql("postgres", tables).unwrap().trim(), "1");
    assert_eq!(standby.psql("postgres", tables).unwrap().trim(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_holds_no_more_connections_than_its_bounds_and_they_bear_its_name() {
    let postgres = Postgres::shared();
    let url = postgres.database();
    let bounds = PostgresTuning {
        writers: 2,
        connections: 3,
        ..PostgresTuning::default()
    };
    let store = TempStore::at(Some(url.clone()), tuned(1024, bounds)).await;
    let mut asked = JoinSet::new();
    for _ in 0..200 {
        let engine = Arc::clone(&store.engine);
        asked.spawn(async move { engine.outbox().await.unwrap() });
    }
    send_many(&store, 200).await;
    asked.join_all().await;
    let name = url
        .trim_start_matches("postgres:///")
        .split('?')
        .next()
        .unwrap();
    let held = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'postern'"
    );
    let held: usize = postgres
        .psql("postgres", &held)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!((1..=5).contains(&held), "{held}");
}

/// A lock that another session holds for longer than anybody waits.
fn hold(postgres: &Arc<Postgres>, url: &str) -> std::thread::JoinHandle<()> {
    let name = url
        .trim_start_matches("postgres:///")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let (holder, database) = (Arc::clone(postgres), name.clone());
    let thread = std::thread::spawn(move || {
        let sql = "BEGIN; LOCK TABLE address_sends IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)";
        // Ended by the test.
        let _ = holder.psql(&database, sql);
    });
    let held = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
                JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() \
                AND c.relname = 'address_sends' AND l.mode = 'AccessExclusiveLock' AND l.granted";
    while postgres.psql(&name, held).unwrap().trim() == "0" {
        std::thread::yield_now();
    }
    thread
}

/// Ends that session, and no other test's: they share the server.
fn release(postgres: &Postgres, url: &str, holder: std::thread::JoinHandle<()>) {
    let name = url.trim_start_matches("postgres:///").split('?').next();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' \
               AND datname = current_database() AND pid <> pg_backend_pid()";
    postgres.psql(name.unwrap(), end).unwrap();
    holder.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_a_lock_ends_in_a_refusal_that_did_nothing_and_the_line_is_bounded() {
    let postgres = Postgres::shared();
    let url = postgres.database();
    let bounds = PostgresTuning {
        lock_timeout: Duration::from_millis(200),
        ..PostgresTuning::default()
    };
    let store = TempStore::at(Some(url.clone()), tuned(4, bounds)).await;
    let holder = hold(&postgres, &url);
    let refused = {
        let opening = opening(issue(&store, 1, &address("a")), Settings::default(), None);
        store.engine.open_auth_request(opening).await.unwrap_err()
    };
    assert!(matches!(refused, StoreError::NotDone(_)), "{refused:?}");
    let mut asked = JoinSet::new();
    for n in 2..1100 {
        let engine = Arc::clone(&store.engine);
        let opening = opening(
            issue(&store, n, &address(&format!("b{n}"))),
            Settings::default(),
            None,
        );
        asked.spawn(async move { engine.open_auth_request(opening).await });
    }
    let answers = asked.join_all().await;
    let at_once = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::Refused)));
    assert!(
        at_once.count() > 0,
        "past its bound the line refuses at once"
    );
    assert!(answers.iter().all(Result::is_err));
    release(&postgres, &url, holder);
    // What waited may still be on its way out of the line.
    let taken = async {
        let opening = || {
            opening(
                issue(&store, 2000, &address("after")),
                Settings::default(),
                None,
            )
        };
        while store.engine.open_auth_request(opening()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    let taken = tokio::time::timeout(Duration::from_mins(1), taken).await;
    taken.expect("a lock that is gone holds up nobody");
}

/// How many sessions have the lock of [`hold`] (of `granted`), or wait for it.
fn lockers(postgres: &Postgres, url: &str, granted: bool) -> String {
    let name = url.trim_start_matches("postgres:///").split('?').next();
    let count = format!(
        "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
         WHERE c.relname = 'address_sends' AND l.granted = {granted}"
    );
    postgres
        .psql(name.unwrap(), &count)
        .unwrap()
        .trim()
        .to_owned()
}

/// Sends while the store is held up by a lock for longer than `tuning` lets a caller wait. It is told
/// that nothing was done, nothing is done later, and the next send goes through.
async fn refused_while_held(tuning: Tuning) -> StoreError {
    let postgres = Postgres::shared();
    let url = postgres.database();
    let store = TempStore::at(Some(url.clone()), tuning).await;
    let holder = hold(&postgres, &url);
    let issued = issue(&store, 1, &address("ada"));
    let first = issued.id;
    let held_up = opening(issued, Settings::default(), None);
    let told = store.engine.open_auth_request(held_up).await.unwrap_err();
    assert_eq!(lockers(&postgres, &url, true), "1", "it is still held");
    release(&postgres, &url, holder);
    let second = async {
        let mut n = 2;
        loop {
            let issued = issue(&store, n, &address(&format!("after{n}")));
            let id = issued.id;
            let after = opening(issued, Settings::default(), None);
            if let Ok(opened) = store.engine.open_auth_request(after).await {
                opened.outcome.unwrap();
                return id;
            }
            n += 1;
        }
    };
    // Its bounds are tight, and a busy machine may not keep them at once.
    let second = tokio::time::timeout(Duration::from_mins(1), second).await;
    let second = second.expect("a lock that is gone holds up nobody");
    let opened = store.engine.find_auth_request(second).await.unwrap();
    assert!(opened.is_some());
    assert_eq!(store.engine.find_auth_request(first).await.unwrap(), None);
    assert_eq!(lockers(&postgres, &url, false), "0", "nobody waits in vain");
    told
}

/// So long that no test sees its end.
const NEVER: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_past_its_bound_ends_in_a_refusal_that_did_nothing() {
    let bounds = PostgresTuning {
        statement_timeout: Duration::from_millis(300),
        lock_timeout: NEVER,
        ..PostgresTuning::default()
    };
    let told = refused_while_held(tuned(64, bounds)).await;
    let StoreError::NotDone(cause) = told else {
        panic!("{told:?}")
    };
    assert_eq!(cause.to_string(), "the database did not answer in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_bounds_a_caller_is_told_in_time_and_what_was_given_up_is_never_done() {
    let bounds = PostgresTuning {
        statement_timeout: NEVER,
        lock_timeout: NEVER,
        writers: 1,
        ..PostgresTuning::default()
    };
    let tuning = Tuning {
        patience: Patience {
            before_commit: Duration::from_millis(300),
            ..Patience::default()
        },
        ..tuned(64, bounds)
    };
    let told = refused_while_held(tuning).await;
    assert!(matches!(told, StoreError::NotDone(_)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_commits_without_writing_down_is_refused_with_what_to_set() {
    let postgres = Postgres::shared();
    let url = postgres.database();
    let name = url.trim_start_matches("postgres:///").split('?').next();
    let commits = |how: &str| {
        let sql = format!("ALTER DATABASE {} {how}", name.unwrap());
        postgres.psql("postgres", &sql).unwrap();
    };
    commits("SET synchronous_commit = off");
    let told = open(&url).await.err().unwrap().to_string();
    assert!(told.contains("SET synchronous_commit = on"), "{told}");
    for kept in ["local", "remote_write", "on"] {
        commits(&format!("SET synchronous_commit = {kept}"));
        open(&url).await.unwrap().close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_migrate_at_once_apply_each_step_once() {
    let url = Postgres::shared().database();
    let mut migrating = JoinSet::new();
    for _ in 0..4 {
        let url = url.clone();
        migrating.spawn(async move {
            let clock = Arc::new(FrozenClock::default());
            migrate(&url, clock, Tuning::default()).await.unwrap()
        });
    }
    let mut applied: Vec<String> = migrating.join_all().await.into_iter().flatten().collect();
    applied.sort();
    let folder = format!("{}/migrations/postgres", env!("CARGO_MANIFEST_DIR"));
    let steps = std::fs::read_dir(folder).unwrap();
    let steps = steps.map(|step| step.unwrap().file_name().into_string().unwrap());
    let mut steps: Vec<_> = steps
        .map(|name| name.trim_end_matches(".sql").to_owned())
        .collect();
    steps.sort();
    assert_eq!(applied, steps);
}
