//! How many signatures may be made at once.

use std::sync::Arc;

use tokio::{sync::Semaphore, task::spawn_blocking};

use super::Published;

/// Tokens that wait for their turn, beyond those being signed; each has waited less than half a
/// second, well within the time that clients allow.
const WAITING: usize = 256;

/// Signs on blocking threads, one for each core at most, with a bounded queue.
///
/// A signature takes a millisecond of a core: on the threads that serve connections, a few
/// token requests would hold up every other call.
#[derive(Debug)]
pub struct SigningPool {
    admitted: Semaphore,
    running: Semaphore,
}

/// Why there is no token.
#[derive(Debug, PartialEq, Eq)]
pub enum NotSigned {
    /// The queue is full; nothing was done.
    Busy,
    /// There is no active key, or the signature failed.
    Failed,
}

impl SigningPool {
    /// A pool that makes `threads` signatures at once.
    pub fn new(threads: usize) -> Self {
        Self {
            admitted: Semaphore::new(threads + WAITING),
            running: Semaphore::new(threads),
        }
    }

    /// Signs claims (JSON) with the active key.
    ///
    /// # Errors
    /// `NotSigned`.
    pub async fn sign(&self, keys: Arc<Published>, claims: Vec<u8>) -> Result<String, NotSigned> {
        let _admitted = self.admitted.try_acquire().map_err(|_| NotSigned::Busy)?;
        let _running = self
            .running
            .acquire()
            .await
            .map_err(|_| NotSigned::Failed)?;
        let signed = spawn_blocking(move || keys.sign(&claims)).await;
        signed.ok().flatten().ok_or(NotSigned::Failed)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use postern_core::{
        keyring::{Keyring, RootSecret},
        model::Snapshot,
    };

    use super::*;
    use crate::oauth::SigningKeys;

    #[tokio::test]
    async fn past_the_queue_nothing_is_signed_and_the_answer_is_at_once() {
        let keyring = Keyring::new(&[(1, RootSecret::new([1; 32]))], 1).unwrap();
        let keys = SigningKeys::open(&Snapshot::default(), &keyring).unwrap();
        let pool = SigningPool::new(1);
        let running = pool.running.acquire().await.unwrap();
        let ask = |_| Box::pin(pool.sign(keys.current(), Vec::new()));
        let mut asked: Vec<_> = (0..WAITING + 11).map(ask).collect();
        let at_once = asked.iter_mut().map(|one| one.as_mut().now_or_never());
        let answered: Vec<_> = at_once.flatten().collect();
        assert_eq!(answered.len(), 10);
        assert!(answered.iter().all(|one| *one == Err(NotSigned::Busy)));
        drop((asked, running));
        let again = pool.sign(keys.current(), Vec::new()).await;
        assert_eq!(again, Err(NotSigned::Failed), "there is no key, but room");
    }
}
