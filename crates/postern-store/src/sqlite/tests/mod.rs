//! What only this engine can get wrong: groups whose transaction is lost, commits that fail, queues
//! that are full, files that are left behind.

mod client_counts;
mod files;
mod groups;
mod recent_sends;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use postern_core::model::NodeId;
use postern_core::ports::StoreError;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::SqliteStore;
use super::tx::{self, Tx};
use crate::connect::{ConnectError, Tuning};
use crate::testing::FrozenClock;

/// A store of its own, reached below its ports.
struct Bed {
    store: Arc<SqliteStore>,
    clock: Arc<FrozenClock>,
    dir: TempDir,
}

type Ended = JoinHandle<Result<(), StoreError>>;

impl Bed {
    fn new(tuning: Tuning) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FrozenClock::default());
        let store = Arc::new(open_at(&dir, Arc::clone(&clock), tuning).unwrap());
        Self { store, clock, dir }
    }

    /// Runs an act on its own task.
    fn act(&self, work: impl FnMut(&Tx<'_>) -> rusqlite::Result<()> + Send + 'static) -> Ended {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move { store.writer.run(work).await })
    }

    /// The same for a caller.
    fn soon(&self, work: impl FnMut(&Tx<'_>) -> rusqlite::Result<()> + Send + 'static) -> Ended {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move { store.writer.run_soon(work).await })
    }

    /// Holds the writer inside an act until the answer is dropped, so that what comes meanwhile
    /// makes one group.
    async fn hold(&self) -> Sender<()> {
        let (go, gate) = channel::<()>();
        let (inside, entered) = tokio::sync::oneshot::channel();
        let mut inside = Some(inside);
        self.act(move |_| {
            let _ = inside.take().map(|inside| inside.send(()));
            let _ = gate.recv();
            Ok(())
        });
        entered.await.unwrap();
        go
    }

    /// Waits until so many acts are in line.
    async fn gathered(&self, count: usize) {
        while self.store.writer.waiting() < count {
            tokio::task::yield_now().await;
        }
    }

    /// The names in the settings table, by which these tests tell what was written.
    async fn names(&self) -> Vec<String> {
        let sql = "SELECT name FROM settings ORDER BY name";
        self.store
            .quick
            .run(move |conn| tx::all(conn, sql, [], |row| row.get(0)))
            .await
            .unwrap()
    }
}

fn open(dir: &TempDir, tuning: Tuning) -> Result<SqliteStore, ConnectError> {
    open_at(dir, Arc::default(), tuning)
}

fn open_at(
    dir: &TempDir,
    clock: Arc<FrozenClock>,
    tuning: Tuning,
) -> Result<SqliteStore, ConnectError> {
    SqliteStore::open(
        &dir.path().join("postern.db"),
        NodeId([1; 8]),
        clock,
        tuning,
    )
}

fn put(name: &'static str) -> impl FnMut(&Tx<'_>) -> rusqlite::Result<()> + Send + 'static {
    move |tx| {
        tx.write("INSERT INTO settings (name, value) VALUES (?1, '')", [name])
            .map(drop)
    }
}
