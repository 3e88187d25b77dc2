use std::cell::Cell;

use postern_core::model::{AddressKey, AuthRequestId, ClientId, Event, Timestamp};
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
pub(super) fn floor(at: Timestamp) -> [u8; 16] {
    let micros = u128::try_from(at.micros()).unwrap_or(0);
    (micros << 64).to_be_bytes()
}

/// Appends events in their order.
pub(super) fn append(tx: &Tx<'_>, events: &[Event]) -> Result<()> {
    for event in events {
        let detail = serde_json::to_string(&event.what)
            .map_err(|e| Error::ToSqlConversionFailure(e.into()))?;
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

/// The events of one request, in their order.
pub(super) fn timeline(conn: &Connection, id: AuthRequestId) -> Result<Vec<Event>> {
    tx::all(
        conn,
        "SELECT at, request_id, client, address, detail FROM events WHERE request_id = ?1 ORDER BY id",
        [id.as_bytes()],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Event> {
    let client: Option<String> = row.get(2)?;
    let detail = row.get_ref(4)?.as_str()?;
    Ok(Event {
        at: Timestamp::from_micros(row.get(0)?),
        request: row
            .get::<_, Option<[u8; 16]>>(1)?
            .map(AuthRequestId::from_bytes),
        client: client
            .map(|text| super::auth_request::client(2, &text))
            .transpose()?,
        address: AddressKey(row.get(3)?),
        what: serde_json::from_str(detail)
            .map_err(|e| Error::FromSqlConversionFailure(4, Type::Text, e.into()))?,
    })
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
