use std::fs;
use std::path::{Path, PathBuf};

use postern_core::model::{Snapshot, Timestamp};
use postern_core::ports::Clock;
use rusqlite::{Connection, params};

use super::error::BackupError;
use super::manifest::{self, Manifest, inspect};
use super::revoke::{Ended, revoke};
use super::take::sync_folder;
use crate::connect::ConnectError;
use crate::data_dir::DataDir;
use crate::progress::{Progress, Watcher};
use crate::sqlite::{SqliteStore, catalog, made_schema, open};

/// What SQLite keeps beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Says whether a backup is wanted, by what it says of itself and the registry in it; else why not.
pub type Wanted<'w> = &'w dyn Fn(&Manifest, &Snapshot) -> Result<(), String>;

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What was restored.
    pub manifest: Manifest,
    /// What admins had set by then.
    pub registry: Snapshot,
    /// What was ended in it.
    pub ended: Ended,
    /// Where the store that was there before is now.
    pub replaced: Option<PathBuf>,
}

/// Puts the store of the backup `file` into the folder `into`, unless `wanted` refuses what the
/// backup says of itself.
///
/// Every open auth request, admin session and invitation in it is ended, for it may have been used
/// after the backup was taken. Counts of quotas and budgets stay. With `replace` a store that is there
/// is put aside, else it is a reason to refuse. A restore that is broken off leaves a folder that no
/// server starts on; it can be repeated.
///
/// # Errors
/// The backup is not whole or not wanted, the folder holds a store, or the file system says no.
pub fn restore(
    file: &Path,
    into: &DataDir,
    replace: bool,
    clock: &dyn Clock,
    wanted: Wanted<'_>,
    watcher: Watcher<'_>,
) -> Result<Restored, BackupError> {
    let store = into.store_file();
    if store.exists() && !replace {
        return Err(BackupError::NotEmpty(into.path().to_owned()));
    }
    let half = half(&store);
    drop_database(&half).map_err(BackupError::file(&half))?;
    let prepared = prepare(file, &half, clock, wanted, watcher);
    if prepared.is_err() {
        let _ = drop_database(&half);
    }
    let (manifest, registry, ended) = prepared?;
    let replaced = put_aside(&store, into.path(), clock.now())?;
    fs::rename(&half, &store).map_err(BackupError::file(&store))?;
    sync_folder(&store)?;
    Ok(Restored {
        manifest,
        registry,
        ended,
        replaced,
    })
}

/// Where a store is while it is being restored.
fn half(store: &Path) -> PathBuf {
    beside(store, ".restoring")
}

/// A folder in which a restore was broken off is no folder to start on, above all not with a new and
/// empty store.
pub(crate) fn refuse_half(store: &Path) -> Result<(), ConnectError> {
    let half = half(store);
    if half.exists() {
        return Err(ConnectError::HalfRestored(half));
    }
    Ok(())
}

/// Copies the backup, judges the copy, and ends in it what must not live again.
fn prepare(
    file: &Path,
    half: &Path,
    clock: &dyn Clock,
    wanted: Wanted<'_>,
    watcher: Watcher<'_>,
) -> Result<(Manifest, Snapshot, Ended), BackupError> {
    open::make(half)?;
    watcher(Progress {
        step: "copying",
        done: 0,
        of: 0,
    });
    fs::copy(file, half).map_err(BackupError::file(file))?;
    open::make(half)?;
    let manifest = inspect(half, watcher).map_err(|error| named(error, file))?;
    SqliteStore::migrate(half, clock)?;
    let unreadable = || BackupError::database("the restored store");
    let conn = open::copying(half).map_err(unreadable())?;
    refuse_other_schema(&conn, file)?;
    // Tables agree with the manifest; indexes are made anew from them, whatever they were.
    conn.execute_batch("REINDEX")
        .map_err(|error| BackupError::not_whole(file, error.to_string()))?;
    let registry = crate::sqlite::snapshot(&conn).map_err(unreadable())?;
    wanted(&manifest, &registry).map_err(BackupError::Unwanted)?;
    let ended =
        end(&conn, &manifest, clock.now()).map_err(BackupError::database("ending what is open"))?;
    drop(conn);
    let copied = fs::File::open(half).and_then(|file| file.sync_all());
    copied.map_err(BackupError::file(half))?;
    Ok((manifest, registry, ended))
}

/// A schema that says anything else than ours would go on saying it in the store.
fn refuse_other_schema(conn: &Connection, file: &Path) -> Result<(), BackupError> {
    let found = catalog::written(conn).map_err(BackupError::database("the restored store"))?;
    let found = found
        .into_iter()
        .filter(|(_, name, _)| name != manifest::TABLE);
    if found.eq(made_schema()?) {
        return Ok(());
    }
    let why = "its schema is not one that this release makes";
    Err(BackupError::not_whole(file, why))
}

fn end(conn: &Connection, manifest: &Manifest, now: Timestamp) -> rusqlite::Result<Ended> {
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN IMMEDIATE;")?;
    let ended = revoke(conn, now)?;
    conn.execute(
        "INSERT INTO audit (id, at, actor, action, target, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            crate::sqlite::event_floor(now),
            now.micros(),
            "command line",
            "store.restored",
            "",
            "",
            format!("as of {}", manifest.taken_at().rfc3339()),
        ],
    )?;
    conn.execute_batch(&format!(
        "DROP TABLE {}; COMMIT; PRAGMA journal_mode = DELETE;",
        manifest::TABLE
    ))?;
    Ok(ended)
}

/// A complaint about the copy is one about the file.
fn named(error: BackupError, file: &Path) -> BackupError {
    match error {
        BackupError::NotWhole { reason, .. } => BackupError::not_whole(file, reason),
        other => other,
    }
}

/// Moves the store that is there into a folder beside it: its log first, for a log must not meet
/// another database.
fn put_aside(store: &Path, dir: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    if !store.exists() {
        for end in COMPANIONS {
            let stale = beside(store, end);
            if stale.exists() {
                fs::remove_file(&stale).map_err(BackupError::file(&stale))?;
            }
        }
        return Ok(None);
    }
    let aside = dir.join(format!("replaced-{}", now.rfc3339().replace(':', "")));
    crate::data_dir::make_private(&aside).map_err(BackupError::file(&aside))?;
    for end in COMPANIONS.iter().chain(&[""]) {
        let from = beside(store, end);
        if from.exists() {
            let name = from.file_name().unwrap_or_default();
            fs::rename(&from, aside.join(name)).map_err(BackupError::file(&from))?;
        }
    }
    sync_folder(&aside.join("postern.db"))?;
    Ok(Some(aside))
}

fn drop_database(path: &Path) -> std::io::Result<()> {
    for end in COMPANIONS.iter().chain(&[""]) {
        match fs::remove_file(beside(path, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
