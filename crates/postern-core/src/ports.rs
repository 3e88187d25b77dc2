//! What the flows need of the world.

mod desk;
mod log;
mod reception;
mod registry;
mod store;

use async_trait::async_trait;

pub use desk::Desk;
pub use log::{Log, LogPage, LogPlace, LogQuery};
pub use reception::{Receive, Received, Reception, SuppressionPlace};
pub use registry::{Amend, Amendment, Registry};
pub use store::{
    AddressedDelivery, Change, Decide, Decision, Found, Keep, Ledger, Opening, OutboxState,
    Settled, Store, StoreError, Swept, WantedDeliveries,
};

use crate::model::{Languages, MailKind, Timestamp, Variables};

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

/// What the mail templates ask of a send.
pub trait Templates: Send + Sync {
    /// The names of the variables that the template in force for this kind and these languages
    /// uses and that neither Postern nor `supplied` fills; empty when the mail can be rendered.
    fn missing(&self, kind: MailKind, wanted: &Languages, supplied: &Variables) -> Vec<String>;
}

/// A stop to the whole store that an engine holds while its process lives.
#[async_trait]
pub trait Engine: Store + Registry + Log + Desk + Reception {
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
