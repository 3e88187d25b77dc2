//! A problem as the OAuth endpoints show it (RFC 6749 §5.2, contract §5).

use axum::response::Response;
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use postern_core::error::Kind;
use serde::Serialize;

use super::{Problem, rest::json};
use crate::telemetry::labels::Outcome;

/// Why a token was not given.
#[derive(Debug)]
pub enum Refusal {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest(&'static str),
    /// Unknown client, wrong secret, or no authentication.
    InvalidClient {
        /// The client tried HTTP Basic, so the answer names that scheme.
        basic: bool,
    },
    /// Another grant than those we serve.
    UnsupportedGrantType,
    /// Too many tokens are being signed; nothing was done.
    Busy,
    /// A fault of ours, or trouble with the body, in the words of the other doors.
    Other(Problem),
}

#[derive(Serialize)]
struct OauthBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// The refusal as a JSON answer.
pub fn answer(refusal: &Refusal) -> Response {
    let (status, error, error_description) = shown(refusal);
    let mut response = json(&OauthBody {
        error,
        error_description,
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if matches!(refusal, Refusal::InvalidClient { basic: true }) {
        headers.insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"postern\""),
        );
    }
    if matches!(refusal, Refusal::Busy) {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn shown(refusal: &Refusal) -> (StatusCode, &str, &str) {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    match refusal {
        Refusal::InvalidRequest(why) => (BAD, "invalid_request", why),
        Refusal::InvalidClient { .. } => {
            let why = "client authentication failed: unknown client or invalid secret";
            (StatusCode::UNAUTHORIZED, "invalid_client", why)
        }
        Refusal::UnsupportedGrantType => (
            BAD,
            "unsupported_grant_type",
            "the grant_type must be client_credentials",
        ),
        Refusal::Busy => {
            let why = "too many tokens are being signed, nothing was done: try again";
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                why,
            )
        }
        Refusal::Other(problem) => {
            let error = match problem.http {
                StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
                http if http.is_server_error() => "server_error",
                _ => "invalid_request",
            };
            (problem.http, error, &problem.message)
        }
    }
}

/// How a refusal is counted.
pub fn outcome(refusal: &Refusal) -> Outcome {
    super::outcome(match refusal {
        Refusal::InvalidRequest(_) | Refusal::UnsupportedGrantType => Kind::Invalid,
        Refusal::InvalidClient { .. } => Kind::Unauthenticated,
        Refusal::Busy => Kind::Unavailable,
        Refusal::Other(problem) => of_status(problem.http),
    })
}

fn of_status(http: StatusCode) -> Kind {
    if http == StatusCode::SERVICE_UNAVAILABLE {
        Kind::Unavailable
    } else if http.is_server_error() {
        Kind::Internal
    } else {
        Kind::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_says_when_to_come_back() {
        let response = answer(&Refusal::Busy);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }

    #[test]
    fn a_failed_basic_authentication_names_its_scheme() {
        let response = answer(&Refusal::InvalidClient { basic: true });
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers().contains_key(WWW_AUTHENTICATE));
        let by_body = answer(&Refusal::InvalidClient { basic: false });
        assert!(!by_body.headers().contains_key(WWW_AUTHENTICATE));
    }
}
