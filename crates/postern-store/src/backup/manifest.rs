use std::path::Path;

use postern_core::model::{Snapshot, Timestamp};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use super::error::BackupError;
use crate::connect::ConnectError;
use crate::progress::{Progress, Watcher};
use crate::rows::Tally;
use crate::sqlite::catalog::{self, Shape};
use crate::sqlite::{SqliteStore, open, snapshot};

/// The one form of backups there is yet.
const FORM: u32 = 1;
/// The table that holds the manifest; no store has it.
pub(super) const TABLE: &str = "backup_manifest";
/// Progress is told every so many rows.
const OFTEN: u64 = 4096;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    form: u32,
    /// The release that took it.
    pub release: String,
    /// When its reading began, in microseconds since 1970-01-01 UTC.
    taken_at: i64,
    /// The number of its schema's last migration.
    pub schema: u32,
    /// The root keys that its credentials and sealed values name.
    pub kids: Vec<u8>,
    /// What each table holds.
    pub tables: Vec<Tally>,
}

impl Manifest {
    /// The moment whose state it holds.
    pub fn taken_at(&self) -> Timestamp {
        Timestamp::from_micros(self.taken_at)
    }

    /// How many rows it has in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|tally| tally.rows).sum()
    }

    /// Describes a copied database.
    pub(super) fn of(
        conn: &Connection,
        taken_at: Timestamp,
        watcher: Watcher<'_>,
    ) -> rusqlite::Result<Self> {
        let schema = "SELECT coalesce(max(number), 0) FROM schema_migrations";
        Ok(Self {
            form: FORM,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at: taken_at.micros(),
            schema: conn.query_row(schema, [], |row| row.get(0))?,
            kids: crate::sqlite::kids(conn)?,
            tables: tallies(conn, watcher)?,
        })
    }

    /// Puts the manifest into the database that it describes.
    pub(super) fn write(&self, conn: &Connection) -> rusqlite::Result<()> {
        let json = serde_json::to_string(self)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        conn.execute_batch(&format!(
            "BEGIN IMMEDIATE; CREATE TABLE {TABLE} (manifest TEXT NOT NULL) STRICT;"
        ))?;
        conn.execute(
            &format!("INSERT INTO {TABLE} (manifest) VALUES (?1)"),
            [json],
        )?;
        conn.execute_batch("COMMIT")
    }

    fn read(conn: &Connection) -> Result<Self, String> {
        let found = conn.query_row(&format!("SELECT manifest FROM {TABLE}"), [], |row| {
            row.get::<_, String>(0)
        });
        let json = match found {
            Ok(json) => json,
            Err(rusqlite::Error::SqliteFailure(_, Some(told)))
                if told.starts_with("no such table") =>
            {
                return Err("it was not taken to its end, or is no backup of Postern's".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        };
        let form = serde_json::from_str::<serde_json::Value>(&json)
            .map_err(|_| "its manifest does not read".to_owned())?;
        if form["form"].as_u64() != Some(FORM.into()) {
            return Err("a later release took it: restore it with that one".to_owned());
        }
        serde_json::from_value(form).map_err(|_| "its manifest does not read".to_owned())
    }
}

/// Reads a backup through and answers its manifest, which everything in the file agrees with.
///
/// # Errors
/// The file is not a whole backup, or cannot be read.
pub fn inspect(file: &Path, watcher: Watcher<'_>) -> Result<Manifest, BackupError> {
    file.metadata().map_err(BackupError::file(file))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)
        .map_err(BackupError::database("the backup does not open"))?;
    let broken = |error: rusqlite::Error| BackupError::not_whole(file, error.to_string());
    if let Some(name) = strange(&conn).map_err(broken)? {
        let why = format!("it has {name:?} in it, which is no table of a store");
        return Err(BackupError::not_whole(file, why));
    }
    let manifest = Manifest::read(&conn).map_err(|why| BackupError::not_whole(file, why))?;
    let found = tallies(&conn, watcher).map_err(broken)?;
    if found == manifest.tables {
        return Ok(manifest);
    }
    let differs = found
        .iter()
        .chain(&manifest.tables)
        .find(|tally| !(found.contains(tally) && manifest.tables.contains(tally)));
    let table = differs.map_or("a table", |tally| &tally.table);
    Err(BackupError::not_whole(
        file,
        format!("{table} is not as it was when the backup was taken"),
    ))
}

/// What admins had set in a whole backup; `None` where an older release took it: only restoring brings its
/// schema up to ours.
///
/// # Errors
/// A later release or another program wrote it, or it cannot be read.
pub fn registry(file: &Path) -> Result<Option<Snapshot>, BackupError> {
    match SqliteStore::check(file) {
        Ok(()) => {}
        Err(ConnectError::Older { .. }) => return Ok(None),
        Err(other) => return Err(other.into()),
    }
    let conn = open::reading(file).map_err(BackupError::database("the backup does not open"))?;
    let registry = snapshot(&conn).map_err(BackupError::database("the backup's registry"))?;
    Ok(Some(registry))
}

/// What does something by itself, such as a trigger: no store has it, and none is to get it.
fn strange(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let plain = |kind: &str, sql: &str| match kind {
        "table" => !sql.to_ascii_uppercase().starts_with("CREATE VIRTUAL"),
        kind => kind == "index",
    };
    let mut objects = catalog::written(conn)?.into_iter();
    Ok(objects.find_map(|(kind, name, sql)| (!plain(&kind, &sql)).then_some(name)))
}

fn tallies(conn: &Connection, watcher: Watcher<'_>) -> rusqlite::Result<Vec<Tally>> {
    let mut shapes = catalog::shapes(conn)?;
    shapes.retain(|shape| shape.table != TABLE);
    let count = |shape: &Shape| {
        let counting = format!("SELECT count(*) FROM {}", catalog::quoted(&shape.table));
        let rows: i64 = conn.query_row(&counting, [], |row| row.get(0))?;
        Ok(rows.unsigned_abs())
    };
    let of = shapes.iter().map(count).sum::<rusqlite::Result<u64>>()?;
    let mut done = 0;
    let mut each = || {
        done += 1;
        if done % OFTEN == 0 || done == of {
            let step = "verifying";
            watcher(Progress { step, done, of });
        }
    };
    let tally = |shape| catalog::tally(conn, shape, &mut each);
    shapes.iter().map(tally).collect()
}
