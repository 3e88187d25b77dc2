//! A world that stands still, for tests: a frozen clock, seeded randomness, a real store.

mod forward;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postern_core::model::{AuthRequestId, Event, NodeId, Timestamp};
use postern_core::ports::{Clock, Engine, Entropy};
use tempfile::TempDir;

use crate::{DataDir, Tuning, connect, migrate};

/// Whether commits of this process wait for the disk no more.
static HASTY: AtomicBool = AtomicBool::new(false);

/// Lets SQLite stores that this process opens from now on commit without waiting for the disk: what
/// they answer is then lost when the power goes, which a test of that has to notice.
pub fn commit_without_waiting_for_the_disk() {
    HASTY.store(true, Ordering::SeqCst);
}

/// The value of `PRAGMA synchronous`.
pub(crate) fn synchronous() -> &'static str {
    if HASTY.load(Ordering::SeqCst) {
        "OFF"
    } else {
        "FULL"
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct FrozenClock(AtomicI64);

impl FrozenClock {
    /// A clock that stands at `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.micros()))
    }

    /// Moves on.
    ///
    /// # Panics
    /// On a span of more than 290,000 years.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).expect("a test's span fits");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Steps to `at`, which may lie in the past.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.micros(), Ordering::SeqCst);
    }
}

impl Default for FrozenClock {
    /// A clock that stands at 2027-01-15T08:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp::from_unix_seconds(1_800_000_000))
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Randomness that is the same at each run, and fit for nothing but tests (SplitMix64).
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// The sequence that this seed gives.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in out.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Makes every act of a writer slower, as a slow disk would, so that overload can be tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drag(Duration);

impl Drag {
    /// Each act takes so much longer.
    pub fn of(each: Duration) -> Self {
        Self(each)
    }

    /// Holds up the thread for one act.
    #[expect(clippy::disallowed_methods, reason = "being slow is its purpose")]
    pub(crate) fn act(self) {
        if !self.0.is_zero() {
            std::thread::sleep(self.0);
        }
    }

    /// Holds up the task for some acts.
    pub(crate) async fn acts(self, count: usize) {
        if !self.0.is_zero() {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            tokio::time::sleep(self.0 * count).await;
        }
    }
}

/// A store of its own, which goes with the value if it lies in the value's folder.
pub struct TempStore {
    /// The store.
    pub engine: Arc<dyn Engine>,
    /// Its clock.
    pub clock: Arc<FrozenClock>,
    /// Whose leases its deliveries are born with.
    pub node: NodeId,
    tuning: Tuning,
    dir: TempDir,
    url: Option<String>,
}

impl TempStore {
    /// An empty SQLite store.
    ///
    /// # Panics
    /// The temporary folder cannot be written.
    pub async fn open(tuning: Tuning) -> Self {
        Self::at(None, tuning).await
    }

    /// The empty store at `url`, else an SQLite store in a folder of its own.
    ///
    /// # Panics
    /// It does not open, or the temporary folder cannot be written.
    pub async fn at(url: Option<String>, tuning: Tuning) -> Self {
        let clock = Arc::new(FrozenClock::default());
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let node = NodeId([1; 8]);
        let engine = open(&dir, url.as_deref(), node, &clock, tuning).await;
        Self {
            engine,
            clock,
            node,
            tuning,
            dir,
            url,
        }
    }

    /// Closes the store and opens it again, as another node.
    pub async fn reopen(&mut self) {
        self.engine.close().await;
        self.node = NodeId(self.node.0.map(|byte| byte.wrapping_add(1)));
        let url = self.url.as_deref();
        self.engine = open(&self.dir, url, self.node, &self.clock, self.tuning).await;
    }

    /// The events of one request, once the log has taken in all that happened.
    ///
    /// # Panics
    /// The store does not answer.
    pub async fn timeline(&self, id: AuthRequestId) -> Vec<Event> {
        self.project().await;
        let events = self.engine.timeline(id).await;
        events.expect("the store answers")
    }

    /// Brings the log up to the last event.
    ///
    /// # Panics
    /// The store does not answer.
    pub async fn project(&self) {
        while self.engine.project().await.expect("the store answers") {}
    }

    /// Where the store's files are, if it is one of files.
    pub fn path(&self) -> &std::path::Path {
        self.dir.path()
    }
}

/// An empty SQLite store with a frozen clock.
pub async fn temp_store() -> TempStore {
    TempStore::open(Tuning::default()).await
}

async fn open(
    dir: &TempDir,
    url: Option<&str>,
    node: NodeId,
    clock: &Arc<FrozenClock>,
    tuning: Tuning,
) -> Arc<dyn Engine> {
    let data = DataDir::open(dir.path()).expect("a fresh folder is free");
    let url = url.map_or_else(|| data.store_url(), str::to_owned);
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    migrate(&url, Arc::clone(&clock), tuning)
        .await
        .expect("a fresh store takes the schema");
    connect(&url, node, clock, tuning)
        .await
        .expect("a fresh store opens")
}
