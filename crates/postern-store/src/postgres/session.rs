use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postern_core::model::Timestamp;
use postern_core::ports::StoreError;
use tokio_postgres::error::Severity;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{
    AsyncMessage, Client, Connection, Row, SimpleQueryMessage, Socket, Statement,
};

use super::failure::Failure;
use super::plans;
use super::target::Target;
use super::tls::{Encrypted, Maker};
use crate::fence::{Fence, FenceKind};

/// A statement with the types of its parameters.
pub(super) struct Sql {
    pub(super) text: &'static str,
    pub(super) types: &'static [Type],
}

/// A parameter of a statement.
pub(super) type Param<'a> = &'a (dyn ToSql + Sync);

/// One connection to the database.
pub(super) struct Session {
    client: Client,
    /// What the server has prepared; `None` where it may prepare nothing (a pooler in between hands
    /// each transaction to another server session).
    prepared: Option<Mutex<HashMap<&'static str, Statement>>>,
    /// The last warning that the server sent by itself.
    warning: Arc<Mutex<Option<String>>>,
    begin: String,
    statement_timeout: Duration,
    commit_timeout: Duration,
}

impl Session {
    /// Connects, to the first host that answers and takes writes where several are named.
    ///
    /// # Errors
    /// None does.
    pub(super) async fn open(target: &Target) -> Result<Self, Failure> {
        let connecting = target.config.connect(Maker(Arc::clone(&target.tls)));
        let (client, connection) = connecting.await?;
        let warning = Arc::default();
        tokio::spawn(drive(connection, Arc::clone(&warning)));
        let tuning = &target.tuning;
        let mut begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned();
        let fence = "; SELECT at, kind, other FROM fence";
        if !tuning.prepared {
            begin = format!(
                "{begin}; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
                tuning.lock_timeout.as_millis(),
                (tuning.statement_timeout * 2).as_millis()
            );
        }
        if target.heeds_fence {
            begin.push_str(fence);
        }
        let session = Self {
            client,
            prepared: tuning.prepared.then(Mutex::default),
            warning,
            begin,
            statement_timeout: tuning.statement_timeout,
            commit_timeout: tuning.commit_timeout,
        };
        if tuning.prepared {
            plans::by_key(&session).await;
        }
        Ok(session)
    }

    /// How many statements the server has prepared for it.
    pub(super) fn statements(&self) -> usize {
        self.lock().map_or(0, |held| held.len())
    }

    /// Whether it is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs a statement and answers its rows.
    pub(super) async fn query(&self, sql: &Sql, params: &[Param<'_>]) -> Result<Vec<Row>, Failure> {
        if self.prepared.is_none() {
            let params = typed(sql, params);
            let asked = self.client.query_typed(sql.text, &params);
            return Ok(Box::pin(asked).await?);
        }
        let statement = Box::pin(self.statement(sql)).await?;
        Ok(Box::pin(self.client.query(&statement, params)).await?)
    }

    /// Runs a statement and answers how many rows it changed.
    pub(super) async fn execute(&self, sql: &Sql, params: &[Param<'_>]) -> Result<u64, Failure> {
        if self.prepared.is_none() {
            let params = typed(sql, params);
            let asked = self.client.execute_typed(sql.text, &params);
            return Ok(Box::pin(asked).await?);
        }
        let statement = Box::pin(self.statement(sql)).await?;
        Ok(Box::pin(self.client.execute(&statement, params)).await?)
    }

    /// Runs statements without parameters, by the simple protocol.
    pub(super) async fn run(&self, text: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(text).await?)
    }

    /// Begins a transaction that reads what is committed.
    ///
    /// # Errors
    /// The store is fenced: the transaction stands and has to be given up. Having read the table of
    /// the fence holds up who puts one there until the transaction has ended.
    pub(super) async fn begin(&self) -> Result<(), Failure> {
        let answered = self.client.simple_query(&self.begin).await?;
        match answered.iter().find_map(fence) {
            None => Ok(()),
            Some(fence) => Err(Failure::Fenced(fence.to_string())),
        }
    }

    /// Runs a statement whose text is made for the occasion.
    pub(super) async fn ask(
        &self,
        text: &str,
        params: &[(Param<'_>, Type)],
    ) -> Result<Vec<Row>, Failure> {
        Ok(Box::pin(self.client.query_typed(text, params)).await?)
    }

    /// Gives a transaction up.
    pub(super) async fn rollback(&self) -> Result<(), Failure> {
        self.in_time(self.run("ROLLBACK")).await
    }

    /// Commits. A warning that arrives meanwhile is a failure: the server sends one when it gives up
    /// waiting for its standby (whatever the language it says so in).
    ///
    /// # Errors
    /// Whatever it is, [`Failure::at_commit`] says what is known.
    pub(super) async fn commit(&self) -> Result<(), Failure> {
        self.take_warning();
        let ended = tokio::time::timeout(self.commit_timeout, self.run("COMMIT")).await;
        ended.unwrap_or(Err(Failure::Late))?;
        self.take_warning()
            .map_or(Ok(()), |warning| Err(Failure::NotReplicated(warning)))
    }

    /// Waits for `work` no longer than a statement may take. The clock is ours, so that it can neither
    /// cover a commit nor fail with the network.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let ended = tokio::time::timeout(self.statement_timeout, work).await;
        ended.unwrap_or(Err(Failure::Late))
    }

    /// Runs `work` in a transaction of its own.
    ///
    /// # Errors
    /// What a caller is told of it.
    pub(super) async fn transact<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, (StoreError, bool)> {
        let before = |failure: Failure| (failure.clone().not_done(), failure.spoils());
        if let Err(failure) = self.in_time(self.begin()).await {
            let spoilt = matches!(failure, Failure::Fenced(_)) && self.rollback().await.is_err();
            let (told, bad) = before(failure);
            return Err((told, bad || spoilt));
        }
        let done = match work.await {
            Ok(done) => done,
            Err(failure) => {
                let spoilt = self.rollback().await.is_err();
                let (told, bad) = before(failure);
                return Err((told, bad || spoilt));
            }
        };
        match self.commit().await {
            Ok(()) => Ok(done),
            Err(failure) => Err((failure.at_commit(), true)),
        }
    }

    async fn statement(&self, sql: &Sql) -> Result<Statement, Failure> {
        let known = self.lock().and_then(|held| held.get(sql.text).cloned());
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare_typed(sql.text, sql.types).await?;
        if let Some(mut held) = self.lock() {
            held.insert(sql.text, statement.clone());
        }
        Ok(statement)
    }

    fn lock(&self) -> Option<std::sync::MutexGuard<'_, HashMap<&'static str, Statement>>> {
        let prepared = self.prepared.as_ref()?;
        Some(prepared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_warning(&self) -> Option<String> {
        let mut warning = self.warning.lock().unwrap_or_else(PoisonError::into_inner);
        warning.take()
    }
}

/// The fence that a row of the answer to BEGIN tells of.
fn fence(message: &SimpleQueryMessage) -> Option<Fence> {
    let SimpleQueryMessage::Row(row) = message else {
        return None;
    };
    let number = |column| row.get(column).and_then(|text| text.parse().ok());
    Some(Fence {
        at: Timestamp::from_micros(number(0).unwrap_or(0)),
        kind: FenceKind::from_number(number(1).unwrap_or(0)),
        other: row.get(2).unwrap_or_default().to_owned(),
    })
}

fn typed<'a>(sql: &Sql, params: &[Param<'a>]) -> Vec<(Param<'a>, Type)> {
    let types = sql.types.iter().cloned();
    params.iter().copied().zip(types).collect()
}

/// Carries the connection's messages until it ends, keeping warnings.
async fn drive(mut connection: Connection<Socket, Encrypted>, warning: Arc<Mutex<Option<String>>>) {
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                if matches!(notice.parsed_severity(), Some(Severity::Warning)) {
                    tracing::warn!(
                        code = notice.code().code(),
                        "the database warns: {}",
                        notice.message()
                    );
                    *warning.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(notice.message().to_owned());
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(error = %Failure::from(error), "a connection to the database ended");
                return;
            }
            None => return,
        }
    }
}
