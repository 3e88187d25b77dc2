use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postern_core::model::NodeId;
use postern_core::ports::{Clock, Engine};

use crate::fence::Fence;
use crate::patience::Patience;
use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;

/// How much an engine takes upon itself.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Acts that may wait for the writer; past it a caller is refused at once.
    pub queue: usize,
    /// How long a caller waits for an act.
    pub patience: Patience,
    /// The writer's page cache, in KiB.
    pub page_cache_kib: u32,
    /// How the embedded engine carries its write-ahead log into its database file.
    pub checkpoints: Checkpoints,
    /// How many sends the embedded engine lets gather in its log before it carries them, in the
    /// order of their addresses, into their table. Each takes about 56 bytes of memory.
    pub recent_sends: usize,
    /// How the shared engine uses its database.
    pub postgres: PostgresTuning,
    /// How slow every act is made, to see what overload does.
    #[cfg(feature = "testing")]
    pub drag: crate::testing::Drag,
}

/// How the shared engine uses its database.
#[derive(Clone, Copy, Debug)]
pub struct PostgresTuning {
    /// Connections that commit batches.
    pub writers: usize,
    /// Acts that are committed together, at most.
    pub group: usize,
    /// Connections for everything else, at most.
    pub connections: usize,
    /// How long one exchange with the database may take before it is given up. Never covers a commit.
    pub statement_timeout: Duration,
    /// How long the server may wait for rows that another transaction holds.
    pub lock_timeout: Duration,
    /// How long a commit is waited for before its connection is given up.
    pub commit_timeout: Duration,
    /// Whether statements are prepared on the server; not through a pooler that pools transactions.
    pub prepared: bool,
}

impl Default for PostgresTuning {
    fn default() -> Self {
        Self {
            writers: 2,
            group: 256,
            connections: 8,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            commit_timeout: Duration::from_secs(10),
            prepared: true,
        }
    }
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
            patience: Patience::default(),
            page_cache_kib: 16 * 1024,
            checkpoints: Checkpoints::default(),
            recent_sends: 57_344,
            postgres: PostgresTuning::default(),
            #[cfg(feature = "testing")]
            drag: crate::testing::Drag::default(),
        }
    }
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL names no engine of ours.
    #[error("{0:?} names no store: write postgres://USER@HOST/DATABASE or sqlite:PATH")]
    NoSuchEngine(String),
    /// The URL or what it names is not fit to be used.
    #[error("the database URL: {0}")]
    Url(String),
    /// The store has to be brought up to this release first.
    #[error(
        "the database's schema is at {found} and this release needs {known}: run `postern migrate`, with this \
         release, while the previous one still runs"
    )]
    Older {
        /// The number of the store's last migration; 0 for an empty database.
        found: u32,
        /// The number of ours.
        known: u32,
    },
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
    /// A restore into this folder was broken off.
    #[error(
        "a restore was broken off and left {}: run `postern restore` again, or remove that file to go on with what \
         is there besides it", .0.display()
    )]
    HalfRestored(PathBuf),
    /// Nothing is to be written to it.
    #[error("{0}")]
    Fenced(Fence),
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

/// Opens the store that `url` names.
///
/// `sqlite:PATH` is the embedded engine; its folder must be held by a [`crate::DataDir`], and its schema
/// is brought up to this release. `postgres://…` is the shared engine: several nodes may have it open,
/// and its schema must be this release's (see [`migrate()`]). `node` is whose leases the deliveries
/// are born with.
///
/// # Errors
/// The URL, the file or the schema is not one this release can work with.
pub async fn connect(
    url: &str,
    node: NodeId,
    clock: Arc<dyn Clock>,
    tuning: Tuning,
) -> Result<Arc<dyn Engine>, ConnectError> {
    match Backend::of(url)? {
        Backend::Sqlite(path) => Ok(Arc::new(SqliteStore::open(
            path.as_ref(),
            node,
            clock,
            tuning,
        )?)),
        Backend::Postgres => Ok(Arc::new(
            PostgresStore::open(url, node, clock, &tuning).await?,
        )),
    }
}

/// Brings the schema of the store that `url` names up to this release; answers the names of the
/// migrations that were applied. Nodes of the previous release may go on meanwhile.
///
/// # Errors
/// As [`connect()`], or a migration fails.
pub async fn migrate(
    url: &str,
    clock: Arc<dyn Clock>,
    tuning: Tuning,
) -> Result<Vec<String>, ConnectError> {
    match Backend::of(url)? {
        Backend::Sqlite(path) => SqliteStore::migrate(path.as_ref(), clock.as_ref()),
        Backend::Postgres => PostgresStore::migrate(url, clock.as_ref(), &tuning).await,
    }
}

/// Which engine a URL names.
enum Backend<'u> {
    Sqlite(&'u str),
    Postgres,
}

impl<'u> Backend<'u> {
    fn of(url: &'u str) -> Result<Self, ConnectError> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path)),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres),
            // What stands before the colon at most: the rest may hold a password.
            other => {
                let scheme = other.map_or(url, |(scheme, _)| scheme);
                Err(ConnectError::NoSuchEngine(scheme.to_owned()))
            }
        }
    }
}
