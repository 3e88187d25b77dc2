use super::{Sealed, Slot};

/// A mail service that tells what became of our mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HookProvider {
    /// Postmark (ActiveCampaign).
    Postmark,
    /// Twilio SendGrid.
    Sendgrid,
    /// Amazon SES, through SNS.
    Ses,
    /// Mailgun.
    Mailgun,
}

impl HookProvider {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Postmark, Self::Sendgrid, Self::Ses, Self::Mailgun];

    /// Its name in paths, events and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postmark => "postmark",
            Self::Sendgrid => "sendgrid",
            Self::Ses => "ses",
            Self::Mailgun => "mailgun",
        }
    }

    /// The provider with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What the callbacks of one provider are verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailHook {
    /// Whose callbacks.
    pub provider: HookProvider,
    /// The secret, public key or topic, sealed in slot (`mail_hooks`, `secret`, provider).
    pub secret: Sealed,
}

impl MailHook {
    /// Where the secret of a provider's callbacks is sealed.
    pub fn secret_slot(provider: HookProvider) -> Slot<'static> {
        Slot {
            table: "mail_hooks",
            column: "secret",
            id: provider.as_str().as_bytes(),
        }
    }
}

/// What a provider tells of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// Who tells it.
    pub provider: HookProvider,
    /// What.
    pub what: Fate,
}

/// What became of a mail after a provider took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The recipient's server took it.
    Delivered,
    /// It came back for good.
    Bounced {
        /// Whether there is no such mailbox (5.1.x).
        bad_mailbox: bool,
        /// What the recipient's server said, fit for an event.
        reason: String,
    },
    /// The person called it spam.
    Complained,
}
