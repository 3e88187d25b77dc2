//! The rows of the authentication log.

use std::collections::HashMap;

use postern_core::model::{
    AddressKey, AuthRequestId, Event, EventId, LogEntry, LogStatus, Timestamp,
};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::event;
use super::failure::Failure;
use super::session::{Param, Session, Sql};
use super::tallies;
use super::value::{Id, address_key, client, get, moment, number, request_id};

/// Numbers of a segment.
pub(super) const SEGMENT: i64 = 8192;
/// Refusals that are shown of one address.
const REFUSALS: i64 = 100;
const MINUTE: i64 = 60_000_000;

/// The segment that a number lies in.
pub(super) fn segment_of(number: i64) -> i64 {
    number.div_euclid(SEGMENT)
}

/// The minute that a moment lies in.
pub(super) fn minute_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(MINUTE)
}

/// An entry and its number.
pub(super) type Numbered = (i64, LogEntry);

/// The entries of requests, by id.
pub(super) async fn find_all(
    session: &Session,
    ids: &[Id],
) -> Result<HashMap<AuthRequestId, Numbered>, Failure> {
    static FIND: Sql = Sql {
        text: "SELECT number, id, at, client, address, email, status, last_at, last, events, lost IS NOT NULL \
               FROM log_requests WHERE id = ANY($1)",
        types: &[Type::UUID_ARRAY],
    };
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = session.query(&FIND, &[&ids]).await?;
    let entries = rows.iter().map(read);
    entries
        .map(|entry| entry.map(|entry| (entry.1.id, entry)))
        .collect()
}

/// Reads number, id, at, client, address, email, status, last_at, last, events, and whether its mail was lost.
pub(super) fn read(row: &Row) -> Result<Numbered, Failure> {
    let status = LogStatus::from_number(number::<i16, _>(row, 6)?);
    let entry = LogEntry {
        id: request_id(row, 1)?,
        at: moment(row, 2)?,
        client: client(get(row, 3)?)?,
        address: address_key(row, 4)?,
        email: get(row, 5)?,
        status: status.ok_or(Failure::Unreadable("unknown status"))?,
        last_at: moment(row, 7)?,
        last: get(row, 8)?,
        lost: get(row, 10)?,
        events: get::<&[u8]>(row, 9)?.as_chunks::<16>().0.to_vec(),
    };
    Ok((get(row, 0)?, entry))
}

/// The events of one request, in their order.
pub(super) async fn timeline(session: &Session, id: AuthRequestId) -> Result<Vec<Event>, Failure> {
    match find_all(session, &[id.into()]).await?.remove(&id) {
        Some((_, entry)) => event::named(session, &entry.events).await,
        None => Ok(Vec::new()),
    }
}

/// The newest refusals of an address, newest first.
pub(super) async fn refusals(session: &Session, key: AddressKey) -> Result<Vec<Event>, Failure> {
    static REFUSED: Sql = Sql {
        text: "SELECT event FROM log_refusals WHERE address = $1 ORDER BY event DESC LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    };
    let rows = session
        .query(&REFUSED, &[&Id::from(key), &REFUSALS])
        .await?;
    let ids: Vec<EventId> = rows
        .iter()
        .map(|row| get::<Id>(row, 0).map(|id| id.0))
        .collect::<Result<_, _>>()?;
    event::named(session, &ids).await
}

/// Removes entries, and what counts them.
async fn remove(session: &Session, entries: &[Row]) -> Result<(), Failure> {
    static REMOVE: Sql = Sql {
        text: "DELETE FROM log_requests WHERE number = ANY($1)",
        types: &[Type::INT8_ARRAY],
    };
    static UNCOUNT: Sql = Sql {
        text: "UPDATE log_counts SET count = count - 1 WHERE segment = $1 AND client = $2 AND status = $3",
        types: &[Type::INT8, Type::TEXT, Type::INT2],
    };
    let mut numbers = Vec::new();
    for row in entries {
        let number: i64 = get(row, 0)?;
        let params: [Param<'_>; 3] = [
            &segment_of(number),
            &get::<&str>(row, 1)?,
            &get::<i16>(row, 2)?,
        ];
        session.execute(&UNCOUNT, &params).await?;
        numbers.push(number);
    }
    session.execute(&REMOVE, &[&numbers]).await.map(drop)
}

/// Holds the cursor, so that nobody projects meanwhile.
pub(super) static HOLD: Sql = Sql {
    text: "SELECT place, number FROM log_cursor WHERE id = 2 FOR UPDATE",
    types: &[],
};

/// Removes a piece of what the log has of an address; whether there may be more.
pub(super) async fn forget(
    session: &Session,
    key: AddressKey,
    piece: i64,
) -> Result<bool, Failure> {
    static ENTRIES: Sql = Sql {
        text: "SELECT number, client, status FROM log_requests WHERE address = $1 ORDER BY number LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    };
    static REFUSED: Sql = Sql {
        text: "DELETE FROM log_refusals WHERE address = $1",
        types: &[Type::UUID],
    };
    session.query(&HOLD, &[]).await?;
    let entries = session.query(&ENTRIES, &[&Id::from(key), &piece]).await?;
    remove(session, &entries).await?;
    session.execute(&REFUSED, &[&Id::from(key)]).await?;
    Ok(i64::try_from(entries.len()).unwrap_or(piece) == piece)
}

/// Removes a piece of what is older than `from`; whether there may be more.
pub(super) async fn expire(
    session: &Session,
    from: Timestamp,
    piece: i64,
) -> Result<bool, Failure> {
    static OLDEST: Sql = Sql {
        text: "SELECT number, client, status, at FROM log_requests ORDER BY number LIMIT $1",
        types: &[Type::INT8],
    };
    static SEGMENTS: Sql = Sql {
        text: "DELETE FROM log_segments WHERE segment < $1",
        types: &[Type::INT8],
    };
    static COUNTS: Sql = Sql {
        text: "DELETE FROM log_counts WHERE segment < $1",
        types: &[Type::INT8],
    };
    static REFUSED: Sql = Sql {
        text: "DELETE FROM log_refusals WHERE event < $1",
        types: &[Type::UUID],
    };
    session.query(&HOLD, &[]).await?;
    let mut past = session.query(&OLDEST, &[&piece]).await?;
    let young = past
        .iter()
        .position(|row| moment(row, 3).is_ok_and(|at| at >= from));
    past.truncate(young.unwrap_or(past.len()));
    if let Some(last) = past.last() {
        let gone = segment_of(get::<i64>(last, 0)? + 1);
        remove(session, &past).await?;
        session.execute(&SEGMENTS, &[&gone]).await?;
        session.execute(&COUNTS, &[&gone]).await?;
    }
    session
        .execute(&REFUSED, &[&Id(event::floor(from))])
        .await?;
    tallies::expire(session, from).await?;
    Ok(i64::try_from(past.len()).unwrap_or(piece) == piece)
}
