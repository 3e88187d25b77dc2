use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postern_core::model::{AuthRequestId, Event, EventKind, History, State, Timestamp};
use postern_core::ports::{Keep, StoreError, Swept};
use postern_core::rules::BUDGET_SPAN;
use rusqlite::{Connection, Result, params};

use super::reader::Reader;
use super::tx::{self, Tx};
use super::writer::Writer;
use super::{auth_request, event, log, suppression};

/// Rows looked at in one read.
const LOOK: u16 = 2000;
/// Rows changed in one act, so that no caller waits long behind it.
const PIECE: u16 = 200;
/// A request lives at most so long: a day of resends, and an hour of its last credential. At the
/// start nothing older can be waiting for its event.
const LIVES: Duration = Duration::from_hours(26);

/// Where the sweeper stands. In memory: after a restart it looks again at what it had seen.
pub(super) struct Cursor(Mutex<Place>);

#[derive(Clone, Copy)]
struct Place {
    /// Every request before this one has its event or needs none.
    settled: AuthRequestId,
    /// The next request to look at.
    next: AuthRequestId,
    /// The first request of this round that still lives.
    living: Option<AuthRequestId>,
    /// The last row looked at in each of the two tables of counts.
    quota: [[u8; 16]; 2],
}

impl Cursor {
    pub(super) fn new(now: Timestamp) -> Self {
        let settled = AuthRequestId::floor(now.minus(LIVES));
        Self(Mutex::new(Place {
            settled,
            next: settled,
            living: None,
            quota: [[0; 16]; 2],
        }))
    }

    /// A request lives again: the next round begins no later than there.
    pub(super) fn revive(&self, id: AuthRequestId) {
        let mut place = self.lock();
        place.settled = place.settled.min(id);
        place.living = Some(place.living.map_or(id, |living| living.min(id)));
    }

    /// Goes on after a look that ended at `last`, or begins the next round; whether the round goes on.
    fn advance(&self, seen: &Seen) -> bool {
        let mut place = self.lock();
        if place.living.is_none() {
            place.living = seen.living;
        }
        if let Some(last) = seen.last {
            place.next = last;
            return true;
        }
        place.settled = place.living.take().unwrap_or(place.next.max(place.settled));
        place.next = place.settled;
        false
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a look at a piece of the requests found.
struct Seen {
    expired: Vec<AuthRequestId>,
    living: Option<AuthRequestId>,
    /// The last one, when there are more.
    last: Option<AuthRequestId>,
}

/// Tidies one piece of everything.
pub(super) async fn sweep(
    cursor: &Cursor,
    reader: &Reader,
    writer: &Writer,
    now: Timestamp,
    keep: Keep,
) -> Result<Swept, StoreError> {
    let from = cursor.lock().next;
    let seen = reader.run(move |conn| look(conn, from, now)).await?;
    let mut swept = Swept {
        expired: 0,
        removed: 0,
        more: false,
    };
    for piece in seen.expired.chunks(usize::from(PIECE)) {
        let piece = piece.to_vec();
        swept.expired += writer.run(move |tx| expire(tx, &piece)).await?;
    }
    swept.more |= cursor.advance(&seen);
    let removed = writer.run(move |tx| remove(tx, keep)).await?;
    swept.more |= removed.full;
    swept.removed = removed.rows;
    let tidied = writer.run(suppression::tidy).await?;
    swept.removed += u64::try_from(tidied).unwrap_or(0);
    for counted in [&SENDS, &GUESSES] {
        let stale = stale_quotas(cursor, reader, counted, now).await?;
        if !stale.is_empty() {
            let drop = move |tx: &Tx<'_>| drop_quotas(tx, counted, &stale);
            swept.removed += writer.run(drop).await?;
        }
    }
    Ok(swept)
}

fn look(conn: &Connection, from: AuthRequestId, now: Timestamp) -> Result<Seen> {
    let rows = tx::all(
        conn,
        "SELECT id, state = 0 AND expiry_noted = 0, expires_at FROM auth_requests WHERE id >= ?1 ORDER BY id LIMIT ?2",
        params![from.as_bytes(), LOOK],
        |row| {
            Ok((
                AuthRequestId::from_bytes(row.get(0)?),
                row.get(1)?,
                row.get::<_, i64>(2)?,
            ))
        },
    )?;
    let last = (rows.len() == usize::from(LOOK))
        .then(|| rows.last().map(|row| row.0))
        .flatten();
    let open: Vec<_> = rows
        .into_iter()
        .filter(|(_, open, _): &(_, bool, _)| *open)
        .collect();
    let over = |row: &&(_, bool, i64)| row.2 <= now.micros();
    Ok(Seen {
        expired: open.iter().filter(over).map(|row| row.0).collect(),
        living: open.iter().find(|row| !over(row)).map(|row| row.0),
        last,
    })
}

/// Writes the event of each request that is still open and over.
fn expire(tx: &Tx<'_>, ids: &[AuthRequestId]) -> Result<u64> {
    let mut written = 0;
    for id in ids {
        let Some(request) = auth_request::find(tx.held(), *id)? else {
            continue;
        };
        if request.state != State::Open || tx.now < request.expires_at {
            continue;
        }
        let noted = tx.write(
            "UPDATE auth_requests SET expiry_noted = 1 WHERE id = ?1 AND expiry_noted = 0",
            [id.as_bytes()],
        )?;
        if noted == 0 {
            continue;
        }
        let event = Event {
            at: request.expires_at,
            request: Some(*id),
            client: Some(request.client),
            address: request.address.key(),
            what: EventKind::Expired,
        };
        event::append(tx, &[event])?;
        written += 1;
    }
    Ok(written)
}

struct Removed {
    rows: u64,
    full: bool,
}

/// Removes the oldest piece of what is past its time, by ranges of the primary keys.
fn remove(tx: &Tx<'_>, keep: Keep) -> Result<Removed> {
    let mut removed = Removed {
        rows: 0,
        full: false,
    };
    let requests = *AuthRequestId::floor(keep.requests_from).as_bytes();
    if let Some((last, count)) = oldest(
        tx,
        "SELECT id FROM auth_requests WHERE id < ?1 ORDER BY id LIMIT ?2",
        requests,
    )? {
        removed.full |= count == PIECE;
        for sql in [
            "DELETE FROM mail_inputs WHERE request_id <= ?1",
            "DELETE FROM deliveries WHERE request_id <= ?1",
            "DELETE FROM auth_requests WHERE id <= ?1",
        ] {
            removed.rows += u64::try_from(tx.write(sql, [last])?).unwrap_or(0);
        }
    }
    let events = event::floor(keep.events_from);
    if let Some((last, count)) = oldest(
        tx,
        "SELECT id FROM events WHERE id < ?1 ORDER BY id LIMIT ?2",
        events,
    )? {
        removed.full |= count == PIECE;
        removed.rows +=
            u64::try_from(tx.write("DELETE FROM events WHERE id <= ?1", [last])?).unwrap_or(0);
    }
    removed.full |= log::expire(tx, keep.events_from, PIECE)?;
    Ok(removed)
}

/// The last of the oldest piece, and how many it has.
fn oldest(tx: &Tx<'_>, sql: &str, before: [u8; 16]) -> Result<Option<([u8; 16], u16)>> {
    let ids = tx::all(tx.conn(), sql, params![before, PIECE], |row| row.get(0))?;
    Ok(ids
        .last()
        .map(|last| (*last, u16::try_from(ids.len()).unwrap_or(PIECE))))
}

/// One of the two tables that count what happened to an address.
struct Counted {
    /// Which of the cursor's places is its own.
    place: usize,
    piece: &'static str,
    one: &'static str,
    drop: &'static str,
}

static SENDS: Counted = Counted {
    place: 0,
    piece: "SELECT address, times FROM address_sends WHERE address > ?1 ORDER BY address LIMIT ?2",
    one: "SELECT times FROM address_sends WHERE address = ?1",
    drop: "DELETE FROM address_sends WHERE address = ?1",
};

static GUESSES: Counted = Counted {
    place: 1,
    piece: "SELECT address, times FROM address_guesses WHERE address > ?1 ORDER BY address LIMIT ?2",
    one: "SELECT times FROM address_guesses WHERE address = ?1",
    drop: "DELETE FROM address_guesses WHERE address = ?1",
};

/// Rows in which nothing counts any more, from the next piece of the table.
async fn stale_quotas(
    cursor: &Cursor,
    reader: &Reader,
    counted: &'static Counted,
    now: Timestamp,
) -> Result<Vec<[u8; 16]>, StoreError> {
    let from = cursor.lock().quota[counted.place];
    let (stale, last) = reader
        .run(move |conn| quotas(conn, counted, from, now))
        .await?;
    cursor.lock().quota[counted.place] = last.unwrap_or_default();
    Ok(stale)
}

type Stale = (Vec<[u8; 16]>, Option<[u8; 16]>);

fn quotas(conn: &Connection, counted: &Counted, from: [u8; 16], now: Timestamp) -> Result<Stale> {
    let rows = tx::all(conn, counted.piece, params![from, LOOK], |row| {
        Ok((row.get(0)?, spent(row.get_ref(1)?.as_blob()?, now)))
    })?;
    let last = (rows.len() == usize::from(LOOK))
        .then(|| rows.last().map(|row| row.0))
        .flatten();
    let mut stale: Vec<_> = rows
        .into_iter()
        .filter(|row| row.1)
        .map(|row| row.0)
        .collect();
    stale.truncate(usize::from(PIECE));
    Ok((stale, last))
}

fn spent(times: &[u8], now: Timestamp) -> bool {
    History::from_bytes(times).count_within(BUDGET_SPAN, now) == 0
}

fn drop_quotas(tx: &Tx<'_>, counted: &Counted, addresses: &[[u8; 16]]) -> Result<u64> {
    let mut removed = 0;
    for address in addresses {
        let spent = tx.find(counted.one, [address], |row| {
            Ok(spent(row.get_ref(0)?.as_blob()?, tx.now))
        })?;
        if spent == Some(true) {
            removed += tx.write(counted.drop, [address])?;
        }
    }
    Ok(u64::try_from(removed).unwrap_or(0))
}
