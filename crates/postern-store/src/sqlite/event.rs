use std::cell::Cell;

use postern_core::model::{
    AddressKey, AuthRequestId, ClientId, Event, EventId, EventKind, Timestamp,
};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, params};

use super::tx::{self, Tx};

/// Makes event ids that grow without exception, whatever the clock does.
#[derive(Debug, Default)]
pub(super) struct EventIds(Cell<u128>);

impl EventIds {
    /// Goes on after the newest stored event.
    pub(super) fn resume(conn: &Connection) -> Result<Self> {
        let newest = tx::find(conn, "SELECT max(id) FROM events", [], |row| row.get(0))?;
        let newest: Option<[u8; 16]> = newest.flatten();
        Ok(Self(Cell::new(newest.map_or(0, u128::from_be_bytes))))
    }

    pub(super) fn next(&self, at: Timestamp) -> [u8; 16] {
        let next = u128::from_be_bytes(floor(at)).max(self.0.get() + 1);
        self.0.set(next);
        next.to_be_bytes()
    }
}

/// The smallest id that an event at `at` can have.
pub(crate) fn floor(at: Timestamp) -> [u8; 16] {
    let micros = u128::try_from(at.micros()).unwrap_or(0);
    (micros << 64).to_be_bytes()
}

/// Appends events in their order; what one act tells about one request makes one row.
pub(super) fn append(tx: &Tx<'_>, events: &[Event]) -> Result<()> {
    for row in events.chunk_by(of_one_act) {
        let Some(event) = row.first() else { continue };
        let told: Vec<&EventKind> = row.iter().map(|event| &event.what).collect();
        let detail =
            serde_json::to_string(&told).map_err(|e| Error::ToSqlConversionFailure(e.into()))?;
        tx.write(
            "INSERT INTO events (id, at, request_id, client, address, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                tx.event_id(event.at),
                event.at.micros(),
                event.request.as_ref().map(AuthRequestId::as_bytes),
                event.client.as_ref().map(ClientId::as_str),
                event.address.0,
                detail,
            ],
        )?;
    }
    Ok(())
}

fn of_one_act(one: &Event, other: &Event) -> bool {
    (one.at, one.request, &one.client, one.address)
        == (other.at, other.request, &other.client, other.address)
}

/// What one act told, with the row's id.
pub(super) type Told = (EventId, Vec<Event>);

/// The columns are those that [`read`] takes.
const AFTER: &str = "SELECT id, at, request_id, client, address, detail FROM events WHERE id > ?1 ORDER BY id LIMIT ?2";
const ONE: &str = "SELECT id, at, request_id, client, address, detail FROM events WHERE id = ?1";

/// Up to `limit` rows after `last`, in their order.
pub(super) fn after(conn: &Connection, last: EventId, limit: u16) -> Result<Vec<Told>> {
    tx::all(conn, AFTER, params![last, limit], read)
}

/// The events of these rows, in their order; rows that are gone are passed over.
pub(super) fn named(conn: &Connection, rows: &[EventId]) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for row in rows {
        if let Some((_, told)) = tx::find(conn, ONE, [row], read)? {
            events.extend(told);
        }
    }
    Ok(events)
}

/// The events of one row.
fn read(row: &Row<'_>) -> Result<Told> {
    let at = Timestamp::from_micros(row.get(1)?);
    let request: Option<[u8; 16]> = row.get(2)?;
    let client: Option<String> = row.get(3)?;
    let client = client
        .map(|text| super::auth_request::client(3, &text))
        .transpose()?;
    let address = AddressKey(row.get(4)?);
    let told: Vec<EventKind> = serde_json::from_str(row.get_ref(5)?.as_str()?)
        .map_err(|e| Error::FromSqlConversionFailure(5, Type::Text, e.into()))?;
    let event = |what| Event {
        at,
        request: request.map(AuthRequestId::from_bytes),
        client: client.clone(),
        address,
        what,
    };
    Ok((row.get(0)?, told.into_iter().map(event).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_stands_or_steps_back() {
        let ids = EventIds::default();
        let made = [5, 5, 3, 5, 6].map(|at| ids.next(Timestamp::from_micros(at)));
        assert!(made.is_sorted_by(|a, b| a < b));
        assert_eq!(made[4], floor(Timestamp::from_micros(6)));
    }
}
