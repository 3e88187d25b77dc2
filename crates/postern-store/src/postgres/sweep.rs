use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postern_core::model::{AuthRequestId, Event, EventKind, History, State, Timestamp};
use postern_core::ports::{Keep, StoreError, Swept};
use postern_core::rules::BUDGET_SPAN;
use tokio_postgres::types::Type;

use super::auth_request::state_of;
use super::event::{self, Told};
use super::failure::Failure;
use super::session::{Session, Sql};
use super::value::{Id, address, client, get, moment, request_id};
use super::{PostgresStore, log, revival, suppression};

/// Rows looked at in one read.
const LOOK: i64 = 2000;
/// Rows changed in one act, so that no caller waits long behind it.
const PIECE: i64 = 200;
/// A request lives at most so long: a day of resends, and an hour of its last credential. At the
/// start nothing older can be waiting for its event.
const LIVES: Duration = Duration::from_hours(26);

/// Where this node's sweeper stands. Every node sweeps; what two find at once, one of them does.
pub(super) struct Cursor(Mutex<Place>);

struct Place {
    /// Every request before this one has its event, or needs none, or is among the revivals.
    settled: AuthRequestId,
    /// The next request to look at.
    next: AuthRequestId,
    /// The first request of this round that still lives.
    living: Option<AuthRequestId>,
    /// The last row looked at in each of the two tables of counts.
    quota: [Id; 2],
}

impl Cursor {
    pub(super) fn new(now: Timestamp) -> Self {
        let settled = AuthRequestId::floor(now.minus(LIVES));
        Self(Mutex::new(Place {
            settled,
            next: settled,
            living: None,
            quota: [Id([0; 16]); 2],
        }))
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
pub(super) async fn sweep(store: &PostgresStore, keep: Keep) -> Result<Swept, StoreError> {
    let now = store.bench.clock.now();
    let mut swept = Swept::default();
    tell_of_ends(store, now, &mut swept).await?;
    for (sql, before) in [
        (
            &REQUESTS,
            *AuthRequestId::floor(keep.requests_from).as_bytes(),
        ),
        (&EVENTS, event::floor(keep.events_from)),
    ] {
        let held = store.pool.take().await?;
        let removing = remove(&held, sql, Id(before));
        let done = held.transact(held.in_time(removing)).await;
        let (rows, full) = held.ended(done)?;
        swept.removed += rows;
        swept.more |= full;
    }
    let held = store.pool.take().await?;
    let expiring = log::expire(&held, keep.events_from, PIECE);
    let done = held.transact(held.in_time(expiring)).await;
    swept.more |= held.ended(done)?;
    let held = store.pool.take().await?;
    let done = held.transact(held.in_time(suppression::tidy(&held, now)));
    let done = done.await;
    swept.removed += held.ended(done)?;
    for counted in [&SENDS, &GUESSES] {
        let held = store.pool.take().await?;
        let tidying = tidy(store, &held, counted, now);
        let done = held.transact(held.in_time(tidying)).await;
        swept.removed += held.ended(done)?;
    }
    Ok(swept)
}

/// Writes the events of the requests that have expired, from the next piece of all and from the
/// revivals.
async fn tell_of_ends(
    store: &PostgresStore,
    now: Timestamp,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    let from = store.cursor.lock().next;
    let held = store.pool.take().await?;
    let looked = held.in_time(look(&held, from, now)).await;
    let seen = held.end(looked)?;
    let held = store.pool.take().await?;
    let found = held.in_time(revival::over(&held, now, PIECE)).await;
    let revived = held.end(found)?;
    swept.more |= i64::try_from(revived.len()).unwrap_or(PIECE) == PIECE;
    let piece = usize::try_from(PIECE).unwrap_or(usize::MAX);
    for piece in seen.expired.chunks(piece).chain(revived.chunks(piece)) {
        let held = store.pool.take().await?;
        let expiring = expire(store, &held, piece, now);
        let done = held.transact(held.in_time(expiring)).await;
        swept.expired += held.ended(done)?;
    }
    swept.more |= store.cursor.advance(&seen);
    Ok(())
}

async fn look(session: &Session, from: AuthRequestId, now: Timestamp) -> Result<Seen, Failure> {
    static LOOKS: Sql = Sql {
        text: "SELECT id, state, expiry_noted, expires_at FROM auth_requests WHERE id >= $1 ORDER BY id LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    };
    let rows = session.query(&LOOKS, &[&Id::from(from), &LOOK]).await?;
    let mut seen = Seen {
        expired: Vec::new(),
        living: None,
        last: None,
    };
    for row in &rows {
        let open = state_of(get(row, 1)?)? == State::Open && !get::<bool>(row, 2)?;
        let id = request_id(row, 0)?;
        if !open {
            continue;
        }
        if moment(row, 3)? <= now {
            seen.expired.push(id);
        } else if seen.living.is_none() {
            seen.living = Some(id);
        }
    }
    if i64::try_from(rows.len()).unwrap_or(LOOK) == LOOK {
        seen.last = rows.last().map(|row| request_id(row, 0)).transpose()?;
    }
    Ok(seen)
}

/// Writes the event of each request that is still open and over, and that no other node noted.
async fn expire(
    store: &PostgresStore,
    session: &Session,
    ids: &[AuthRequestId],
    now: Timestamp,
) -> Result<u64, Failure> {
    static NOTE: Sql = Sql {
        text: "UPDATE auth_requests SET expiry_noted = TRUE WHERE id = ANY($1) AND state = 0 AND NOT expiry_noted \
               AND expires_at <= $2 RETURNING id, expires_at, client, address",
        types: &[Type::UUID_ARRAY, Type::INT8],
    };
    let ids: Vec<Id> = ids.iter().map(|id| Id::from(*id)).collect();
    let noted = session.query(&NOTE, &[&ids, &now.micros()]).await?;
    let mut told = Told::default();
    for row in &noted {
        let event = Event {
            at: moment(row, 1)?,
            request: Some(request_id(row, 0)?),
            client: Some(client(get(row, 2)?)?),
            address: address(get(row, 3)?)?.key(),
            what: EventKind::Expired,
        };
        told.push_late(&store.bench.ids, now, &event)?;
    }
    told.insert(session).await?;
    revival::remove(session, &ids, now).await?;
    Ok(noted.len() as u64)
}

/// One table of rows that are removed once they are old, with those that go with them.
struct Aged {
    oldest: Sql,
    with: &'static [Sql],
}

static REQUESTS: Aged = Aged {
    oldest: Sql {
        text: "DELETE FROM auth_requests WHERE id IN (SELECT id FROM auth_requests WHERE id < $1 ORDER BY id LIMIT $2) \
               RETURNING id",
        types: &[Type::UUID, Type::INT8],
    },
    with: &[
        Sql {
            text: "DELETE FROM mail_inputs WHERE request_id = ANY($1)",
            types: &[Type::UUID_ARRAY],
        },
        Sql {
            text: "DELETE FROM deliveries WHERE request_id = ANY($1)",
            types: &[Type::UUID_ARRAY],
        },
        Sql {
            text: "DELETE FROM revivals WHERE request_id = ANY($1)",
            types: &[Type::UUID_ARRAY],
        },
    ],
};

static EVENTS: Aged = Aged {
    oldest: Sql {
        text: "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < $1 ORDER BY id LIMIT $2) RETURNING id",
        types: &[Type::UUID, Type::INT8],
    },
    with: &[],
};

/// Removes the oldest piece of what is past its time; answers how many rows went, and whether the
/// piece was full.
async fn remove(session: &Session, aged: &Aged, before: Id) -> Result<(u64, bool), Failure> {
    let rows = session.query(&aged.oldest, &[&before, &PIECE]).await?;
    let ids: Vec<Id> = rows
        .iter()
        .map(|row| get(row, 0))
        .collect::<Result<_, _>>()?;
    let mut removed = ids.len() as u64;
    if ids.is_empty() {
        return Ok((0, false));
    }
    for sql in aged.with {
        removed += session.execute(sql, &[&ids]).await?;
    }
    Ok((removed, i64::try_from(ids.len()).unwrap_or(PIECE) == PIECE))
}

/// One of the two tables that count what happened to an address.
struct CountsOf {
    /// Which of the cursor's places is its own.
    place: usize,
    piece: Sql,
    drop: Sql,
}

static SENDS: CountsOf = CountsOf {
    place: 0,
    piece: Sql {
        text: "SELECT address, times, version FROM address_sends WHERE address > $1 ORDER BY address LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    },
    drop: Sql {
        text: "DELETE FROM address_sends AS held USING unnest($1, $2) AS spent (address, version) \
               WHERE held.address = spent.address AND held.version = spent.version",
        types: &[Type::UUID_ARRAY, Type::INT8_ARRAY],
    },
};

static GUESSES: CountsOf = CountsOf {
    place: 1,
    piece: Sql {
        text: "SELECT address, times, version FROM address_guesses WHERE address > $1 ORDER BY address LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    },
    drop: Sql {
        text: "DELETE FROM address_guesses AS held USING unnest($1, $2) AS spent (address, version) \
               WHERE held.address = spent.address AND held.version = spent.version",
        types: &[Type::UUID_ARRAY, Type::INT8_ARRAY],
    },
};

/// Removes, from the next piece of the table, the rows in which nothing counts any more.
async fn tidy(
    store: &PostgresStore,
    session: &Session,
    counted: &CountsOf,
    now: Timestamp,
) -> Result<u64, Failure> {
    let from = store.cursor.lock().quota[counted.place];
    let rows = session.query(&counted.piece, &[&from, &LOOK]).await?;
    let (mut addresses, mut versions) = (Vec::new(), Vec::new());
    for row in &rows {
        let times = History::from_bytes(get(row, 1)?);
        if times.count_within(BUDGET_SPAN, now) == 0 {
            addresses.push(get::<Id>(row, 0)?);
            versions.push(get::<i64>(row, 2)?);
        }
    }
    let full = i64::try_from(rows.len()).unwrap_or(LOOK) == LOOK;
    let last = rows
        .last()
        .filter(|_| full)
        .map(|row| get(row, 0))
        .transpose()?;
    store.cursor.lock().quota[counted.place] = last.unwrap_or(Id([0; 16]));
    if addresses.is_empty() {
        return Ok(0);
    }
    session
        .execute(&counted.drop, &[&addresses, &versions])
        .await
}
