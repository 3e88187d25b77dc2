use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result};

use crate::connect::ConnectError;

/// How often a statement is used again without being prepared anew.
const STATEMENTS: usize = 128;

/// Makes the file if need be, for the owner's eyes only: SQLite gives its companions the same mode.
pub(crate) fn make(path: &Path) -> Result<(), ConnectError> {
    let made = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)));
    made.map_err(|source| ConnectError::File {
        path: path.to_owned(),
        source,
    })
}

/// What a commit waits for: that the disk has it.
#[cfg(not(feature = "testing"))]
fn synchronous() -> &'static str {
    "FULL"
}

#[cfg(feature = "testing")]
use crate::testing::synchronous;

/// A connection that writes. Durable at each commit: `synchronous = FULL`.
///
/// Savepoints rest in memory, and checkpoints are left to [`super::checkpoint`].
pub(crate) fn writing(path: &Path, page_cache_kib: u32) -> Result<Connection> {
    let conn = connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA temp_store = MEMORY; \
         PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -{page_cache_kib};",
        synchronous()
    ))?;
    overwrite(&conn, "FAST")?;
    Ok(conn)
}

/// Whether what is removed is overwritten: `FAST` where the page is written anyway, `ON` everywhere.
pub(super) fn overwrite(conn: &Connection, how: &str) -> Result<()> {
    conn.query_row(&format!("PRAGMA secure_delete = {how}"), [], |_| Ok(()))
}

/// A connection that only reads.
pub(crate) fn reading(path: &Path) -> Result<Connection> {
    let conn = connection(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.execute_batch(
        "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024;",
    )?;
    Ok(conn)
}

/// A connection to a database that is nobody's store yet.
pub(crate) fn copying(path: &Path) -> Result<Connection> {
    connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn connection(path: &Path, access: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}
