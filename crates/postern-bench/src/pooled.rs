//! What one would write first: the echo with one SQL statement a request, through a pool.
//!
//! It authenticates nobody, counts nothing and tells nothing; each statement is a transaction of its
//! own, as in a program that leaves batching to the database.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use anyhow::Context;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Statement};

use crate::{bodies::Verb, echo};

/// Connections of the pool: more of them did less work a second.
const POOL: usize = 16;
/// Rows that verifies find, taken in turn.
const ROWS: i64 = 200_000;
/// About what a row of a request holds beside its id.
const META: [u8; 120] = [0x5a; 120];

const SETUP: &str = "
    CREATE TABLE IF NOT EXISTS pooled_request (id BIGINT PRIMARY KEY, used BIGINT NOT NULL, meta BYTEA NOT NULL);
    CREATE TABLE IF NOT EXISTS pooled_delivery (id BIGINT PRIMARY KEY, meta BYTEA NOT NULL);
    TRUNCATE pooled_request, pooled_delivery;";
const FILL: &str = "
    INSERT INTO pooled_request SELECT number, 0, $1 FROM generate_series(1, $2::BIGINT) AS number";
const SEND: &str = "
    WITH request AS (INSERT INTO pooled_request (id, used, meta) VALUES ($1, 0, $2))
    INSERT INTO pooled_delivery (id, meta) VALUES ($1, $2)";
const VERIFY: &str = "UPDATE pooled_request SET used = used + 1 WHERE id = $1 RETURNING meta";

/// Serves on the database until the process ends; tells its address on standard output.
pub(crate) fn serve(workers: usize, database: &str) -> anyhow::Result<()> {
    echo::run(workers, async {
        let pool = Arc::new(Pool::open(database).await?);
        Ok(Router::new()
            .route(Verb::Send.rest_path(), post(send))
            .route(Verb::Verify.rest_path(), post(verify))
            .with_state(pool))
    })
}

struct Pool {
    idle: Mutex<Vec<Connection>>,
    room: Semaphore,
    next: AtomicI64,
    turn: AtomicI64,
}

struct Connection {
    client: Client,
    send: Statement,
    verify: Statement,
}

impl Pool {
    async fn open(database: &str) -> anyhow::Result<Self> {
        let mut idle = Vec::with_capacity(POOL);
        for _ in 0..POOL {
            let client = connect(database).await?;
            if idle.is_empty() {
                client.batch_execute(SETUP).await?;
                client.execute(FILL, &[&META.as_slice(), &ROWS]).await?;
            }
            idle.push(Connection {
                send: client.prepare(SEND).await?,
                verify: client.prepare(VERIFY).await?,
                client,
            });
        }
        Ok(Self {
            idle: Mutex::new(idle),
            room: Semaphore::new(POOL),
            next: AtomicI64::new(ROWS + 1),
            turn: AtomicI64::new(0),
        })
    }

    /// Runs the statement of that verb on a connection of its own; whether it changed a row.
    async fn run(&self, verb: Verb) -> anyhow::Result<bool> {
        let _place = self.room.acquire().await?;
        let taken = self.lock().pop();
        let connection = taken.context("who has a place finds a connection")?;
        let changed = if verb == Verb::Send {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&id, &META.as_slice()];
            connection.client.execute(&connection.send, &params).await
        } else {
            let id = self.turn.fetch_add(1, Ordering::Relaxed) % ROWS + 1;
            connection.client.execute(&connection.verify, &[&id]).await
        };
        self.lock().push(connection);
        Ok(changed? == 1)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn connect(database: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn send(State(pool): State<Arc<Pool>>, body: Bytes) -> Result<echo::Answer, StatusCode> {
    done(&pool, Verb::Send).await?;
    echo::sent_for(&body)
}

async fn verify(State(pool): State<Arc<Pool>>, body: Bytes) -> Result<echo::Answer, StatusCode> {
    done(&pool, Verb::Verify).await?;
    echo::verified_for(&body)
}

async fn done(pool: &Pool, verb: Verb) -> Result<(), StatusCode> {
    match pool.run(verb).await {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// For [`echo::Echo::start`]: the words that start this server.
pub(crate) fn words(database: &str) -> [&str; 3] {
    ["pooled-server", "--database", database]
}
