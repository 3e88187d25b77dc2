//! Questions that are asked of the database together.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// How many are asked at once at most.
const MOST: usize = 64;

/// Where questions of one kind meet. One that comes alone is asked at once; those that come while another is under
/// way wait for its end, and the first of them asks for all: a statement costs more than one of its rows.
pub(super) struct Together<K, V> {
    waiting: Mutex<Vec<(K, oneshot::Sender<V>)>>,
    /// Held by who asks.
    turn: tokio::sync::Mutex<()>,
}

impl<K, V> Default for Together<K, V> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

impl<K: Clone, V> Together<K, V> {
    /// The answer for `key`. `read` answers for some keys, in their order; it is called if nobody else's
    /// question takes this one along.
    pub(super) async fn ask<R>(&self, key: K, read: impl Fn(Vec<K>) -> R) -> V
    where
        R: Future<Output = Vec<V>>,
    {
        loop {
            let (tell, mut told) = oneshot::channel();
            self.lock().push((key.clone(), tell));
            loop {
                tokio::select! {
                    biased;
                    answer = &mut told => match answer {
                        Ok(answer) => return answer,
                        // Who took it along was given up.
                        Err(_) => break,
                    },
                    _turn = self.turn.lock() => self.serve(&read).await,
                }
            }
        }
    }

    /// Asks for those that wait and tells them.
    async fn serve<R>(&self, read: &impl Fn(Vec<K>) -> R)
    where
        R: Future<Output = Vec<V>>,
    {
        let (keys, tellers): (Vec<K>, Vec<_>) = {
            let mut waiting = self.lock();
            waiting.retain(|(_, tell)| !tell.is_closed());
            let most = waiting.len().min(MOST);
            waiting.drain(..most).unzip()
        };
        if keys.is_empty() {
            return;
        }
        for (tell, answer) in tellers.into_iter().zip(read(keys).await) {
            // Who went away wants no answer.
            let _ = tell.send(answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(K, oneshot::Sender<V>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::{join_all, pending};

    use super::*;

    /// Answers ten times the key, and with how many others it was read.
    async fn tenfold(keys: Vec<usize>) -> Vec<(usize, usize)> {
        tokio::task::yield_now().await;
        keys.iter().map(|key| (key * 10, keys.len())).collect()
    }

    #[tokio::test]
    async fn what_is_asked_while_another_read_is_under_way_is_read_together() {
        let reads = Together::default();
        let answers = join_all((0..6).map(|key| reads.ask(key, tenfold))).await;
        assert_eq!(answers[0], (0, 1));
        for (key, answer) in answers.into_iter().enumerate().skip(1) {
            assert_eq!(answer, (key * 10, 5));
        }
    }

    #[tokio::test]
    async fn no_read_is_of_more_than_the_most() {
        let reads = Together::default();
        let answers = join_all((0..MOST + 9).map(|key| reads.ask(key, tenfold))).await;
        for (key, (answer, beside)) in answers.into_iter().enumerate() {
            assert_eq!(answer, key * 10);
            assert!(beside <= MOST);
        }
    }

    #[tokio::test]
    async fn who_is_given_up_while_it_reads_leaves_the_others_to_themselves() {
        let reads = Together::default();
        // It takes the turn, and the question of the next along.
        let next = reads.ask(7, tenfold);
        let mut next = Box::pin(next);
        {
            let turn = reads.turn.lock().await;
            assert!(next.as_mut().now_or_never().is_none());
            drop(turn);
            let mut stuck = Box::pin(reads.serve(&|_| pending()));
            assert!(stuck.as_mut().now_or_never().is_none());
        }
        assert_eq!(next.await, (70, 1));
    }
}
