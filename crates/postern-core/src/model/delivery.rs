use serde::{Deserialize, Serialize};

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
    /// Who was tried last, if anyone was.
    pub last_try: Option<LastTry>,
}

/// The last try at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastTry {
    /// Who was tried.
    pub provider: String,
    /// What kind of trouble there was; none when that try ended the delivery.
    pub fault: Option<Fault>,
    /// How often in a row the same came of the same provider, from 1.
    pub in_a_row: u16,
}

impl LastTry {
    /// The next one, after `before`.
    pub fn after(before: Option<&Self>, provider: &str, fault: Option<Fault>) -> Self {
        let same = before.filter(|last| last.provider == provider && last.fault == fault);
        Self {
            provider: provider.to_owned(),
            fault,
            in_a_row: same.map_or(1, |last| last.in_a_row.saturating_add(1)),
        }
    }
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
    /// The provider says that the recipient's server took it.
    Delivered,
    /// The provider says that the person called it spam.
    Complained,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sent,
        Self::Bounced,
        Self::Failed,
        Self::Abandoned,
        Self::Delivered,
        Self::Complained,
    ];

    /// The state's name, as the command line takes and shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Bounced => "bounced",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Delivered => "delivered",
            Self::Complained => "complained",
        }
    }

    /// The number in the store.
    pub fn number(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sent => 1,
            Self::Bounced => 2,
            Self::Failed => 3,
            Self::Abandoned => 4,
            Self::Delivered => 5,
            Self::Complained => 6,
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

/// Why a try at a delivery did not end it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The provider asks for patience with this mail (4xx from MAIL FROM on), such as by greylisting.
    #[default]
    Deferred,
    /// The provider is in trouble: connection, TLS, login, or a refusal that is not about the mail.
    Trouble,
    /// The mail went out whole and the answer to it was lost: it may have been taken.
    Unsure,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 3] = [Self::Deferred, Self::Trouble, Self::Unsure];

    /// The number in the store.
    pub fn number(self) -> u8 {
        match self {
            Self::Deferred => 0,
            Self::Trouble => 1,
            Self::Unsure => 2,
        }
    }
}

/// One try at a delivery that was followed by another one at once, through another provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// Who was tried.
    pub provider: String,
    /// When it ended.
    pub at: Timestamp,
    /// What kind of trouble there was.
    pub fault: Fault,
    /// What they said, stripped of secrets and bounded.
    pub reason: String,
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
        /// Who had the trouble; none when no provider was tried.
        provider: Option<String>,
        /// What kind of trouble.
        fault: Fault,
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
        /// Who was tried last; none when no provider was.
        provider: Option<String>,
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
