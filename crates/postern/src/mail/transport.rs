//! What the outbox needs of a way to send.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Mail, Outcome, Sender};

/// A way for mails to leave.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Hands one mail over and says how that ended. Ends by itself, within 30 s.
    async fn deliver(&self, mail: &Mail) -> Outcome;

    /// Lets go of what has not been used for a while. Called every second or so.
    fn tidy(&self) {}
}

/// A transport with the sender it carries mails for.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// Its name in events: the operator's name of the provider, or `inbox`.
    pub name: String,
    /// Who its mails are from.
    pub sender: Sender,
    /// The way itself.
    pub transport: Arc<dyn Transport>,
}

/// Which carrier takes the next mail.
pub trait Route: Send + Sync {
    /// The carrier in force at this moment.
    ///
    /// # Errors
    /// Why there is none, in words for an event. An operator has to act; mails wait.
    fn carrier(&self) -> Result<Arc<Carrier>, String>;
}

/// Always the same carrier.
impl Route for Arc<Carrier> {
    fn carrier(&self) -> Result<Self, String> {
        Ok(Self::clone(self))
    }
}
