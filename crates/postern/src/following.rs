//! Following what others change: the registry in the store, and the keyring file.
//!
//! Every node looks twice a second, so that a change anywhere is in force everywhere within 2 s.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use postern_core::flow::Postern;
use postern_core::keyring::Keyring;
use tokio::time::{MissedTickBehavior, interval};

use crate::disposable::Disposable;
use crate::freshness::Freshness;
use crate::oauth::SigningKeys;
use crate::root_keys::RootKeys;

/// How often it looks: often enough that three looks may fail within what is promised.
const EVERY: Duration = Duration::from_millis(500);
/// How often throttled calls are written down.
const RECORD_EVERY: Duration = Duration::from_secs(1);

/// Follows the registry and the keyring file.
pub struct Following {
    postern: Arc<Postern>,
    keyring: Arc<ArcSwap<Keyring>>,
    signing: SigningKeys,
    root_keys_file: PathBuf,
    disposable: Disposable,
    freshness: Freshness,
}

impl Following {
    /// A follower of what these hold.
    pub fn new(
        postern: Arc<Postern>,
        keyring: Arc<ArcSwap<Keyring>>,
        signing: SigningKeys,
        root_keys_file: PathBuf,
        disposable: Disposable,
        freshness: Freshness,
    ) -> Self {
        Self {
            postern,
            keyring,
            signing,
            root_keys_file,
            disposable,
            freshness,
        }
    }

    /// How long ago the registry was last known to be current.
    pub fn age(&self) -> Duration {
        self.freshness.age()
    }

    /// Looks twice a second. Runs until it is dropped.
    pub async fn follow(&self) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Read once more at first: the file may have changed since the keyring was built.
        let (mut read, mut listed) = (None, None);
        loop {
            tick.tick().await;
            let now = self.mark();
            if now != read && self.take_up_roots() {
                read = now;
            }
            self.disposable.refresh(&mut listed);
            self.refresh().await;
        }
    }

    /// Writes down throttled calls once a second: apart from [`Self::follow`], because a busy writer
    /// must not keep a change of the registry from being seen. Runs until it is dropped.
    pub async fn record(&self) {
        let mut tick = interval(RECORD_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.postern.record_throttled(false).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "throttled calls were not written down yet"
                );
            }
        }
    }

    /// Takes up mail templates twice a second: apart from [`Self::follow`], because one that takes
    /// long, or cannot be read, must not make this node's knowledge of clients old. Runs until it is
    /// dropped.
    pub async fn follow_templates(&self) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.postern.follow_templates().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the mail templates in force stay"
                );
            }
        }
    }

    /// Takes up the registry as it is now.
    pub async fn refresh(&self) {
        let asked = self.freshness.asked();
        match self.postern.refresh().await {
            Ok(()) => self.freshness.confirm(asked),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "settings and clients cannot be refreshed"
                );
            }
        }
        if let Err(problem) = self
            .signing
            .refresh(&self.postern.snapshot(), &self.postern.keyring())
        {
            tracing::error!(
                error = &problem as &dyn std::error::Error,
                "the signing keys in force stay"
            );
        }
    }

    fn take_up_roots(&self) -> bool {
        let taken = RootKeys::read(&self.root_keys_file).map_err(|error| error.to_string());
        match taken.and_then(|roots| roots.keyring().map_err(|problem| problem.to_string())) {
            Ok(keyring) => {
                let held = self.keyring.load();
                if (held.current_kid(), held.kids()) != (keyring.current_kid(), keyring.kids()) {
                    tracing::info!(current = keyring.current_kid(), accepted = ?keyring.kids(), "root keys taken up");
                }
                self.keyring.store(Arc::new(keyring));
                true
            }
            Err(error) => {
                tracing::error!(error, "the root keys in force stay");
                false
            }
        }
    }

    /// What tells that the keyring file was replaced.
    fn mark(&self) -> Option<(SystemTime, u64)> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(&self.root_keys_file).ok()?;
        Some((metadata.modified().ok()?, metadata.ino()))
    }
}
