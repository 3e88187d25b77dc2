use postern_core::model::{AddressKey, AuthRequestId, DeliveryId, Event};
use postern_core::ports::{Decide, Decision, Opening, Settled, StoreError};
use tokio::sync::oneshot;

use crate::pace::Whose;
use crate::patience::{Pending, Standing};

/// What a caller asks of the writers.
pub(super) enum Ask {
    /// Open a request.
    Open(Opening),
    /// Decide on a resend.
    Reissue {
        id: AuthRequestId,
        count_client: bool,
        decide: Decide,
    },
    /// Judge a proof.
    Redeem {
        id: AuthRequestId,
        with_guesses: bool,
        decide: Decide,
    },
    /// Write how an attempt at a delivery ended.
    Settle(Settled),
    /// Append events.
    Record(Vec<Event>),
}

impl Ask {
    /// Whose line it joins.
    pub(super) fn whose(&self) -> Whose {
        match self {
            Self::Open(_) | Self::Reissue { .. } | Self::Redeem { .. } => Whose::Caller,
            Self::Settle(_) | Self::Record(_) => Whose::House,
        }
    }
}

/// What comes of it.
pub(super) enum Answer {
    /// What a rule decided.
    Decided(Box<Decision>),
    /// It was written.
    Done,
}

/// What no two acts of a batch may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Request(AuthRequestId),
    Delivery(DeliveryId),
    Address(AddressKey),
}

/// One caller's atomic piece of work, on its way through a writer.
pub(super) struct Act {
    pub(super) ask: Ask,
    pub(super) outcome: Option<Result<Answer, StoreError>>,
    pub(super) standing: Standing,
    reply: oneshot::Sender<Result<Answer, StoreError>>,
}

impl Act {
    /// The act, and where its answer arrives.
    pub(super) fn new(ask: Ask) -> (Self, Pending<Answer>) {
        let (reply, answer) = oneshot::channel();
        let act = Self {
            ask,
            outcome: None,
            standing: Standing::default(),
            reply,
        };
        (act, answer)
    }

    /// Whether anyone still waits for the answer.
    pub(super) fn wanted(&self) -> bool {
        !self.reply.is_closed() && !self.standing.is_given_up()
    }

    /// The row, or the counts, that are known before anything is read.
    pub(super) fn key(&self) -> Option<Key> {
        match &self.ask {
            Ask::Open(opening) => Some(Key::Address(opening.address)),
            Ask::Reissue { id, .. } | Ask::Redeem { id, .. } => Some(Key::Request(*id)),
            Ask::Settle(settled) => Some(Key::Delivery(settled.id)),
            Ask::Record(_) => None,
        }
    }

    /// Tells the caller what came of it: whatever was written is durable.
    pub(super) fn answer(self) {
        let outcome = self.outcome.unwrap_or(Err(StoreError::Refused));
        // A caller that went away wants no answer.
        let _ = self.reply.send(outcome);
    }

    /// Tells the caller that `error` is the outcome, unless it broke down by itself before.
    pub(super) fn fail(self, error: StoreError) {
        let own = self.outcome.and_then(Result::err);
        let _ = self.reply.send(Err(own.unwrap_or(error)));
    }
}
