//! The fence of an embedded store.

use postern_core::model::Timestamp;
use rusqlite::{Connection, Error, Result, params};

use super::tx;
use crate::fence::{Fence, FenceKind};

/// The fence that stands, with the mark of what fills the store.
pub(crate) fn read(conn: &Connection) -> Result<Option<(Fence, Option<String>)>> {
    let sql = "SELECT at, kind, other, mark FROM fence";
    tx::find(conn, sql, [], |row| {
        let fence = Fence {
            at: Timestamp::from_micros(row.get(0)?),
            kind: FenceKind::from_number(row.get(1)?),
            other: row.get(2)?,
        };
        Ok((fence, row.get(3)?))
    })
}

/// Puts the fence up, in the caller's transaction; with none, takes it away.
pub(crate) fn put(conn: &Connection, fence: Option<&Fence>) -> Result<()> {
    conn.execute("DELETE FROM fence", [])?;
    if let Some(fence) = fence {
        conn.execute(
            "INSERT INTO fence (id, at, kind, other, mark) VALUES (1, ?1, ?2, ?3, NULL)",
            params![fence.at.micros(), fence.kind.number(), fence.other],
        )?;
    }
    Ok(())
}

/// An error where a fence stands: asked by the writer in each of its transactions, so that nothing is
/// committed after the fence.
pub(super) fn heed(conn: &Connection) -> Result<()> {
    match read(conn)? {
        None => Ok(()),
        Some((fence, _)) => Err(Error::ToSqlConversionFailure(fence.into())),
    }
}
