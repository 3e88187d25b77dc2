use std::path::Path;

use postern_core::model::AddressKey;
use postern_core::ports::StoreError;
use rusqlite::{Connection, Result, params};

use super::auth_request;
use super::desk;
use super::log;
use super::open;
use super::reader::Reader;
use super::suppression;
use super::tx::{self, Tx};
use super::writer::Writer;

/// Rows looked at in one read.
const LOOK: u16 = 5000;
/// Rows removed in one act.
const PIECE: usize = 100;
/// How often the log is tried to be emptied; each try waits for readers and writers itself.
const LOG_TRIES: u32 = 3;

/// A piece of a table: the ids that belong to the address, and where to go on.
type Piece = (Vec<[u8; 16]>, Option<[u8; 16]>);

/// Removes what names the address; there is no index by address, so everything is looked at, in
/// pieces between which others go on.
pub(super) async fn forget(
    reader: &Reader,
    writer: &Writer,
    address: AddressKey,
) -> Result<u64, StoreError> {
    let mut removed = scan(reader, writer, address, requests, drop_request).await?;
    removed += scan(reader, writer, address, events, drop_event).await?;
    unlog(reader, writer, address).await?;
    unname(reader, writer, address).await?;
    let suppressed = writer.run(move |tx| overwriting(tx, || suppression::drop_one(tx, address)));
    Ok(removed + u64::try_from(suppressed.await?).unwrap_or(0))
}

async fn scan(
    reader: &Reader,
    writer: &Writer,
    address: AddressKey,
    look: fn(&Connection, AddressKey, [u8; 16]) -> Result<Piece>,
    remove: fn(&Tx<'_>, [u8; 16]) -> Result<usize>,
) -> Result<u64, StoreError> {
    let (mut removed, mut from) = (0, Some([0; 16]));
    while let Some(after) = from {
        let (ids, next) = reader.run(move |conn| look(conn, address, after)).await?;
        for piece in ids.chunks(PIECE) {
            let piece = piece.to_vec();
            removed += writer
                .run(move |tx| overwriting(tx, || piece.iter().map(|id| remove(tx, *id)).sum()))
                .await?;
        }
        from = next;
    }
    Ok(u64::try_from(removed).unwrap_or(0))
}

/// Takes the address out of the log, which says again what the requests and events said.
async fn unlog(reader: &Reader, writer: &Writer, address: AddressKey) -> Result<(), StoreError> {
    let numbers = reader
        .run(move |conn| log::numbers_of(conn, address))
        .await?;
    for piece in numbers.chunks(PIECE) {
        let piece = piece.to_vec();
        writer
            .run(move |tx| overwriting(tx, || log::remove(tx, &piece)))
            .await?;
    }
    let refusals = move |tx: &Tx<'_>| {
        overwriting(tx, || {
            tx.write("DELETE FROM log_refusals WHERE address = ?1", [address.0])
        })
    };
    writer.run(refusals).await.map(drop)
}

/// Takes the address out of what the audit says that admins did about it.
async fn unname(reader: &Reader, writer: &Writer, address: AddressKey) -> Result<(), StoreError> {
    let mut from = Some([0; 16]);
    while let Some(after) = from {
        let look = move |conn: &Connection| desk::noted_after(conn, after, LOOK);
        let held = reader.run(look).await?;
        from = (held.len() == usize::from(LOOK))
            .then(|| held.last().map(|(id, _)| *id))
            .flatten();
        let named = held.into_iter();
        let named = named.filter_map(|(id, entry)| Some((id, entry.without(address)?)));
        let named: Vec<_> = named.collect();
        for piece in named.chunks(PIECE) {
            let piece = piece.to_vec();
            let rewrite = move |tx: &Tx<'_>| {
                let renote = |(id, entry): &(_, _)| desk::renote(tx, *id, entry);
                overwriting(tx, || piece.iter().map(renote).sum())
            };
            writer.run(rewrite).await?;
        }
    }
    Ok(())
}

/// Overwrites what is removed meanwhile, also whole pages.
fn overwriting(tx: &Tx<'_>, remove: impl FnOnce() -> Result<usize>) -> Result<usize> {
    open::overwrite(tx.conn(), "ON")?;
    let removed = remove();
    open::overwrite(tx.conn(), "FAST")?;
    removed
}

/// Ends what the write-ahead log still holds of pages as they were before.
pub(super) fn empty_log(path: &Path) -> Result<()> {
    let conn = open::writing(path, 64)?;
    for _ in 0..LOG_TRIES {
        let busy: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if !busy {
            return Ok(());
        }
    }
    Err(rusqlite::Error::InvalidQuery)
}

fn requests(conn: &Connection, address: AddressKey, after: [u8; 16]) -> Result<Piece> {
    let sql = "SELECT id, address FROM auth_requests WHERE id > ?1 ORDER BY id LIMIT ?2";
    let rows = tx::all(conn, sql, params![after, LOOK], |row| {
        let found = auth_request::address(1, row.get_ref(1)?.as_str()?)?;
        Ok((row.get(0)?, found.key() == address))
    })?;
    Ok(piece(&rows))
}

fn events(conn: &Connection, address: AddressKey, after: [u8; 16]) -> Result<Piece> {
    let sql = "SELECT id, address FROM events WHERE id > ?1 ORDER BY id LIMIT ?2";
    let rows = tx::all(conn, sql, params![after, LOOK], |row| {
        Ok((row.get(0)?, row.get_ref(1)?.as_blob()? == address.0))
    })?;
    Ok(piece(&rows))
}

fn piece(rows: &[([u8; 16], bool)]) -> Piece {
    let next = (rows.len() == usize::from(LOOK))
        .then(|| rows.last().map(|row| row.0))
        .flatten();
    (
        rows.iter().filter(|row| row.1).map(|row| row.0).collect(),
        next,
    )
}

fn drop_request(tx: &Tx<'_>, id: [u8; 16]) -> Result<usize> {
    let mut removed = tx.write("DELETE FROM mail_inputs WHERE request_id = ?1", [id])?;
    removed += tx.write("DELETE FROM deliveries WHERE request_id = ?1", [id])?;
    removed += tx.write("DELETE FROM auth_requests WHERE id = ?1", [id])?;
    Ok(removed)
}

fn drop_event(tx: &Tx<'_>, id: [u8; 16]) -> Result<usize> {
    tx.write("DELETE FROM events WHERE id = ?1", [id])
}
