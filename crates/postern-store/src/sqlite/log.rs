//! The rows of the authentication log.

use postern_core::model::{
    AddressKey, AuthRequestId, Event, EventId, LogEntry, LogStatus, Timestamp,
};
use rusqlite::{Connection, Result, Row, params};

use super::auth_request::{client, unreadable};
use super::tx::{self, Tx};
use super::{event, tallies};

/// Numbers of a segment.
pub(super) const SEGMENT: i64 = 8192;

/// How many numbers a segment has.
pub(crate) const fn segment_length() -> i64 {
    SEGMENT
}
/// Refusals that are shown of one address.
const REFUSALS: u16 = 100;
const MINUTE: i64 = 60_000_000;

/// The segment that a number lies in.
pub(super) fn segment_of(number: i64) -> i64 {
    number.div_euclid(segment_length())
}

/// The columns that [`read`] takes.
pub(super) const COLUMNS: &str =
    "number, id, at, client, address, email, status, last_at, last, events, lost IS NOT NULL";

const BY_ID: &str = "SELECT number, id, at, client, address, email, status, last_at, last, events, lost IS NOT NULL \
     FROM log_requests WHERE id = ?1";
const BY_NUMBER: &str = "SELECT number, id, at, client, address, email, status, last_at, last, events, lost IS NOT NULL \
     FROM log_requests WHERE number = ?1";

/// An entry and its number.
pub(super) type Numbered = (i64, LogEntry);

/// One request's entry.
pub(super) fn find(conn: &Connection, id: AuthRequestId) -> Result<Option<Numbered>> {
    tx::find(conn, BY_ID, [id.as_bytes()], read)
}

/// The entry with this number.
pub(super) fn numbered(conn: &Connection, number: i64) -> Result<Option<Numbered>> {
    tx::find(conn, BY_NUMBER, [number], read)
}

/// The events of one request, in their order.
pub(super) fn timeline(conn: &Connection, id: AuthRequestId) -> Result<Vec<Event>> {
    match find(conn, id)? {
        Some((_, entry)) => event::named(conn, &entry.events),
        None => Ok(Vec::new()),
    }
}

/// The newest refusals of an address, newest first.
pub(super) fn refusals(conn: &Connection, address: AddressKey) -> Result<Vec<Event>> {
    let rows: Vec<EventId> = tx::all(
        conn,
        "SELECT event FROM log_refusals WHERE address = ?1 ORDER BY event DESC LIMIT ?2",
        params![address.0, REFUSALS],
        |row| row.get(0),
    )?;
    event::named(conn, &rows)
}

/// The minute that a moment lies in.
pub(super) fn minute_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(MINUTE)
}

/// The numbers of an address's entries, newest first, at most 10,000.
pub(super) fn numbers_of(conn: &Connection, address: AddressKey) -> Result<Vec<i64>> {
    let segments: Vec<i64> = tx::all(
        conn,
        "SELECT segment FROM log_segments ORDER BY segment DESC",
        [],
        |row| row.get(0),
    )?;
    let mut numbers = Vec::new();
    for segment in segments {
        numbers.extend(in_segment(conn, segment, address)?);
        if numbers.len() > 10_000 {
            break;
        }
    }
    Ok(numbers)
}

/// The numbers of an address's entries in one segment, newest first.
pub(super) fn in_segment(conn: &Connection, segment: i64, address: AddressKey) -> Result<Vec<i64>> {
    tx::all(
        conn,
        "SELECT number FROM log_addresses WHERE segment = ?1 AND address = ?2 ORDER BY number DESC",
        params![segment, address.0],
        |row| row.get(0),
    )
}

/// Removes these entries; answers how many there were.
pub(super) fn remove(tx: &Tx<'_>, numbers: &[i64]) -> Result<usize> {
    let mut removed = 0;
    for number in numbers {
        let Some((_, entry)) = numbered(tx.conn(), *number)? else {
            continue;
        };
        let segment = segment_of(*number);
        tx.write(
            "DELETE FROM log_addresses WHERE segment = ?1 AND address = ?2 AND number = ?3",
            params![segment, entry.address.0, number],
        )?;
        tx.write(
            "UPDATE log_counts SET count = count - 1 WHERE segment = ?1 AND client = ?2 AND status = ?3",
            params![segment, entry.client.as_str(), entry.status.number()],
        )?;
        removed += tx.write("DELETE FROM log_requests WHERE number = ?1", [number])?;
    }
    Ok(removed)
}

/// Removes a piece of what is older than `from`; whether there may be more.
pub(super) fn expire(tx: &Tx<'_>, from: Timestamp, piece: u16) -> Result<bool> {
    let oldest: Vec<(i64, i64)> = tx::all(
        tx.conn(),
        "SELECT number, at FROM log_requests ORDER BY number LIMIT ?1",
        [piece],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let past: Vec<i64> = oldest
        .iter()
        .take_while(|(_, at)| *at < from.micros())
        .map(|(number, _)| *number)
        .collect();
    if let Some(last) = past.last() {
        remove(tx, &past)?;
        let gone = segment_of(last + 1);
        tx.write("DELETE FROM log_segments WHERE segment < ?1", [gone])?;
        tx.write("DELETE FROM log_counts WHERE segment < ?1", [gone])?;
    }
    let floor = event::floor(from);
    if exists(
        tx,
        "SELECT event FROM log_refusals WHERE event < ?1 LIMIT 1",
        params![floor],
    )? {
        tx.write("DELETE FROM log_refusals WHERE event < ?1", [floor])?;
    }
    tallies::expire(tx, from)?;
    Ok(past.len() == usize::from(piece))
}

fn exists(tx: &Tx<'_>, sql: &'static str, params: impl rusqlite::Params) -> Result<bool> {
    Ok(tx.find(sql, params, |_| Ok(()))?.is_some())
}

/// Reads [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> Result<Numbered> {
    let entry = LogEntry {
        id: AuthRequestId::from_bytes(row.get(1)?),
        at: Timestamp::from_micros(row.get(2)?),
        client: client(3, row.get_ref(3)?.as_str()?)?,
        address: AddressKey(row.get(4)?),
        email: row.get(5)?,
        status: LogStatus::from_number(row.get(6)?)
            .ok_or_else(|| unreadable(6, "unknown status"))?,
        last_at: Timestamp::from_micros(row.get(7)?),
        last: row.get(8)?,
        lost: row.get(10)?,
        events: row.get_ref(9)?.as_blob()?.as_chunks::<16>().0.to_vec(),
    };
    Ok((row.get(0)?, entry))
}
