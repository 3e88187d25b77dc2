use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use postern_core::model::NodeId;
use postern_core::ports::{Clock, StoreError};
use rusqlite::{Connection, Result};

use super::act::{Act, Job, Shared};
use super::checkpoint::{self, Checkpointer};
use super::client_counts::ClientCounts;
use super::event::EventIds;
use super::queue::Queue;
use super::recent_sends::RecentSends;
use super::sends_filter::SendsFilter;
use super::spawn;
use super::suppression::Suppressing;
use super::tx::{Ground, Guard, Held, Tx};
use super::{fence, open};
use crate::connect::ConnectError;
use crate::pace::{Pace, Spent, Watch, Whose};
use crate::patience::{Patience, Pending, Standing, answered, answered_in_time};

/// How many acts one commit carries at most.
const GROUP: usize = 256;

/// The one thread that writes: it takes the acts that have gathered and commits them together.
pub(super) struct Writer {
    queue: Arc<Queue<Box<dyn Act>>>,
    patience: Patience,
}

/// What the writer's thread stands on.
pub(super) struct WriterParts {
    pub(super) path: PathBuf,
    pub(super) page_cache_kib: u32,
    pub(super) node: NodeId,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) checkpointer: Arc<Checkpointer>,
    pub(super) queue: usize,
    pub(super) patience: Patience,
    /// How many sends may gather before they go to their table.
    pub(super) recent_sends: usize,
    pub(super) filter: Arc<SendsFilter>,
    #[cfg(feature = "testing")]
    pub(super) drag: crate::testing::Drag,
}

/// The writer's connection, and what is held in memory of what it wrote.
struct Open {
    conn: Connection,
    sends: RecentSends,
    suppressing: Suppressing,
}

impl WriterParts {
    fn open(&self) -> Result<Open> {
        let mut conn = open::writing(&self.path, self.page_cache_kib)?;
        self.checkpointer.watch(&mut conn)?;
        let sends = RecentSends::resume(&conn, self.recent_sends, Arc::clone(&self.filter))?;
        let suppressing = Suppressing::resume(&conn)?;
        Ok(Open {
            conn,
            sends,
            suppressing,
        })
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(parts: WriterParts) -> Result<(Self, JoinHandle<()>), ConnectError> {
        let (queue, patience) = (Arc::new(Queue::new(parts.queue)), parts.patience);
        let open = parts.open()?;
        let ids = EventIds::resume(&open.conn)?;
        let mut group = Group {
            open: Some(open),
            ids,
            parts,
            committing: Duration::ZERO,
            told_of_fence: false,
        };
        let line = Arc::clone(&queue);
        let thread = spawn("store-writer", move || {
            // Whoever waits is told even if this thread breaks down.
            let _closing = Abandon(Arc::clone(&line));
            let mut acts = Vec::with_capacity(GROUP);
            let mut pace = Pace::new(1, GROUP);
            while line.take(&mut acts, pace.group()) {
                pace.note(group.commit(&mut acts));
                refuse(line.allow(pace.room()));
            }
            group.finish();
        })?;
        Ok((Self { queue, patience }, thread))
    }

    /// Runs `work` in the writer's transaction and answers once it is committed. It may run more than
    /// once; what its last run wrote is what is stored.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        answered(self.submit(work, Whose::House)?.0).await
    }

    /// As [`Self::run`], for a caller who would rather be refused than wait for long, and is told within
    /// its patience whatever becomes of the act.
    pub(super) async fn run_soon<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, standing) = self.submit(work, Whose::Caller)?;
        answered_in_time(answer, &standing, self.patience).await
    }

    fn submit<T, F>(&self, work: F, whose: Whose) -> Result<(Pending<T>, Standing), StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (act, answer, standing) = Job::pair(work);
        if self.queue.push(act, whose) {
            Ok((answer, standing))
        } else {
            Err(StoreError::Refused)
        }
    }

    /// Refuses what comes from now on; what was accepted is still committed.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    /// Lets callers in while fewer than `room` wait, until the next group tells otherwise.
    #[cfg(test)]
    pub(super) fn allow(&self, room: usize) {
        refuse(self.queue.allow(room));
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

fn refuse(acts: Vec<Box<dyn Act>>) {
    for act in acts {
        act.fail(StoreError::Refused);
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
    open: Option<Open>,
    ids: EventIds,
    parts: WriterParts,
    /// How long the commits of the group at hand have taken.
    committing: Duration,
    told_of_fence: bool,
}

/// What became of a group's transaction.
enum Together {
    /// It is durable.
    Committed,
    /// It was lost before its commit: nothing of it counts.
    Lost(Shared),
    /// It never began.
    NotBegun(Shared),
    /// Nothing is written to this store any more.
    Fenced(Shared),
    /// Its commit failed: nobody knows.
    Unknown(Shared),
}

impl Group {
    fn commit(&mut self, acts: &mut Vec<Box<dyn Act>>) -> Spent {
        let watch = Watch::start();
        self.committing = Duration::ZERO;
        acts.retain(|act| act.begins());
        let count = acts.len();
        self.settle(acts);
        let work = watch.elapsed().saturating_sub(self.committing);
        if let Some(open) = &self.open {
            self.parts.checkpointer.relieve(&open.conn);
        }
        Spent {
            acts: count,
            work,
            whole: watch.elapsed(),
        }
    }

    /// Commits the acts and answers each.
    fn settle(&mut self, acts: &mut Vec<Box<dyn Act>>) {
        // Savepoints cost a fifth of an act and serve those that fail after they wrote: hardly any do.
        let together = match self.together(acts, Guard::Shared) {
            Together::Lost(_) => self.together(acts, Guard::Each),
            other => other,
        };
        match together {
            Together::Committed => acts.drain(..).for_each(Act::answer),
            Together::NotBegun(cause) => self.fail(acts, &cause, Shared::not_done),
            Together::Fenced(cause) => {
                if !std::mem::replace(&mut self.told_of_fence, true) {
                    tracing::error!(error = %cause, "nothing is written any more");
                }
                acts.drain(..).for_each(|act| act.fail(cause.not_done()));
            }
            Together::Unknown(cause) => self.fail(acts, &cause, Shared::unknown),
            Together::Lost(_) => acts.drain(..).for_each(|act| self.alone(act)),
        }
    }

    fn finish(&self) {
        if let Some(open) = &self.open {
            checkpoint::finish(&open.conn);
        }
    }

    fn alone(&mut self, mut act: Box<dyn Act>) {
        match self.together(std::slice::from_mut(&mut act), Guard::Alone) {
            Together::Committed => act.answer(),
            Together::Lost(cause) => act.lose(cause.not_done()),
            Together::NotBegun(cause) | Together::Fenced(cause) => act.fail(cause.not_done()),
            Together::Unknown(cause) => {
                self.open = None;
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
        self.open = None;
        acts.drain(..).for_each(|act| act.fail(told(cause)));
    }

    fn together(&mut self, acts: &mut [Box<dyn Act>], guard: Guard) -> Together {
        if let Err(error) = self.begin() {
            return Together::NotBegun(Shared::new(error));
        }
        let open = self.open.as_ref().expect("begin opened a connection");
        if let Err(error) = fence::heed(&open.conn) {
            let _ = open.conn.execute_batch("ROLLBACK");
            return Together::Fenced(Shared::new(error));
        }
        match self.run(open, acts, guard) {
            Ok(()) => {}
            // A full disk, failed reads and lack of memory can end the whole transaction.
            Err(cause) => {
                open.sends.forget_after(0);
                let _ = open.conn.execute_batch("ROLLBACK");
                return Together::Lost(Shared::new(cause));
            }
        }
        let watch = Watch::start();
        let committed = step(&open.conn, "COMMIT");
        self.committing += watch.elapsed();
        match committed {
            Ok(()) => {
                open.sends.committed(self.parts.clock.now());
                Together::Committed
            }
            Err(error) => Together::Unknown(Shared::new(error)),
        }
    }

    /// Runs the acts in the open transaction.
    ///
    /// # Errors
    /// The transaction is spoilt or gone.
    fn run(&self, open: &Open, acts: &mut [Box<dyn Act>], guard: Guard) -> Result<()> {
        let (held, clients) = (Held::new(&open.conn), ClientCounts::default());
        let ground = Ground {
            conn: &open.conn,
            held: &held,
            ids: &self.ids,
            sends: &open.sends,
            clients: &clients,
            suppressing: &open.suppressing,
            guard,
            node: self.parts.node,
        };
        for act in &mut *acts {
            #[cfg(feature = "testing")]
            self.parts.drag.act();
            let tx = Tx::new(ground, self.parts.clock.now());
            let done = act.run(&tx);
            let isolated = if done { tx.keep() } else { tx.undo() };
            isolated.and_then(|()| stands(&open.conn))?;
        }
        clients.write(&held)?;
        if guard != Guard::Alone {
            open.sends.carry_over(&held)?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        if self.open.is_none() {
            self.open = Some(self.parts.open()?);
        }
        let open = self.open.as_ref().expect("it was just opened");
        step(&open.conn, "BEGIN IMMEDIATE")
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
