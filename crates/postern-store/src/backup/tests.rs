//! Backups that somebody has been at, with a manifest that agrees.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{BackupError, Restored, inspect, restore, take};
use crate::data_dir::DataDir;
use crate::sqlite::{SqliteStore, open};
use crate::testing::{FrozenClock, SeededEntropy};

/// A backup of a store that this was done to.
fn taken(done: impl FnOnce(&Connection)) -> (TempDir, PathBuf) {
    let (folder, clock) = (tempfile::tempdir().unwrap(), FrozenClock::default());
    let data = DataDir::open(folder.path().join("data")).unwrap();
    SqliteStore::migrate(&data.store_file(), &clock).unwrap();
    done(&open::copying(&data.store_file()).unwrap());
    let (file, entropy) = (folder.path().join("a.backup"), SeededEntropy::new(1));
    take(&data.store_file(), &file, &clock, &entropy, &mut |_| ()).unwrap();
    (folder, file)
}

fn restored(folder: &Path, file: &Path) -> Result<(Restored, Connection), BackupError> {
    let into = DataDir::open(folder.join("elsewhere")).unwrap();
    let (clock, wanted) = (FrozenClock::default(), |_: &_, _: &_| Ok(()));
    let restored = restore(file, &into, false, &clock, &wanted, &mut |_| ())?;
    Ok((restored, open::copying(&into.store_file()).unwrap()))
}

/// Why a backup whose file this was done to is refused.
fn refusal(done: &str) -> String {
    let (folder, file) = taken(|_| ());
    Connection::open(&file)
        .unwrap()
        .execute_batch(done)
        .unwrap();
    let refused = restored(folder.path(), &file).map(drop).unwrap_err();
    assert!(matches!(refused, BackupError::NotWhole { .. }), "{done}");
    refused.to_string()
}

#[test]
fn what_would_act_by_itself_in_the_store_is_refused() {
    for done in [
        "CREATE TRIGGER eternal AFTER UPDATE ON auth_requests BEGIN UPDATE auth_requests SET wrong = NULL; END",
        "CREATE VIEW eternal AS SELECT * FROM events",
    ] {
        let told = refusal(done);
        assert!(told.contains("it has \"eternal\" in it"), "{told}");
    }
    let (_folder, file) = taken(|_| ());
    let conn = Connection::open(&file).unwrap();
    conn.execute_batch("CREATE VIEW eternal AS SELECT 1")
        .unwrap();
    let looked = inspect(&file, &mut |_| ());
    assert!(matches!(looked, Err(BackupError::NotWhole { .. })));
}

#[test]
fn a_schema_that_says_something_else_than_ours_is_refused() {
    for done in [
        "DROP INDEX deliveries_queued",
        "CREATE UNIQUE INDEX one_event_at_most ON events (at)",
        "DROP TABLE mail_inputs; CREATE TABLE mail_inputs (request_id BLOB NOT NULL PRIMARY KEY, \
         kid INTEGER NOT NULL, input BLOB NOT NULL CHECK (input IS NULL)) STRICT, WITHOUT ROWID",
    ] {
        let told = refusal(done);
        assert!(told.contains("its schema is not one"), "{told}");
    }
}

#[test]
fn a_table_of_any_name_is_read_as_a_table() {
    let told = refusal("CREATE TABLE \"x\"\" UNION SELECT 1 --\" (a INTEGER)");
    assert!(told.contains("is not as it was"), "{told}");
}

#[test]
fn an_index_that_hides_a_row_shows_it_again() {
    let (folder, file) = taken(|conn| {
        let index = "FROM sqlite_schema WHERE name = 'suppressions_by_time'";
        conn.execute_batch(&format!(
            "CREATE TEMP TABLE kept AS SELECT * {index}; PRAGMA writable_schema = ON; DELETE {index}; \
             PRAGMA writable_schema = RESET; \
             INSERT INTO suppressions VALUES (x'01', 'ada@example.com', 'bounced', '', 1, NULL);"
        ))
        .unwrap();
        conn.execute_batch(
            "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; \
             PRAGMA writable_schema = RESET;",
        )
        .unwrap();
    });
    let (_, conn) = restored(folder.path(), &file).unwrap();
    let sound: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn sessions_and_invitations_of_admins_do_not_live_again() {
    let (folder, file) = taken(|conn| {
        conn.execute_batch(
            "INSERT INTO admin_sessions VALUES (x'01', 'ada@example.com', 1, 1, 1, 'Firefox'); \
             INSERT INTO admin_invites VALUES (x'02', 'bob@example.com', 'owner', 9000000000000000); \
             INSERT INTO admin_invites VALUES (x'03', 'eve@example.com', 'viewer', 9000000000000000);",
        )
        .unwrap();
    });
    let (restored, conn) = restored(folder.path(), &file).unwrap();
    let ended = restored.ended;
    assert_eq!((ended.admin_sessions, ended.admin_invites), (1, 2));
    let left =
        "SELECT (SELECT count(*) FROM admin_sessions) + (SELECT count(*) FROM admin_invites)";
    let left: u32 = conn.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}
