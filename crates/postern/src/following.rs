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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use postern_core::flow::{Parts, TemplateDraft};
    use postern_core::keyring::RootSecret;
    use postern_core::model::{DomainList, MailKind, Snapshot, TemplateKey, TemplateSource};
    use postern_core::ports::Templates as _;
    use postern_store::testing::{SeededEntropy, TempStore, temp_store};
    use tokio::time::{Instant, advance};

    use super::*;
    use crate::freshness::BOUND;
    use crate::mail::Templates;
    use crate::standstill::Standstill;

    /// A node of a store.
    struct Node {
        postern: Arc<Postern>,
        templates: Arc<Templates>,
        following: Arc<Following>,
    }

    fn node(store: &TempStore) -> Node {
        let keyring = Keyring::new(&[(1, RootSecret::new([3; 32]))], 1).unwrap();
        let signing = SigningKeys::open(&Snapshot::default(), &keyring).unwrap();
        let keyring = Arc::new(ArcSwap::from_pointee(keyring));
        let templates = Arc::new(Templates::built_in());
        let postern = Arc::new(Postern::new(Parts {
            store: Arc::clone(&store.engine),
            clock: Arc::clone(&store.clock) as _,
            entropy: Arc::new(SeededEntropy::new(1)),
            templates: Arc::clone(&templates) as _,
            keyring: Arc::clone(&keyring),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            disposable: Arc::new(ArcSwap::from_pointee(DomainList::bundled())),
            inbox: true,
        }));
        let following = Following::new(
            Arc::clone(&postern),
            keyring,
            signing,
            store.path().join("root.keys"),
            Disposable::read(Path::new("")).unwrap(),
            Freshness::new(),
        );
        Node {
            postern,
            templates,
            following: Arc::new(following),
        }
    }

    /// Waits until this is so on another node.
    async fn in_force(store: &TempStore, so: impl Fn() -> bool) {
        let looking = async {
            while !so() {
                store.engine.revision().await.unwrap();
            }
        };
        let looked = tokio::time::timeout(Duration::from_hours(1), looking).await;
        assert!(looked.is_ok(), "it never came into force");
    }

    async fn length(node: &Node, length: &str) {
        let change = vec![("code_length".to_owned(), length.to_owned())];
        node.postern.change_settings(change).await.unwrap();
    }

    /// Half of what is promised, for templates are looked for once the registry names them.
    const HALF: Duration = BOUND.checked_div(2).unwrap();

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "it is the paused time")]
    async fn what_changed_just_after_a_look_is_in_force_on_the_other_node_in_half_of_two_seconds() {
        let _still = Standstill::begin();
        let store = temp_store().await;
        let (here, there) = (node(&store), node(&store));
        length(&here, "7").await;
        let following = Arc::clone(&there.following);
        let following = tokio::spawn(async move { following.follow().await });
        let held = || there.postern.snapshot();
        in_force(&store, || held().settings.code_length == 7).await;
        length(&here, "9").await;
        let made = here.postern.create_client("shop").await.unwrap();
        let rotated = here.postern.rotate_client(&made.id, Duration::ZERO, None);
        rotated.await.unwrap();
        let changed = Instant::now();
        assert_eq!(held().settings.code_length, 7, "it has not looked yet");
        advance(HALF).await;
        let revision = here.postern.snapshot().revision;
        in_force(&store, || held().revision == revision).await;
        assert!(changed.elapsed() <= HALF, "{:?}", changed.elapsed());
        assert_eq!(held().settings.code_length, 9);
        assert_eq!(held().clients, here.postern.snapshot().clients);
        following.abort();
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "it is the paused time")]
    async fn a_template_that_the_registry_names_is_in_force_in_the_other_half_of_two_seconds() {
        let _still = Standstill::begin();
        let store = temp_store().await;
        let (here, there) = (node(&store), node(&store));
        let following = Arc::clone(&there.following);
        let following = tokio::spawn(async move { following.follow_templates().await });
        tokio::task::yield_now().await;
        let draft = TemplateDraft {
            key: TemplateKey::of(MailKind::SigninOtp),
            source: TemplateSource {
                subject: "{{ otp }}".to_owned(),
                html: "<p>{{ otp }}</p>".to_owned(),
                text: "{{ otp }}".to_owned(),
            },
            seen: None,
            note: "edited".to_owned(),
            activate: true,
        };
        assert!(here.postern.save_template(draft).await.unwrap().active);
        there.postern.refresh().await.unwrap();
        let wanting = || {
            let named = there.postern.snapshot();
            there.templates.wanting(&named.templates)
        };
        assert_eq!(wanting().len(), 1, "it has not looked yet");
        let named = Instant::now();
        advance(HALF).await;
        in_force(&store, || wanting().is_empty()).await;
        assert!(named.elapsed() <= HALF, "{:?}", named.elapsed());
        following.abort();
    }
}
