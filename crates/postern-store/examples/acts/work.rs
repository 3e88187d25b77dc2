//! The acts that are measured, and the callers that make them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use postern_core::model::{AuthRequestId, NodeId, Timestamp};
use postern_core::ports::{Clock, Engine, random};
use postern_core::settings::Settings;
use postern_store::contract::{accept, address, first, guess, issue_of, opening, sent, settled};
use postern_store::testing::SeededEntropy;
use postern_store::{Tuning, connect, migrate};
use tokio::sync::Mutex;

use crate::ask::Ask;
use crate::measure::{Cpu, Told};
use crate::place::{Place, backups};

/// An act of the port.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Send,
    Guess,
    Redeem,
    Settle,
    Find,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Send,
        Self::Find,
        Self::Settle,
        Self::Guess,
        Self::Redeem,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Guess => "guess",
            Self::Redeem => "redeem",
            Self::Settle => "settle",
            Self::Find => "find",
        }
    }

    pub(crate) fn parse(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .expect("send, guess, redeem, settle or find")
    }
}

/// A store and the requests in it that nothing was done to yet.
pub(crate) struct Bench {
    world: Arc<World>,
    place: Place,
}

struct World {
    engine: Arc<dyn Engine>,
    entropy: SeededEntropy,
    sent: AtomicU64,
    fresh: Mutex<Vec<AuthRequestId>>,
}

pub(crate) struct RealClock;

impl Clock for RealClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where a measurement's clock comes from"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("it is past 1970");
        Timestamp::from_micros(
            i64::try_from(since.as_micros()).expect("it is not yet year 292,000"),
        )
    }
}

impl Bench {
    pub(crate) async fn open(tuning: Tuning, postgres: bool) -> Self {
        let place = if postgres {
            Place::postgres()
        } else {
            Place::file()
        };
        let (url, clock) = (place.url(), Arc::new(RealClock));
        let migrated = migrate(&url, Arc::clone(&clock) as Arc<dyn Clock>, tuning).await;
        migrated.expect("it is empty");
        let engine = connect(&url, NodeId([1; 8]), clock, tuning).await;
        let world = World {
            engine: engine.expect("the store opens"),
            entropy: SeededEntropy::new(1),
            sent: AtomicU64::new(0),
            fresh: Mutex::default(),
        };
        Self {
            world: Arc::new(world),
            place,
        }
    }

    /// How large the store is, apart from its log.
    pub(crate) fn bytes(&self) -> u64 {
        self.place.bytes()
    }

    /// Sends `rows` requests.
    pub(crate) async fn fill(&self, rows: usize) {
        let each = rows.div_ceil(64);
        let fillers: Vec<_> = (0..64)
            .map(|_| {
                let world = Arc::clone(&self.world);
                tokio::spawn(async move {
                    for _ in 0..each {
                        world.send().await;
                    }
                })
            })
            .collect();
        for filler in fillers {
            filler.await.expect("it fills");
        }
    }

    /// Lets callers do the act over and over.
    pub(crate) async fn run(&self, kind: Kind, ask: &Ask) -> Told {
        let (callers, span) = (ask.callers, ask.span);
        if kind != Kind::Send {
            let there = self.world.fresh.lock().await.len();
            self.fill(ask.stock.max(there) - there).await;
        }
        let fresh = Arc::new(self.world.fresh.lock().await.clone());
        let log_before = self.place.log_bytes();
        let (started, cpu) = (now(), Cpu::now(self.place.database()));
        let running: Vec<_> = (0..callers)
            .map(|caller| {
                let (world, fresh) = (Arc::clone(&self.world), Arc::clone(&fresh));
                tokio::spawn(async move {
                    world
                        .call(kind, &fresh, (caller, callers), started + span)
                        .await
                })
            })
            .collect();
        let mut latencies = Vec::new();
        for caller in running {
            latencies.extend(caller.await.expect("a caller ends well"));
        }
        if kind == Kind::Redeem {
            self.world.fresh.lock().await.clear();
        }
        latencies.sort_unstable();
        Told {
            took: started.elapsed(),
            cpu: Cpu::now(self.place.database()).since(cpu),
            latencies,
            log_bytes: self.place.log_since(log_before),
        }
    }

    /// Waits for `work` while backups are taken, one after the other; what came of both.
    pub(crate) async fn backed_up<T>(&self, work: impl Future<Output = T>) -> (T, usize) {
        let stop = Arc::new(AtomicBool::new(false));
        let (store, folder) = self.place.store_and_folder();
        let until = Arc::clone(&stop);
        let taking = tokio::task::spawn_blocking(move || backups(&store, &folder, &until));
        let done = work.await;
        stop.store(true, Ordering::Relaxed);
        (done, taking.await.expect("backups are taken"))
    }

    pub(crate) async fn close(self) {
        self.world.engine.close().await;
    }
}

impl World {
    async fn call(
        &self,
        kind: Kind,
        fresh: &[AuthRequestId],
        place: (usize, usize),
        until: Instant,
    ) -> Vec<u32> {
        let mut latencies = Vec::with_capacity(1 << 14);
        let mut mine = scattered(fresh, place);
        loop {
            let began = now();
            if began >= until {
                return latencies;
            }
            if !self.act(kind, &mut mine).await {
                return latencies;
            }
            latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// Does one act; `false` when there is nothing left to do it to.
    async fn act(&self, kind: Kind, fresh: &mut impl Iterator<Item = AuthRequestId>) -> bool {
        if kind == Kind::Send {
            self.send().await;
            return true;
        }
        let Some(id) = fresh.next() else { return false };
        match kind {
            Kind::Send => {}
            Kind::Guess => drop(
                self.engine
                    .redeem(id, true, guess(1))
                    .await
                    .expect("it is judged"),
            ),
            Kind::Redeem => drop(
                self.engine
                    .redeem(id, true, accept())
                    .await
                    .expect("it is judged"),
            ),
            Kind::Settle => self
                .engine
                .settle_delivery(settled(id, sent()))
                .await
                .expect("it settles"),
            Kind::Find => drop(
                self.engine
                    .find_outgoing(first(id))
                    .await
                    .expect("it is there"),
            ),
        }
        true
    }

    async fn send(&self) {
        let at = RealClock.now();
        let address = address(&format!(
            "person{}",
            self.sent.fetch_add(1, Ordering::Relaxed)
        ));
        let issue = issue_of(AuthRequestId::new(at, random(&self.entropy)), &address);
        let id = issue.id;
        let opened = self
            .engine
            .open_auth_request(opening(issue, Settings::default(), None))
            .await;
        opened
            .expect("it is taken")
            .outcome
            .expect("its quota has room");
        self.fresh.lock().await.push(id);
    }
}

/// A caller's share, in an order that jumps over the whole.
fn scattered(
    fresh: &[AuthRequestId],
    (caller, callers): (usize, usize),
) -> impl Iterator<Item = AuthRequestId> {
    let share = fresh.len() / callers;
    (0..share).map(move |n| fresh[(n.wrapping_mul(7919) % share) * callers + caller])
}

#[expect(clippy::disallowed_methods, reason = "this is a measurement of time")]
fn now() -> Instant {
    Instant::now()
}
