//! The verbs: each reads the clock, calls rules, calls one act of the store and answers a value.

mod admin_mail;
mod admins;
mod audited;
mod clients;
mod confirm;
mod deliveries;
mod dkim;
mod domains;
mod hooks;
mod log;
mod open;
mod person;
mod providers;
mod resend;
mod send;
mod settings;
mod suppression;
mod templates;
mod throttled;
mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

pub use admin_mail::{AdminMail, is_dashboard};
pub use admins::{
    INVITE_LIVES, PROOF_LASTS, SESSION_IDLES, SESSION_LIVES, SignedIn, shown, token_digest,
};
pub use clients::NewClient;
pub use confirm::LinkPage;
pub use deliveries::MAX_LISTED;
pub use dkim::DkimName;
pub use domains::DomainTally;
pub use hooks::Heard;
pub use log::{LogAnswer, LogInput};
pub use open::{MailInput, OpenedInput};
pub use providers::{MAX_PROVIDERS, ProviderInput};
pub use resend::ResendInput;
pub use send::{Receipt, SendInput};
pub use suppression::LONGEST_SUPPRESSION;
pub use templates::{MAX_TEMPLATES, SavedTemplate, TemplateDraft, VERSIONS_KEPT};
pub use throttled::ThrottleTally;
pub use verify::{Verified, VerifyInput};

use crate::error::Error;
use crate::keyring::Keyring;
use crate::model::{AddressKey, DomainList, Event, Snapshot, Timestamp};
use crate::ports::{Amend, Change, Clock, Engine, Entropy, Templates};

/// Everything the verbs need; one for each process, shared by all doors.
pub struct Postern {
    store: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    templates: Arc<dyn Templates>,
    keyring: Arc<ArcSwap<Keyring>>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    disposable: Arc<ArcSwap<DomainList>>,
    inbox: bool,
    domain_tally: DomainTally,
    throttled: ThrottleTally,
    budget_passes: AtomicU64,
    /// Whom the audit names.
    actor: Arc<str>,
}

/// What [`Postern`] is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Engine>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The mail templates in force.
    pub templates: Arc<dyn Templates>,
    /// The roots; swapped when they rotate.
    pub keyring: Arc<ArcSwap<Keyring>>,
    /// The slow-moving state; swapped when it changes.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// The disposable domains; swapped when their file changes.
    pub disposable: Arc<ArcSwap<DomainList>>,
    /// Whether mail goes to a development inbox, so that no provider is needed.
    pub inbox: bool,
}

impl Postern {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self {
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            templates: parts.templates,
            keyring: parts.keyring,
            snapshot: parts.snapshot,
            disposable: parts.disposable,
            inbox: parts.inbox,
            domain_tally: DomainTally::default(),
            throttled: ThrottleTally::default(),
            budget_passes: AtomicU64::new(0),
            actor: "postern".into(),
        }
    }

    /// The same verbs on the same state, with another name in the audit. What is only counted in
    /// memory is counted apart.
    #[must_use]
    pub fn acting(&self, actor: &str) -> Self {
        Self {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            templates: Arc::clone(&self.templates),
            keyring: Arc::clone(&self.keyring),
            snapshot: Arc::clone(&self.snapshot),
            disposable: Arc::clone(&self.disposable),
            inbox: self.inbox,
            throttled: ThrottleTally::default(),
            domain_tally: DomainTally::default(),
            budget_passes: AtomicU64::new(0),
            actor: actor.into(),
        }
    }

    /// The slow-moving state in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The roots in force.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.keyring.load_full()
    }

    /// The present moment, by the clock that everything here reads.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where everything is kept.
    pub fn store(&self) -> &Arc<dyn Engine> {
        &self.store
    }

    /// How often an address passed its guess budget since the process started.
    pub fn budget_passes(&self) -> u64 {
        self.budget_passes.load(Ordering::Relaxed)
    }

    /// Takes a newer state into force; an older one is passed over.
    pub fn adopt(&self, newer: Snapshot) {
        let newer = Arc::new(newer);
        self.snapshot.rcu(|held| {
            if newer.revision > held.revision {
                newer.clone()
            } else {
                held.clone()
            }
        });
    }

    /// Reads the state again if it has changed since it was last read. The templates that it names
    /// are taken up apart from it, by [`Self::follow_templates`]: they may take long.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn refresh(&self) -> Result<(), Error> {
        if self.store.revision().await? > self.snapshot.load().revision {
            self.adopt(self.store.snapshot().await?);
        }
        Ok(())
    }

    /// Changes the registry and takes the result into force at once on this node. The same commit
    /// tells the audit what changed, and who did it.
    ///
    /// # Errors
    /// What `amend` refuses, or a store that does not answer.
    pub async fn amend(&self, mut amend: Amend) -> Result<Arc<Snapshot>, Error> {
        let actor = Arc::clone(&self.actor);
        let audited: Amend = Box::new(move |held, now| {
            let mut amendments = amend(held, now)?;
            amendments.extend(audited::entries(held, &amendments, &actor, now));
            Ok(amendments)
        });
        let after = self.store.amend(audited).await??;
        self.adopt(after);
        // What cannot be read now is read at the next look.
        let _ = self.follow_templates().await;
        Ok(self.snapshot())
    }

    /// The newest calls about an address that a limit refused, newest first: those that were written down,
    /// and those of this node that are still being counted.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn refusals(&self, address: AddressKey) -> Result<Vec<Event>, Error> {
        let mut refusals = self.throttled.about(address);
        refusals.sort_by_key(|event| std::cmp::Reverse(event.at));
        refusals.extend(self.store.refusals(address).await?);
        Ok(refusals)
    }

    /// Writes one event for each address and limit whose window of refused calls is over; all of
    /// them when the process ends.
    ///
    /// # Errors
    /// The store does not answer; the counts are kept for the next time.
    pub async fn record_throttled(&self, ending: bool) -> Result<(), Error> {
        let events = self.throttled.take_due(self.now(), ending);
        if events.is_empty() {
            return Ok(());
        }
        match self.store.record(events.clone()).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.throttled.put_back(events, self.now());
                Err(error.into())
            }
        }
    }

    fn enabled(snapshot: &Snapshot) -> Result<(), Error> {
        if snapshot.settings.enabled {
            return Ok(());
        }
        Err(Error::MethodDisabled)
    }

    /// Whether mails are kept in a development inbox, be there providers or not.
    pub fn has_inbox(&self) -> bool {
        self.inbox
    }

    /// Whether there is a way to send mail.
    fn mails(&self, snapshot: &Snapshot) -> bool {
        self.inbox || !snapshot.providers.is_empty()
    }

    fn count_budget_pass(&self, change: Option<&Change>) {
        let passed = |event: &Event| event.what == crate::model::EventKind::BudgetPassed;
        if change.is_some_and(|change| change.events.iter().any(passed)) {
            self.budget_passes.fetch_add(1, Ordering::Relaxed);
        }
    }
}
