//! How long callers wait for their acts, and what is true when one stops waiting.
//!
//! The official SDKs give a call up after ten seconds, and one that was given up tells its person
//! nothing. So an answer comes before that, whatever the store does: whoever waits for an act and
//! whoever commits it agree in one word who was first. An act that was given up before its commit began
//! is never committed, and its caller may be told so; of one whose commit had begun nobody knows.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use postern_core::ports::StoreError;
use tokio::sync::oneshot;

/// How long a caller waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the commit to begin; past it the act is given up, and nothing was done.
    pub before_commit: Duration,
    /// From then on, for a commit that has begun; past it the outcome is unknown.
    pub for_commit: Duration,
}

impl Default for Patience {
    /// Together a second less than the shortest deadline of the official SDKs (contract §1.14).
    fn default() -> Self {
        Self {
            before_commit: Duration::from_secs(7),
            for_commit: Duration::from_secs(2),
        }
    }
}

const WAITING: u8 = 0;
const COMMITTING: u8 = 1;
const GIVEN_UP: u8 = 2;

/// How far an act has come, known to whoever waits for it and to whoever commits it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing(Arc<AtomicU8>);

impl Standing {
    /// The commit begins; not of an act that was given up.
    pub(crate) fn commit(&self) -> bool {
        self.step(WAITING, COMMITTING)
            .map_or_else(|now| now == COMMITTING, |_| true)
    }

    /// The commit did not begin after all.
    pub(crate) fn recall(&self) {
        let _ = self.step(COMMITTING, WAITING);
    }

    /// Whether it will never be committed.
    pub(crate) fn is_given_up(&self) -> bool {
        self.0.load(SeqCst) == GIVEN_UP
    }

    /// Gives the act up; not one whose commit has begun.
    fn give_up(&self) -> bool {
        self.step(WAITING, GIVEN_UP).is_ok()
    }

    fn step(&self, from: u8, to: u8) -> Result<u8, u8> {
        self.0.compare_exchange(from, to, SeqCst, SeqCst)
    }
}

/// Where an act's answer arrives.
pub(crate) type Pending<T> = oneshot::Receiver<Result<T, StoreError>>;

/// What an act came to, for whoever waits as long as it takes.
pub(crate) async fn answered<T>(answer: Pending<T>) -> Result<T, StoreError> {
    answer.await.unwrap_or_else(|_| ended())
}

/// What an act's caller is told: what it came to, or what is true when that is not known in time.
pub(crate) async fn answered_in_time<T>(
    mut answer: Pending<T>,
    standing: &Standing,
    patience: Patience,
) -> Result<T, StoreError> {
    if let Ok(told) = tokio::time::timeout(patience.before_commit, &mut answer).await {
        return told.unwrap_or_else(|_| ended());
    }
    if standing.give_up() {
        return Err(StoreError::NotDone(
            "the store did not get to it in time".into(),
        ));
    }
    match tokio::time::timeout(patience.for_commit, answer).await {
        Ok(told) => told.unwrap_or_else(|_| ended()),
        Err(_) => Err(StoreError::Unknown(
            "its commit did not come back in time".into(),
        )),
    }
}

fn ended<T>() -> Result<T, StoreError> {
    Err(StoreError::Unknown("the store's writer ended".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Patience = Patience {
        before_commit: Duration::from_millis(1),
        for_commit: Duration::from_millis(1),
    };

    fn act() -> (
        oneshot::Sender<Result<u8, StoreError>>,
        Pending<u8>,
        Standing,
    ) {
        let (reply, answer) = oneshot::channel();
        (reply, answer, Standing::default())
    }

    #[tokio::test]
    async fn an_act_that_was_given_up_is_not_committed_and_its_caller_knows() {
        let (_reply, answer, standing) = act();
        let told = answered_in_time(answer, &standing, SHORT).await;
        assert!(matches!(told, Err(StoreError::NotDone(_))), "{told:?}");
        assert!(standing.is_given_up() && !standing.commit());
        standing.recall();
        assert!(!standing.commit(), "given up is given up");
    }

    #[tokio::test]
    async fn a_commit_that_has_begun_and_does_not_come_back_is_unknown() {
        let (_reply, answer, standing) = act();
        assert!(standing.commit() && standing.commit());
        let told = answered_in_time(answer, &standing, SHORT).await;
        assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
        assert!(!standing.is_given_up());
    }

    #[tokio::test]
    async fn a_commit_that_has_begun_is_waited_for() {
        let (reply, answer, standing) = act();
        assert!(standing.commit());
        let patience = Patience {
            for_commit: Duration::from_mins(10),
            ..SHORT
        };
        let told = answered_in_time(answer, &standing, patience);
        let replies = async {
            tokio::time::sleep(SHORT.before_commit * 2).await;
            reply.send(Ok(7)).unwrap();
        };
        let (told, ()) = tokio::join!(told, replies);
        assert_eq!(told.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_commit_that_was_called_off_can_be_given_up_again() {
        let (_reply, answer, standing) = act();
        assert!(standing.commit());
        standing.recall();
        let told = answered_in_time(answer, &standing, SHORT).await;
        assert!(matches!(told, Err(StoreError::NotDone(_))), "{told:?}");
    }
}
