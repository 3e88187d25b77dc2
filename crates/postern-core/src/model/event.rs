use serde::{Deserialize, Serialize};

use crate::rules::DomainRule;

use super::{AddressKey, AuthRequestId, ClientId, Fault, Method, Template, Timestamp, UsedBy};

/// One step in the life of an auth request: what the authentication log shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// The request it is about; none for a refused send.
    pub request: Option<AuthRequestId>,
    /// The client that asked.
    pub client: Option<ClientId>,
    /// The address it is about.
    pub address: AddressKey,
    /// What happened.
    pub what: EventKind,
}

/// What happened. Stored as JSON with the kind's name under `kind`; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// A send was accepted.
    Initiated {
        /// The address as given.
        email: String,
        /// What is mailed.
        method: Method,
        /// The wording asked for.
        template: Option<Template>,
        /// Whether the guess budget made the code longer.
        hardened: bool,
        /// The lifetime of the credentials, in seconds.
        expires_in: u64,
    },
    /// For whom the app made the call of this act, as it told.
    Person {
        /// Their network address.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        ip: Option<String>,
        /// Their browser.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        agent: Option<String>,
    },
    /// A resend was accepted.
    Resent {
        /// Whether the credentials are new ones.
        regenerated: bool,
        /// The generation that is valid from now on.
        generation: u16,
    },
    /// A mail was put into the outbox, in the same commit as its request.
    MailQueued {
        /// The mail's place in the request.
        delivery: u16,
    },
    /// The custom template could not be filled, so the mail goes out as the built-in one.
    TemplateFailed {
        /// The mail's place in the request.
        delivery: u16,
        /// Which template, with its language and version.
        template: String,
        /// Why; names variables and places, never values.
        reason: String,
    },
    /// The provider took the mail.
    MailSent {
        /// The mail's place in the request.
        delivery: u16,
        /// How many attempts it took.
        attempts: u16,
        /// Who took it.
        provider: String,
        /// What they said.
        reply: String,
    },
    /// An attempt failed and will be repeated.
    MailDeferred {
        /// The mail's place in the request.
        delivery: u16,
        /// How many attempts there were.
        attempts: u16,
        /// Who had the trouble; none when no provider was tried.
        provider: Option<String>,
        /// What kind of trouble.
        #[serde(default)]
        fault: Fault,
        /// What it was.
        reason: String,
    },
    /// The mail will not arrive.
    MailFailed {
        /// The mail's place in the request.
        delivery: u16,
        /// How many attempts there were.
        attempts: u16,
        /// Whether the recipient was refused.
        bounced: bool,
        /// Who was tried last; none when no provider was.
        #[serde(default)]
        provider: Option<String>,
        /// Why.
        reason: String,
    },
    /// The mail was not sent because its credential was spent.
    MailAbandoned {
        /// The mail's place in the request.
        delivery: u16,
        /// `used`, `dead`, `expired`, `superseded` or `gone`.
        reason: String,
    },
    /// The provider says that the recipient's server took the mail.
    MailDelivered {
        /// The mail's place in the request.
        delivery: u16,
        /// Which provider's callback.
        provider: String,
    },
    /// The provider says that the mail came back for good.
    MailBounced {
        /// The mail's place in the request.
        delivery: u16,
        /// Which provider's callback.
        provider: String,
        /// Whether there is no such mailbox.
        bad_mailbox: bool,
        /// What the recipient's server said, of which only plain words are kept.
        reason: String,
    },
    /// The provider says that the person called the mail spam.
    MailComplained {
        /// The mail's place in the request.
        delivery: u16,
        /// Which provider's callback.
        provider: String,
    },
    /// The address went on the suppression list.
    Suppressed {
        /// `bounced` or `complained`.
        reason: String,
        /// Until when, in seconds since the epoch.
        until: Option<i64>,
    },
    /// A wrong code was offered and counted.
    WrongCode {
        /// How many the request still survives.
        attempts_left: u8,
        /// Whether it counted against the address's guess budget.
        budgeted: bool,
    },
    /// What the same act tells was done with a test identity: no mail, and a static code.
    TestIdentity,
    /// A domain rule would have refused the call, had it not been there for the log only.
    DomainFlagged {
        /// Which rule.
        rule: DomainRule,
    },
    /// The last wrong code killed the request.
    Locked,
    /// The address passed its guess budget.
    BudgetPassed,
    /// The right proof was accepted.
    Verified {
        /// Which proof.
        by: UsedBy,
    },
    /// The request's lifetime ended unused.
    Expired,
    /// Calls were refused by a limit.
    Throttled {
        /// Which limit.
        what: String,
        /// How many calls in this window.
        count: u64,
    },
}

impl EventKind {
    /// Whether the mail was put off without a try: every provider was in trouble or at its limit.
    pub fn is_put_off(&self) -> bool {
        matches!(self, Self::MailDeferred { provider: None, .. })
    }

    /// The number of the try that this event tells of, from 1; none for what was no try.
    pub fn attempt(&self) -> Option<u16> {
        if let Self::MailSent { attempts, .. }
        | Self::MailDeferred {
            attempts,
            provider: Some(_),
            ..
        }
        | Self::MailFailed {
            attempts,
            provider: Some(_),
            ..
        } = self
        {
            return Some(*attempts);
        }
        None
    }

    /// The kind's name: what is stored under `kind`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Initiated { .. } => "initiated",
            Self::Person { .. } => "person",
            Self::Resent { .. } => "resent",
            Self::MailQueued { .. } => "mail_queued",
            Self::TemplateFailed { .. } => "template_failed",
            Self::MailSent { .. } => "mail_sent",
            Self::MailDeferred { .. } => "mail_deferred",
            Self::MailFailed { .. } => "mail_failed",
            Self::MailAbandoned { .. } => "mail_abandoned",
            Self::MailDelivered { .. } => "mail_delivered",
            Self::MailBounced { .. } => "mail_bounced",
            Self::MailComplained { .. } => "mail_complained",
            Self::Suppressed { .. } => "suppressed",
            Self::WrongCode { .. } => "wrong_code",
            Self::TestIdentity => "test_identity",
            Self::Locked => "locked",
            Self::BudgetPassed => "budget_passed",
            Self::Verified { .. } => "verified",
            Self::Expired => "expired",
            Self::DomainFlagged { .. } => "domain_flagged",
            Self::Throttled { .. } => "throttled",
        }
    }
}
