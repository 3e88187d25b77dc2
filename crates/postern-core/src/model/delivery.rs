use super::{AuthRequest, DeliveryId, Sealed, Timestamp};

/// One mail of an auth request, from queued to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its name.
    pub id: DeliveryId,
    /// The generation of credentials it carries.
    pub generation: u16,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u16,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// While queued: when it may be claimed, which is also when the present lease ends.
    pub due_at: Timestamp,
}

/// Where a delivery stands; all but `Queued` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Waits, or is being tried under a lease.
    Queued,
    /// The provider took it.
    Sent,
    /// The provider refused the recipient or the message for good.
    Bounced,
    /// It could not be sent while its credential lived.
    Failed,
    /// It was not sent because its credential was spent, superseded or expired.
    Abandoned,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Sent,
        Self::Bounced,
        Self::Failed,
        Self::Abandoned,
    ];

    /// The number in the store.
    pub fn number(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sent => 1,
            Self::Bounced => 2,
            Self::Failed => 3,
            Self::Abandoned => 4,
        }
    }
}

/// A delivery with all that is needed to send it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The mail.
    pub delivery: Delivery,
    /// Its request, read now.
    pub request: AuthRequest,
    /// The caller's link URI and variables, sealed in slot (`mail_inputs`, `input`, id).
    pub input: Option<Sealed>,
}

/// How an attempt at a delivery ended. Replies are stripped of secrets and at most 500 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The provider took it.
    Sent {
        /// Who took it.
        provider: String,
        /// What they said.
        reply: String,
    },
    /// Trouble that may pass; tried again at `at`.
    Retry {
        /// When.
        at: Timestamp,
        /// Who had the trouble, if anyone was reached.
        provider: Option<String>,
        /// What it was.
        reason: String,
    },
    /// Refused for good.
    Bounced {
        /// By whom.
        provider: String,
        /// What they said.
        reply: String,
    },
    /// It could not be sent in time.
    Failed {
        /// What stood in the way last.
        reason: String,
    },
    /// It must not be sent any more.
    Abandoned {
        /// `used`, `dead`, `expired`, `superseded` or `gone`.
        reason: &'static str,
    },
}

impl Settlement {
    /// The state the delivery is in afterwards.
    pub fn state(&self) -> DeliveryState {
        match self {
            Self::Retry { .. } => DeliveryState::Queued,
            Self::Sent { .. } => DeliveryState::Sent,
            Self::Bounced { .. } => DeliveryState::Bounced,
            Self::Failed { .. } => DeliveryState::Failed,
            Self::Abandoned { .. } => DeliveryState::Abandoned,
        }
    }
}
