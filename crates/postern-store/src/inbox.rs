//! The development inbox: mails on disk instead of on their way, bounded, the oldest dropped.
//!
//! A file of its own, apart from the store: what `postern dev` mails is for the developer's eyes
//! and must not weigh on the database it develops against. What a mail says is the caller's text
//! (JSON, as it happens) and opaque here; only the address, by which mails are looked up, is a
//! column. A mail that [`Inbox::put`] has answered survives the death of the process; only a
//! crash of the machine may take the last ones (WAL with `synchronous=NORMAL`).

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::connect::ConnectError;
use crate::sqlite::open;

/// How many mails wait for the writer before [`Inbox::put`] waits too.
const QUEUE: usize = 1024;
/// The most mails in one commit.
const BATCH: usize = 256;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = FAST;
    CREATE TABLE IF NOT EXISTS mails (
        id INTEGER PRIMARY KEY,
        address TEXT NOT NULL,
        summary TEXT NOT NULL,
        content TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS mails_by_address ON mails (address, id);
";

/// Why the inbox did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The file cannot be opened, read or written.
    #[error("the development inbox cannot be read or written")]
    Engine(#[from] rusqlite::Error),
    /// The file cannot be made.
    #[error(transparent)]
    File(#[from] ConnectError),
    /// The writer has ended.
    #[error("the development inbox is closed")]
    Closed,
    /// The commit that the mail was part of failed; it may be put again.
    #[error("the mail was not kept")]
    NotKept,
}

/// A mail to keep.
#[derive(Debug)]
pub struct NewMail {
    /// What it is looked up by; compared byte by byte, so folded by the caller.
    pub address: String,
    /// The small part, that lists show.
    pub summary: String,
    /// The large part.
    pub content: String,
}

/// A mail that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMail {
    /// Its number; later mails have greater ones.
    pub id: i64,
    /// The small part.
    pub summary: String,
    /// The large part; empty when it was not asked for.
    pub content: String,
}

/// Which mails to read.
#[derive(Debug, Clone, Copy)]
pub struct Select<'a> {
    /// Only those to this address, folded like [`NewMail::address`].
    pub address: Option<&'a str>,
    /// Only those with a greater number.
    pub after: i64,
    /// At most so many.
    pub limit: usize,
    /// Whether the large part is read as well.
    pub content: bool,
}

/// The inbox. Readers do not wait for the writer, nor it for them.
#[derive(Debug)]
pub struct Inbox {
    writer: Option<mpsc::Sender<(NewMail, oneshot::Sender<i64>)>>,
    thread: Option<JoinHandle<()>>,
    reader: Arc<Mutex<Connection>>,
    arrivals: broadcast::Sender<Arc<[String]>>,
}

impl Inbox {
    /// Opens or makes the file at `path`, which keeps the newest `capacity` mails.
    ///
    /// # Errors
    /// The file is not a database, or cannot be made.
    pub fn open(path: &Path, capacity: u32) -> Result<Self, InboxError> {
        open::make(path)?;
        let connection = opened(path)?;
        connection.execute_batch(SCHEMA)?;
        let last =
            connection.query_row("SELECT ifnull(max(id), 0) FROM mails", [], |row| row.get(0))?;
        let reader = opened(path)?;
        let (writer, queue) = mpsc::channel(QUEUE);
        let arrivals = broadcast::Sender::new(1024);
        let thread = std::thread::Builder::new()
            .name("inbox-writer".to_owned())
            .spawn({
                let arrivals = arrivals.clone();
                move || {
                    write_until_closed(connection, queue, (i64::from(capacity), last), &arrivals);
                }
            });
        Ok(Self {
            writer: Some(writer),
            thread: Some(thread.map_err(|_| InboxError::Closed)?),
            reader: Arc::new(Mutex::new(reader)),
            arrivals,
        })
    }

    /// Keeps a mail and answers its number once it is on disk.
    ///
    /// # Errors
    /// The inbox is closed, or the commit failed.
    pub async fn put(&self, mail: NewMail) -> Result<i64, InboxError> {
        let (answer, answered) = oneshot::channel();
        let writer = self.writer.as_ref().ok_or(InboxError::Closed)?;
        writer
            .send((mail, answer))
            .await
            .map_err(|_| InboxError::Closed)?;
        answered.await.map_err(|_| InboxError::NotKept)
    }

    /// Tells of each commit: the addresses of its mails. Subscribe before reading, and no mail
    /// falls between.
    pub fn arrivals(&self) -> broadcast::Receiver<Arc<[String]>> {
        self.arrivals.subscribe()
    }

    /// Mails in the order in which they came.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn read(&self, select: Select<'_>) -> Result<Vec<KeptMail>, InboxError> {
        let (address, after) = (select.address.map(str::to_owned), select.after);
        let limit = i64::try_from(select.limit).unwrap_or(i64::MAX);
        let content = if select.content { "content" } else { "''" };
        self.with_reader(move |reader| {
            let order = "ORDER BY id LIMIT ?1";
            let Some(address) = address else {
                let sql = format!("SELECT id, summary, {content} FROM mails WHERE id > ?2 {order}");
                let mut rows = reader.prepare_cached(&sql)?;
                return rows.query_map(params![limit, after], kept)?.collect();
            };
            let sql = format!(
                "SELECT id, summary, {content} FROM mails WHERE id > ?2 AND address = ?3 {order}"
            );
            let mut rows = reader.prepare_cached(&sql)?;
            rows.query_map(params![limit, after, address], kept)?
                .collect()
        })
        .await
    }

    /// The newest mails, newest first, without their large part.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn newest(&self, limit: usize) -> Result<Vec<KeptMail>, InboxError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with_reader(move |reader| {
            let mut rows = reader
                .prepare_cached("SELECT id, summary, '' FROM mails ORDER BY id DESC LIMIT ?1")?;
            rows.query_map(params![limit], kept)?.collect()
        })
        .await
    }

    /// One mail, whole.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn find(&self, id: i64) -> Result<Option<KeptMail>, InboxError> {
        self.with_reader(move |reader| {
            let mut row =
                reader.prepare_cached("SELECT id, summary, content FROM mails WHERE id = ?1")?;
            row.query_row(params![id], kept).optional()
        })
        .await
    }

    async fn with_reader<T, F>(&self, read: F) -> Result<T, InboxError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let reader = Arc::clone(&self.reader);
        let task = tokio::task::spawn_blocking(move || {
            read(&reader.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(task.await.map_err(|_| InboxError::Closed)??)
    }
}

/// Removes the mails to an address, folded like [`NewMail::address`], from the inbox at `path` and
/// from the disk; answers how many. Who has the inbox open may go on. No file is no mails. Blocks.
///
/// # Errors
/// The file cannot be written.
pub fn forget(path: &Path, address: &str) -> Result<usize, InboxError> {
    if !path.exists() {
        return Ok(0);
    }
    let connection = opened(path)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch("PRAGMA secure_delete = ON")?;
    let removed = connection.execute("DELETE FROM mails WHERE address = ?1", [address])?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(removed)
}

/// A connection with half a megabyte for pages: mails are written once, and hardly one is read twice.
fn opened(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA cache_size = -512")?;
    Ok(connection)
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.writer = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptMail> {
    Ok(KeptMail {
        id: row.get(0)?,
        summary: row.get(1)?,
        content: row.get(2)?,
    })
}

/// Commits what waits, in groups, until the inbox is dropped. A failed commit drops the answers,
/// which tells every caller of it that its mail was not kept.
fn write_until_closed(
    mut connection: Connection,
    mut queue: mpsc::Receiver<(NewMail, oneshot::Sender<i64>)>,
    (capacity, mut last): (i64, i64),
    arrivals: &broadcast::Sender<Arc<[String]>>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
        match write(&mut connection, &batch, capacity, last) {
            Ok(ids) => {
                last = ids.last().copied().unwrap_or(last);
                let addresses = batch.iter().map(|(mail, _)| mail.address.clone()).collect();
                for ((_, answer), id) in batch.drain(..).zip(ids) {
                    let _ = answer.send(id);
                }
                let _ = arrivals.send(addresses);
            }
            Err(error) => {
                tracing::error!(%error, "the development inbox could not be written");
                batch.clear();
            }
        }
    }
}

fn write(
    connection: &mut Connection,
    batch: &[(NewMail, oneshot::Sender<i64>)],
    capacity: i64,
    last: i64,
) -> rusqlite::Result<Vec<i64>> {
    let act = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut ids = Vec::with_capacity(batch.len());
    {
        // A command beside the server keeps mails too: a preview of a template.
        let newest: i64 = act
            .prepare_cached("SELECT ifnull(max(id), 0) FROM mails")?
            .query_row([], |row| row.get(0))?;
        let last = last.max(newest);
        let mut insert = act.prepare_cached(
            "INSERT INTO mails (id, address, summary, content) VALUES (?1, ?2, ?3, ?4)",
        )?;
        // Not the engine's next number: it would give that of a forgotten mail again.
        for (id, (mail, _)) in (last + 1..).zip(batch) {
            ids.push(insert.insert(params![id, mail.address, mail.summary, mail.content])?);
        }
        let newest = ids.last().copied().unwrap_or(0);
        act.prepare_cached("DELETE FROM mails WHERE id <= ?1")?
            .execute(params![newest - capacity])?;
    }
    act.commit()?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(address: &str, summary: &str) -> NewMail {
        NewMail {
            address: address.to_owned(),
            summary: summary.to_owned(),
            content: format!("content of {summary}"),
        }
    }

    fn all(after: i64, limit: usize) -> Select<'static> {
        Select {
            address: None,
            after,
            limit,
            content: true,
        }
    }

    fn summaries(mails: &[KeptMail]) -> Vec<&str> {
        mails.iter().map(|mail| mail.summary.as_str()).collect()
    }

    #[tokio::test]
    async fn mails_are_read_in_the_order_they_came_and_from_where_one_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(&folder.path().join("inbox.db"), 100).unwrap();
        for summary in ["a", "b", "c"] {
            inbox.put(mail("ada@example.com", summary)).await.unwrap();
        }
        let first = inbox.read(all(0, 2)).await.unwrap();
        assert_eq!(summaries(&first), ["a", "b"]);
        assert_eq!(
            summaries(&inbox.read(all(first[1].id, 10)).await.unwrap()),
            ["c"]
        );
        assert_eq!(summaries(&inbox.newest(2).await.unwrap()), ["c", "b"]);
        assert_eq!(
            inbox.find(first[0].id).await.unwrap().unwrap().content,
            "content of a"
        );
        assert_eq!(inbox.find(99).await.unwrap(), None);
    }

    #[tokio::test]
    async fn mails_of_one_address_are_found_among_others() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(&folder.path().join("inbox.db"), 100).unwrap();
        for (address, summary) in [
            ("ada@a.example", "a"),
            ("bob@b.example", "b"),
            ("ada@a.example", "c"),
        ] {
            inbox.put(mail(address, summary)).await.unwrap();
        }
        let select = Select {
            address: Some("ada@a.example"),
            content: false,
            ..all(0, 10)
        };
        let found = inbox.read(select).await.unwrap();
        assert_eq!(summaries(&found), ["a", "c"]);
        assert!(found.iter().all(|mail| mail.content.is_empty()));
    }

    #[tokio::test]
    async fn two_processes_may_keep_mails_in_turn() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inbox.db");
        let server = Inbox::open(&file, 100).unwrap();
        server.put(mail("ada@example.com", "a")).await.unwrap();
        let command = Inbox::open(&file, 100).unwrap();
        command.put(mail("ada@example.com", "b")).await.unwrap();
        server.put(mail("ada@example.com", "c")).await.unwrap();
        command.put(mail("ada@example.com", "d")).await.unwrap();
        let kept = server.read(all(0, 10)).await.unwrap();
        assert_eq!(summaries(&kept), ["a", "b", "c", "d"]);
    }

    #[tokio::test]
    async fn past_its_capacity_the_oldest_are_dropped_and_numbers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(&folder.path().join("inbox.db"), 2).unwrap();
        let mut last = 0;
        for summary in ["a", "b", "c", "d"] {
            let id = inbox.put(mail("ada@example.com", summary)).await.unwrap();
            assert!(id > last);
            last = id;
        }
        assert_eq!(
            summaries(&inbox.read(all(0, 10)).await.unwrap()),
            ["c", "d"]
        );
    }

    #[tokio::test]
    async fn a_forgotten_address_is_in_no_file_and_no_file_is_for_others_to_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let inbox = Inbox::open(&path, 100).unwrap();
        inbox.put(mail("bob@example.com", "b")).await.unwrap();
        let gone = inbox.put(mail("ada@example.com", "a")).await.unwrap();
        assert_eq!(forget(&path, "ada@example.com").unwrap(), 1);
        assert_eq!(summaries(&inbox.newest(2).await.unwrap()), ["b"]);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0);
            let held = std::fs::read(file.path()).unwrap();
            assert!(!String::from_utf8_lossy(&held).contains("ada@"));
        }
        assert!(inbox.put(mail("bob@example.com", "c")).await.unwrap() > gone);
    }

    #[tokio::test]
    async fn mails_outlive_the_process_that_kept_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let inbox = Inbox::open(&path, 100).unwrap();
        inbox.put(mail("ada@example.com", "a")).await.unwrap();
        drop(inbox);
        let inbox = Inbox::open(&path, 100).unwrap();
        assert_eq!(summaries(&inbox.read(all(0, 10)).await.unwrap()), ["a"]);
    }

    #[tokio::test]
    async fn an_arrival_is_told_to_who_listened_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(&folder.path().join("inbox.db"), 100).unwrap();
        let mut arrivals = inbox.arrivals();
        inbox.put(mail("ada@example.com", "a")).await.unwrap();
        assert_eq!(
            *arrivals.recv().await.unwrap(),
            ["ada@example.com".to_owned()]
        );
    }
}
