use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, Result};

use super::{open, spawn};
use crate::connect::{Checkpoints, ConnectError};

/// Into how many passes of the thread a long log falls: fewer carry over fewer pages twice.
const STEPS: u32 = 2;

/// Keeps the write-ahead log short without holding up commits.
///
/// A thread carries over into the database file what it can while the writer goes on. It never
/// catches up with a busy writer, so once the log is long it also makes the file durable (SQLite
/// would only do that when it has caught up), and then the writer carries over the short rest
/// between two commits: the log begins again at its start.
pub(super) struct Checkpointer {
    plan: Checkpoints,
    log: Mutex<Log>,
    grew: Condvar,
}

#[derive(Default)]
struct Log {
    /// Frames after the last commit.
    frames: u32,
    /// Frames when the thread last began to carry over.
    passed: u32,
    /// Only a short rest is left to the writer.
    ready: bool,
    asleep: bool,
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
        // Open as long as the engine is: closing it would end the locks that SQLite holds on the file.
        let file = File::open(path).map_err(|source| ConnectError::File {
            path: path.to_owned(),
            source,
        })?;
        let this = Arc::clone(self);
        spawn("store-checkpoint", move || this.serve(&conn, &file, every)).map(Some)
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
            let ready = std::mem::take(&mut log.ready) || self.plan.every.is_none();
            if !ready || log.frames < self.plan.frames {
                return;
            }
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
            (log.passed, log.ready) = (0, false);
        }
        log.frames = frames;
        if log.asleep && self.grown(&log) {
            log.asleep = false;
            self.grew.notify_one();
        }
    }

    fn serve(&self, conn: &Connection, file: &File, every: Duration) {
        while let Some(long) = self.wait(every) {
            passive(conn);
            if long {
                if let Err(error) = file.sync_data() {
                    tracing::warn!(%error, "the database file was not made durable ahead of time");
                }
                self.lock().ready = true;
            }
        }
    }

    /// Waits until `every` has passed and the log has grown by a step, and tells whether it is long;
    /// `None` at the end.
    fn wait(&self, every: Duration) -> Option<bool> {
        let rested = self
            .grew
            .wait_timeout_while(self.lock(), every, |log| !log.closed);
        let (mut log, _) = rested.unwrap_or_else(PoisonError::into_inner);
        while !log.closed && !self.grown(&log) {
            log.asleep = true;
            log = self.grew.wait(log).unwrap_or_else(PoisonError::into_inner);
        }
        log.passed = log.frames;
        (!log.closed).then_some(log.frames >= self.plan.frames)
    }

    fn grown(&self, log: &Log) -> bool {
        log.frames >= log.passed.saturating_add(self.plan.frames / STEPS)
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
