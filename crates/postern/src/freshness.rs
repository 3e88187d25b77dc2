//! How old a node's knowledge of settings and clients may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postern_core::Error;
use tokio::time::Instant;

/// What a revoked client may still do, at most, on a node that cannot reach the store.
pub const BOUND: Duration = Duration::from_secs(2);

/// When the registry was last known to be current, by a clock that never steps.
#[derive(Clone, Debug)]
pub struct Freshness {
    origin: Instant,
    /// Milliseconds after the origin.
    confirmed: Arc<AtomicU64>,
}

impl Freshness {
    /// Current at this moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "a span: how old knowledge is must not depend on a clock that steps"
    )]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            confirmed: Arc::default(),
        }
    }

    /// Asks whether the registry is current from here on: hand it to [`Self::confirm`] when it was.
    pub fn asked(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The registry was found to be current after `asked`.
    pub fn confirm(&self, asked: Duration) {
        let millis = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX);
        self.confirmed.fetch_max(millis, Ordering::Relaxed);
    }

    /// How long ago the registry was known to be current.
    pub fn age(&self) -> Duration {
        let confirmed = Duration::from_millis(self.confirmed.load(Ordering::Relaxed));
        self.origin.elapsed().saturating_sub(confirmed)
    }

    /// Refuses whoever would be judged by knowledge that is older than [`BOUND`].
    ///
    /// # Errors
    /// [`Error::Unavailable`]: nothing was done.
    pub fn check(&self) -> Result<(), Error> {
        if self.age() <= BOUND {
            return Ok(());
        }
        let why = "settings and clients could not be read for too long";
        Err(Error::Unavailable(Some(why.into())))
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn nobody_is_judged_by_knowledge_older_than_two_seconds() {
        let fresh = Freshness::new();
        advance(BOUND).await;
        assert!(fresh.check().is_ok());
        advance(Duration::from_millis(1)).await;
        assert_eq!(fresh.check().unwrap_err().code(), "UNAVAILABLE");
    }

    #[tokio::test(start_paused = true)]
    async fn knowledge_is_as_old_as_the_question_and_never_grows_older_by_a_late_answer() {
        let fresh = Freshness::new();
        advance(Duration::from_secs(1)).await;
        let early = fresh.asked();
        advance(Duration::from_secs(1)).await;
        let late = fresh.asked();
        advance(Duration::from_secs(1)).await;
        fresh.confirm(late);
        fresh.confirm(early);
        assert_eq!(fresh.age(), Duration::from_secs(1));
    }
}
