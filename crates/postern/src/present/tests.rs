//! The table, error by error.

use std::time::Duration;

use http::header::RETRY_AFTER;
use postern_proto::google::rpc;
use prost::Message as _;

use super::*;

fn id() -> RequestId {
    crate::listen::RequestContext::of(&http::Extensions::new()).id
}

/// Every error with the gRPC and HTTP status that the table gives it.
fn every_error() -> [(Error, i32, u16); 18] {
    let cause = || "the disk is on fire".into();
    let limited = Error::RateLimited {
        what: "mails to this address",
        retry_after: Duration::from_millis(41_001),
    };
    [
        (
            Error::invalid("email", "required", "email is required"),
            3,
            400,
        ),
        (Error::InvalidCode { attempts_left: 3 }, 3, 400),
        (Error::InvalidLink, 3, 400),
        (Error::OtherBrowser, 3, 400),
        (Error::AuthRequestExpired, 9, 400),
        (Error::AuthRequestUsed, 9, 400),
        (Error::LinkSuperseded, 9, 400),
        (Error::CodeSuperseded, 9, 400),
        (Error::StartAgain, 9, 400),
        (Error::AuthRequestNotFound, 5, 404),
        (limited, 8, 429),
        (Error::TooManyAttempts, 8, 429),
        (Error::MethodDisabled, 9, 400),
        (Error::MailNotConfigured, 9, 400),
        (Error::Unauthenticated("no"), 16, 401),
        (Error::Unavailable(None), 14, 503),
        (Error::Unknown(cause()), 13, 500),
        (Error::Internal(cause()), 13, 500),
    ]
}

#[test]
fn every_error_has_the_status_of_the_table_at_both_doors() {
    for (error, code, http) in every_error() {
        let (name, problem) = (error.code(), Problem::new(error, id()));
        let status = grpc::status(&problem);
        assert_eq!(
            (status.code() as i32, problem.http.as_u16()),
            (code, http),
            "{name}"
        );
        let details = rpc::Status::decode(status.details()).unwrap();
        assert_eq!(
            (details.code, &*details.message),
            (code, status.message()),
            "{name}"
        );
        let body: serde_json::Value = serde_json::from_slice(&rest::body(&problem)).unwrap();
        assert_eq!(body["code"], code);
        assert_eq!(body["message"], status.message());
        assert_eq!(body["details"][0]["error_code"], name);
    }
}

#[test]
fn only_a_wait_that_helps_is_told_in_whole_seconds_and_in_words() {
    for (error, ..) in every_error() {
        let problem = Problem::new(error, id());
        let told = rest::answer(&problem).headers().get(RETRY_AFTER).cloned();
        let over_grpc = grpc::answer(&problem).headers().get(RETRY_AFTER).cloned();
        assert_eq!(told, over_grpc);
        if problem.error_code == "RATE_LIMITED" {
            assert_eq!(told.unwrap(), "42");
            assert!(
                problem.message.contains("rate limit") && problem.message.contains("42 seconds")
            );
        } else {
            assert_eq!(told, None, "{}", problem.error_code);
        }
    }
}

#[test]
fn a_fault_of_ours_shows_its_request_and_hides_its_cause() {
    let problem = Problem::new(Error::Internal("the disk is on fire".into()), id());
    let body = String::from_utf8(rest::body(&problem)).unwrap();
    assert!(!body.contains("fire"));
    assert_eq!(
        body.matches(id().as_str()).count(),
        2,
        "in the message and as a detail"
    );
}

#[test]
fn a_message_is_bounded_and_holds_no_control_character() {
    let problem = Problem::malformed("a\nb".repeat(1000));
    assert_eq!(problem.message.chars().count(), MESSAGE_LIMIT + 1);
    assert!(!problem.message.contains('\n'));
    assert_eq!(Problem::malformed("a\nb").message, "ab");
    let wide = Problem::malformed("🔥".repeat(1000));
    assert_eq!(wide.message.chars().count(), MESSAGE_LIMIT / 12 + 1);
}
