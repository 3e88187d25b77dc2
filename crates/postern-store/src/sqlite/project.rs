//! Taking events into the authentication log: read and folded beside the writer, written in one act.

use std::collections::{BTreeMap, HashMap};

use postern_core::model::{AuthRequestId, Event, EventId, LogEntry, Tally, Timestamp};
use postern_core::ports::StoreError;
use rusqlite::{Connection, Result, params};

use super::event;
use super::log::{self, Numbered, minute_of, segment_of};
use super::reader::Reader;
use super::tallies;
use super::tx::{self, Tx};
use super::writer::Writer;

/// Rows of events taken in by one act: it holds up the writer for about a millisecond.
const PIECE: u16 = 512;

/// Takes in the next piece; whether there is more.
pub(super) async fn project(reader: &Reader, writer: &Writer) -> Result<bool, StoreError> {
    let piece = reader.run(Piece::read).await?;
    let (Some(piece), more) = piece else {
        return Ok(false);
    };
    writer.run(move |tx| piece.write(tx)).await?;
    Ok(more)
}

/// What a piece of the events makes of the log.
struct Piece {
    from: EventId,
    to: EventId,
    opened: Vec<LogEntry>,
    changed: Vec<Changed>,
    refusals: Vec<(EventId, [u8; 16])>,
    minutes: BTreeMap<i64, Tally>,
}

/// An entry that was there, before and after.
struct Changed {
    before: Numbered,
    after: LogEntry,
}

/// The entries that a piece is about, in the order in which they are met.
#[derive(Default)]
struct Folding {
    places: HashMap<AuthRequestId, Option<Place>>,
    opened: Vec<LogEntry>,
    changed: Vec<Changed>,
}

#[derive(Clone, Copy)]
enum Place {
    Opened(usize),
    Changed(usize),
}

impl Piece {
    /// The next piece, and whether it is a full one; none when nothing happened.
    fn read(conn: &Connection) -> Result<(Option<Self>, bool)> {
        let cursor = tx::find(conn, "SELECT event FROM log_cursor", [], |row| row.get(0))?;
        let from: EventId = cursor.unwrap_or_default();
        let rows = event::after(conn, from, PIECE)?;
        let Some((to, _)) = rows.last() else {
            return Ok((None, false));
        };
        let (to, full) = (*to, rows.len() == usize::from(PIECE));
        let mut folding = Folding::default();
        let (mut refusals, mut minutes) = (Vec::new(), BTreeMap::new());
        for (row, told) in &rows {
            let Some(first) = told.first() else { continue };
            let opened_at = if let Some(id) = first.request {
                folding.take(conn, id, *row, told)?
            } else {
                refusals.push((*row, first.address.0));
                None
            };
            tally(&mut minutes, told, opened_at);
        }
        let piece = Self {
            from,
            to,
            opened: folding.opened,
            changed: folding.changed,
            refusals,
            minutes,
        };
        Ok((Some(piece), full))
    }

    /// Writes it, unless another node took the same events in first.
    fn write(&self, tx: &Tx<'_>) -> Result<()> {
        let cursor: Option<(EventId, i64)> =
            tx.find("SELECT event, next FROM log_cursor", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let Some((_, mut next)) = cursor.filter(|(event, _)| *event == self.from) else {
            return Ok(());
        };
        let mut counts = Counts::default();
        for entry in &self.opened {
            insert(tx, next, entry)?;
            counts.add(next, entry, 1);
            counts.seen(next, entry.at);
            next += 1;
        }
        for Changed { before, after } in &self.changed {
            update(tx, before.0, after)?;
            if before.1.status != after.status {
                counts.add(before.0, &before.1, -1);
                counts.add(before.0, after, 1);
            }
        }
        counts.write(tx)?;
        for (event, address) in &self.refusals {
            tx.write(
                "INSERT INTO log_refusals (event, address) VALUES (?1, ?2)",
                params![event, address],
            )?;
        }
        tallies::add(tx, &self.minutes)?;
        tx.write(
            "UPDATE log_cursor SET event = ?1, next = ?2",
            params![self.to, next],
        )?;
        Ok(())
    }
}

impl Folding {
    /// Takes in what one act told about a request; answers when that was opened. What is told of a
    /// request that is not in the log, because its retention is over, is passed over.
    fn take(
        &mut self,
        conn: &Connection,
        id: AuthRequestId,
        row: EventId,
        told: &[Event],
    ) -> Result<Option<Timestamp>> {
        if let Some(entry) = LogEntry::open(row, told) {
            let place = Place::Opened(self.opened.len());
            let at = entry.at;
            self.places.insert(id, Some(place));
            self.opened.push(entry);
            return Ok(Some(at));
        }
        let place = if let Some(place) = self.places.get(&id) {
            *place
        } else {
            let place = self.fetch(conn, id)?;
            self.places.insert(id, place);
            place
        };
        let entry = match place {
            None => return Ok(None),
            Some(Place::Opened(index)) => &mut self.opened[index],
            Some(Place::Changed(index)) => &mut self.changed[index].after,
        };
        entry.add(row, told);
        Ok(Some(entry.at))
    }

    fn fetch(&mut self, conn: &Connection, id: AuthRequestId) -> Result<Option<Place>> {
        let Some(before) = log::find(conn, id)? else {
            return Ok(None);
        };
        let after = before.1.clone();
        self.changed.push(Changed { before, after });
        Ok(Some(Place::Changed(self.changed.len() - 1)))
    }
}

fn tally(minutes: &mut BTreeMap<i64, Tally>, told: &[Event], opened_at: Option<Timestamp>) {
    for event in told {
        minutes
            .entry(minute_of(event.at))
            .or_default()
            .count(&event.what, opened_at.map(|at| event.at.since(at)));
    }
}

fn insert(tx: &Tx<'_>, number: i64, entry: &LogEntry) -> Result<()> {
    tx.write(
        "INSERT INTO log_requests (number, id, at, client, address, email, status, last_at, last, events, lost) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            number,
            entry.id.as_bytes(),
            entry.at.micros(),
            entry.client.as_str(),
            entry.address.0,
            entry.email,
            entry.status.number(),
            entry.last_at.micros(),
            entry.last,
            entry.events.as_flattened(),
            entry.lost.then_some(number),
        ],
    )?;
    tx.write(
        "INSERT INTO log_addresses (segment, address, number) VALUES (?1, ?2, ?3)",
        params![segment_of(number), entry.address.0, number],
    )?;
    Ok(())
}

fn update(tx: &Tx<'_>, number: i64, entry: &LogEntry) -> Result<()> {
    tx.write(
        "UPDATE log_requests SET status = ?2, last_at = ?3, last = ?4, events = ?5, lost = ?6 WHERE number = ?1",
        params![
            number,
            entry.status.number(),
            entry.last_at.micros(),
            entry.last,
            entry.events.as_flattened(),
            entry.lost.then_some(number),
        ],
    )?;
    Ok(())
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

    fn write(&self, tx: &Tx<'_>) -> Result<()> {
        for ((segment, client, status), times) in self.kinds.iter().filter(|kind| *kind.1 != 0) {
            tx.write(
                "INSERT INTO log_counts (segment, client, status, count) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (segment, client, status) DO UPDATE SET count = count + excluded.count",
                params![segment, client, status, times],
            )?;
        }
        for (segment, (first, last)) in &self.spans {
            tx.write(
                "INSERT INTO log_segments (segment, first_at, last_at) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (segment) DO UPDATE SET first_at = min(first_at, excluded.first_at), \
                 last_at = max(last_at, excluded.last_at)",
                params![segment, first, last],
            )?;
        }
        Ok(())
    }
}
