//! The outbox: claim, send, settle, and nothing else.
//!
//! A send commits its delivery already leased to this node and then rings the [`Bell`], so that
//! one commit precedes the mail. The outbox reads the delivery again at the moment of sending,
//! derives and renders it, hands it to the transport with no transaction open, and writes how that
//! ended. Whatever gets lost on the way (a ring, a worker, a process) is found again by asking
//! the store for what is due: a lease that nobody settled ends, and the delivery is claimed anew.

mod apart;
mod attempt;
mod gathering;
mod round;
mod suppress;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postern_core::flow::Postern;
use postern_core::model::{DeliveryId, NodeId};
use postern_core::ports::{Entropy, Settled};
use postern_core::rules::LEASE;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::MissedTickBehavior;
use tracing::warn;

use crate::mail::{Route, Templates};
use crate::telemetry::metrics::Metrics;
pub use apart::Apart;
use attempt::{Attempt, Lease};
use gathering::Gathering;

/// How many rings can wait. One more is dropped: its delivery is claimed when its lease ends.
const RINGS: usize = 16_384;

/// How many ends can wait to be written, while the next mails are on their way.
const ENDS: usize = 128;

/// What the outbox is made of.
pub struct Parts {
    /// The store, the clock, the keyring and the settings in force.
    pub postern: Arc<Postern>,
    /// The templates in force.
    pub templates: Arc<Templates>,
    /// Which way mails go.
    pub route: Arc<dyn Route>,
    /// Our own origin, without a slash at the end, for links to our own page.
    pub public_url: String,
    /// Randomness, for the jitter between repeats.
    pub entropy: Arc<dyn Entropy>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// This process, as the store knows it.
    pub node: NodeId,
}

/// How the outbox works.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Mails that one provider is handed at the same time; 0 sends nothing.
    pub concurrency: usize,
    /// How often the store is asked for what is due.
    pub poll: Duration,
    /// Whether this process is the only one on its store, so that leases of others are of the dead.
    pub alone: bool,
}

impl Pace {
    /// How many mails are on their way at the same time: more than one provider takes, so that a
    /// slow one does not hold up the mails that others could take, and the next is made while one is
    /// handed over.
    fn at_once(self) -> usize {
        (self.concurrency * 4).max(16)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            concurrency: 8,
            poll: Duration::from_secs(1),
            alone: true,
        }
    }
}

/// Tells the outbox of a delivery that this node has just committed.
#[derive(Debug, Clone)]
pub struct Bell {
    rings: mpsc::Sender<DeliveryId>,
    poll: Arc<Notify>,
    lost: Arc<AtomicU64>,
}

impl Bell {
    /// Rings. Never waits: past its bound a ring is dropped and the delivery waits for its lease.
    pub fn ring(&self, delivery: DeliveryId) {
        if self.rings.try_send(delivery).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asks the store for what is due now rather than at the next tick.
    pub fn poll(&self) {
        self.poll.notify_one();
    }

    /// How many rings were dropped.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// What the outbox has done since the start, and has on its hands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// How many attempts have ended, whatever became of them.
    pub ended: u64,
    /// How many are under way.
    pub under_way: u64,
    /// How often the store was asked for what is due.
    pub asked: u64,
    /// How many deliveries it gave that are not begun yet.
    pub waiting: usize,
}

/// The running outbox.
#[derive(Debug)]
pub struct Outbox {
    bell: Bell,
    work: watch::Receiver<Work>,
    stop: watch::Sender<bool>,
    worker: JoinHandle<()>,
    /// Where it runs, if not where it was started; dropped last.
    _apart: Option<Apart>,
}

impl Outbox {
    /// Starts to send, on `apart` or else on the runtime that this is called on.
    pub fn start(parts: Parts, pace: Pace, apart: Option<Apart>) -> Self {
        let (rings, heard) = mpsc::channel(RINGS);
        let bell = Bell {
            rings,
            poll: Arc::default(),
            lost: Arc::default(),
        };
        let (stop, stopping) = watch::channel(false);
        let (telling, work) = watch::channel(Work::default());
        let worker = Worker {
            parts: Arc::new(parts),
            pace,
            slots: Arc::new(Semaphore::new(pace.at_once())),
            ends: Arc::new(Semaphore::new(ENDS)),
            poll: Arc::clone(&bell.poll),
            waiting: Waiting {
                claimed: VecDeque::new(),
                heard,
                fresh_next: false,
            },
            stopping,
            telling: Arc::new(telling),
            gathering: Arc::default(),
            more: false,
        };
        let worker = match &apart {
            Some(apart) => apart.spawn(worker.run()),
            None => tokio::spawn(worker.run()),
        };
        Self {
            bell,
            work,
            stop,
            worker,
            _apart: apart,
        }
    }

    /// What senders ring.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// What it does, for who wants to follow it.
    pub fn work(&self) -> watch::Receiver<Work> {
        self.work.clone()
    }

    /// A handle that tells whether the worker lives.
    pub fn liveness(&self) -> AbortHandle {
        self.worker.abort_handle()
    }

    /// Takes up nothing more and waits for the attempts under way, each of which ends within its
    /// own deadline (30 s).
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.worker.await {
            warn!(%error, "the outbox worker had died");
        }
    }
}

/// The one task that decides what is tried next; the attempts are tasks of their own.
struct Worker {
    parts: Arc<Parts>,
    pace: Pace,
    slots: Arc<Semaphore>,
    ends: Arc<Semaphore>,
    poll: Arc<Notify>,
    waiting: Waiting,
    stopping: watch::Receiver<bool>,
    telling: Arc<watch::Sender<Work>>,
    gathering: Arc<Gathering<Settled>>,
    /// Whether the store may hold more than it gave when it was asked last.
    more: bool,
}

/// What the worker does next.
enum Turn {
    Try(DeliveryId, Lease, OwnedSemaphorePermit),
    Poll,
    Stop,
}

impl Worker {
    async fn run(mut self) {
        if self.pace.concurrency > 0 {
            self.work().await;
        } else {
            let _ = self.stopping.wait_for(|stop| *stop).await;
        }
        self.finish().await;
    }

    async fn work(&mut self) {
        if self.pace.alone {
            let released = self
                .parts
                .postern
                .store()
                .release_leases(self.parts.node)
                .await;
            if let Err(error) = released {
                warn!(%error, "leases of an earlier process could not be released");
            }
        }
        let mut ticks = tokio::time::interval(self.pace.poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let turn = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stop| *stop) => Turn::Stop,
                _ = ticks.tick() => Turn::Poll,
                () = self.poll.notified() => Turn::Poll,
                turn = self.waiting.next(&self.slots) => turn,
            };
            match turn {
                Turn::Stop => return,
                Turn::Poll => self.claim().await,
                Turn::Try(id, lease, slot) => self.begin(id, lease, slot),
            }
            // Before the last of them has begun: the store answers while they are under way.
            if self.more && self.waiting.claimed.len() < self.pace.at_once() {
                self.claim().await;
            }
        }
    }

    fn begin(&self, id: DeliveryId, lease: Lease, slot: OwnedSemaphorePermit) {
        let parts = Arc::clone(&self.parts);
        let (telling, gathering) = (Arc::clone(&self.telling), Arc::clone(&self.gathering));
        let ends = Arc::clone(&self.ends);
        let waiting = self.waiting.claimed.len();
        telling.send_modify(|work| {
            work.under_way += 1;
            work.waiting = waiting;
        });
        tokio::spawn(async move {
            Attempt {
                parts: &parts,
                lease,
                under_way: gathering.begin(),
                ends: &ends,
            }
            .run(id, slot)
            .await;
            telling.send_modify(|work| {
                work.under_way -= 1;
                work.ended += 1;
            });
        });
    }

    /// Claims what is due, no more than can be begun before the lease grows too short.
    async fn claim(&mut self) {
        self.parts.route.tidy();
        let room = (self.pace.at_once() * 4).saturating_sub(self.waiting.claimed.len());
        self.more = room == 0 || self.claim_up_to(room).await;
        let waiting = self.waiting.claimed.len();
        self.telling.send_modify(|work| {
            work.asked += 1;
            work.waiting = waiting;
        });
    }

    /// Whether there may be more.
    async fn claim_up_to(&mut self, room: usize) -> bool {
        match self
            .parts
            .postern
            .store()
            .claim_deliveries(self.parts.node, room, LEASE)
            .await
        {
            Ok(ids) => {
                let all = ids.len() >= room;
                self.waiting.claimed.extend(ids);
                all
            }
            Err(error) => {
                warn!(%error, "the outbox could not ask the store for what is due");
                false
            }
        }
    }

    /// Every slot back means that every mail was handed over, or was not; then that all of it is written.
    async fn finish(&self) {
        let all = u32::try_from(self.pace.at_once()).unwrap_or(u32::MAX);
        let _ = self.slots.acquire_many(all).await;
        let all = u32::try_from(ENDS).unwrap_or(u32::MAX);
        let _ = self.ends.acquire_many(all).await;
    }
}

/// What waits for a slot.
struct Waiting {
    /// Claimed from the store: repeats, and what was lost.
    claimed: VecDeque<DeliveryId>,
    /// Committed by this node a moment ago.
    heard: mpsc::Receiver<DeliveryId>,
    fresh_next: bool,
}

impl Waiting {
    /// The next delivery to try, once there is a slot for it. While both kinds wait they take
    /// turns: a flood of repeats does not hold up fresh mails, nor the other way round.
    async fn next(&mut self, slots: &Arc<Semaphore>) -> Turn {
        let slot = Arc::clone(slots).acquire_owned().await;
        let slot = slot.expect("the semaphore is never closed");
        self.fresh_next = !self.fresh_next;
        if self.fresh_next
            && let Ok(id) = self.heard.try_recv()
        {
            return Turn::Try(id, Lease::FromSend, slot);
        }
        if let Some(id) = self.claimed.pop_front() {
            return Turn::Try(id, Lease::Claimed, slot);
        }
        match self.heard.recv().await {
            Some(id) => Turn::Try(id, Lease::FromSend, slot),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests;
