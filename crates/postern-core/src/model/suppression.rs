use super::{Email, Timestamp};

/// An address that is sent no mail for a while, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The address, as it was given.
    pub address: Email,
    /// What speaks against it.
    pub reason: SuppressionReason,
    /// What was said, on one line and without addresses or secrets; at most
    /// [`Suppression::MAX_DETAIL`] characters.
    pub detail: String,
    /// Since when.
    pub at: Timestamp,
    /// When it is sent mail again; never by itself without it.
    pub until: Option<Timestamp>,
}

impl Suppression {
    /// The most characters of [`Self::detail`].
    pub const MAX_DETAIL: usize = 300;

    /// What is kept of what was said.
    pub fn detail(said: &str) -> String {
        let said = said.chars().filter(|c| !c.is_control());
        said.take(Self::MAX_DETAIL).collect()
    }

    /// Whether it still holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl std::fmt::Debug for Suppression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suppression")
            .field("reason", &self.reason)
            .field("at", &self.at)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// Why an address is sent no mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SuppressionReason {
    /// There is no such mailbox (RFC 3463, 5.1.x).
    Bounced,
    /// The person called a mail spam.
    Complained,
    /// An admin said so.
    Manual,
}

impl SuppressionReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Bounced, Self::Complained, Self::Manual];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Manual => "manual",
        }
    }

    /// The reason with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// What it means, to follow "because".
    pub fn told(self) -> &'static str {
        match self {
            Self::Bounced => "an earlier mail found no such mailbox",
            Self::Complained => "an earlier mail was reported as spam",
            Self::Manual => "an admin put it on the suppression list",
        }
    }
}
