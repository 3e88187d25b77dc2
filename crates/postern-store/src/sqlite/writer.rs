use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use postern_core::model::NodeId;
use postern_core::ports::{Clock, StoreError};
use rusqlite::{Connection, Result};
use tokio::sync::oneshot;

use super::act::{Act, Job, Shared};
use super::checkpoint::{self, Checkpointer};
use super::event::EventIds;
use super::open;
use super::queue::Queue;
use super::spawn;
use super::tx::{Guard, Tx};
use crate::connect::ConnectError;

/// How many acts one commit carries at most.
const GROUP: usize = 256;

/// The one thread that writes: it takes the acts that have gathered and commits them together.
pub(super) struct Writer {
    queue: Arc<Queue<Box<dyn Act>>>,
}

/// What the writer's thread stands on.
pub(super) struct WriterParts {
    pub(super) path: PathBuf,
    pub(super) page_cache_kib: u32,
    pub(super) node: NodeId,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) checkpointer: Arc<Checkpointer>,
    pub(super) queue: usize,
}

impl WriterParts {
    fn open(&self) -> Result<Connection> {
        let mut conn = open::writing(&self.path, self.page_cache_kib)?;
        self.checkpointer.watch(&mut conn)?;
        Ok(conn)
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(parts: WriterParts) -> Result<(Self, JoinHandle<()>), ConnectError> {
        let queue = Arc::new(Queue::new(parts.queue));
        let conn = parts.open()?;
        let ids = EventIds::resume(&conn)?;
        let mut group = Group {
            conn: Some(conn),
            ids,
            parts,
        };
        let line = Arc::clone(&queue);
        let thread = spawn("store-writer", move || {
            // Whoever waits is told even if this thread breaks down.
            let _closing = Abandon(Arc::clone(&line));
            let mut acts = Vec::with_capacity(GROUP);
            while line.take(&mut acts, GROUP) {
                group.commit(&mut acts);
            }
            group.finish();
        })?;
        Ok((Self { queue }, thread))
    }

    /// Runs `work` in the writer's transaction and answers once it is committed. It may run more than
    /// once; what its last run wrote is what is stored.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let answer = self.submit(work)?;
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Unknown("the store's writer ended".into())))
    }

    fn submit<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (act, answer) = Job::pair(work);
        if self.queue.push(act) {
            Ok(answer)
        } else {
            Err(StoreError::Refused)
        }
    }

    /// Refuses what comes from now on; what was accepted is still committed.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    /// Acts that wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether acts are accepted at all.
    pub(super) fn lives(&self) -> bool {
        !self.queue.is_closed()
    }
}

struct Abandon(Arc<Queue<Box<dyn Act>>>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// The writer's connection, and how a group of acts goes through it.
struct Group {
    /// None after a commit failed, until the next group opens another.
    conn: Option<Connection>,
    ids: EventIds,
    parts: WriterParts,
}

/// What became of a group's transaction.
enum Together {
    /// It is durable.
    Committed,
    /// It was lost before its commit: nothing of it counts.
    Lost(Shared),
    /// It never began.
    NotBegun(Shared),
    /// Its commit failed: nobody knows.
    Unknown(Shared),
}

impl Group {
    fn commit(&mut self, acts: &mut Vec<Box<dyn Act>>) {
        acts.retain(|act| act.wanted());
        // Savepoints cost a fifth of an act and serve those that fail after they wrote: hardly any do.
        let together = match self.together(acts, Guard::Shared) {
            Together::Lost(_) => self.together(acts, Guard::Each),
            other => other,
        };
        match together {
            Together::Committed => acts.drain(..).for_each(Act::answer),
            Together::NotBegun(cause) => self.fail(acts, &cause, Shared::not_done),
            Together::Unknown(cause) => self.fail(acts, &cause, Shared::unknown),
            Together::Lost(_) => acts.drain(..).for_each(|act| self.alone(act)),
        }
        if let Some(conn) = &self.conn {
            self.parts.checkpointer.relieve(conn);
        }
    }

    fn finish(&self) {
        if let Some(conn) = &self.conn {
            checkpoint::finish(conn);
        }
    }

    fn alone(&mut self, mut act: Box<dyn Act>) {
        match self.together(std::slice::from_mut(&mut act), Guard::Shared) {
            Together::Committed => act.answer(),
            Together::Lost(cause) => act.lose(cause.not_done()),
            Together::NotBegun(cause) => act.fail(cause.not_done()),
            Together::Unknown(cause) => {
                self.conn = None;
                act.fail(cause.unknown());
            }
        }
    }

    fn fail(
        &mut self,
        acts: &mut Vec<Box<dyn Act>>,
        cause: &Shared,
        told: fn(&Shared) -> StoreError,
    ) {
        tracing::error!(error = %cause, acts = acts.len(), "a group of acts was not committed");
        self.conn = None;
        acts.drain(..).for_each(|act| act.fail(told(cause)));
    }

    fn together(&mut self, acts: &mut [Box<dyn Act>], guard: Guard) -> Together {
        if let Err(error) = self.begin() {
            return Together::NotBegun(Shared::new(error));
        }
        let conn = self.conn.as_ref().expect("begin opened a connection");
        for act in acts {
            let moment = (self.parts.clock.now(), self.parts.node);
            let tx = Tx::new(conn, &self.ids, guard, moment);
            let done = act.run(&tx);
            let isolated = if done { tx.keep() } else { tx.undo() };
            // A full disk, failed reads and lack of memory can end the whole transaction.
            if let Err(cause) = isolated.and_then(|()| stands(conn)) {
                let _ = conn.execute_batch("ROLLBACK");
                return Together::Lost(Shared::new(cause));
            }
        }
        match step(conn, "COMMIT") {
            Ok(()) => Together::Committed,
            Err(error) => Together::Unknown(Shared::new(error)),
        }
    }

    fn begin(&mut self) -> Result<()> {
        if self.conn.is_none() {
            self.conn = Some(self.parts.open()?);
        }
        let conn = self.conn.as_ref().expect("it was just opened");
        step(conn, "BEGIN IMMEDIATE")
    }
}

/// Whether the transaction is still open.
fn stands(conn: &Connection) -> Result<()> {
    if conn.is_autocommit() {
        Err(rusqlite::Error::InvalidQuery)
    } else {
        Ok(())
    }
}

fn step(conn: &Connection, sql: &str) -> Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}
