//! Ends of attempts that are written together.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

/// How many ends wait for each other at most. Whatever waits when the process dies is sent again, so
/// that it is few.
const MOST: usize = 48;

/// How long an end waits for others.
const LONGEST: Duration = Duration::from_millis(8);

/// Where attempts that have ended wait for others that are about to, because a commit for each costs
/// more than the mail. One of them writes for all. Nobody waits while there is nobody to wait for.
#[derive(Debug)]
pub(super) struct Gathering<E>(Mutex<State<E>>);

#[derive(Debug)]
struct State<E> {
    under_way: usize,
    gathered: Gathered<E>,
}

/// Ends that are written together.
#[derive(Debug)]
struct Gathered<E> {
    ends: Vec<E>,
    signals: Arc<Signals>,
}

#[derive(Debug, Default)]
struct Signals {
    /// One of those who wait has to write.
    go: Notify,
    /// All of it is written, or nobody writes it any more.
    over: Arc<Notify>,
}

/// An attempt that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay<'g, E>(&'g Gathering<E>);

/// Tells those who wait that it is over, whatever becomes of who writes.
struct Over(Arc<Signals>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over.notify_waiters();
    }
}

impl<E> Default for Gathering<E> {
    fn default() -> Self {
        let (under_way, gathered) = (0, Gathered::default());
        Self(Mutex::new(State {
            under_way,
            gathered,
        }))
    }
}

impl<E> Default for Gathered<E> {
    fn default() -> Self {
        Self {
            ends: Vec::new(),
            signals: Arc::default(),
        }
    }
}

impl<E> Gathering<E> {
    /// An attempt begins.
    pub(super) fn begin(&self) -> UnderWay<'_, E> {
        self.lock().under_way += 1;
        UnderWay(self)
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> State<E> {
    /// Whether those who wait are enough, or all there are.
    fn is_enough(&self) -> bool {
        let waiting = self.gathered.ends.len();
        waiting >= MOST || waiting >= self.under_way
    }

    fn take(&mut self) -> (Vec<E>, Over) {
        let gathered = std::mem::take(&mut self.gathered);
        (gathered.ends, Over(gathered.signals))
    }
}

impl<E> UnderWay<'_, E> {
    /// Waits for other attempts to end, for a moment at most. Returns when `end` is written: one of those who
    /// waited has called `write` with all that was gathered.
    pub(super) async fn end<W: Future<Output = ()>>(
        &self,
        end: E,
        write: impl FnOnce(Vec<E>) -> W,
    ) {
        let (signals, over, ours) = {
            let mut state = self.0.lock();
            state.gathered.ends.push(end);
            let signals = Arc::clone(&state.gathered.signals);
            // Made before anybody can tell it.
            let over = Arc::clone(&signals.over).notified_owned();
            (signals, over, state.is_enough().then(|| state.take()))
        };
        let mut over = pin!(over);
        let ours = if ours.is_none() {
            tokio::select! {
                () = &mut over => return,
                () = signals.go.notified() => {}
                () = sleep(LONGEST) => {}
            }
            let mut state = self.0.lock();
            let held = Arc::ptr_eq(&state.gathered.signals, &signals);
            held.then(|| state.take())
        } else {
            ours
        };
        match ours {
            Some((ends, _over)) => write(ends).await,
            None => over.await,
        }
    }
}

impl<E> Drop for UnderWay<'_, E> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.under_way -= 1;
        if !state.gathered.ends.is_empty() && state.is_enough() {
            state.gathered.signals.go.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::panic::AssertUnwindSafe;

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

    /// Writes what was gathered down, as one line.
    struct Book(Mutex<Vec<Vec<u8>>>);

    impl Book {
        fn new() -> Self {
            Self(Mutex::default())
        }

        fn write(&self, ends: Vec<u8>) -> Ready<()> {
            self.0.lock().unwrap().push(ends);
            ready(())
        }

        fn lines(&self) -> Vec<Vec<u8>> {
            self.0.lock().unwrap().clone()
        }
    }

    #[test]
    fn who_is_alone_waits_for_nobody() {
        let (gathering, book) = (Gathering::default(), Book::new());
        let alone = gathering.begin();
        let ended = alone.end(1, |ends| book.write(ends));
        assert!(ended.now_or_never().is_some());
        assert_eq!(book.lines(), [[1]]);
    }

    #[tokio::test]
    async fn all_are_written_at_once_when_the_last_of_them_has_ended() {
        pause();
        let (gathering, book) = (Gathering::default(), Book::new());
        let [one, other] = [gathering.begin(), gathering.begin()];
        let begun = now();
        tokio::join!(
            one.end(1, |ends| book.write(ends)),
            other.end(2, |ends| book.write(ends))
        );
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(book.lines(), [[1, 2]]);
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        pause();
        let (gathering, book) = (Gathering::default(), Book::new());
        let [ended, _slow] = [gathering.begin(), gathering.begin()];
        let begun = now();
        ended.end(1, |ends| book.write(ends)).await;
        assert!(begun.elapsed() <= LONGEST + Duration::from_millis(1));
        assert_eq!(book.lines(), [[1]]);
    }

    #[tokio::test]
    async fn no_more_than_a_few_wait() {
        pause();
        let (gathering, book) = (Gathering::default(), Book::new());
        let all: Vec<_> = (0..=MOST).map(|_| gathering.begin()).collect();
        let begun = now();
        let few = all[..MOST].iter();
        join_all(few.map(|one| one.end(1, |ends| book.write(ends)))).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(book.lines(), [[1; MOST]]);
    }

    #[tokio::test]
    async fn an_attempt_that_vanishes_is_not_waited_for() {
        pause();
        let (gathering, book) = (Gathering::default(), Book::new());
        let (ended, other) = (gathering.begin(), gathering.begin());
        let begun = now();
        tokio::join!(ended.end(1, |ends| book.write(ends)), async { drop(other) });
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(book.lines(), [[1]]);
    }

    #[tokio::test]
    async fn who_writes_and_breaks_down_leaves_nobody_waiting() {
        pause();
        let gathering = Gathering::default();
        let [one, other] = [gathering.begin(), gathering.begin()];
        let breaks = |_| async { panic!("on purpose") };
        let waits = one.end(1, breaks);
        let writes = AssertUnwindSafe(other.end(2, breaks)).catch_unwind();
        let ((), broken) = tokio::join!(waits, writes);
        assert!(broken.is_err());
    }
}
