use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use postern_core::model::AddressKey;
use rusqlite::{Connection, Result, params};

use super::{open, spawn, tx};
use crate::connect::ConnectError;

/// After how many times the rows from which on a filter is worth its memory it is made anew: what was
/// removed from the table meanwhile is still marked.
const ANEW: u64 = 16;
/// Words of one side: 512 KiB, so that at a million addresses it lets one in seven pass for nothing.
const WORDS: u64 = 1 << 16;
/// Rows read at a time, so that no read holds up a checkpoint.
const LOOK: u16 = 5000;
const NEITHER: usize = 2;

/// Tells of most addresses that the table of sends has no row for them, without reading the table.
///
/// Addresses are spread at random over that table, so that looking for one that is not there reads
/// a page that nobody else wants. A thread reads the table through and marks each address in two bits
/// of one side; what the writer commits meanwhile it marks itself, on both. Only a side that was read
/// through is asked.
pub(super) struct SendsFilter {
    /// From how many rows on it is worth its memory.
    worth: u64,
    sides: OnceLock<[Box<[AtomicU64]>; 2]>,
    /// Which side knows every row; none at first, and whenever a commit's fate is unknown.
    whole: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How often nothing could be relied on any more.
    doubts: u64,
    /// Rows marked by the writer since a side was last read through.
    marked: u64,
    closed: bool,
}

impl SendsFilter {
    /// One that is made when the table has `worth` rows.
    pub(super) fn new(worth: usize) -> Arc<Self> {
        Arc::new(Self {
            worth: u64::try_from(worth).unwrap_or(u64::MAX).max(1),
            sides: OnceLock::new(),
            whole: AtomicUsize::new(NEITHER),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Starts the thread on a connection of its own.
    pub(super) fn start(self: &Arc<Self>, path: &Path) -> Result<JoinHandle<()>, ConnectError> {
        let conn = open::reading(path)?;
        let this = Arc::clone(self);
        spawn("store-filter", move || {
            if let Err(error) = this.serve(&conn) {
                tracing::warn!(%error, "addresses are looked for in the table, each at the price of a page");
            }
        })
    }

    /// Whether the table may have a row for the address. Asked by the writer alone.
    pub(super) fn may_hold(&self, address: AddressKey) -> bool {
        let whole = self.whole.load(Ordering::Acquire);
        let side = self.sides.get().and_then(|sides| sides.get(whole));
        side.is_none_or(|side| places(address).all(|(word, bit)| marks(side, word) & bit != 0))
    }

    /// Marks addresses whose rows are durable now.
    pub(super) fn mark<'a>(&self, addresses: impl Iterator<Item = &'a AddressKey>) {
        let mut marked = 0;
        for address in addresses {
            for side in self.sides.get().into_iter().flatten() {
                mark(side, *address);
            }
            marked += 1;
        }
        if marked == 0 {
            return;
        }
        let mut state = self.lock();
        let before = state.marked;
        state.marked += marked;
        if state.marked / self.worth > before / self.worth {
            self.changed.notify_all();
        }
    }

    /// What the table holds is not known any more.
    pub(super) fn doubt(&self) {
        self.whole.store(NEITHER, Ordering::Release);
        self.lock().doubts += 1;
        self.changed.notify_all();
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn serve(&self, conn: &Connection) -> Result<()> {
        if !self.is_large(conn)? && !self.wait(|state| state.marked < self.worth) {
            return Ok(());
        }
        loop {
            let doubts = self.lock().doubts;
            let side = usize::from(self.whole.load(Ordering::Acquire) == 0);
            if !self.read_through(conn, side)? {
                return Ok(());
            }
            {
                let mut state = self.lock();
                if state.doubts == doubts {
                    state.marked = 0;
                    self.whole.store(side, Ordering::Release);
                }
            }
            let known = || self.whole.load(Ordering::Acquire) != NEITHER;
            if !self.wait(|state| state.marked / self.worth < ANEW && known()) {
                return Ok(());
            }
        }
    }

    /// Marks every row of the table; `false` at the end of the engine. Each piece is read after the
    /// side was cleared, so a row is either in it or was marked by the writer.
    fn read_through(&self, conn: &Connection, side: usize) -> Result<bool> {
        let side = &self.sides.get_or_init(|| [empty(), empty()])[side];
        side.iter()
            .for_each(|word| word.store(0, Ordering::Relaxed));
        // An empty key sorts before every other.
        let mut after = Vec::new();
        loop {
            let sql =
                "SELECT address FROM address_sends WHERE address > ?1 ORDER BY address LIMIT ?2";
            let rows: Vec<[u8; 16]> = tx::all(conn, sql, params![after, LOOK], |row| row.get(0))?;
            for row in &rows {
                mark(side, AddressKey(*row));
            }
            if self.lock().closed {
                return Ok(false);
            }
            match rows.last() {
                Some(last) if rows.len() == usize::from(LOOK) => after = last.to_vec(),
                _ => return Ok(true),
            }
        }
    }

    /// Waits while there is nothing to do; `false` at the end of the engine.
    fn wait(&self, idle: impl Fn(&State) -> bool) -> bool {
        let rested = self
            .changed
            .wait_while(self.lock(), |state| !state.closed && idle(state));
        !rested.unwrap_or_else(PoisonError::into_inner).closed
    }

    fn is_large(&self, conn: &Connection) -> Result<bool> {
        let worth = i64::try_from(self.worth).unwrap_or(i64::MAX);
        let sql = "SELECT 1 FROM address_sends LIMIT 1 OFFSET ?1";
        Ok(tx::find(conn, sql, [worth - 1], |_| Ok(()))?.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty() -> Box<[AtomicU64]> {
    (0..WORDS).map(|_| AtomicU64::new(0)).collect()
}

/// Where an address is marked: its key is a digest already.
fn places(address: AddressKey) -> impl Iterator<Item = (usize, u64)> {
    let (halves, _) = address.0.as_chunks::<8>();
    let halves: [u64; 2] = [0, 1].map(|half: usize| u64::from_le_bytes(halves[half]));
    halves.into_iter().map(|half| {
        let word = usize::try_from((half >> 6) % WORDS).expect("a word's place is small");
        (word, 1 << (half & 63))
    })
}

fn marks(side: &[AtomicU64], word: usize) -> u64 {
    side[word].load(Ordering::Relaxed)
}

fn mark(side: &[AtomicU64], address: AddressKey) {
    for (word, bit) in places(address) {
        side[word].fetch_or(bit, Ordering::Relaxed);
    }
}
