//! A problem as gRPC shows it: a trailers-only answer with an `ErrorInfo`.

use axum::{body::Body, response::Response};
use http::{HeaderValue, header::RETRY_AFTER};
use postern_core::error::Violation;
use postern_proto::{
    ERROR_INFO_TYPE_URL,
    google::rpc,
    scalekit::v1::errdetails::{
        ErrorInfo, RequestInfo, ValidationErrorInfo, validation_error_info::FieldViolation,
    },
};
use prost::Message as _;
use tonic::Status;

use super::Problem;

/// Bytes of encoded violations in a trailer, before base64.
const VIOLATIONS_LIMIT: usize = 2400;
/// Characters of a violation's field and description, which may hold what the caller sent.
const TEXT_LIMIT: usize = 200;

/// Status, message and details in the header block, no body (contract §1.11).
pub fn answer(problem: &Problem) -> Response {
    let mut response = status(problem).into_http::<Body>();
    if let Some(seconds) = problem.retry_after {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The problem as tonic's status; code and message of the details equal its own (contract §1.12).
pub fn status(problem: &Problem) -> Status {
    let details = rpc::Status {
        code: problem.code as i32,
        message: problem.message.clone(),
        details: vec![prost_types::Any {
            type_url: ERROR_INFO_TYPE_URL.to_owned(),
            value: error_info(problem, VIOLATIONS_LIMIT).encode_to_vec(),
        }],
    };
    let details = details.encode_to_vec().into();
    Status::with_details(problem.code, &problem.message, details)
}

/// The one detail we send, with at most `limit` bytes of violations.
pub(super) fn error_info(problem: &Problem, limit: usize) -> ErrorInfo {
    let request_info = problem.request_id.map(|id| RequestInfo {
        request_id: id.to_string(),
        serving_data: String::new(),
    });
    ErrorInfo {
        error_code: problem.error_code.to_owned(),
        request_info,
        validation_error_info: violations(&problem.violations, limit),
        ..ErrorInfo::default()
    }
}

fn violations(all: &[Violation], limit: usize) -> Option<ValidationErrorInfo> {
    if all.is_empty() {
        return None;
    }
    let mut room = limit;
    let mut info = ValidationErrorInfo::default();
    for violation in all {
        let shown = FieldViolation {
            field: clipped(&violation.field),
            description: clipped(&violation.description),
            constraint: violation.constraint.to_owned(),
        };
        let size = shown.encoded_len() + 4;
        if size > room {
            break;
        }
        room -= size;
        info.field_violations.push(shown);
    }
    Some(info)
}

fn clipped(text: &str) -> String {
    text.chars().take(TEXT_LIMIT).collect()
}
