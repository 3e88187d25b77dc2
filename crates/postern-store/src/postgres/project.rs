//! Taking events into the authentication log: read, folded and written in one transaction by whoever
//! holds the cursor, which also removes them from those that wait.

use std::collections::{BTreeMap, HashMap, HashSet};

use postern_core::model::{AuthRequestId, Event, EventId, LogEntry, Tally, Timestamp};
use tokio_postgres::types::Type;

use super::event;
use super::failure::Failure;
use super::log::{self, Numbered, minute_of, segment_of};
use super::session::{Param, Session, Sql};
use super::tallies;
use super::value::{Id, get};
use super::waiting;

/// Rows of events taken in by one act, about: more than on the embedded engine, for no writer waits here.
const PIECE: usize = 2048;

/// Takes in the next piece; whether there is more. Another node that is at it is left to it.
pub(super) async fn project(session: &Session) -> Result<bool, Failure> {
    static TAKE: Sql = Sql {
        text: "SELECT number FROM log_cursor WHERE id = 2 FOR UPDATE SKIP LOCKED",
        types: &[],
    };
    static MOVE: Sql = Sql {
        text: "UPDATE log_cursor SET number = $1 WHERE id = 2",
        types: &[Type::INT8],
    };
    let cursor = session.query(&TAKE, &[]).await?;
    let Some(cursor) = cursor.first() else {
        return Ok(false);
    };
    let adopted = waiting::adopt(session).await?;
    let waiting = waiting::next(session, PIECE).await?;
    if waiting.is_empty() {
        return Ok(false);
    }
    let mut rows = event::rows(session, &waiting.ids).await?;
    let mut piece = Piece::of(session, &rows).await?;
    // A node whose clock is behind names its events before the opening that another one wrote.
    let openings = waiting.pull(session, &piece.unopened(&rows)).await?;
    rows.extend(openings);
    piece.fold(&rows);
    let next = piece.write(session, get(cursor, 0)?).await?;
    waiting.done(session).await?;
    session.execute(&MOVE, &[&next]).await?;
    Ok(waiting.more || adopted)
}

/// What a piece of the events makes of the log.
#[derive(Default)]
struct Piece {
    opened: Vec<LogEntry>,
    changed: Vec<Changed>,
    refusals: Vec<(EventId, Id)>,
    minutes: BTreeMap<i64, Tally>,
    places: HashMap<AuthRequestId, Place>,
}

/// An entry that was there, before and after.
struct Changed {
    before: Numbered,
    after: LogEntry,
}

#[derive(Clone, Copy)]
enum Place {
    Opened(usize),
    Changed(usize),
}

impl Piece {
    /// Nothing yet, but for the entries that these rows name and that are in the log.
    async fn of(session: &Session, rows: &[event::Row]) -> Result<Self, Failure> {
        let mut piece = Self::default();
        let named = rows.iter().filter_map(|(_, told)| told.first()?.request);
        let named: Vec<Id> = named.map(Id::from).collect();
        for (id, before) in log::find_all(session, &named).await? {
            let after = before.1.clone();
            piece.places.insert(id, Place::Changed(piece.changed.len()));
            piece.changed.push(Changed { before, after });
        }
        Ok(piece)
    }

    /// The requests that rows tell of, of which neither they nor the log tell the opening.
    fn unopened(&self, rows: &[event::Row]) -> Vec<Id> {
        let named = |(_, told): &event::Row| told.first()?.request;
        let opened: HashSet<_> = rows
            .iter()
            .filter(|row| event::opens(row))
            .filter_map(named)
            .collect();
        let unopened: HashSet<_> = rows
            .iter()
            .filter_map(named)
            .filter(|id| !opened.contains(id) && !self.places.contains_key(id))
            .collect();
        unopened.into_iter().map(Id::from).collect()
    }

    /// Takes in all rows: openings first, wherever they stand.
    fn fold(&mut self, rows: &[event::Row]) {
        let (openings, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| event::opens(row));
        for (row, told) in openings.into_iter().chain(others) {
            let Some(first) = told.first() else { continue };
            let opened_at = if let Some(id) = first.request {
                self.take(id, *row, told)
            } else {
                self.refusals.push((*row, first.address.into()));
                None
            };
            for event in told {
                let open = opened_at.map(|at| event.at.since(at));
                let tally = self.minutes.entry(minute_of(event.at)).or_default();
                tally.count(&event.what, open);
            }
        }
    }

    /// Takes in what one act told about a request; answers when that was opened. What is told of a
    /// request that is not in the log, because its retention is over, is passed over.
    fn take(&mut self, id: AuthRequestId, row: EventId, told: &[Event]) -> Option<Timestamp> {
        if let Some(entry) = LogEntry::open(row, told) {
            let at = entry.at;
            self.places.insert(id, Place::Opened(self.opened.len()));
            self.opened.push(entry);
            return Some(at);
        }
        let entry = match self.places.get(&id)? {
            Place::Opened(index) => &mut self.opened[*index],
            Place::Changed(index) => &mut self.changed[*index].after,
        };
        entry.add(row, told);
        // One that became visible late stands where it belongs all the same.
        entry.events.sort_unstable();
        Some(entry.at)
    }

    /// Writes it; answers the number after the last.
    async fn write(&self, session: &Session, first: i64) -> Result<i64, Failure> {
        let mut counts = Counts::default();
        let mut next = first;
        for entry in &self.opened {
            counts.add(next, entry, 1);
            counts.seen(next, entry.at);
            next += 1;
        }
        for Changed { before, after } in &self.changed {
            if before.1.status != after.status {
                counts.add(before.0, &before.1, -1);
                counts.add(before.0, after, 1);
            }
        }
        insert(session, &self.opened, first).await?;
        update(session, &self.changed).await?;
        counts.write(session).await?;
        refuse(session, &self.refusals).await?;
        tallies::add(session, &self.minutes).await?;
        Ok(next)
    }
}

async fn insert(session: &Session, entries: &[LogEntry], first: i64) -> Result<(), Failure> {
    static INSERT: Sql = Sql {
        text: "INSERT INTO log_requests (number, id, at, client, address, email, status, last_at, last, events, lost) \
               SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        types: &[
            Type::INT8_ARRAY,
            Type::UUID_ARRAY,
            Type::INT8_ARRAY,
            Type::TEXT_ARRAY,
            Type::UUID_ARRAY,
            Type::TEXT_ARRAY,
            Type::INT2_ARRAY,
            Type::INT8_ARRAY,
            Type::TEXT_ARRAY,
            Type::BYTEA_ARRAY,
            Type::INT8_ARRAY,
        ],
    };
    if entries.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i64> = (first..).take(entries.len()).collect();
    let placed = numbers.iter().zip(entries);
    let lost: Vec<_> = placed
        .map(|(number, entry)| entry.lost.then_some(*number))
        .collect();
    let params: [Param<'_>; 11] = [
        &numbers,
        &each(entries, |entry| Id::from(entry.id)),
        &each(entries, |entry| entry.at.micros()),
        &each(entries, |entry| entry.client.as_str()),
        &each(entries, |entry| Id::from(entry.address)),
        &each(entries, |entry| &*entry.email),
        &each(entries, |entry| i16::from(entry.status.number())),
        &each(entries, |entry| entry.last_at.micros()),
        &each(entries, |entry| &*entry.last),
        &each(entries, |entry| entry.events.as_flattened()),
        &lost,
    ];
    session.execute(&INSERT, &params).await.map(drop)
}

async fn update(session: &Session, entries: &[Changed]) -> Result<(), Failure> {
    static UPDATE: Sql = Sql {
        text: "UPDATE log_requests AS held SET status = new.status, last_at = new.last_at, last = new.last, \
               events = new.events, lost = new.lost \
               FROM unnest($1, $2, $3, $4, $5, $6) AS new (number, status, last_at, last, events, lost) \
               WHERE held.number = new.number",
        types: &[
            Type::INT8_ARRAY,
            Type::INT2_ARRAY,
            Type::INT8_ARRAY,
            Type::TEXT_ARRAY,
            Type::BYTEA_ARRAY,
            Type::INT8_ARRAY,
        ],
    };
    if entries.is_empty() {
        return Ok(());
    }
    let params: [Param<'_>; 6] = [
        &each(entries, |entry| entry.before.0),
        &each(entries, |entry| i16::from(entry.after.status.number())),
        &each(entries, |entry| entry.after.last_at.micros()),
        &each(entries, |entry| &*entry.after.last),
        &each(entries, |entry| entry.after.events.as_flattened()),
        &each(entries, |entry| entry.after.lost.then_some(entry.before.0)),
    ];
    session.execute(&UPDATE, &params).await.map(drop)
}

fn each<'a, E, T>(entries: &'a [E], column: impl Fn(&'a E) -> T) -> Vec<T> {
    entries.iter().map(column).collect()
}

async fn refuse(session: &Session, refusals: &[(EventId, Id)]) -> Result<(), Failure> {
    static INSERT: Sql = Sql {
        text: "INSERT INTO log_refusals (event, address) SELECT * FROM unnest($1, $2)",
        types: &[Type::UUID_ARRAY, Type::UUID_ARRAY],
    };
    if refusals.is_empty() {
        return Ok(());
    }
    let events = each(refusals, |(event, _)| Id(*event));
    let addresses = each(refusals, |(_, address)| *address);
    session
        .execute(&INSERT, &[&events, &addresses])
        .await
        .map(drop)
}

/// What changes in the counts of segments.
#[derive(Default)]
struct Counts {
    kinds: BTreeMap<(i64, String, u8), i64>,
    spans: BTreeMap<i64, (i64, i64)>,
}

impl Counts {
    fn add(&mut self, number: i64, entry: &LogEntry, times: i64) {
        let kind = (
            segment_of(number),
            entry.client.to_string(),
            entry.status.number(),
        );
        *self.kinds.entry(kind).or_default() += times;
    }

    fn seen(&mut self, number: i64, at: Timestamp) {
        let at = at.micros();
        let span = self.spans.entry(segment_of(number)).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
    }

    async fn write(&self, session: &Session) -> Result<(), Failure> {
        static COUNT: Sql = Sql {
            text: "INSERT INTO log_counts AS held (segment, client, status, count) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (segment, client, status) DO UPDATE SET count = held.count + excluded.count",
            types: &[Type::INT8, Type::TEXT, Type::INT2, Type::INT8],
        };
        static SPAN: Sql = Sql {
            text: "INSERT INTO log_segments AS held (segment, first_at, last_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (segment) DO UPDATE SET first_at = least(held.first_at, excluded.first_at), \
                   last_at = greatest(held.last_at, excluded.last_at)",
            types: &[Type::INT8, Type::INT8, Type::INT8],
        };
        for ((segment, client, status), times) in self.kinds.iter().filter(|kind| *kind.1 != 0) {
            let params: [Param<'_>; 4] = [segment, client, &i16::from(*status), times];
            session.execute(&COUNT, &params).await?;
        }
        for (segment, (first, last)) in &self.spans {
            session.execute(&SPAN, &[segment, first, last]).await?;
        }
        Ok(())
    }
}
