use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use postern_core::model::{AddressKey, Timestamp};
use rusqlite::{Connection, Result};

use super::sends_filter::SendsFilter;
use super::tx::{self, Statements};

/// How long a log takes what comes, at most: what it holds is then tidied like the table's rows.
const OPEN_FOR: Duration = Duration::from_hours(1);
/// How many sends a commit carries over at least, while there are any to carry over.
const PIECE: usize = 64;

const ROWS: [&str; 2] = [
    "SELECT id, address, at FROM recent_sends_0 ORDER BY id",
    "SELECT id, address, at FROM recent_sends_1 ORDER BY id",
];
const CARRY: [&str; 2] = [
    "INSERT OR REPLACE INTO address_sends (address, times) SELECT address, times FROM recent_sends_0 WHERE id = ?1",
    "INSERT OR REPLACE INTO address_sends (address, times) SELECT address, times FROM recent_sends_1 WHERE id = ?1",
];
const EMPTY: [&str; 2] = ["DELETE FROM recent_sends_0", "DELETE FROM recent_sends_1"];

/// Where the sends of an address rest that have not gone to their table yet.
///
/// Addresses are spread at random over that table, so writing there dirties a page for each send.
/// Sends are therefore appended to a log, found again through this map, and carried over in the order
/// of the table, many to a page. Only the map is in memory: it is read from the logs at the start.
/// What the open transaction adds counts at once and is kept apart until the transaction is durable.
pub(super) struct RecentSends {
    /// Which addresses the table has no row for.
    filter: Arc<SendsFilter>,
    /// How many rows a log takes.
    limit: usize,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Which log takes what comes.
    log: usize,
    /// The next row's id.
    next: i64,
    /// The last row of each address in that log.
    last: HashMap<AddressKey, i64>,
    rows: usize,
    since: Option<Timestamp>,
    /// What the open transaction added.
    noted: Vec<(AddressKey, i64)>,
    /// What lies in the other log.
    leaving: Option<Leaving>,
}

/// A log that is being carried over.
struct Leaving {
    /// The last row of each address, in the order of addresses.
    rows: Vec<(AddressKey, i64)>,
    /// How many of them are in the table.
    done: usize,
    /// How many will be once the open transaction is durable.
    reached: usize,
}

/// A row of one of the logs.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Which log: 0 or 1.
    pub(super) log: usize,
    /// The row.
    pub(super) id: i64,
}

impl RecentSends {
    /// Takes up what the logs hold.
    pub(super) fn resume(
        conn: &Connection,
        limit: usize,
        filter: Arc<SendsFilter>,
    ) -> Result<Self> {
        filter.doubt();
        let logs = [Log::read(conn, 0)?, Log::read(conn, 1)?];
        let next = logs.iter().map(|log| log.newest).max().unwrap_or(0) + 1;
        // The older one is leaving, if both hold something; else the one that does takes what comes.
        let log = usize::from(logs[1].newest > logs[0].newest);
        let [first, second] = logs;
        let (open, other) = if log == 0 {
            (first, second)
        } else {
            (second, first)
        };
        let state = State {
            log,
            next,
            rows: open.rows,
            since: open.since,
            last: open.last,
            noted: Vec::new(),
            leaving: (other.rows > 0).then(|| Leaving::new(other.last)),
        };
        Ok(Self {
            filter,
            limit,
            state: RefCell::new(state),
        })
    }

    /// Where the newest sends of an address lie, unless they are in the table or nowhere.
    pub(super) fn find(&self, address: AddressKey) -> Option<Place> {
        let state = self.state.borrow();
        let noted = state.noted.iter().rev().find(|(of, _)| *of == address);
        let open = noted
            .map(|(_, id)| *id)
            .or_else(|| state.last.get(&address).copied());
        if let Some(id) = open {
            return Some(Place { log: state.log, id });
        }
        let id = state.leaving.as_ref()?.find(address)?;
        let log = 1 - state.log;
        Some(Place { log, id })
    }

    /// Whether the table may have a row for an address.
    pub(super) fn may_be_in_table(&self, address: AddressKey) -> bool {
        self.filter.may_hold(address)
    }

    /// Where the next row goes.
    pub(super) fn next(&self) -> Place {
        let state = self.state.borrow();
        Place {
            log: state.log,
            id: state.next,
        }
    }

    /// Notes that the row of [`Self::next`] was written for an address.
    pub(super) fn note(&self, address: AddressKey) {
        let mut state = self.state.borrow_mut();
        let id = state.next;
        state.noted.push((address, id));
        state.next += 1;
    }

    /// How many rows the open transaction added.
    pub(super) fn noted(&self) -> usize {
        self.state.borrow().noted.len()
    }

    /// The open transaction lost what it added after so many rows.
    pub(super) fn forget_after(&self, noted: usize) {
        let mut state = self.state.borrow_mut();
        state.noted.truncate(noted);
        if let Some(leaving) = &mut state.leaving {
            leaving.reached = leaving.done;
        }
    }

    /// Carries a piece of the leaving log over in the open transaction: twice as many rows as were
    /// added, so that it is empty long before the other is full.
    pub(super) fn carry_over(&self, held: &dyn Statements) -> Result<()> {
        let mut state = self.state.borrow_mut();
        let (log, piece) = (1 - state.log, PIECE.max(2 * state.noted.len()));
        let Some(leaving) = &mut state.leaving else {
            return Ok(());
        };
        let until = leaving.rows.len().min(leaving.done + piece);
        for (_, id) in &leaving.rows[leaving.done..until] {
            tx::execute(held, CARRY[log], [id])?;
        }
        if until == leaving.rows.len() {
            tx::execute(held, EMPTY[log], [])?;
        }
        leaving.reached = until;
        Ok(())
    }

    /// The open transaction is durable.
    pub(super) fn committed(&self, now: Timestamp) {
        let mut state = self.state.borrow_mut();
        let State {
            last,
            noted,
            rows,
            since,
            ..
        } = &mut *state;
        if !noted.is_empty() {
            since.get_or_insert(now);
        }
        *rows += noted.len();
        last.extend(noted.drain(..));
        if let Some(leaving) = &mut state.leaving {
            let carried = &leaving.rows[leaving.done..leaving.reached];
            self.filter.mark(carried.iter().map(|(of, _)| of));
            leaving.done = leaving.reached;
        }
        state
            .leaving
            .take_if(|leaving| leaving.done == leaving.rows.len());
        let old = state.since.is_some_and(|since| now.since(since) > OPEN_FOR);
        if state.leaving.is_none() && (state.rows >= self.limit || old) {
            state.turn();
        }
    }
}

impl State {
    /// Begins to carry the log over, and the other one takes what comes.
    fn turn(&mut self) {
        self.leaving = Some(Leaving::new(std::mem::take(&mut self.last)));
        self.log = 1 - self.log;
        self.rows = 0;
        self.since = None;
    }
}

impl Leaving {
    fn new(last: HashMap<AddressKey, i64>) -> Self {
        let mut rows: Vec<_> = last.into_iter().collect();
        rows.sort_unstable();
        Self {
            rows,
            done: 0,
            reached: 0,
        }
    }

    /// The row of an address; one that is in the table already reads the same there.
    fn find(&self, address: AddressKey) -> Option<i64> {
        let waiting = &self.rows[self.reached..];
        let at = waiting.binary_search_by_key(&address, |(of, _)| *of).ok()?;
        Some(waiting[at].1)
    }
}

/// What one log holds at the start.
struct Log {
    last: HashMap<AddressKey, i64>,
    rows: usize,
    newest: i64,
    since: Option<Timestamp>,
}

impl Log {
    fn read(conn: &Connection, log: usize) -> Result<Self> {
        let rows = tx::all(conn, ROWS[log], [], |row| {
            let at = Timestamp::from_micros(row.get(2)?);
            Ok((AddressKey(row.get(1)?), row.get(0)?, at))
        })?;
        Ok(Self {
            rows: rows.len(),
            newest: rows.last().map_or(0, |(_, id, _)| *id),
            since: rows.first().map(|(_, _, at)| *at),
            last: rows.into_iter().map(|(of, id, _)| (of, id)).collect(),
        })
    }
}
