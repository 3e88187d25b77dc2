//! Why a call did not succeed, in the words of what to do next.

use std::time::Duration;

use tonic::{Code, Status};

use crate::{Refusal, fault::TransportError};

/// Why a call did not succeed: one variant for each case that a caller treats differently.
///
/// `Display` is the server's message where a server answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request breaks rules: mend it. [`Refusal::violations`] names the fields.
    #[error("{0}")]
    InvalidArgument(Refusal),
    /// The code is not the one mailed: let the person type again.
    /// [`Refusal::attempts_left`] says how often.
    #[error("{0}")]
    InvalidCode(Refusal),
    /// The link is malformed, forged or of a request that is gone.
    #[error("{0}")]
    InvalidLink(Refusal),
    /// The link came without, or with another, `auth_request_id` than its own: it must be opened
    /// in the browser where the sign-in was started.
    #[error("{0}")]
    OtherBrowser(Refusal),
    /// The code or link is too old: resend.
    #[error("{0}")]
    Expired(Refusal),
    /// The request was accepted before: send anew.
    #[error("{0}")]
    Used(Refusal),
    /// A newer mail of the same request replaced this code or link: use the newest mail.
    #[error("{0}")]
    Superseded(Refusal),
    /// The request cannot be resent any more: send anew.
    #[error("{0}")]
    StartAgain(Refusal),
    /// The request died of wrong codes; waiting does not help: send anew.
    #[error("{0}")]
    TooManyAttempts(Refusal),
    /// Too many calls for this address or client: wait as [`Refusal::retry_after`] says.
    #[error("{0}")]
    RateLimited(Refusal),
    /// No such auth request, or not this client's.
    #[error("{0}")]
    NotFound(Refusal),
    /// An administrator of the server must act first: the method is disabled or no mail provider
    /// is set up.
    #[error("{0}")]
    NotReady(Refusal),
    /// The address takes no mail: it bounced or complained before.
    #[error("{0}")]
    AddressSuppressed(Refusal),
    /// The server's rules close sign-in to this address's domain: ask for another address.
    #[error("{0}")]
    DomainNotAllowed(Refusal),
    /// The client id or secret is not valid, a new token included.
    #[error("{0}")]
    Unauthenticated(Refusal),
    /// The client may not do this.
    #[error("{0}")]
    PermissionDenied(Refusal),
    /// The server does not offer this call.
    #[error("{0}")]
    Unimplemented(Refusal),
    /// The server is too busy or stopping: it said so, or did not take the call. Nothing was done, and
    /// the repeats are used up.
    #[error("{0}")]
    Unavailable(Refusal),
    /// No connection could be made. Nothing was done, and the repeats are used up.
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[source] BoxError),
    /// The call may or may not have taken effect: the server said so, or the connection broke.
    #[error("the outcome is unknown, the call may have taken effect: {0}")]
    OutcomeUnknown(#[source] BoxError),
    /// The deadline of the call passed. It may or may not have taken effect.
    #[error("no answer within {} ms: the call may have taken effect", .0.as_millis())]
    DeadlineExceeded(Duration),
    /// The server refused for a reason that this version of the crate does not know.
    #[error("{0}")]
    Other(Refusal),
}

/// An inner cause.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// What the server told, where a server answered.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::InvalidArgument(told)
            | Self::InvalidCode(told)
            | Self::InvalidLink(told)
            | Self::OtherBrowser(told)
            | Self::Expired(told)
            | Self::Used(told)
            | Self::Superseded(told)
            | Self::StartAgain(told)
            | Self::TooManyAttempts(told)
            | Self::RateLimited(told)
            | Self::NotFound(told)
            | Self::NotReady(told)
            | Self::AddressSuppressed(told)
            | Self::DomainNotAllowed(told)
            | Self::Unauthenticated(told)
            | Self::PermissionDenied(told)
            | Self::Unimplemented(told)
            | Self::Unavailable(told)
            | Self::Other(told) => Some(told),
            Self::Unreachable(_) | Self::OutcomeUnknown(_) | Self::DeadlineExceeded(_) => None,
        }
    }

    /// The server's stable machine code, where a server answered.
    pub fn error_code(&self) -> Option<&str> {
        self.refusal().map(Refusal::error_code)
    }

    /// How long to wait before the same call can succeed, where the server tells.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(Refusal::retry_after)
    }

    /// Whether nothing can have been done, so that the identical call may be repeated.
    pub(crate) fn nothing_was_done(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unreachable(_))
    }
}

/// A status that the peer sent has no source; one that the transport made has.
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        match broken(&status) {
            None => from_refusal(Refusal::from_status(&status)),
            Some(TransportError::Connect(_)) => Self::Unreachable(Box::new(status)),
            Some(fault @ TransportError::NotTaken(_)) => {
                let told = fault.to_string();
                Self::Unavailable(Refusal::new(Code::Unavailable, "UNAVAILABLE", told))
            }
            Some(TransportError::Http {
                status,
                retry_after,
            }) => from_http(*status, *retry_after),
            Some(TransportError::Broken(_)) => Self::OutcomeUnknown(Box::new(status)),
        }
    }
}

/// Whether the server left before it took this call.
pub(crate) fn not_taken(status: &Status) -> bool {
    matches!(broken(status), Some(TransportError::NotTaken(_)))
}

/// The transport's fault behind a status, `None` for what the peer said.
fn broken(status: &Status) -> Option<&TransportError> {
    const ELSEWHERE: &TransportError = &TransportError::Broken(None);
    let mut source = std::error::Error::source(status)?;
    loop {
        if let Some(fault) = source.downcast_ref() {
            return Some(fault);
        }
        match source.source() {
            Some(inner) => source = inner,
            None => return Some(ELSEWHERE),
        }
    }
}

/// By the `error_code` first, then by the gRPC code, so that servers which tell only the latter
/// are understood too.
fn from_refusal(told: Refusal) -> Error {
    match told.error_code() {
        "INVALID_CODE" => Error::InvalidCode(told),
        "INVALID_LINK" => Error::InvalidLink(told),
        "OTHER_BROWSER" => Error::OtherBrowser(told),
        "AUTH_REQUEST_EXPIRED" => Error::Expired(told),
        "AUTH_REQUEST_USED" => Error::Used(told),
        "LINK_SUPERSEDED" | "CODE_SUPERSEDED" => Error::Superseded(told),
        "START_AGAIN" => Error::StartAgain(told),
        "TOO_MANY_ATTEMPTS" => Error::TooManyAttempts(told),
        "METHOD_DISABLED" | "MAIL_NOT_CONFIGURED" => Error::NotReady(told),
        "ADDRESS_SUPPRESSED" => Error::AddressSuppressed(told),
        "DOMAIN_NOT_ALLOWED" => Error::DomainNotAllowed(told),
        _ => by_grpc_code(told),
    }
}

fn by_grpc_code(told: Refusal) -> Error {
    match Code::from_i32(told.grpc_code()) {
        Code::InvalidArgument => Error::InvalidArgument(told),
        Code::NotFound => Error::NotFound(told),
        Code::PermissionDenied => Error::PermissionDenied(told),
        Code::ResourceExhausted => Error::RateLimited(told),
        Code::Unauthenticated => Error::Unauthenticated(told),
        Code::Unavailable => Error::Unavailable(told),
        Code::Unimplemented => Error::Unimplemented(told),
        Code::Internal
        | Code::Unknown
        | Code::DataLoss
        | Code::DeadlineExceeded
        | Code::Cancelled => Error::OutcomeUnknown(told.to_string().into()),
        _ => Error::Other(told),
    }
}

/// What stood between us and the server answered, in plain HTTP. It cannot vouch for what the
/// server did, so only refusals at the door are taken at their word.
pub(crate) fn from_http(status: http::StatusCode, retry_after: Option<Duration>) -> Error {
    let message = format!("the server answered HTTP {status}");
    let told = |code, name| Refusal::new(code, name, message.clone()).with_retry_after(retry_after);
    match status.as_u16() {
        401 => Error::Unauthenticated(told(Code::Unauthenticated, "UNAUTHENTICATED")),
        403 => Error::PermissionDenied(told(Code::PermissionDenied, "PERMISSION_DENIED")),
        404 | 405 | 415 => Error::Unimplemented(told(Code::Unimplemented, "UNIMPLEMENTED")),
        429 => Error::RateLimited(told(Code::ResourceExhausted, "RATE_LIMITED")),
        400..=499 => Error::Other(told(Code::Unknown, "UNKNOWN")),
        _ => Error::OutcomeUnknown(message.into()),
    }
}
