use std::cell::Cell;

use postern_core::model::{NodeId, Timestamp};
use rusqlite::{Connection, Params, Result, Row};

use super::event::EventIds;

/// What keeps the acts of a group apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing: an act that fails after it wrote spoils the transaction. Few ever do.
    Shared,
    /// A savepoint for each, set by its first write.
    Each,
}

/// What an act sees of the writer's open transaction.
pub(super) struct Tx<'c> {
    conn: &'c Connection,
    ids: &'c EventIds,
    guard: Guard,
    wrote: Cell<bool>,
    /// The moment the act runs.
    pub(super) now: Timestamp,
    /// Whose leases new deliveries carry.
    pub(super) node: NodeId,
}

impl<'c> Tx<'c> {
    pub(super) fn new(
        conn: &'c Connection,
        ids: &'c EventIds,
        guard: Guard,
        (now, node): (Timestamp, NodeId),
    ) -> Self {
        Self {
            conn,
            ids,
            guard,
            wrote: Cell::new(false),
            now,
            node,
        }
    }

    /// The connection, to read with. What writes goes through [`Self::write`].
    pub(super) fn conn(&self) -> &'c Connection {
        self.conn
    }

    /// Runs one changing statement; answers how many rows it changed.
    pub(super) fn write(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.begin()?;
        self.conn.prepare_cached(sql)?.execute(params)
    }

    /// Reads at most one row.
    pub(super) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        find(self.conn, sql, params, read)
    }

    /// The next event's id.
    pub(super) fn event_id(&self, at: Timestamp) -> [u8; 16] {
        self.ids.next(at)
    }

    /// Keeps what the act wrote, inside the transaction.
    pub(super) fn keep(&self) -> Result<()> {
        if self.wrote.get() && self.guard == Guard::Each {
            self.run("RELEASE act")?;
        }
        Ok(())
    }

    /// Undoes what the act wrote, and nothing else.
    ///
    /// # Errors
    /// It cannot be told from what others wrote: the transaction is spoilt.
    pub(super) fn undo(&self) -> Result<()> {
        match (self.wrote.get(), self.guard) {
            (false, _) => Ok(()),
            (true, Guard::Shared) => Err(rusqlite::Error::InvalidQuery),
            (true, Guard::Each) => {
                self.run("ROLLBACK TO act")?;
                self.run("RELEASE act")
            }
        }
    }

    fn begin(&self) -> Result<()> {
        if !self.wrote.replace(true) && self.guard == Guard::Each {
            self.run("SAVEPOINT act")?;
        }
        Ok(())
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// Reads at most one row by a statement that is prepared once.
pub(super) fn find<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Reads every row by a statement that is prepared once.
pub(super) fn all<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    conn.prepare_cached(sql)?.query_map(params, read)?.collect()
}
