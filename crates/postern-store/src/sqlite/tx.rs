use std::cell::{Cell, RefCell};

use postern_core::model::{NodeId, Timestamp};
use rusqlite::{CachedStatement, Connection, Params, Result, Row, Statement};

use super::client_counts::ClientCounts;
use super::event::EventIds;
use super::recent_sends::RecentSends;
use super::suppression::Suppressing;

/// What is done with a prepared statement.
pub(super) type Work<'w> = &'w mut dyn FnMut(&mut Statement<'_>) -> Result<()>;

/// Where a statement that is prepared once is found again.
pub(super) trait Statements {
    /// Uses the statement of this text, once.
    fn with(&self, sql: &'static str, work: Work<'_>) -> Result<()>;
}

impl Statements for Connection {
    fn with(&self, sql: &'static str, work: Work<'_>) -> Result<()> {
        work(&mut *self.prepare_cached(sql)?)
    }
}

/// The statements that a group of acts uses, taken out of the connection's cache once for all acts.
pub(super) struct Held<'c> {
    conn: &'c Connection,
    /// Each found by where its text stands, which is quicker than reading the text; there are few.
    taken: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Held<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self {
            conn,
            taken: RefCell::default(),
        }
    }
}

impl Statements for Held<'_> {
    fn with(&self, sql: &'static str, work: Work<'_>) -> Result<()> {
        let mut taken = self.taken.borrow_mut();
        let found = taken.iter().position(|(text, _)| std::ptr::eq(*text, sql));
        let at = if let Some(at) = found {
            at
        } else {
            taken.push((sql, self.conn.prepare_cached(sql)?));
            taken.len() - 1
        };
        work(&mut taken[at].1)
    }
}

/// What keeps the acts of a group apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing: an act that fails after it wrote spoils the transaction. Few ever do.
    Shared,
    /// A savepoint for each, set by its first write.
    Each,
    /// Nothing, for there is one act, and nothing but it may fail it.
    Alone,
}

/// What all acts of a group stand on.
#[derive(Clone, Copy)]
pub(super) struct Ground<'c> {
    pub(super) conn: &'c Connection,
    pub(super) held: &'c dyn Statements,
    pub(super) ids: &'c EventIds,
    pub(super) sends: &'c RecentSends,
    pub(super) clients: &'c ClientCounts,
    pub(super) suppressing: &'c Suppressing,
    pub(super) guard: Guard,
    /// Whose leases new deliveries carry.
    pub(super) node: NodeId,
}

/// What an act sees of the writer's open transaction.
pub(super) struct Tx<'c> {
    ground: Ground<'c>,
    wrote: Cell<bool>,
    /// How many sends the acts before this one noted.
    noted: usize,
    /// The moment the act runs.
    pub(super) now: Timestamp,
    /// Whose leases new deliveries carry.
    pub(super) node: NodeId,
}

impl<'c> Tx<'c> {
    pub(super) fn new(ground: Ground<'c>, now: Timestamp) -> Self {
        ground.clients.begin();
        Self {
            ground,
            wrote: Cell::new(false),
            noted: ground.sends.noted(),
            now,
            node: ground.node,
        }
    }

    /// The connection, to read with. What writes goes through [`Self::write`].
    pub(super) fn conn(&self) -> &'c Connection {
        self.ground.conn
    }

    /// The statements that the group holds, for reads that many acts make.
    pub(super) fn held(&self) -> &'c dyn Statements {
        self.ground.held
    }

    /// What lies between the acts and the table of sends.
    pub(super) fn sends(&self) -> &'c RecentSends {
        self.ground.sends
    }

    /// What the group's acts have counted of clients.
    pub(super) fn clients(&self) -> &'c ClientCounts {
        self.ground.clients
    }

    /// Whether the suppression list has to be asked.
    pub(super) fn suppressing(&self) -> &'c Suppressing {
        self.ground.suppressing
    }

    /// Runs one changing statement; answers how many rows it changed.
    pub(super) fn write(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        self.begin()?;
        execute(self.held(), sql, params)
    }

    /// Reads at most one row.
    pub(super) fn find<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        find(self.held(), sql, params, read)
    }

    /// The next event's id.
    pub(super) fn event_id(&self, at: Timestamp) -> [u8; 16] {
        self.ground.ids.next(at)
    }

    /// Keeps what the act wrote, inside the transaction.
    pub(super) fn keep(&self) -> Result<()> {
        if self.wrote.get() && self.ground.guard == Guard::Each {
            self.run("RELEASE act")?;
        }
        Ok(())
    }

    /// Undoes what the act wrote, and nothing else.
    ///
    /// # Errors
    /// It cannot be told from what others wrote: the transaction is spoilt.
    pub(super) fn undo(&self) -> Result<()> {
        self.sends().forget_after(self.noted);
        self.clients().undo();
        match (self.wrote.get(), self.ground.guard) {
            (false, _) => Ok(()),
            (true, Guard::Shared | Guard::Alone) => Err(rusqlite::Error::InvalidQuery),
            (true, Guard::Each) => {
                self.run("ROLLBACK TO act")?;
                self.run("RELEASE act")
            }
        }
    }

    fn begin(&self) -> Result<()> {
        if !self.wrote.replace(true) && self.ground.guard == Guard::Each {
            self.run("SAVEPOINT act")?;
        }
        Ok(())
    }

    fn run(&self, sql: &'static str) -> Result<()> {
        execute(self.held(), sql, []).map(drop)
    }
}

/// Runs one changing statement; answers how many rows it changed.
pub(super) fn execute(
    statements: &dyn Statements,
    sql: &'static str,
    params: impl Params,
) -> Result<usize> {
    let (mut params, mut changed) = (Some(params), 0);
    statements.with(sql, &mut |statement| {
        if let Some(params) = params.take() {
            changed = statement.execute(params)?;
        }
        Ok(())
    })?;
    Ok(changed)
}

/// Reads at most one row.
pub(super) fn find<T>(
    statements: &dyn Statements,
    sql: &'static str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let (mut asked, mut found) = (Some((params, read)), None);
    statements.with(sql, &mut |statement| {
        if let Some((params, read)) = asked.take() {
            let mut rows = statement.query(params)?;
            found = rows.next()?.map(read).transpose()?;
        }
        Ok(())
    })?;
    Ok(found)
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
