use aws_lc_rs::digest::{SHA256, digest};
use postern_core::model::Timestamp;
use tokio_postgres::types::Type;

use super::failure::{Failure, is_missing_table};
use super::session::{Param, Session, Sql};
use super::value::{get, number};
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
        sql: include_str!("../../migrations/postgres/0001_first.sql"),
    },
    Migration {
        number: 2,
        name: "test_identities",
        sql: include_str!("../../migrations/postgres/0002_test_identities.sql"),
    },
    Migration {
        number: 3,
        name: "providers",
        sql: include_str!("../../migrations/postgres/0003_providers.sql"),
    },
    Migration {
        number: 4,
        name: "log",
        sql: include_str!("../../migrations/postgres/0004_log.sql"),
    },
    Migration {
        number: 5,
        name: "recent_sends",
        sql: include_str!("../../migrations/postgres/0005_recent_sends.sql"),
    },
    Migration {
        number: 6,
        name: "admins",
        sql: include_str!("../../migrations/postgres/0006_admins.sql"),
    },
    Migration {
        number: 7,
        name: "suppressions",
        sql: include_str!("../../migrations/postgres/0007_suppressions.sql"),
    },
    Migration {
        number: 8,
        name: "last_try",
        sql: include_str!("../../migrations/postgres/0008_last_try.sql"),
    },
    Migration {
        number: 9,
        name: "mail_hooks",
        sql: include_str!("../../migrations/postgres/0009_mail_hooks.sql"),
    },
    Migration {
        number: 10,
        name: "dkim_keys",
        sql: include_str!("../../migrations/postgres/0010_dkim_keys.sql"),
    },
    Migration {
        number: 11,
        name: "fence",
        sql: include_str!("../../migrations/postgres/0011_fence.sql"),
    },
    Migration {
        number: 12,
        name: "mail_templates",
        sql: include_str!("../../migrations/postgres/0012_mail_templates.sql"),
    },
    Migration {
        number: 13,
        name: "room_for_changes",
        sql: include_str!("../../migrations/postgres/0013_room_for_changes.sql"),
    },
    Migration {
        number: 14,
        name: "secret_uses",
        sql: include_str!("../../migrations/postgres/0014_secret_uses.sql"),
    },
    Migration {
        number: 15,
        name: "log_hours",
        sql: include_str!("../../migrations/postgres/0015_log_hours.sql"),
    },
    Migration {
        number: 16,
        name: "lost_mail",
        sql: include_str!("../../migrations/postgres/0016_lost_mail.sql"),
    },
    Migration {
        number: 17,
        name: "log_waiting",
        sql: include_str!("../../migrations/postgres/0017_log_waiting.sql"),
    },
];

/// The number of the last migration of this release.
fn known() -> u32 {
    MIGRATIONS.iter().map(|step| step.number).max().unwrap_or(0)
}

/// Looks whether the schema is this release's: nothing is changed here, for other nodes may still run
/// an older release.
///
/// # Errors
/// It is older, newer, or somebody else's.
pub(super) async fn check(session: &Session) -> Result<(), ConnectError> {
    let found = applied(session).await?;
    judge(&found)?;
    let last = found.iter().map(|(number, _)| *number).max().unwrap_or(0);
    if last < known() {
        return Err(ConnectError::Older {
            found: last,
            known: known(),
        });
    }
    Ok(())
}

/// Brings the schema up to this release, each step all or nothing; answers the names of the steps.
///
/// Several may do this at once: a step's row is written first, so that the later one waits for the
/// earlier and finds it done.
///
/// # Errors
/// The store is newer than this release, or was not made by it, or a step fails.
pub(super) async fn migrate(
    session: &Session,
    now: Timestamp,
) -> Result<Vec<String>, ConnectError> {
    make_table(session).await?;
    judge(&applied(session).await?)?;
    let mut done = Vec::new();
    for step in MIGRATIONS {
        if apply(session, step, now).await? {
            done.push(format!("{:04}_{}", step.number, step.name));
        }
    }
    judge(&applied(session).await?)?;
    Ok(done)
}

/// Two that make the table at once can stand in each other's way: the second try finds it.
async fn make_table(session: &Session) -> Result<(), ConnectError> {
    let make = "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER NOT NULL PRIMARY KEY, \
                name TEXT NOT NULL, checksum BYTEA NOT NULL, applied_at BIGINT NOT NULL)";
    if session.run(make).await.is_err() {
        session.run(make).await?;
    }
    Ok(())
}

async fn apply(session: &Session, step: &Migration, now: Timestamp) -> Result<bool, ConnectError> {
    static NOTE: Sql = Sql {
        text: "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (number) DO NOTHING",
        types: &[Type::INT4, Type::TEXT, Type::BYTEA, Type::INT8],
    };
    let params: [Param<'_>; 4] = [
        &i32::try_from(step.number).unwrap_or(i32::MAX),
        &step.name,
        &checksum(step),
        &now.micros(),
    ];
    let work = async {
        // Another migrating process may hold the row for as long as its step takes.
        session.run("SET LOCAL lock_timeout = 0").await?;
        let new = session.execute(&NOTE, &params).await? > 0;
        if new {
            session.run(step.sql).await?;
        }
        Ok(new)
    };
    let done = session.transact(work).await;
    done.map_err(|(error, _)| ConnectError::Engine(error.into()))
}

async fn applied(session: &Session) -> Result<Vec<(u32, Vec<u8>)>, ConnectError> {
    static APPLIED: Sql = Sql {
        text: "SELECT number, checksum FROM schema_migrations ORDER BY number",
        types: &[],
    };
    let rows = match session.query(&APPLIED, &[]).await {
        Ok(rows) => rows,
        Err(failure) if is_missing_table(&failure) => return Ok(Vec::new()),
        Err(failure) => return Err(failure.into()),
    };
    let read = |row| -> Result<_, Failure> { Ok((number::<i32, _>(row, 0)?, get(row, 1)?)) };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

fn judge(found: &[(u32, Vec<u8>)]) -> Result<(), ConnectError> {
    for (number, stored) in found {
        match MIGRATIONS.iter().find(|step| step.number == *number) {
            None => {
                return Err(ConnectError::Newer {
                    found: *number,
                    known: known(),
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

    #[test]
    fn both_engines_have_the_same_migrations() {
        let names = |engine: &str| {
            let folder = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut names: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names("postgres"), names("sqlite"));
        let ours = MIGRATIONS
            .iter()
            .map(|step| format!("{:04}_{}.sql", step.number, step.name));
        assert_eq!(names("postgres"), ours.collect::<Vec<_>>());
    }

    /// The statements of a step, in capitals and with single spaces.
    fn statements(step: &Migration) -> Vec<String> {
        let bare: Vec<&str> = step
            .sql
            .lines()
            .map(|line| line.split("--").next().unwrap_or(""))
            .collect();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let all = bare.join("\n").to_uppercase();
        all.split(';')
            .map(words)
            .filter(|one| !one.is_empty())
            .collect()
    }

    /// Indexes of tables in use, from when no node of an earlier release could be beneath.
    const BEFORE_THE_FIRST_RELEASE: [&str; 3] = [
        "CREATE INDEX EVENTS_UNPLACED ON EVENTS (ID) WHERE PLACE IS NULL",
        "CREATE INDEX EVENTS_PLACED ON EVENTS (PLACE) WHERE PLACE IS NOT NULL",
        "CREATE INDEX LOG_REQUESTS_LOST ON LOG_REQUESTS (LOST) WHERE LOST IS NOT NULL",
    ];

    /// Written so that nodes of the release before find nothing to do; the step says why.
    const TAKES_OVER: &str = "UPDATE LOG_CURSOR SET ID = 2 WHERE ID = 1";

    /// Whether nodes of the release before, which know nothing of `made`, can go on meanwhile and after.
    fn expands(statement: &str, made: &[&str]) -> bool {
        let on_new = |before: &str| {
            let table = statement.split_once(before).map(|(_, rest)| rest);
            let table = table.and_then(|rest| rest.split([' ', '(']).next());
            table.is_some_and(|table| made.contains(&table))
        };
        let indexes =
            statement.starts_with("CREATE INDEX") || statement.starts_with("CREATE UNIQUE INDEX");
        let nullable = !statement.contains("NOT NULL") && !statement.contains("UNIQUE");
        statement.starts_with("CREATE TABLE")
            // An index of a table that is in use holds up whoever writes to it.
            || (indexes && (on_new(" ON ") || BEFORE_THE_FIRST_RELEASE.contains(&statement)))
            || (statement.starts_with("INSERT INTO") && on_new("INSERT INTO "))
            || (statement.starts_with("ALTER TABLE") && statement.contains(" ADD COLUMN ") && nullable)
            || (statement.starts_with("ALTER TABLE") && statement.contains(" SET ("))
            || statement.starts_with("DROP INDEX")
            || statement == TAKES_OVER
    }

    fn made(statements: &[String]) -> Vec<&str> {
        let tables = statements
            .iter()
            .filter_map(|one| one.strip_prefix("CREATE TABLE "));
        tables.filter_map(|rest| rest.split(' ').next()).collect()
    }

    #[test]
    fn no_step_takes_anything_from_nodes_of_the_release_before() {
        for step in MIGRATIONS.iter().filter(|step| step.number > 1) {
            let statements = statements(step);
            for statement in &statements {
                assert!(
                    expands(statement, &made(&statements)),
                    "{:04}: {statement}",
                    step.number
                );
            }
        }
        for breaks in [
            "ALTER TABLE EVENTS DROP COLUMN PLACE",
            "ALTER TABLE EVENTS RENAME COLUMN PLACE TO SPOT",
            "ALTER TABLE EVENTS ADD COLUMN PLACE BIGINT NOT NULL",
            "ALTER TABLE EVENTS ALTER COLUMN PLACE SET NOT NULL",
            "ALTER TABLE EVENTS ADD CONSTRAINT C CHECK (PLACE > 0)",
            "CREATE UNIQUE INDEX I ON EVENTS (PLACE)",
            "UPDATE EVENTS SET PLACE = 0",
            "DROP TABLE EVENTS",
        ] {
            assert!(!expands(breaks, &["NEW"]), "{breaks}");
        }
        assert!(expands("CREATE UNIQUE INDEX I ON NEW (PLACE)", &["NEW"]));
    }
}
