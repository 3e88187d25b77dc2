use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use postern_core::ports::StoreError;
use rusqlite::{Connection, Result};
use tokio::sync::oneshot;

use super::act::not_done;
use super::queue::Queue;
use super::spawn;
use crate::connect::ConnectError;
use crate::pace::Whose;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// A thread that reads on a connection of its own, so that reading never holds up the writer.
pub(super) struct Reader {
    queue: Arc<Queue<Read>>,
}

impl Reader {
    /// Starts the thread. Up to `group` reads that have gathered share one view of the store.
    pub(super) fn start(
        name: &str,
        conn: Connection,
        bound: usize,
        group: usize,
    ) -> Result<(Self, JoinHandle<()>), ConnectError> {
        let queue = Arc::new(Queue::new(bound));
        let line = Arc::clone(&queue);
        let thread = spawn(name, move || {
            let mut reads = Vec::with_capacity(group);
            while line.take(&mut reads, group) {
                serve(&conn, &mut reads);
            }
        })?;
        Ok((Self { queue }, thread))
    }

    /// Runs `read` on the state of the last commit or a later one.
    pub(super) async fn run<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |conn| {
            let found = catch_unwind(AssertUnwindSafe(|| read(conn)));
            let found = found.unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery));
            // A caller that went away wants no answer.
            let _ = reply.send(found.map_err(not_done));
        });
        if !self.queue.push(job, Whose::House) {
            return Err(StoreError::Refused);
        }
        answer.await.unwrap_or(Err(StoreError::Refused))
    }

    /// Refuses what comes from now on; what was accepted is still read.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

fn serve(conn: &Connection, reads: &mut Vec<Read>) {
    if let Err(error) = step(conn, "BEGIN") {
        tracing::error!(%error, "the store cannot be read");
    }
    reads.drain(..).for_each(|read| read(conn));
    if !conn.is_autocommit() && step(conn, "COMMIT").is_err() {
        let _ = step(conn, "ROLLBACK");
    }
}

fn step(conn: &Connection, sql: &str) -> Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}
