//! Sources that no release of ours left so: they are refused in words, they stay as they are, and nothing
//! that a server would start on comes of them.
#![expect(
    clippy::unwrap_used,
    reason = "the functions beside the tests are theirs"
)]

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use postern_core::model::{Client, ClientId, ClientSecret, NodeId};
use postern_core::ports::{Amendment, Clock};
use postern_store::contract::send_many;
use postern_store::copy::{CopyError, Place, copy};
use postern_store::testing::TempStore;
use postern_store::{Tuning, connect, store_file};
use postern_testkit::postgres::Postgres;
use rusqlite::Connection;

fn run(conn: &Connection, sql: &str) {
    conn.execute_batch(sql).unwrap();
}

const UNREADABLE: &str = "a row does not read";
const SCHEMA: &str = "the schema is not as this release expects it";

/// What is done to a whole store, and what its copy is refused with.
const DAMAGES: &[(&str, &str)] = &[
    ("DROP TABLE suppressions", SCHEMA),
    ("ALTER TABLE clients ADD COLUMN more TEXT", SCHEMA),
    // It would go off when the source is fenced.
    (
        "CREATE TRIGGER t AFTER INSERT ON fence BEGIN DELETE FROM auth_requests; END",
        SCHEMA,
    ),
    (
        "UPDATE schema_migrations SET checksum = x'00' WHERE number = 3",
        "another program or build",
    ),
    ("UPDATE auth_requests SET state = 99", UNREADABLE),
    (
        "UPDATE auth_requests SET id = x'0102' WHERE id IN (SELECT max(id) FROM auth_requests)",
        UNREADABLE,
    ),
    ("UPDATE client_secrets SET digest = x'0102'", UNREADABLE),
    (
        "UPDATE clients SET name = CAST(x'ff41' AS TEXT)",
        UNREADABLE,
    ),
    (
        "UPDATE deliveries SET ordinal = 1 << 40",
        "writing deliveries: a row does not read: a value does not fit its column",
    ),
    (
        "UPDATE events SET request_id = x'0102'",
        "writing events: a row does not read: a value does not fit its column",
    ),
    (
        "UPDATE events SET detail = 'a' || char(0)",
        "writing events: ",
    ),
    (
        "UPDATE events SET detail = CAST(zeroblob(9000000) AS TEXT)",
        "string or blob too big",
    ),
];

/// A store with clients, requests, mails and events, which nobody has open any more.
async fn filled(url: Option<String>) -> TempStore {
    let store = TempStore::at(url, Tuning::default()).await;
    send_many(&store, 20).await;
    let client = Client {
        id: ClientId::parse("skc_1").unwrap(),
        name: "shop".into(),
        created_at: store.clock.now(),
        secrets: vec![ClientSecret {
            digest: [7; 32],
            created_at: store.clock.now(),
            expires_at: None,
        }],
    };
    let put = Box::new(move |_: &_, _| Ok(vec![Amendment::PutClient(client.clone())]));
    store.engine.amend(put).await.unwrap().unwrap();
    store.engine.close().await;
    store
}

/// What an error says, with what lies behind it.
fn whole(error: &CopyError) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        told = format!("{told}: {one}");
        cause = one.source();
    }
    told
}

/// What the copy of the store in this folder is refused with; the target opens for nobody, and the
/// source is not fenced.
async fn refused(from: &Path, store: &TempStore) -> String {
    let url = Postgres::shared().database();
    let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
    let from_place = Place::Dir(from.to_owned());
    let to = Place::Url(url.clone());
    let refused = copy(&from_place, &to, Arc::clone(&clock), &mut |_| {}).await;
    let told = whole(&refused.unwrap_err());
    let opened = connect(&url, NodeId([9; 8]), clock, Tuning::default()).await;
    assert!(opened.is_err(), "{told}");
    if store_file(from).is_file() {
        let conn = Connection::open(store_file(from)).unwrap();
        let fences = conn.query_row("SELECT count(*) FROM fence", [], |row| row.get(0));
        // A file that is no store has none.
        assert_eq!(fences.unwrap_or(0), 0, "{told}");
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_no_release_of_ours_wrote_so_is_refused_and_left_as_it_is() {
    for (done, expected) in DAMAGES {
        let store = filled(None).await;
        let conn = Connection::open(store_file(store.path())).unwrap();
        run(&conn, done);
        drop(conn);
        let told = refused(store.path(), &store).await;
        assert!(told.contains(expected), "{done}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_whose_pages_were_overwritten_is_refused() {
    let store = filled(None).await;
    let file = store_file(store.path());
    let conn = Connection::open(&file).unwrap();
    run(&conn, "PRAGMA wal_checkpoint(TRUNCATE)");
    let page = |name: &str| -> usize {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let page: u32 = conn.query_row(sql, [name], |row| row.get(0)).unwrap();
        page.try_into().unwrap()
    };
    let pages = ["events", "deliveries_queued"].map(page);
    drop(conn);
    let whole = std::fs::read(&file).unwrap();
    for page in pages {
        let mut bytes = whole.clone();
        bytes[(page - 1) * 4096..page * 4096].fill(0);
        std::fs::write(&file, bytes).unwrap();
        let told = refused(store.path(), &store).await;
        assert!(told.contains("damaged"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_no_store_is_refused() {
    let store = filled(None).await;
    let folder = tempfile::tempdir().unwrap();
    let file = store_file(folder.path());
    let told = refused(folder.path(), &store).await;
    assert!(told.contains("there is no store at"), "{told}");
    assert!(!file.exists());
    std::fs::write(
        &file,
        "not a database, but longer than the head of one".repeat(200),
    )
    .unwrap();
    let told = refused(folder.path(), &store).await;
    assert!(told.contains("not a database"), "{told}");
    std::fs::write(&file, "").unwrap();
    run(&Connection::open(&file).unwrap(), "CREATE TABLE t (x)");
    let told = refused(folder.path(), &store).await;
    assert!(told.contains("schema"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_no_release_of_ours_left_so_is_refused_too() {
    for (done, told) in [
        ("UPDATE auth_requests SET state = 99", UNREADABLE),
        ("UPDATE auth_requests SET method = 0", UNREADABLE),
        ("UPDATE client_secrets SET digest = '\\x0102'", UNREADABLE),
        ("ALTER TABLE clients ADD COLUMN more TEXT", SCHEMA),
        ("DROP TABLE dkim_keys", "reading the source"),
        ("DROP TABLE suppressions", SCHEMA),
        (
            "ALTER TABLE events ALTER COLUMN at TYPE DOUBLE PRECISION",
            "a column of type",
        ),
        (
            "UPDATE schema_migrations SET checksum = '\\x00'",
            "another program or build",
        ),
    ] {
        let postgres = Postgres::shared();
        let url = postgres.database();
        let store = filled(Some(url.clone())).await;
        let name = url.trim_start_matches("postgres:///").split('?').next();
        postgres.psql(name.unwrap(), done).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = Place::Dir(folder.path().join("data"));
        let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
        let refused = copy(&Place::Url(url.clone()), &to, clock, &mut |_| {}).await;
        let refused = whole(&refused.unwrap_err());
        assert!(refused.contains(told), "{done}: {refused}");
        let fences = postgres
            .psql(name.unwrap(), "SELECT count(*) FROM fence")
            .unwrap();
        assert_eq!(fences.trim(), "0", "{done}");
    }
}
