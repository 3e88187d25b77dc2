//! Room for what takes long: judging a template and filling it with samples.
//!
//! Sends share the machine with it, so that however many ask, one is done at a time.

use std::time::Duration;

use postern_core::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many are done at a time.
const AT_ONCE: usize = 1;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

static ROOM: Semaphore = Semaphore::const_new(AT_ONCE);

/// Does `work` on a thread that may take its time, when it is its turn. What nobody waits for any
/// more keeps its place until it is done.
///
/// # Errors
/// [`Error::Unavailable`] when its turn does not come; [`Error::Internal`] when it breaks down.
pub async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    in_turn_of(&ROOM, PATIENCE, work).await
}

async fn in_turn_of<T: Send + 'static>(
    room: &'static Semaphore,
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let turn = timeout(patience, room.acquire()).await;
    let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.map_err(|error| Error::Internal(error.into()))
}

fn busy() -> Error {
    let told = "other templates are being judged: nothing was done, try again in a moment";
    Error::Unavailable(Some(told.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn one_is_done_at_a_time_and_who_waits_too_long_is_told_to_try_again() {
        static ROOM: Semaphore = Semaphore::const_new(1);
        let (go, going) = mpsc::channel::<()>();
        let first = tokio::spawn(in_turn_of(&ROOM, PATIENCE, move || going.recv().is_ok()));
        while ROOM.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let late = in_turn_of(&ROOM, Duration::ZERO, || ()).await.unwrap_err();
        assert_eq!(late.code(), "UNAVAILABLE");
        go.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        assert!(in_turn_of(&ROOM, PATIENCE, || true).await.unwrap());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_keeps_its_place_until_it_is_done() {
        static ROOM: Semaphore = Semaphore::const_new(1);
        let (go, going) = mpsc::channel::<()>();
        let gone = tokio::spawn(in_turn_of(&ROOM, PATIENCE, move || going.recv().is_ok()));
        while ROOM.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        // Lets it get to its thread.
        tokio::task::yield_now().await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert_eq!(ROOM.available_permits(), 0);
        go.send(()).unwrap();
        assert!(in_turn_of(&ROOM, PATIENCE, || true).await.unwrap());
    }
}
