//! A copy is read through once more before it is served: what differs from its source is told of, table by
//! table, and opens for nobody.
#![expect(
    clippy::unwrap_used,
    reason = "the functions beside the tests are theirs"
)]

use std::sync::Arc;

use postern_core::model::NodeId;
use postern_core::ports::{Clock, Engine};
use postern_store::contract::desk::session_of;
use postern_store::contract::{address, send_many};
use postern_store::copy::{CopyError, Place, copy, lift};
use postern_store::testing::TempStore;
use postern_store::{ConnectError, Progress, Tuning, connect, store_file};
use postern_testkit::postgres::Postgres;

/// Requests, their mails and counts, and an admin who is in.
async fn filled(url: Option<String>) -> TempStore {
    let store = TempStore::at(url, Tuning::default()).await;
    send_many(&store, 20).await;
    let now = store.clock.now();
    let session = session_of(1, address("admin"), now);
    store.engine.put_session(session, now).await.unwrap();
    store
}

/// What is done to the target, and how the verification tells of it: the table, its rows and the copy's. A
/// value that changed, a row less and a row more.
const MEDDLED: &[(&str, (&str, u64, u64))] = &[
    (
        "UPDATE auth_requests SET resends = 7 WHERE id = (SELECT id FROM auth_requests ORDER BY id LIMIT 1)",
        ("auth_requests", 20, 20),
    ),
    ("DELETE FROM admin_sessions", ("admin_sessions", 1, 0)),
    (
        "INSERT INTO admins (address, email, role, created_at) VALUES ('x@example.com', 'x@example.com', 'owner', 1)",
        ("admins", 0, 1),
    ),
];

/// Copies, and meddles with the target between the second pass and the verification: of that the first
/// word is of a table that nobody meddles with.
async fn meddled_with(
    (from, to): (&Place, &Place),
    store: &TempStore,
    meddle: impl Fn() + Sync,
) -> CopyError {
    let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
    let mut seen = 0;
    let mut watch = |progress: Progress<'_>| {
        seen += u32::from(progress.step.starts_with("verifying "));
        if seen == 1 {
            assert_eq!(progress.step, "verifying clients");
            meddle();
            seen += 1;
        }
    };
    copy(from, to, clock, &mut watch).await.unwrap_err()
}

async fn open(url: &str, store: &TempStore) -> Result<Arc<dyn Engine>, ConnectError> {
    let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
    connect(url, NodeId([9; 8]), clock, Tuning::default()).await
}

/// Whatever is done to the target is found, leaves it closed, and is mended by copying again.
async fn assert_told(
    (from, to): (&Place, &Place),
    store: &TempStore,
    target: &str,
    meddle: impl Fn(&str) + Sync,
) {
    for (sql, expected) in MEDDLED {
        let error = meddled_with((from, to), store, || meddle(sql)).await;
        let told = error.to_string();
        let CopyError::Differs {
            table,
            rows,
            copied,
        } = error
        else {
            panic!("{sql}: {told}")
        };
        assert_eq!((table.as_str(), rows, copied), *expected);
        assert!(told.contains(&table), "{told}");
        let closed = open(target, store).await.err().unwrap().to_string();
        assert!(closed.contains("is not finished"), "{closed}");
        lift(to, &*store.clock).await.unwrap_err();
    }
    let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
    let copied = copy(from, to, clock, &mut |_| {}).await.unwrap();
    assert!(copied.resumed);
    let engine = open(target, store).await.unwrap();
    let (there, here) = (engine.sessions().await, store.engine.sessions().await);
    assert_eq!(there.unwrap(), here.unwrap());
    assert_eq!(engine.snapshot().await.unwrap().admins.len(), 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_changed_before_it_was_verified_is_told_of_and_opens_for_nobody() {
    let store = filled(None).await;
    let postgres = Postgres::shared();
    let url = postgres.database();
    let name = url.trim_start_matches("postgres:///").split('?').next();
    let meddle = |sql: &str| drop(postgres.psql(name.unwrap(), sql).unwrap());
    let (from, to) = (Place::Dir(store.path().to_owned()), Place::Url(url.clone()));
    assert_told((&from, &to), &store, &url, meddle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_changed_before_it_was_verified_is_told_of_and_opens_for_nobody() {
    let url = Postgres::shared().database();
    let store = filled(Some(url.clone())).await;
    let back = tempfile::tempdir().unwrap();
    let folder = back.path().join("data");
    let file = store_file(&folder);
    let meddle = |sql: &str| {
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(sql).unwrap();
    };
    let (from, to) = (Place::Url(url), Place::Dir(folder.clone()));
    let target = format!("sqlite:{}", file.display());
    assert_told((&from, &to), &store, &target, meddle).await;
}
