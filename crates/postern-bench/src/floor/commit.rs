//! The bare group commit: two rows an act, as a send writes, and one commit for all who wait.

use std::{cell::Cell, process::Stdio, rc::Rc, sync::mpsc, thread, time::Duration};

use anyhow::{Context, ensure};
use rusqlite::Connection;
use tokio::{process::Command, sync::oneshot, task::JoinSet};

use super::Bare;
use crate::{meter::count, process::Process, watch};

const LARGEST_BATCH: usize = 256;
const WAL_PAGES: u32 = 20_000;
const SETUP: &str = "
    PRAGMA page_size = 4096;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE request (id BLOB PRIMARY KEY, meta BLOB) WITHOUT ROWID;
    CREATE TABLE delivery (id BLOB PRIMARY KEY, meta BLOB) WITHOUT ROWID;";

struct Act {
    number: u64,
    done: oneshot::Sender<()>,
}

/// Measures in a process of its own, so that its CPU time is its own.
pub(crate) async fn measure(callers: usize, span: Duration) -> anyhow::Result<Bare> {
    let output = Command::new(std::env::current_exe()?)
        .args(["commit-floor", "--callers", &callers.to_string()])
        .args(["--seconds", &span.as_secs_f64().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await?;
    ensure!(output.status.success(), "the commit floor failed");
    serde_json::from_slice(&output.stdout).context("the commit floor tells JSON")
}

/// That process.
pub(crate) fn child(callers: usize, seconds: f64) -> anyhow::Result<()> {
    let home = tempfile::Builder::new().prefix("postern-bench").tempdir()?;
    let connection = Connection::open(home.path().join("floor.db"))?;
    connection.execute_batch(SETUP)?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    let (acts, queue) = mpsc::sync_channel(4096);
    let writer = thread::spawn(move || write(&connection, &queue));
    let bare = crate::on_one_thread(call(acts, callers, Duration::from_secs_f64(seconds)))?;
    writer.join().ok().context("the writer panicked")??;
    println!("{}", serde_json::to_string(&bare)?);
    Ok(())
}

async fn call(acts: mpsc::SyncSender<Act>, callers: usize, span: Duration) -> anyhow::Result<Bare> {
    let ours = Process(std::process::id());
    let (next, stopping) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
    let (began, before) = (watch::now(), ours.usage()?);
    let mut calls = JoinSet::new();
    for _ in 0..callers {
        let (acts, next, stopping) = (acts.clone(), Rc::clone(&next), Rc::clone(&stopping));
        calls.spawn_local(async move {
            while !stopping.get() {
                let number = next.replace(next.get() + 1);
                let (done, wait) = oneshot::channel();
                if acts.send(Act { number, done }).is_err() || wait.await.is_err() {
                    break;
                }
            }
        });
    }
    tokio::time::sleep(span).await;
    stopping.set(true);
    while calls.join_next().await.is_some() {}
    let used = ours.usage()? - before;
    Ok(Bare {
        per_second: count(next.get()) / began.elapsed().as_secs_f64(),
        cpu_us: used.cpu.as_secs_f64() * 1e6 / count(next.get()).max(1.0),
    })
}

fn write(connection: &Connection, queue: &mpsc::Receiver<Act>) -> rusqlite::Result<()> {
    let mut request = connection.prepare("INSERT INTO request VALUES (?1, ?2)")?;
    let mut delivery = connection.prepare("INSERT INTO delivery VALUES (?1, ?2)")?;
    let meta = [0x5a_u8; 120];
    while let Ok(first) = queue.recv() {
        let batch: Vec<Act> = std::iter::once(first)
            .chain(queue.try_iter().take(LARGEST_BATCH - 1))
            .collect();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for act in &batch {
            let id = u128::from(act.number).to_be_bytes();
            request.execute((id, meta))?;
            delivery.execute((id, meta))?;
        }
        connection.execute_batch("COMMIT")?;
        for act in batch {
            // A caller that is gone needs no answer.
            let _ = act.done.send(());
        }
    }
    Ok(())
}
