use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, Result};

use super::{open, spawn};
use crate::connect::{Checkpoints, ConnectError};

/// Keeps the write-ahead log short without holding up commits.
///
/// A thread carries over into the database file what it can while the writer goes on. It never
/// catches up with a busy writer, so once the log is long the writer carries over the short rest
/// between two commits; then the log begins again at its start.
pub(super) struct Checkpointer {
    plan: Checkpoints,
    log: Mutex<Log>,
    grew: Condvar,
}

#[derive(Default)]
struct Log {
    /// Frames after the last commit.
    frames: u32,
    /// From how many frames on the writer tries.
    tried_at: u32,
    grown: bool,
    closed: bool,
}

impl Checkpointer {
    /// A log that nobody shortens yet.
    pub(super) fn new(plan: Checkpoints) -> Arc<Self> {
        Arc::new(Self {
            plan,
            log: Mutex::default(),
            grew: Condvar::new(),
        })
    }

    /// Starts the thread on a connection of its own, if the plan has one.
    pub(super) fn start(
        self: &Arc<Self>,
        path: &Path,
    ) -> Result<Option<JoinHandle<()>>, ConnectError> {
        let Some(every) = self.plan.every else {
            return Ok(None);
        };
        let conn = open::writing(path, 64)?;
        let this = Arc::clone(self);
        spawn("store-checkpoint", move || this.serve(&conn, every)).map(Some)
    }

    /// Learns from the writer's connection how long the log is after each commit.
    pub(super) fn watch(self: &Arc<Self>, conn: &mut Connection) -> Result<()> {
        let this = Arc::clone(self);
        conn.wal_hook(Some(move |_: &mut Wal, frames| {
            this.grow(u32::try_from(frames).unwrap_or(0));
            Ok(())
        }))
    }

    /// Carries over the rest from the writer's connection when the log is long.
    pub(super) fn relieve(&self, conn: &Connection) {
        {
            let mut log = self.lock();
            if log.frames < self.plan.frames.max(log.tried_at) {
                return;
            }
            // A reader in the way, or the thread at work: not again at every commit.
            log.tried_at = log.frames.saturating_add(self.plan.frames / 32);
        }
        passive(conn);
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.grew.notify_all();
    }

    fn grow(&self, frames: u32) {
        let mut log = self.lock();
        if frames < log.frames {
            log.tried_at = 0;
        }
        log.frames = frames;
        if !std::mem::replace(&mut log.grown, true) {
            self.grew.notify_one();
        }
    }

    fn serve(&self, conn: &Connection, every: Duration) {
        while self.wait(every) {
            passive(conn);
        }
    }

    /// Waits until the log has grown and `every` has passed; `false` at the end.
    fn wait(&self, every: Duration) -> bool {
        let log = self.lock();
        let grown = self.grew.wait_while(log, |log| !log.grown && !log.closed);
        let log = grown.unwrap_or_else(PoisonError::into_inner);
        let rested = self.grew.wait_timeout_while(log, every, |log| !log.closed);
        let (mut log, _) = rested.unwrap_or_else(PoisonError::into_inner);
        log.grown = false;
        !log.closed
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Empties the log when the store closes.
pub(super) fn finish(conn: &Connection) {
    if let Err(error) = conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(%error, "the write-ahead log was not emptied at the end");
    }
}

/// Carries over what no reader still needs. Trouble here is no trouble of any act: the log stays.
fn passive(conn: &Connection) {
    let pragma = conn.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)");
    if let Err(error) = pragma.and_then(|mut pragma| pragma.query_row([], |_| Ok(()))) {
        tracing::warn!(%error, "the write-ahead log was not carried over");
    }
}
