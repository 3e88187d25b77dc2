//! Problems as callers see them: the only place that knows status codes.
//!
//! A [`Problem`] is made once, from an error of the core or from trouble with HTTP itself, and
//! shown in the form of its door: [`grpc`], [`rest`] or [`oauth`].

use std::error::Error as _;

use axum::response::Response;
use http::StatusCode;
use postern_core::error::{Error, Kind, Violation, whole_seconds};
use tonic::Code;

use crate::{
    listen::RequestId,
    telemetry::labels::{Outcome, RedeemVerdict},
};

pub mod grpc;
pub mod oauth;
pub mod rest;

/// Bytes of a message in a trailer, where all but printable ASCII takes three for one: with the
/// details, a block of trailers stays under 8 KiB (contract §1.13).
const MESSAGE_LIMIT: usize = 1500;

/// What went wrong with a call, ready to be shown.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    http: StatusCode,
    error_code: &'static str,
    message: String,
    violations: Vec<Violation>,
    /// Seconds.
    retry_after: Option<u64>,
    request_id: Option<RequestId>,
}

impl Problem {
    /// How the error of the call `id` is shown. What the caller can do nothing about is logged
    /// here, with its causes; what is our fault is shown as little more than the id.
    pub fn new(error: Error, id: RequestId) -> Self {
        let kind = error.kind();
        let (code, http) = status(kind);
        if kind == Kind::Internal || error.source().is_some() {
            let (error_code, cause) = (error.code(), causes(&error));
            tracing::error!(request_id = %id, error_code, cause, "call failed");
        }
        let message = match kind {
            Kind::Internal => format!("{error} (request id {id})"),
            _ => shortened(error.to_string()),
        };
        Self {
            code,
            http,
            error_code: error.code(),
            message,
            retry_after: error.retry_after().map(whole_seconds),
            request_id: (kind == Kind::Internal).then_some(id),
            violations: match error {
                Error::Invalid(violations) => violations,
                _ => Vec::new(),
            },
        }
    }

    /// A fault of ours whose cause is logged elsewhere.
    pub fn internal(id: RequestId) -> Self {
        let message = format!("internal error (request id {id})");
        Self {
            request_id: Some(id),
            ..Self::plain(
                Code::Internal,
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL",
                message,
            )
        }
    }

    /// No such path.
    pub fn no_such_path() -> Self {
        Self::plain(
            Code::NotFound,
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "no such path",
        )
    }

    /// The path exists, with other methods.
    pub fn method_not_allowed() -> Self {
        let message = "this path does not take this method";
        Self::plain(
            Code::Unimplemented,
            StatusCode::METHOD_NOT_ALLOWED,
            "UNIMPLEMENTED",
            message,
        )
    }

    /// A gRPC method that is not served.
    pub fn no_such_method(path: &str) -> Self {
        let message = shortened(format!("method {path} is not implemented by this server"));
        Self::plain(
            Code::Unimplemented,
            StatusCode::NOT_IMPLEMENTED,
            "UNIMPLEMENTED",
            message,
        )
    }

    /// The body is larger than `limit` bytes.
    pub fn body_too_large(limit: usize) -> Self {
        let message = format!("the body is too large: at most {limit} bytes are taken");
        Self::plain(
            Code::InvalidArgument,
            StatusCode::PAYLOAD_TOO_LARGE,
            "INVALID_ARGUMENT",
            message,
        )
    }

    /// The body did not come whole, in time.
    pub fn body_incomplete() -> Self {
        let message = "the body did not arrive whole";
        Self::plain(
            Code::InvalidArgument,
            StatusCode::BAD_REQUEST,
            "INVALID_ARGUMENT",
            message,
        )
    }

    /// The body is of another kind than `wanted`.
    pub fn wrong_media_type(wanted: &str) -> Self {
        let message = format!("the content-type must be {wanted}");
        Self::plain(
            Code::InvalidArgument,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "INVALID_ARGUMENT",
            message,
        )
    }

    /// The body cannot be read as what it says it is.
    pub fn malformed(why: impl std::fmt::Display) -> Self {
        let message = shortened(why.to_string());
        Self::plain(
            Code::InvalidArgument,
            StatusCode::BAD_REQUEST,
            "INVALID_ARGUMENT",
            message,
        )
    }

    /// A mail provider's callback did not prove where it comes from.
    pub fn callback_unverified() -> Self {
        Self::plain(
            Code::Unauthenticated,
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "the callback is not verified",
        )
    }

    /// A mail provider's callback cannot be looked at now; it will come again.
    pub fn callback_not_now() -> Self {
        Self::plain(
            Code::Unavailable,
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "no callback can be taken now: try again",
        )
    }

    /// gRPC compression was used, which we do not offer.
    pub fn compressed() -> Self {
        let message = "compressed messages are not accepted: send them with identity encoding";
        Self::plain(
            Code::Unimplemented,
            StatusCode::NOT_IMPLEMENTED,
            "UNIMPLEMENTED",
            message,
        )
    }

    /// In the form of gRPC or of REST.
    pub fn answer(&self, grpc: bool) -> Response {
        if grpc {
            grpc::answer(self)
        } else {
            rest::answer(self)
        }
    }

    fn plain(
        code: Code,
        http: StatusCode,
        error_code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self {
            code,
            http,
            error_code,
            message,
            violations: Vec::new(),
            retry_after: None,
            request_id: None,
        }
    }
}

/// The table: what each kind of error is in gRPC and in HTTP (contract §4).
fn status(kind: Kind) -> (Code, StatusCode) {
    match kind {
        Kind::Invalid | Kind::Refused => (Code::InvalidArgument, StatusCode::BAD_REQUEST),
        Kind::Spent | Kind::NotReady => (Code::FailedPrecondition, StatusCode::BAD_REQUEST),
        Kind::NotFound => (Code::NotFound, StatusCode::NOT_FOUND),
        Kind::Throttled => (Code::ResourceExhausted, StatusCode::TOO_MANY_REQUESTS),
        Kind::Unauthenticated => (Code::Unauthenticated, StatusCode::UNAUTHORIZED),
        Kind::Unavailable => (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE),
        Kind::Internal => (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// How a call that ended with `kind` is counted.
pub fn outcome(kind: Kind) -> Outcome {
    match kind {
        Kind::Invalid => Outcome::Invalid,
        Kind::Refused => Outcome::Refused,
        Kind::Spent => Outcome::Spent,
        Kind::NotFound => Outcome::NotFound,
        Kind::Throttled => Outcome::Throttled,
        Kind::NotReady => Outcome::NotReady,
        Kind::Unauthenticated => Outcome::Unauthenticated,
        Kind::Unavailable => Outcome::Unavailable,
        Kind::Internal => Outcome::Internal,
    }
}

/// How the judgement of a proof is counted; `None` when there was none. A wrong code that came
/// before counts as wrong: its answer tells no difference.
pub fn verdict<T>(judged: &Result<T, Error>) -> Option<RedeemVerdict> {
    Some(match judged {
        Ok(_) => RedeemVerdict::Accepted,
        Err(Error::InvalidCode { .. }) => RedeemVerdict::Wrong,
        Err(Error::AuthRequestUsed) => RedeemVerdict::Used,
        Err(Error::TooManyAttempts) => RedeemVerdict::Dead,
        Err(Error::AuthRequestExpired) => RedeemVerdict::Expired,
        Err(Error::InvalidLink) => RedeemVerdict::NotThisKind,
        Err(Error::OtherBrowser) => RedeemVerdict::OtherBrowser,
        Err(Error::RateLimited { .. }) => RedeemVerdict::Budget,
        Err(Error::LinkSuperseded | Error::CodeSuperseded) => RedeemVerdict::Superseded,
        Err(Error::AuthRequestNotFound) => RedeemVerdict::NotFound,
        Err(_) => return None,
    })
}

/// As much of the message as fits into [`MESSAGE_LIMIT`], and never a control character.
fn shortened(message: String) -> String {
    let mut room = MESSAGE_LIMIT;
    let fits = |letter: &char| {
        let cost = if letter.is_ascii() {
            1
        } else {
            3 * letter.len_utf8()
        };
        room.checked_sub(cost).map(|left| room = left).is_some()
    };
    let shown = message.chars().filter(|letter| !letter.is_control());
    let kept: String = shown.clone().take_while(fits).collect();
    if kept.len() == message.len() {
        return message;
    }
    if shown.count() == kept.chars().count() {
        kept
    } else {
        kept + "…"
    }
}

fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
