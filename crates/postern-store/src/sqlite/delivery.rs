use std::time::Duration;

use postern_core::model::{
    AuthRequestId, Delivery, DeliveryId, DeliveryState, Event, Fault, LastTry, NodeId, Outgoing,
    Sealed, Timestamp,
};
use postern_core::ports::{AddressedDelivery, OutboxState, Settled, WantedDeliveries};
use postern_core::rules;
use rusqlite::{Connection, Result, Row, params};

use super::tx::{self, Statements, Tx};
use super::{auth_request, event};

/// Queues a mail, leased to this node.
pub(super) fn insert(tx: &Tx<'_>, delivery: &Delivery) -> Result<()> {
    tx.write(
        "INSERT INTO deliveries (request_id, ordinal, generation, state, attempts, queued_at, due_at, node) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            delivery.id.request.as_bytes(),
            delivery.id.ordinal,
            delivery.generation,
            delivery.state.number(),
            delivery.attempts,
            delivery.queued_at.micros(),
            delivery.due_at.micros(),
            tx.node.0,
        ],
    )?;
    Ok(())
}

/// Leases up to `limit` deliveries that are due, oldest first.
pub(super) fn claim(
    tx: &Tx<'_>,
    node: NodeId,
    limit: usize,
    lease: Duration,
) -> Result<Vec<DeliveryId>> {
    let due = tx::all(
        tx.conn(),
        // A bare parameter as the limit would have SQLite plan the statement anew each time.
        "SELECT request_id, ordinal FROM deliveries WHERE state = 0 AND due_at <= ?1 ORDER BY due_at LIMIT ?2 + 0",
        params![tx.now.micros(), i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| id(row, 0),
    )?;
    let until = tx.now.plus(lease).micros();
    for id in &due {
        tx.write(
            "UPDATE deliveries SET due_at = ?3, node = ?4 WHERE request_id = ?1 AND ordinal = ?2",
            params![id.request.as_bytes(), id.ordinal, until, node.0],
        )?;
    }
    Ok(due)
}

/// A place among the queued deliveries, in the order of their index.
pub(super) type Place = (i64, i64, DeliveryId);

/// Ends the leases of other nodes among up to `limit` deliveries after `from`; answers how many were
/// ended and where to go on. A wait before a repeat is no lease and stays.
pub(super) fn release(
    tx: &Tx<'_>,
    node: NodeId,
    from: Option<Place>,
    limit: u16,
) -> Result<(usize, Option<Place>)> {
    let now = tx.now.micros();
    let first = DeliveryId {
        request: AuthRequestId::from_bytes([0; 16]),
        ordinal: 0,
    };
    let (due_at, queued_at, after) = from.unwrap_or((now, i64::MAX, first));
    let seen = tx::all(
        tx.conn(),
        "SELECT request_id, ordinal, due_at, queued_at, node FROM deliveries \
         WHERE state = 0 AND (due_at, queued_at, request_id, ordinal) > (?1, ?2, ?3, ?4) \
         ORDER BY due_at, queued_at, request_id, ordinal LIMIT ?5",
        params![
            due_at,
            queued_at,
            after.request.as_bytes(),
            after.ordinal,
            limit
        ],
        |row| {
            Ok((
                (row.get(2)?, row.get(3)?, id(row, 0)?),
                row.get::<_, Option<[u8; 8]>>(4)?,
            ))
        },
    )?;
    let next = (seen.len() == usize::from(limit))
        .then(|| seen.last().map(|(place, _)| *place))
        .flatten();
    let mut ended = 0;
    for ((.., id), _) in seen
        .iter()
        .filter(|(_, holder)| holder.is_some_and(|holder| holder != node.0))
    {
        ended += tx.write(
            "UPDATE deliveries SET due_at = ?3, node = NULL WHERE request_id = ?1 AND ordinal = ?2",
            params![id.request.as_bytes(), id.ordinal, now],
        )?;
    }
    Ok((ended, next))
}

/// Writes how an attempt ended, with its event, if the delivery is still queued.
pub(super) fn settle(tx: &Tx<'_>, settled: &Settled) -> Result<()> {
    let Some(before) =
        find(tx.held(), settled.id)?.filter(|found| found.state == DeliveryState::Queued)
    else {
        return Ok(());
    };
    let (after, told) = rules::settle(&before, &settled.tries, &settled.settlement, tx.now);
    let last = after.last_try.as_ref();
    tx.write(
        "UPDATE deliveries SET state = ?3, attempts = ?4, due_at = ?5, node = NULL, \
         provider = ?6, fault = ?7, in_a_row = ?8 WHERE request_id = ?1 AND ordinal = ?2",
        params![
            after.id.request.as_bytes(),
            after.id.ordinal,
            after.state.number(),
            after.attempts,
            after.due_at.micros(),
            last.map(|last| &last.provider),
            last.and_then(|last| last.fault).map(Fault::number),
            last.map(|last| last.in_a_row),
        ],
    )?;
    let event = |(at, what)| Event {
        at,
        request: Some(settled.id.request),
        client: Some(settled.client.clone()),
        address: settled.address,
        what,
    };
    let events: Vec<Event> = told.into_iter().map(event).collect();
    event::append(tx, &events)
}

/// Finds a delivery with its request and its input.
pub(super) fn outgoing(conn: &Connection, id: DeliveryId) -> Result<Option<Outgoing>> {
    let Some(delivery) = find(conn, id)? else {
        return Ok(None);
    };
    let Some(request) = auth_request::find(conn, id.request)? else {
        return Ok(None);
    };
    let input = input(conn, id.request)?;
    Ok(Some(Outgoing {
        delivery,
        request,
        input,
    }))
}

/// The sealed input of a request's mails.
pub(super) fn input(statements: &dyn Statements, id: AuthRequestId) -> Result<Option<Sealed>> {
    let found = tx::find(
        statements,
        "SELECT kid, input FROM mail_inputs WHERE request_id = ?1",
        [id.as_bytes()],
        |row| auth_request::sealed(row, 0),
    )?;
    Ok(found.flatten())
}

/// Writes the sealed input of a request's mails.
pub(super) fn put_input(tx: &Tx<'_>, id: AuthRequestId, input: &Sealed) -> Result<()> {
    tx.write(
        "INSERT INTO mail_inputs (request_id, kid, input) VALUES (?1, ?2, ?3)",
        params![id.as_bytes(), input.kid, input.bytes],
    )?;
    Ok(())
}

/// How much waits, from the index alone.
pub(super) fn outbox(conn: &Connection) -> Result<OutboxState> {
    let found = tx::find(
        conn,
        "SELECT count(*), min(queued_at) FROM deliveries WHERE state = 0",
        [],
        |row| {
            let oldest: Option<i64> = row.get(1)?;
            Ok(OutboxState {
                depth: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                oldest: oldest.map(Timestamp::from_micros),
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// Finds one delivery.
pub(super) fn find(statements: &dyn Statements, id: DeliveryId) -> Result<Option<Delivery>> {
    tx::find(
        statements,
        "SELECT generation, state, attempts, queued_at, due_at, provider, fault, in_a_row \
         FROM deliveries WHERE request_id = ?1 AND ordinal = ?2",
        params![id.request.as_bytes(), id.ordinal],
        |row| read(row, id, 0),
    )
}

/// The newest deliveries that match.
pub(super) fn list(conn: &Connection, wanted: WantedDeliveries) -> Result<Vec<AddressedDelivery>> {
    let (from, to) = match wanted.request {
        Some(request) => (*request.as_bytes(), *request.as_bytes()),
        None => ([0; 16], [0xff; 16]),
    };
    let (before, ordinal) = match wanted.before {
        Some(id) => (*id.request.as_bytes(), i64::from(id.ordinal)),
        None => ([0xff; 16], i64::MAX),
    };
    tx::all(
        conn,
        "SELECT held.request_id, held.ordinal, request.address, held.generation, held.state, held.attempts, \
         held.queued_at, held.due_at, held.provider, held.fault, held.in_a_row \
         FROM deliveries AS held JOIN auth_requests AS request ON request.id = held.request_id \
         WHERE held.request_id BETWEEN ?1 AND ?2 AND (held.request_id, held.ordinal) < (?3, ?4) \
         AND (?5 IS NULL OR held.state = ?5) \
         ORDER BY held.request_id DESC, held.ordinal DESC LIMIT ?6",
        params![
            from,
            to,
            before,
            ordinal,
            wanted.state.map(DeliveryState::number),
            i64::try_from(wanted.limit).unwrap_or(i64::MAX),
        ],
        |row| {
            Ok(AddressedDelivery {
                delivery: read(row, id(row, 0)?, 3)?,
                address: auth_request::address(2, row.get_ref(2)?.as_str()?)?,
            })
        },
    )
}

fn read(row: &Row<'_>, id: DeliveryId, from: usize) -> Result<Delivery> {
    Ok(Delivery {
        id,
        generation: row.get(from)?,
        state: state(row, from + 1)?,
        attempts: row.get(from + 2)?,
        queued_at: Timestamp::from_micros(row.get(from + 3)?),
        due_at: Timestamp::from_micros(row.get(from + 4)?),
        last_try: last_try(row, from + 5)?,
    })
}

fn last_try(row: &Row<'_>, from: usize) -> Result<Option<LastTry>> {
    let Some(provider) = row.get(from)? else {
        return Ok(None);
    };
    let fault = |number: u8| {
        let fault = Fault::ALL.into_iter().find(|one| one.number() == number);
        fault.ok_or_else(|| auth_request::unreadable(from + 1, "unknown fault"))
    };
    Ok(Some(LastTry {
        provider,
        fault: row.get::<_, Option<u8>>(from + 1)?.map(fault).transpose()?,
        in_a_row: row.get(from + 2)?,
    }))
}

fn id(row: &Row<'_>, from: usize) -> Result<DeliveryId> {
    Ok(DeliveryId {
        request: AuthRequestId::from_bytes(row.get(from)?),
        ordinal: row.get(from + 1)?,
    })
}

fn state(row: &Row<'_>, column: usize) -> Result<DeliveryState> {
    let number: u8 = row.get(column)?;
    DeliveryState::ALL
        .into_iter()
        .find(|state| state.number() == number)
        .ok_or_else(|| auth_request::unreadable(column, "unknown delivery state"))
}
