//! What can go wrong on the way, told apart by whether the server can have taken the call.

use std::{error::Error as StdError, time::Duration};

use http::StatusCode;

use crate::error::BoxError;

/// A fault on the way, as against an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// No connection: nothing was sent.
    #[error("{}", innermost(&**.0))]
    Connect(#[source] BoxError),
    /// The server left, or refused the stream, before it took the call: nothing was done.
    #[error("the server did not take the call: {}", innermost(&**.0))]
    NotTaken(#[source] BoxError),
    /// The connection broke while a call was on it.
    #[error("the connection broke{}", .0.as_deref().map(|error| format!(": {}", innermost(error))).unwrap_or_default())]
    Broken(#[source] Option<BoxError>),
    /// Something that does not speak gRPC answered.
    #[error("the server answered HTTP {status}")]
    Http {
        status: StatusCode,
        retry_after: Option<Duration>,
    },
}

/// Judges a call that ended before the head of an answer came.
pub(crate) fn fault(error: hyper_util::client::legacy::Error) -> TransportError {
    if error.is_connect() {
        TransportError::Connect(error.into())
    } else if causes(&error).any(says_not_taken) {
        TransportError::NotTaken(error.into())
    } else {
        TransportError::Broken(Some(error.into()))
    }
}

/// Whether a cause means that the call was not processed and will not be.
///
/// RFC 9113 promises that of a stream above the last one that a GOAWAY names (§6.8), whatever its
/// reason, and of a reset by `REFUSED_STREAM` (§8.7). h2 ends by the peer's GOAWAY only streams above that
/// one, and calls whose body it has not begun to send; the others go on. hyper calls a request
/// cancelled when it gives it back unsent.
fn says_not_taken(cause: Cause<'_>) -> bool {
    if let Some(error) = cause.downcast_ref::<h2::Error>() {
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        return error.is_remote() && (error.is_go_away() || refused);
    }
    cause
        .downcast_ref::<hyper::Error>()
        .is_some_and(hyper::Error::is_canceled)
}

type Cause<'a> = &'a (dyn StdError + 'static);

/// An error and what lies beneath it, outermost first.
fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The last cause tells most: "connection refused" rather than "client error (Connect)".
fn innermost(error: Cause<'_>) -> Cause<'_> {
    causes(error).last().unwrap_or(error)
}
