//! Why a call was not done: one enum, one stable code and one kind for each reason.

use std::time::Duration;

use crate::model::{SuppressionReason, Timestamp};
use crate::rules::DomainRule;

/// One field of a request that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's name on the wire, in snake_case (`template_variables.otp` for one entry of a map).
    pub field: String,
    /// A sentence for the developer.
    pub description: String,
    /// The rule that failed, such as `required` or `max_len:320`.
    pub constraint: &'static str,
}

impl Violation {
    /// A violation of `constraint` by `field`.
    pub fn new(
        field: impl Into<String>,
        constraint: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            description: description.into(),
            constraint,
        }
    }
}

/// What the caller should do next; the only thing the doors map to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Fix the request.
    Invalid,
    /// Ask the person again.
    Refused,
    /// Send again, or use the newest mail.
    Spent,
    /// There is no such thing for this caller.
    NotFound,
    /// Wait. [`Error::retry_after`] says how long, unless waiting does not help.
    Throttled,
    /// An admin must act first.
    NotReady,
    /// Present valid client credentials.
    Unauthenticated,
    /// Retry: nothing was done.
    Unavailable,
    /// Report the request id.
    Internal,
}

/// Why a call was not done.
///
/// `Display` is the message for the caller; the source chain is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request breaks rules; every offending field is named.
    #[error("{}", invalid_message(.0))]
    Invalid(Vec<Violation>),
    /// The passcode is not the one that was mailed.
    #[error("{}", invalid_code_message(*.attempts_left))]
    InvalidCode {
        /// How many different wrong codes the request still survives.
        attempts_left: u8,
    },
    /// The link token is malformed, forged, or of a request that is gone.
    #[error("the link is invalid: check that it was copied whole, or send a new one")]
    InvalidLink,
    /// The link came without, or with another, `auth_request_id` than its own.
    #[error(
        "the link is invalid in this browser: open it in the browser where the sign-in was started"
    )]
    OtherBrowser,
    /// The request's lifetime is over.
    #[error("auth request expired: send a new code or link")]
    AuthRequestExpired,
    /// The request was accepted before.
    #[error("the code or link was already used: send a new one")]
    AuthRequestUsed,
    /// The link belongs to an older mail of the same request.
    #[error("the link is no longer valid because a newer one was sent: use the newest mail")]
    LinkSuperseded,
    /// The code belongs to an older mail of the same request.
    #[error("the code is no longer valid because a newer one was sent: use the newest mail")]
    CodeSuperseded,
    /// The request cannot be mailed again: too often, too old, or its codes cannot be used any more.
    #[error("this auth request cannot be resent any more: start again with a new send")]
    StartAgain,
    /// Sign-in is not open to addresses of this domain.
    #[error("{}", domain_message(*.0))]
    DomainNotAllowed(DomainRule),
    /// No such auth request, or not this client's.
    #[error("auth request not found: it is invalid, was removed, or belongs to another client")]
    AuthRequestNotFound,
    /// Too many calls; waiting helps.
    #[error("rate limit exceeded: too many {what}, try again in {} seconds", whole_seconds(*.retry_after))]
    RateLimited {
        /// What there was too much of, in the plural.
        what: &'static str,
        /// How long until the same call can succeed.
        retry_after: Duration,
    },
    /// The request is dead after its last wrong code; waiting does not help.
    #[error("too many attempts with an invalid code: request a new code")]
    TooManyAttempts,
    /// An admin has switched the method off.
    #[error("passwordless sign-in is disabled: an admin can enable it in the settings")]
    MethodDisabled,
    /// There is no way to send mail yet.
    #[error("no mail provider is configured: an admin must add one before mail can be sent")]
    MailNotConfigured,
    /// The address is on the suppression list.
    #[error("{}", suppressed_message(*.reason, *.since, *.until))]
    AddressSuppressed {
        /// What speaks against it.
        reason: SuppressionReason,
        /// Since when.
        since: Timestamp,
        /// When it is sent mail again, if ever by itself.
        until: Option<Timestamp>,
    },
    /// No valid client credentials.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Too much work is queued, or the server is stopping; nothing was done.
    #[error("the service is unavailable at the moment, nothing was done: try again")]
    Unavailable(#[source] Option<Source>),
    /// The outcome could not be learnt.
    #[error("the outcome is unknown: the call may have taken effect")]
    Unknown(#[source] Source),
    /// A fault of ours.
    #[error("internal error")]
    Internal(#[source] Source),
}

/// The inner cause of a fault: for the log, never for the caller.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// One violated field.
    pub fn invalid(
        field: impl Into<String>,
        constraint: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self::Invalid(vec![Violation::new(field, constraint, description)])
    }

    /// The stable machine code; part of the contract, never renamed.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_ARGUMENT",
            Self::InvalidCode { .. } => "INVALID_CODE",
            Self::InvalidLink => "INVALID_LINK",
            Self::OtherBrowser => "OTHER_BROWSER",
            Self::AuthRequestExpired => "AUTH_REQUEST_EXPIRED",
            Self::AuthRequestUsed => "AUTH_REQUEST_USED",
            Self::LinkSuperseded => "LINK_SUPERSEDED",
            Self::CodeSuperseded => "CODE_SUPERSEDED",
            Self::StartAgain => "START_AGAIN",
            Self::DomainNotAllowed(_) => "DOMAIN_NOT_ALLOWED",
            Self::AuthRequestNotFound => "AUTH_REQUEST_NOT_FOUND",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::TooManyAttempts => "TOO_MANY_ATTEMPTS",
            Self::MethodDisabled => "METHOD_DISABLED",
            Self::MailNotConfigured => "MAIL_NOT_CONFIGURED",
            Self::AddressSuppressed { .. } => "ADDRESS_SUPPRESSED",
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Unknown(_) => "OUTCOME_UNKNOWN",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// What the caller should do next.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Invalid,
            Self::InvalidCode { .. }
            | Self::InvalidLink
            | Self::OtherBrowser
            | Self::DomainNotAllowed(_) => Kind::Refused,
            Self::AuthRequestExpired
            | Self::AuthRequestUsed
            | Self::LinkSuperseded
            | Self::CodeSuperseded
            | Self::StartAgain => Kind::Spent,
            Self::AuthRequestNotFound => Kind::NotFound,
            Self::RateLimited { .. } | Self::TooManyAttempts => Kind::Throttled,
            Self::MethodDisabled | Self::MailNotConfigured | Self::AddressSuppressed { .. } => {
                Kind::NotReady
            }
            Self::Unauthenticated(_) => Kind::Unauthenticated,
            Self::Unavailable(_) => Kind::Unavailable,
            Self::Unknown(_) | Self::Internal(_) => Kind::Internal,
        }
    }

    /// How long to wait before the same call can succeed, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::RateLimited { retry_after, .. } = self {
            Some(*retry_after)
        } else {
            None
        }
    }

    /// The offending fields, empty unless the kind is [`Kind::Invalid`].
    pub fn violations(&self) -> &[Violation] {
        if let Self::Invalid(violations) = self {
            violations
        } else {
            &[]
        }
    }
}

/// A wait as the doors tell it: whole seconds, rounded up, at least 1.
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

fn invalid_message(violations: &[Violation]) -> String {
    match violations {
        [] => "the request is invalid".to_owned(),
        [only] => only.description.clone(),
        many => many
            .iter()
            .map(|v| v.description.as_str())
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn suppressed_message(
    reason: SuppressionReason,
    since: Timestamp,
    until: Option<Timestamp>,
) -> String {
    let until = until.map_or(String::new(), |until| format!(" until {}", until.rfc3339()));
    format!(
        "no mail is sent to this address since {}{until}, because {}: ask for another address, or an admin can take it off the suppression list",
        since.rfc3339(),
        reason.told()
    )
}

fn domain_message(rule: DomainRule) -> &'static str {
    match rule {
        DomainRule::NotAllowed | DomainRule::Blocked => {
            "sign-in is not open to e-mail addresses of this domain: ask for another address"
        }
        DomainRule::Disposable => {
            "disposable e-mail addresses are not accepted: ask for another address"
        }
    }
}

fn invalid_code_message(attempts_left: u8) -> String {
    match attempts_left {
        0 => "the code is invalid and no attempts are left: request a new code".to_owned(),
        1 => "the code is invalid: 1 attempt left".to_owned(),
        many => format!("the code is invalid: {many} attempts left"),
    }
}
