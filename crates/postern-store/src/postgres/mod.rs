//! The shared engine: any number of nodes on one PostgreSQL.
//!
//! What callers ask is gathered and committed in batches: rows and counts are read, judged here, and
//! written guarded by their versions, so that nothing depends on more than READ COMMITTED gives. There
//! is no leader, no sequence, no advisory lock and no notification.

mod act;
mod audit;
mod auth_request;
mod batch;
pub(crate) mod bulk;
pub(crate) mod column;
mod delivery;
mod desk;
mod dkim;
mod event;
mod failure;
mod forget;
mod judge;
mod ledger;
mod log;
mod log_query;
pub(crate) mod look;
mod migrate;
mod outgoing;
mod plans;
mod pool;
mod project;
mod provider;
mod registry;
mod revival;
mod session;
mod store;
mod suppression;
mod sweep;
mod tallies;
mod target;
mod template;
mod tls;
mod together;
mod value;
mod version;
mod waiting;
mod writer;
mod writes;

use std::sync::Arc;

use async_trait::async_trait;
use postern_core::Error;
use postern_core::model::{NodeId, Snapshot};
use postern_core::ports::{Amend, Clock, Engine, Registry, StoreError};

use self::batch::Bench;
use self::event::EventIds;
pub(crate) use self::failure::Failure;
use self::pool::Pool;
use self::session::{Session, Sql};
use self::sweep::Cursor;
use self::target::Target;
use self::writer::Writers;
use crate::connect::{ConnectError, Tuning};

/// A store in a PostgreSQL database.
pub(crate) struct PostgresStore {
    writers: Writers,
    pool: Pool,
    outgoing: outgoing::Reads,
    bench: Arc<Bench>,
    cursor: Cursor,
    /// One projection at a time: a second one of this process would only wait for the first.
    projecting: tokio::sync::Mutex<()>,
}

impl PostgresStore {
    /// Connects, and looks whether the schema is this release's.
    pub(crate) async fn open(
        url: &str,
        node: NodeId,
        clock: Arc<dyn Clock>,
        tuning: &Tuning,
    ) -> Result<Self, ConnectError> {
        let target = Target::parse(url, tuning.postgres)?;
        let session = connect(&target).await?;
        version::look(&session).await;
        migrate::check(&session).await?;
        refuse_loss(&session).await?;
        refuse_fenced(&session).await?;
        drop(session);
        Self::on(target, node, clock, tuning).await
    }

    /// The engine on a database that is fit for it.
    async fn on(
        target: Target,
        node: NodeId,
        clock: Arc<dyn Clock>,
        tuning: &Tuning,
    ) -> Result<Self, ConnectError> {
        let target = Arc::new(target);
        let session = connect(&target).await?;
        let ids = EventIds::new(node);
        ids.resume(&session).await?;
        drop(session);
        let cursor = Cursor::new(clock.now());
        let bench = Arc::new(Bench {
            clock,
            node,
            ids,
            #[cfg(feature = "testing")]
            drag: tuning.drag,
        });
        Ok(Self {
            writers: Writers::start(&target, &bench, tuning),
            pool: Pool::new(target, tuning.postgres.connections, tuning.queue),
            outgoing: outgoing::Reads::default(),
            bench,
            cursor,
            projecting: tokio::sync::Mutex::default(),
        })
    }

    /// Brings the schema up to this release; answers the names of what was applied.
    pub(crate) async fn migrate(
        url: &str,
        clock: &dyn Clock,
        tuning: &Tuning,
    ) -> Result<Vec<String>, ConnectError> {
        let target = Target::parse(url, tuning.postgres)?.heedless();
        let session = connect(&target).await?;
        version::look(&session).await;
        migrate::migrate(&session, clock.now()).await
    }

    fn stop(&self) {
        self.writers.close();
        self.pool.close();
    }
}

async fn connect(target: &Target) -> Result<Session, ConnectError> {
    Ok(Session::open(target).await?)
}

/// Whether the schema of a database is this release's, whoever may write to it.
///
/// # Errors
/// It is not, or the database cannot be reached.
pub(crate) async fn check(url: &str) -> Result<(), ConnectError> {
    let target = Target::parse(url, Tuning::default().postgres)?.heedless();
    migrate::check(&connect(&target).await?).await
}

/// What is fenced is not to be served.
async fn refuse_fenced(session: &Session) -> Result<(), ConnectError> {
    match bulk::fence(session).await? {
        None => Ok(()),
        Some((fence, _)) => Err(ConnectError::Fenced(fence)),
    }
}

/// An answer means durable, so a server that commits without writing down is none of ours.
async fn refuse_loss(session: &Session) -> Result<(), ConnectError> {
    static COMMITS: Sql = Sql {
        text: "SELECT current_setting('synchronous_commit')",
        types: &[],
    };
    let rows = session.query(&COMMITS, &[]).await?;
    let kept: &str = rows.first().map_or(Ok("on"), |row| value::get(row, 0))?;
    if kept == "off" {
        return Err(ConnectError::Url(
            "the server commits with synchronous_commit = off and would lose what was answered: set it to on, at \
             least for this role (ALTER ROLE … SET synchronous_commit = on)"
                .to_owned(),
        ));
    }
    Ok(())
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.stop();
    }
}

impl From<Failure> for ConnectError {
    fn from(failure: Failure) -> Self {
        Self::Engine(failure.into())
    }
}

#[async_trait]
impl Registry for PostgresStore {
    async fn revision(&self) -> Result<u64, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(registry::revision(&held)).await;
        held.end(found)
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let held = self.pool.take().await?;
        let read = held.in_time(registry::snapshot(&held)).await;
        held.end(read)
    }

    async fn amend(&self, amend: Amend) -> Result<Result<Snapshot, Error>, StoreError> {
        let held = self.pool.take().await?;
        let amended = registry::amend(&held, amend, &self.bench);
        let done = held.transact(held.in_time(amended)).await;
        held.ended(done)
    }
}

#[async_trait]
impl Engine for PostgresStore {
    fn waiting(&self) -> usize {
        self.writers.waiting()
    }

    fn shared(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.writers.close();
        self.writers.ended().await;
        self.stop();
    }
}
