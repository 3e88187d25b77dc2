use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// None once the thread has ended: a store is closed when its last connection is.
    conn: Arc<Mutex<Option<Connection>>>,
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
        let conn = Arc::new(Mutex::new(Some(conn)));
        let (line, held) = (Arc::clone(&queue), Arc::clone(&conn));
        let thread = spawn(name, move || {
            let mut reads: Vec<Read> = Vec::with_capacity(group);
            while line.take(&mut reads, group) {
                if let Some(conn) = &*lock(&held) {
                    seen_at_once(conn, || reads.drain(..).for_each(|read| read(conn)));
                }
            }
            drop(lock(&held).take());
        })?;
        Ok((Self { queue, conn }, thread))
    }

    /// Runs `read` on the state of the last commit or a later one.
    pub(super) async fn run<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |conn| {
            // A caller that went away wants no answer.
            let _ = reply.send(tried(conn, read));
        });
        if !self.queue.push(job, Whose::House) {
            return Err(StoreError::Refused);
        }
        answer.await.unwrap_or(Err(StoreError::Refused))
    }

    /// The same, on the caller's own thread where nobody else reads: for a few rows found by their keys, by
    /// callers whose thread may wait for the disk. To wake another thread and be woken takes longer.
    pub(super) async fn run_here<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        if let Ok(held) = self.conn.try_lock() {
            let conn = held.as_ref().ok_or(StoreError::Refused)?;
            return seen_at_once(conn, || tried(conn, read));
        }
        self.run(read).await
    }

    /// Refuses what comes from now on; what was accepted is still read.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

fn lock(conn: &Mutex<Option<Connection>>) -> MutexGuard<'_, Option<Connection>> {
    conn.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `read` finds, whatever becomes of it.
fn tried<T>(
    conn: &Connection,
    read: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T, StoreError> {
    let found = catch_unwind(AssertUnwindSafe(|| read(conn)));
    let found = found.unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery));
    found.map_err(not_done)
}

/// Has all that `reads` reads be of one state of the store.
fn seen_at_once<T>(conn: &Connection, reads: impl FnOnce() -> T) -> T {
    if let Err(error) = step(conn, "BEGIN") {
        tracing::error!(%error, "the store cannot be read");
    }
    let found = reads();
    if !conn.is_autocommit() && step(conn, "COMMIT").is_err() {
        let _ = step(conn, "ROLLBACK");
    }
    found
}

fn step(conn: &Connection, sql: &str) -> Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn one(conn: &Connection) -> Result<i64> {
        conn.query_row("SELECT 1", [], |row| row.get(0))
    }

    fn started() -> (Reader, JoinHandle<()>) {
        let conn = Connection::open_in_memory().unwrap();
        Reader::start("reader", conn, 4, 1).unwrap()
    }

    #[tokio::test]
    async fn who_reads_here_waits_for_the_thread_while_others_read() {
        let (reader, _thread) = started();
        let busy = lock(&reader.conn);
        let mut read = Box::pin(reader.run_here(one));
        assert!(read.as_mut().now_or_never().is_none());
        drop(busy);
        assert_eq!(read.await.unwrap(), 1);
        assert_eq!(reader.run_here(one).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn who_breaks_down_while_reading_here_leaves_the_connection_to_the_next() {
        let (reader, _thread) = started();
        let broken = reader.run_here(|_| -> Result<i64> { panic!("on purpose") });
        assert!(matches!(broken.await, Err(StoreError::Broken(_))));
        assert_eq!(reader.run_here(one).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn once_the_thread_has_ended_reading_here_is_refused_too() {
        let (reader, thread) = started();
        reader.close();
        thread.join().unwrap();
        let refused = reader.run_here(one).await;
        assert!(matches!(refused, Err(StoreError::Refused)));
    }
}
