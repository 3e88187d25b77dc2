//! The embedded engine: one writer that commits in groups, readers aside.

mod act;
mod auth_request;
pub(crate) mod catalog;
mod checkpoint;
mod client_counts;
mod delivery;
mod desk;
mod dkim;
mod event;
pub(crate) mod fence;
mod forget;
mod ledger;
mod log;
mod log_query;
mod migrate;
pub(crate) mod open;
mod project;
mod queue;
mod reader;
mod recent_sends;
mod registry;
mod request_acts;
mod sends_filter;
mod store;
mod suppression;
mod sweep;
mod tallies;
mod template;
#[cfg(test)]
mod tests;
mod tx;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use postern_core::Error;
use postern_core::model::{NodeId, Snapshot};
use postern_core::ports::{Amend, Clock, Engine, Registry, StoreError};

pub(crate) use self::auth_request::read_all as read_requests;
pub(crate) use self::event::floor as event_floor;
pub(crate) use self::log::segment_length as log_segment_length;
pub(crate) use self::migrate::made_schema;
pub(crate) use self::registry::snapshot;
pub(crate) use self::store::kids;

use self::checkpoint::Checkpointer;
use self::reader::Reader;
use self::sends_filter::SendsFilter;
use self::sweep::Cursor;
use self::writer::{Writer, WriterParts};
use crate::backup;
use crate::connect::{ConnectError, Tuning};

/// Reads of one row that share a view of the store.
const READ_GROUP: usize = 64;

/// A store in one SQLite file.
pub(crate) struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    /// Reads of a few rows.
    quick: Reader,
    /// Reads that look at many rows.
    slow: Reader,
    checkpointer: Arc<Checkpointer>,
    filter: Arc<SendsFilter>,
    cursor: Arc<Cursor>,
    /// Held while events are taken into the log, and while an address is forgotten: what was read
    /// before must not be written after.
    projecting: tokio::sync::Mutex<()>,
    clock: Arc<dyn Clock>,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    /// They hold connections beside the writer's.
    others: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file, makes it if need be, and starts the engine's threads.
    pub(crate) fn open(
        path: &Path,
        node: NodeId,
        clock: Arc<dyn Clock>,
        tuning: Tuning,
    ) -> Result<Self, ConnectError> {
        Self::migrate(path, clock.as_ref())?;
        if let Some((fence, _)) = fence::read(&open::reading(path)?)? {
            return Err(ConnectError::Fenced(fence));
        }
        let checkpointer = Checkpointer::new(tuning.checkpoints);
        let filter = SendsFilter::new(tuning.recent_sends);
        let (writer, writing) = Writer::start(WriterParts {
            path: path.to_owned(),
            page_cache_kib: tuning.page_cache_kib,
            node,
            clock: Arc::clone(&clock),
            checkpointer: Arc::clone(&checkpointer),
            queue: tuning.queue,
            patience: tuning.patience,
            recent_sends: tuning.recent_sends,
            filter: Arc::clone(&filter),
            #[cfg(feature = "testing")]
            drag: tuning.drag,
        })?;
        let mut others: Vec<_> = checkpointer.start(path)?.into_iter().collect();
        others.push(filter.start(path)?);
        let (quick, reading) = Reader::start(
            "store-reader",
            open::reading(path)?,
            tuning.queue,
            READ_GROUP,
        )?;
        others.push(reading);
        let (slow, looking) = Reader::start("store-looker", open::reading(path)?, tuning.queue, 1)?;
        others.push(looking);
        Ok(Self {
            path: path.to_owned(),
            writer,
            quick,
            slow,
            checkpointer,
            filter,
            cursor: Arc::new(Cursor::new(clock.now())),
            projecting: tokio::sync::Mutex::default(),
            clock,
            threads: Mutex::new(Threads {
                others,
                writer: Some(writing),
            }),
        })
    }

    /// Brings the schema up to this release; answers the names of what was applied.
    pub(crate) fn migrate(path: &Path, clock: &dyn Clock) -> Result<Vec<String>, ConnectError> {
        backup::refuse_half(path)?;
        open::make(path)?;
        migrate::migrate(&mut open::writing(path, 1024)?, clock.now())
    }

    /// Whether the schema of a file is this release's, whoever has it open.
    pub(crate) fn check(path: &Path) -> Result<(), ConnectError> {
        migrate::check_current(&open::reading(path)?)
    }

    fn stop(&self) {
        self.quick.close();
        self.slow.close();
        self.checkpointer.close();
        self.filter.close();
        self.writer.close();
    }
}

/// Leaves the one file. The connection that closes last removes the log, but of two that close in the
/// same moment each takes the other for still open.
fn tidy_up(path: &Path) {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists()
        && let Err(error) = open::writing(path, 1024)
    {
        tracing::debug!(%error, "the log of the store stays until the next start");
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ConnectError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread
        .spawn(work)
        .map_err(|error| ConnectError::Engine(error.into()))
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.stop();
    }
}

#[async_trait]
impl Registry for SqliteStore {
    async fn revision(&self) -> Result<u64, StoreError> {
        self.quick.run(registry::revision).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.slow.run(snapshot).await
    }

    async fn amend(&self, mut amend: Amend) -> Result<Result<Snapshot, Error>, StoreError> {
        let act = move |tx: &tx::Tx<'_>| {
            let before = snapshot(tx.conn())?;
            let amendments = match amend(&before, tx.now) {
                Ok(amendments) => amendments,
                Err(refused) => return Ok(Err(refused)),
            };
            registry::write(tx, &amendments)?;
            snapshot(tx.conn()).map(Ok)
        };
        self.writer.run(act).await
    }
}

#[async_trait]
impl Engine for SqliteStore {
    fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    async fn close(&self) {
        self.stop();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let path = self.path.clone();
        let ended = tokio::task::spawn_blocking(move || {
            let threads = threads.others.into_iter().chain(threads.writer);
            let broken = threads.filter_map(|thread| thread.join().err()).count();
            tidy_up(&path);
            broken
        });
        if ended.await.is_ok_and(|broken| broken > 0) {
            tracing::error!("a thread of the store had broken down");
        }
    }
}
