use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use postern_core::ports::StoreError;
use rusqlite::{Error, ErrorCode, Result};
use tokio::sync::oneshot;

use super::tx::Tx;
use crate::patience::{Pending, Standing};

/// One caller's atomic piece of work, on its way through the writer.
pub(super) trait Act: Send {
    /// Begins it, if anyone still waits for the answer: from then on it may be committed.
    fn begins(&self) -> bool;

    /// Does the work, as often as it is called, and remembers the last outcome; whether it succeeded.
    fn run(&mut self, tx: &Tx<'_>) -> bool;

    /// Tells the caller the last outcome: whatever was written is durable.
    fn answer(self: Box<Self>);

    /// Tells the caller that `error` is the outcome, whatever the act thought.
    fn fail(self: Box<Self>, error: StoreError);

    /// Tells the caller why the act's own transaction was lost: its own failure, or else `error`.
    fn lose(self: Box<Self>, error: StoreError);
}

/// An act that runs a closure.
pub(super) struct Job<T, F> {
    work: F,
    outcome: Result<T, StoreError>,
    standing: Standing,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job<T, F>
where
    T: Send + 'static,
    F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
{
    /// The act, where its answer arrives, and how far it has come.
    pub(super) fn pair(work: F) -> (Box<dyn Act>, Pending<T>, Standing) {
        let (reply, answer) = oneshot::channel();
        let standing = Standing::default();
        let job = Self {
            work,
            outcome: Err(StoreError::Refused),
            standing: standing.clone(),
            reply,
        };
        (Box::new(job), answer, standing)
    }
}

impl<T, F> Act for Job<T, F>
where
    T: Send,
    F: FnMut(&Tx<'_>) -> Result<T> + Send,
{
    fn begins(&self) -> bool {
        !self.reply.is_closed() && self.standing.commit()
    }

    fn run(&mut self, tx: &Tx<'_>) -> bool {
        // What a panic leaves behind is undone with the savepoint, and the closure is pure.
        self.outcome = match catch_unwind(AssertUnwindSafe(|| (self.work)(tx))) {
            Ok(done) => done.map_err(not_done),
            Err(_) => Err(StoreError::Broken("the act panicked".into())),
        };
        self.outcome.is_ok()
    }

    fn answer(self: Box<Self>) {
        // A caller that went away wants no answer.
        let _ = self.reply.send(self.outcome);
    }

    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error));
    }

    fn lose(self: Box<Self>, error: StoreError) {
        let own = self.outcome.err();
        let _ = self.reply.send(Err(own.unwrap_or(error)));
    }
}

/// What a failure before the commit means for its caller.
pub(super) fn not_done(error: Error) -> StoreError {
    let transient = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::OperationInterrupted
        )
    );
    if transient {
        StoreError::NotDone(error.into())
    } else {
        StoreError::Broken(error.into())
    }
}

/// One cause that many callers are told of.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Shared(Arc<Error>);

impl Shared {
    pub(super) fn new(error: Error) -> Self {
        Self(Arc::new(error))
    }

    pub(super) fn unknown(&self) -> StoreError {
        StoreError::Unknown(Box::new(self.clone()))
    }

    pub(super) fn not_done(&self) -> StoreError {
        StoreError::NotDone(Box::new(self.clone()))
    }
}
