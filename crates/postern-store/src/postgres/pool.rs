use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use postern_core::ports::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;
use super::session::Session;
use super::target::Target;

/// Connections for what is not batched: reads, claims, the registry, tidying.
pub(super) struct Pool {
    target: Arc<Target>,
    idle: Mutex<Vec<Session>>,
    slots: Arc<Semaphore>,
    /// Callers that may wait for a connection; one more is refused at once.
    line: Arc<Semaphore>,
}

/// A connection of the pool, for one piece of work. It returns to the pool by [`Held::end`] or
/// [`Held::ended`] only: one that is dropped on the way may be in the middle of something.
pub(super) struct Held<'p> {
    pool: &'p Pool,
    session: Session,
    _slot: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool of at most `connections`, for which at most `line` callers wait.
    pub(super) fn new(target: Arc<Target>, connections: usize, line: usize) -> Self {
        Self {
            target,
            idle: Mutex::default(),
            slots: Arc::new(Semaphore::new(connections.max(1))),
            line: Arc::new(Semaphore::new(line)),
        }
    }

    /// Takes a connection, waiting for one no longer than a statement may take.
    ///
    /// # Errors
    /// Too many wait, the pool is closed, or the database cannot be reached.
    pub(super) async fn take(&self) -> Result<Held<'_>, StoreError> {
        let Ok(_waiting) = Arc::clone(&self.line).try_acquire_owned() else {
            return Err(StoreError::Refused);
        };
        let slot = Arc::clone(&self.slots).acquire_owned();
        let slot = tokio::time::timeout(self.target.tuning.statement_timeout, slot).await;
        let Ok(Ok(slot)) = slot else {
            return Err(StoreError::Refused);
        };
        let session = match self.idle() {
            Some(session) => session,
            None => self.connect().await.map_err(Failure::not_done)?,
        };
        Ok(Held {
            pool: self,
            session,
            _slot: slot,
        })
    }

    /// Refuses what comes from now on, and ends the connections.
    pub(super) fn close(&self) {
        self.slots.close();
        self.line.close();
        self.lock().clear();
    }

    /// Whether connections are given at all.
    pub(super) fn lives(&self) -> bool {
        !self.slots.is_closed()
    }

    async fn connect(&self) -> Result<Session, Failure> {
        let opening = Session::open(&self.target);
        let opened = tokio::time::timeout(self.target.tuning.statement_timeout, opening).await;
        opened.unwrap_or(Err(Failure::Late))
    }

    fn idle(&self) -> Option<Session> {
        let mut idle = self.lock();
        idle.retain(|session| !session.is_closed());
        idle.pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// Ends a piece of reading: the connection returns to the pool unless it is spoilt.
    pub(super) fn end<T>(self, read: Result<T, Failure>) -> Result<T, StoreError> {
        match read {
            Ok(read) => {
                self.give_back();
                Ok(read)
            }
            Err(failure) => {
                if !failure.spoils() {
                    self.give_back();
                }
                Err(failure.not_done())
            }
        }
    }

    /// Ends a transaction, as [`Session::transact`] answered it.
    pub(super) fn ended<T>(self, done: Result<T, (StoreError, bool)>) -> Result<T, StoreError> {
        match done {
            Ok(done) => {
                self.give_back();
                Ok(done)
            }
            Err((told, spoilt)) => {
                if !spoilt {
                    self.give_back();
                }
                Err(told)
            }
        }
    }

    fn give_back(self) {
        if self.pool.lives() {
            self.pool.lock().push(self.session);
        }
    }
}

impl Deref for Held<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
