//! The time that tokens and keys grow old by.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A monotonic clock that tests can push forward.
#[derive(Clone)]
pub(crate) struct Clock {
    started: Instant,
    pushed_ms: Arc<AtomicU64>,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "measures spans, and tests push it"
    )]
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            pushed_ms: Arc::default(),
        }
    }

    /// Time since this clock was made.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.pushed_ms.load(Ordering::Relaxed))
    }

    #[cfg(test)]
    pub(crate) fn push(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).expect("tests push by days at most");
        self.pushed_ms.fetch_add(by, Ordering::Relaxed);
    }
}
