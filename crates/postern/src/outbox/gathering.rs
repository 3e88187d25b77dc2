//! Ends of attempts that are written together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// How many ends wait for each other at most. Whatever waits when the process dies is sent again, so
/// that it is few.
const MOST: usize = 8;

/// How long an end waits for others.
const LONGEST: Duration = Duration::from_millis(2);

/// Where attempts that have ended wait for others that are about to, because a commit for each costs
/// more than the mail. Nobody waits while there is nobody to wait for.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    state: Mutex<State>,
    go: Notify,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    waiting: usize,
}

/// An attempt that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay<'g>(&'g Gathering);

impl Gathering {
    /// An attempt begins.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.lock().under_way += 1;
        UnderWay(self)
    }

    /// Lets those who wait go when they are enough, or all there are.
    fn release(&self, mut state: MutexGuard<'_, State>, enough: bool) -> bool {
        let go = enough || state.waiting >= MOST || state.waiting >= state.under_way;
        if go {
            state.waiting = 0;
            self.go.notify_waiters();
        }
        go
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay<'_> {
    /// Waits for other attempts to end, for a moment at most.
    pub(super) async fn gather(&self) {
        let gone = self.0.go.notified();
        {
            let mut state = self.0.lock();
            state.waiting += 1;
            if self.0.release(state, false) {
                return;
            }
        }
        if timeout(LONGEST, gone).await.is_err() {
            self.0.release(self.0.lock(), true);
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.under_way -= 1;
        if state.waiting > 0 {
            self.0.release(state, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use tokio::time::{Instant, pause};

    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "a span, on a clock that stands still"
    )]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn who_is_alone_waits_for_nobody() {
        let gathering = Gathering::default();
        let alone = gathering.begin();
        assert!(alone.gather().now_or_never().is_some());
    }

    #[tokio::test]
    async fn all_go_when_the_last_of_them_has_ended() {
        pause();
        let gathering = Gathering::default();
        let [one, other] = [gathering.begin(), gathering.begin()];
        let begun = now();
        tokio::join!(one.gather(), other.gather());
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        pause();
        let gathering = Gathering::default();
        let [ended, _slow] = [gathering.begin(), gathering.begin()];
        let begun = now();
        ended.gather().await;
        assert!(begun.elapsed() <= LONGEST + Duration::from_millis(1));
        assert_eq!(gathering.lock().waiting, 0);
    }

    #[tokio::test]
    async fn no_more_than_a_few_wait() {
        pause();
        let gathering = Gathering::default();
        let all: Vec<_> = (0..=MOST).map(|_| gathering.begin()).collect();
        let begun = now();
        join_all(all[..MOST].iter().map(UnderWay::gather)).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn an_attempt_that_vanishes_is_not_waited_for() {
        pause();
        let gathering = Gathering::default();
        let (ended, other) = (gathering.begin(), gathering.begin());
        let begun = now();
        tokio::join!(ended.gather(), async { drop(other) });
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
