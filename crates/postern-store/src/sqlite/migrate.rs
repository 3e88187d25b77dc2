use aws_lc_rs::digest::{SHA256, digest};
use postern_core::model::Timestamp;
use rusqlite::{Connection, Result, TransactionBehavior, params};

use super::catalog;
use crate::connect::ConnectError;

/// One step of the schema; never changed once released.
struct Migration {
    number: u32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "first",
        sql: include_str!("../../migrations/sqlite/0001_first.sql"),
    },
    Migration {
        number: 2,
        name: "test_identities",
        sql: include_str!("../../migrations/sqlite/0002_test_identities.sql"),
    },
    Migration {
        number: 3,
        name: "providers",
        sql: include_str!("../../migrations/sqlite/0003_providers.sql"),
    },
    Migration {
        number: 4,
        name: "log",
        sql: include_str!("../../migrations/sqlite/0004_log.sql"),
    },
    Migration {
        number: 5,
        name: "recent_sends",
        sql: include_str!("../../migrations/sqlite/0005_recent_sends.sql"),
    },
    Migration {
        number: 6,
        name: "admins",
        sql: include_str!("../../migrations/sqlite/0006_admins.sql"),
    },
    Migration {
        number: 7,
        name: "suppressions",
        sql: include_str!("../../migrations/sqlite/0007_suppressions.sql"),
    },
    Migration {
        number: 8,
        name: "last_try",
        sql: include_str!("../../migrations/sqlite/0008_last_try.sql"),
    },
    Migration {
        number: 9,
        name: "mail_hooks",
        sql: include_str!("../../migrations/sqlite/0009_mail_hooks.sql"),
    },
    Migration {
        number: 10,
        name: "dkim_keys",
        sql: include_str!("../../migrations/sqlite/0010_dkim_keys.sql"),
    },
    Migration {
        number: 11,
        name: "fence",
        sql: include_str!("../../migrations/sqlite/0011_fence.sql"),
    },
    Migration {
        number: 12,
        name: "mail_templates",
        sql: include_str!("../../migrations/sqlite/0012_mail_templates.sql"),
    },
    Migration {
        number: 13,
        name: "room_for_changes",
        sql: include_str!("../../migrations/sqlite/0013_room_for_changes.sql"),
    },
    Migration {
        number: 14,
        name: "secret_uses",
        sql: include_str!("../../migrations/sqlite/0014_secret_uses.sql"),
    },
    Migration {
        number: 15,
        name: "log_hours",
        sql: include_str!("../../migrations/sqlite/0015_log_hours.sql"),
    },
    Migration {
        number: 16,
        name: "lost_mail",
        sql: include_str!("../../migrations/sqlite/0016_lost_mail.sql"),
    },
    Migration {
        number: 17,
        name: "log_waiting",
        sql: include_str!("../../migrations/sqlite/0017_log_waiting.sql"),
    },
];

/// Brings the schema up to this release, all or nothing; answers the names of what was applied.
///
/// # Errors
/// The store is newer than this release, or was not made by it.
pub(super) fn migrate(conn: &mut Connection, now: Timestamp) -> Result<Vec<String>, ConnectError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (\
             number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL, \
             applied_at INTEGER NOT NULL) STRICT",
    )?;
    let found = applied(&tx)?;
    check(&found)?;
    let mut done = Vec::new();
    for step in MIGRATIONS
        .iter()
        .filter(|step| found.iter().all(|(number, _)| *number != step.number))
    {
        tx.execute_batch(step.sql)?;
        tx.execute(
            "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
            params![step.number, step.name, checksum(step), now.micros()],
        )?;
        done.push(format!("{:04}_{}", step.number, step.name));
    }
    tx.commit()?;
    Ok(done)
}

/// The schema as a store of this release says it, in the form of [`catalog::written`].
///
/// # Errors
/// SQLite gives no memory for it.
pub(crate) fn made_schema() -> Result<Vec<(String, String, String)>, ConnectError> {
    let mut conn = Connection::open_in_memory()?;
    migrate(&mut conn, Timestamp::from_micros(0))?;
    Ok(catalog::written(&conn)?)
}

/// Looks whether the schema is this release's; nothing is changed.
///
/// # Errors
/// It is older, newer, or somebody else's.
pub(super) fn check_current(conn: &Connection) -> Result<(), ConnectError> {
    let found = applied(conn)?;
    check(&found)?;
    let last = found.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let known = MIGRATIONS.iter().map(|step| step.number).max().unwrap_or(0);
    if last < known {
        return Err(ConnectError::Older { found: last, known });
    }
    Ok(())
}

fn applied(conn: &Connection) -> Result<Vec<(u32, Vec<u8>)>> {
    let mut statement =
        conn.prepare("SELECT number, checksum FROM schema_migrations ORDER BY number")?;
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn check(found: &[(u32, Vec<u8>)]) -> Result<(), ConnectError> {
    for (number, stored) in found {
        let known = MIGRATIONS.iter().map(|step| step.number).max().unwrap_or(0);
        match MIGRATIONS.iter().find(|step| step.number == *number) {
            None => {
                return Err(ConnectError::Newer {
                    found: *number,
                    known,
                });
            }
            Some(step) if checksum(step) != *stored => {
                return Err(ConnectError::Foreign { number: *number });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn checksum(step: &Migration) -> Vec<u8> {
    digest(&SHA256, step.sql.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated() -> Connection {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, Timestamp::from_micros(1)).unwrap();
        conn
    }

    #[test]
    fn a_schema_that_is_there_is_left_alone() {
        let mut conn = migrated();
        migrate(&mut conn, Timestamp::from_micros(2)).unwrap();
        let last: i64 = conn
            .query_row("SELECT max(applied_at) FROM schema_migrations", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(last, 1);
    }

    #[test]
    fn a_store_of_a_newer_release_is_refused() {
        let mut conn = migrated();
        conn.execute(
            "INSERT INTO schema_migrations VALUES (99, 'later', x'00', 1)",
            [],
        )
        .unwrap();
        let refused = migrate(&mut conn, Timestamp::from_micros(2)).unwrap_err();
        assert!(
            matches!(refused, ConnectError::Newer { found: 99, .. }),
            "{refused}"
        );
    }

    #[test]
    fn a_store_with_another_schema_under_the_same_number_is_refused() {
        let mut conn = migrated();
        conn.execute("UPDATE schema_migrations SET checksum = x'00'", [])
            .unwrap();
        let refused = migrate(&mut conn, Timestamp::from_micros(2)).unwrap_err();
        assert!(
            matches!(refused, ConnectError::Foreign { number: 1 }),
            "{refused}"
        );
    }
}
