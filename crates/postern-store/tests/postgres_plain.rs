//! The schema and the statements use nothing that a transaction pooler or a distributed engine of PostgreSQL's
//! protocol lacks (docs/decisions/0008-postgres-without-tricks.md).

use std::path::Path;

use postern_store::Tuning;
use postern_store::testing::TempStore;
use postern_testkit::postgres::Postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_is_of_tables_and_indexes_without_sequences_defaults_triggers_or_extensions() {
    let postgres = Postgres::shared();
    let url = postgres.database();
    let store = TempStore::at(Some(url.clone()), Tuning::default()).await;
    let name = url.trim_start_matches("postgres:///").split('?').next();
    let name = name.expect("a URL names its database");
    let counted = |sql: &str| -> u32 {
        let told = postgres.psql(name, &format!("SELECT count(*) FROM {sql}"));
        told.expect("it answers").trim().parse().expect("a number")
    };
    let ours = "relnamespace = 'public'::regnamespace";
    assert!(counted(&format!("pg_class WHERE relkind = 'r' AND {ours}")) > 20);
    for (what, of) in [
        (
            "sequences",
            format!("pg_class WHERE relkind = 'S' AND {ours}"),
        ),
        (
            "views and other relations",
            format!("pg_class WHERE relkind NOT IN ('r', 'i') AND {ours}"),
        ),
        (
            "tables that a crash empties",
            format!("pg_class WHERE relpersistence <> 'p' AND {ours}"),
        ),
        ("defaults", "pg_attrdef".to_owned()),
        ("triggers and foreign keys", "pg_trigger".to_owned()),
        (
            "functions",
            "pg_proc WHERE pronamespace = 'public'::regnamespace".to_owned(),
        ),
        (
            "extensions",
            "pg_extension WHERE extname <> 'plpgsql'".to_owned(),
        ),
    ] {
        assert_eq!(counted(&of), 0, "{what}");
    }
    store.engine.close().await;
}

#[test]
fn no_statement_takes_an_advisory_lock_or_waits_for_a_notification() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres");
    let files = std::fs::read_dir(sources).expect("the sources are there");
    let mut read = 0;
    for file in files {
        let path = file.expect("it reads").path();
        let text = std::fs::read_to_string(&path).expect("it reads");
        for trick in [
            "pg_advisory",
            "pg_try_advisory",
            "pg_notify",
            "LISTEN ",
            "NOTIFY ",
            "nextval",
            "TEMP TABLE",
            "DECLARE ",
            "SET SESSION",
        ] {
            assert!(!text.contains(trick), "{trick} in {}", path.display());
        }
        read += 1;
    }
    assert!(read > 20, "{read}");
}
