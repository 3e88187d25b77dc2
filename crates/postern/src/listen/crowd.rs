//! Room for those who come when every place is taken: idle connections leave first.
//!
//! Without it, whoever holds enough connections and says nothing would keep everybody else out for
//! as long as idle ones may stay.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::activity::Activity;

/// How often those who sit idle are asked again while somebody waits for a place.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// The places of a listener.
#[derive(Debug)]
pub(super) struct Crowd {
    places: Arc<Semaphore>,
    all: usize,
    leave: Notify,
    /// How many busy ones may still pass on the wish that somebody leave.
    passes: AtomicUsize,
}

impl Crowd {
    pub(super) fn new(all: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(all)),
            all,
            leave: Notify::new(),
            passes: AtomicUsize::new(0),
        }
    }

    /// A place, once there is one.
    pub(super) async fn place(&self) -> OwnedSemaphorePermit {
        loop {
            let place = Arc::clone(&self.places);
            if self.is_full() {
                self.passes.store(self.all, Relaxed);
                self.leave.notify_one();
            }
            if let Ok(place) = timeout(ASK_EVERY, place.acquire_owned()).await {
                return place.expect("the semaphore is never closed");
            }
        }
    }

    /// Returns when this connection should make room: it is idle, and of those who are it has not
    /// been asked for longest.
    pub(super) async fn is_asked(&self, activity: &Activity) {
        loop {
            self.leave.notified().await;
            if !self.is_full() {
                continue;
            }
            if !activity.is_busy() {
                return;
            }
            let passes = self
                .passes
                .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
            if passes.is_ok() {
                self.leave.notify_one();
            }
        }
    }

    /// Returns when the last connection has ended.
    pub(super) async fn gone(&self) {
        let all = u32::try_from(self.all).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = self.places.acquire_many(all).await;
    }

    fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }
}
