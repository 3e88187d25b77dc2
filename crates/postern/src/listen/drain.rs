//! Leaving without dropping anybody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::watch;

/// How far the process is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Serving.
    Open,
    /// Still accepting, but goodbye is said: by every answer of HTTP/1 (`Connection: close`), and once to whoever
    /// was there over HTTP/2 (GOAWAY).
    Leaving,
    /// The listener is closed; what is in flight may finish.
    Closed,
}

/// Tells every connection, and the readiness probe, that the process is leaving.
///
/// Cheap to clone; all clones are the same drain.
#[derive(Clone, Debug)]
pub struct Drain {
    phase: watch::Sender<Phase>,
    /// Twin of `phase` that every answer may read without a lock.
    leaving: Arc<AtomicBool>,
}

impl Drain {
    /// How long goodbye is said before the listener closes: time for a load balancer to notice.
    pub const GOODBYE: Duration = Duration::from_secs(5);

    /// A drain that has not begun.
    pub fn new() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Open),
            leaving: Arc::default(),
        }
    }

    /// Leaves: readiness falls at once, goodbye is said for `goodbye`, then listeners close.
    ///
    /// Returns when they have been told to; [`super::Listener::serve`] returns when the last
    /// answer is out.
    pub async fn leave(&self, goodbye: Duration) {
        self.advance(Phase::Leaving);
        tokio::time::sleep(goodbye).await;
        self.advance(Phase::Closed);
    }

    /// Whether the process has begun to leave.
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }

    /// The phase at this moment.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until the phase is at least `phase`.
    pub async fn reached(&self, phase: Phase) {
        let mut seen = self.phase.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        let _ = seen.wait_for(|now| *now >= phase).await;
    }

    fn advance(&self, to: Phase) {
        self.leaving.store(true, Relaxed);
        self.phase
            .send_if_modified(|now| (*now < to).then(|| *now = to).is_some());
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}
