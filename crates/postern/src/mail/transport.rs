//! What the outbox needs of a way to send.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use postern_core::model::DeliveryId;

use super::gate::Gate;
use super::{Mail, Outcome, Sender};

/// A way for mails to leave.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Hands one mail over and says how that ended. Ends by itself, within `patience`.
    async fn deliver(&self, mail: &Mail, patience: Patience) -> Outcome;

    /// Lets go of what has not been used for a while. Called every second or so.
    fn tidy(&self) {}
}

/// How long a mail may wait for one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// In all.
    pub total: Duration,
    /// Whether another transport waits for the mail, so that this one should not take long to
    /// begin.
    pub another: bool,
}

impl Patience {
    /// As long as an attempt may take, and nobody else is there.
    pub const WHOLE: Self = Self {
        total: Duration::from_secs(30),
        another: false,
    };
}

/// A transport with the sender it carries mails for.
#[derive(Debug)]
pub struct Carrier {
    /// Its name in events: the operator's name of the provider, or `inbox`.
    pub name: String,
    /// Who its mails are from.
    pub sender: Sender,
    /// The way itself.
    pub transport: Arc<dyn Transport>,
    /// Whether it should be tried at the moment.
    pub gate: Gate,
}

/// Which carriers take the next mail.
pub trait Route: Send + Sync {
    /// The carriers in force at this moment, in the order in which they are tried; at least one.
    ///
    /// # Errors
    /// Why there is none, in words for an event. An operator has to act; mails wait.
    fn carriers(&self) -> Result<Arc<[Arc<Carrier>]>, String>;

    /// Who gets a copy of this mail before it goes on its way; nobody in production.
    fn copies(&self, _: DeliveryId) -> Option<Arc<Carrier>> {
        None
    }

    /// Lets go of what has not been used for a while. Called every second or so.
    fn tidy(&self) {}
}

/// Always the same carriers.
impl Route for Arc<[Arc<Carrier>]> {
    fn carriers(&self) -> Result<Self, String> {
        Ok(Self::clone(self))
    }
}
