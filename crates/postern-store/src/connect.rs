use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postern_core::model::NodeId;
use postern_core::ports::{Clock, Engine};

use crate::sqlite::SqliteStore;

/// How much an engine takes upon itself.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Acts that may wait for the writer; past it a caller is refused at once.
    pub queue: usize,
    /// The writer's page cache, in KiB.
    pub page_cache_kib: u32,
    /// How the embedded engine carries its write-ahead log into its database file.
    pub checkpoints: Checkpoints,
    /// How many sends the embedded engine lets gather in its log before it carries them, in the
    /// order of their addresses, into their table. Each takes about 56 bytes of memory.
    pub recent_sends: usize,
}

/// When the embedded engine carries its write-ahead log over; see `docs/performance.md` for the
/// experiment behind the default.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoints {
    /// How often a thread does while the writer goes on; never when `None`.
    pub every: Option<Duration>,
    /// From how many frames (4 KiB pages) on the writer does the rest between two commits.
    pub frames: u32,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self {
            every: Some(Duration::from_millis(25)),
            frames: 10_000,
        }
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            queue: 1024,
            page_cache_kib: 16 * 1024,
            checkpoints: Checkpoints::default(),
            recent_sends: 57_344,
        }
    }
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL names no engine of ours.
    #[error("{0:?} names no store: write sqlite:PATH")]
    NoSuchEngine(String),
    /// A later release wrote the store.
    #[error(
        "the store was written by a newer release (its schema is at {found}, this release knows {known}): \
         run that release or a later one"
    )]
    Newer {
        /// The number of the store's last migration.
        found: u32,
        /// The number of ours.
        known: u32,
    },
    /// An applied migration reads differently from ours.
    #[error(
        "the store's schema {number} is not the one of this release: the file belongs to another program or build"
    )]
    Foreign {
        /// The migration's number.
        number: u32,
    },
    /// The file system stands in the way.
    #[error("cannot open {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The engine does not start.
    #[error("the store does not open")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<rusqlite::Error> for ConnectError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error.into())
    }
}

/// Opens the store that `url` names, bringing its schema up to this release.
///
/// `sqlite:PATH` is the embedded engine; its folder must be held by a [`crate::DataDir`]. `node` is
/// whose leases the deliveries are born with.
///
/// # Errors
/// The URL, the file or the schema is not one this release can work with.
pub async fn connect(
    url: &str,
    node: NodeId,
    clock: Arc<dyn Clock>,
    tuning: Tuning,
) -> Result<Arc<dyn Engine>, ConnectError> {
    match url.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => Ok(Arc::new(SqliteStore::open(
            path.as_ref(),
            node,
            clock,
            tuning,
        )?)),
        _ => Err(ConnectError::NoSuchEngine(url.to_owned())),
    }
}
