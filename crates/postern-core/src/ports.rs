//! What the flows need of the world.

mod desk;
mod log;
mod reception;
mod registry;
mod store;
mod template_shelf;

use async_trait::async_trait;

pub use desk::{Accept, Desk};
pub use log::{Log, LogPage, LogPlace, LogQuery};
pub use reception::{Receive, Received, Reception, SuppressionPlace};
pub use registry::{Amend, Amendment, Registry};
pub use store::{
    AddressedDelivery, Change, Decide, Decision, Found, Keep, Ledger, Opening, OutboxState,
    Settled, Store, StoreError, Swept, WantedDeliveries,
};

pub use template_shelf::TemplateShelf;

use crate::error::{Error, Violation};
use crate::model::{
    Languages, MailKind, TemplateHead, TemplateKey, TemplateSource, TemplateVersion, Timestamp,
    Variables,
};
use crate::settings::Settings;

/// The time of day. The only clock that Postern reads.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// Randomness fit for keys (a CSPRNG).
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// Draws an array of random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut out = [0; N];
    entropy.fill(&mut out);
    out
}

/// The mail templates: those in force, and what may come into force.
#[async_trait]
pub trait Templates: Send + Sync {
    /// The names of the variables that the template in force for this kind and these languages
    /// uses and that neither Postern nor `supplied` fills; empty when the mail can be rendered.
    fn missing(
        &self,
        kind: MailKind,
        wanted: &Languages,
        supplied: &Variables,
        settings: &Settings,
    ) -> Vec<String>;

    /// What keeps a source from coming into force; each names the part it is in. A set that is
    /// fixed lets nothing come into force.
    ///
    /// # Errors
    /// There are too many to judge at the moment.
    async fn faults(&self, _: &TemplateKey, _: &TemplateSource) -> Result<Vec<Violation>, Error> {
        Ok(vec![Violation::new(
            "template",
            "fixed",
            "the templates are fixed",
        )])
    }

    /// The versions in force of which the source is not held yet.
    fn wanting(&self, _: &[TemplateHead]) -> Vec<(TemplateKey, u32)> {
        Vec::new()
    }

    /// Takes what the heads say into force, with the versions that were wanting.
    async fn take_up(&self, _: &[TemplateHead], _: Vec<TemplateVersion>) {}
}

/// A stop to the whole store that an engine holds while its process lives.
#[async_trait]
pub trait Engine: Store + Registry + Log + Desk + Reception + TemplateShelf {
    /// Ends the engine: what was accepted is committed, what comes later is refused.
    async fn close(&self);

    /// Whether other processes may have the same store open.
    fn shared(&self) -> bool {
        false
    }

    /// Acts that wait for the writer at this moment; 0 for an engine without a queue.
    fn waiting(&self) -> usize {
        0
    }
}
