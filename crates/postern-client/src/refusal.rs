//! What a server says when it does not do a call.

use std::{fmt, time::Duration};

use postern_proto::{ERROR_INFO_TYPE_URL, google::rpc, scalekit::v1::errdetails::ErrorInfo};
use prost::Message;
use tonic::{Code, Status};

/// A server's no: its code, its message and what it told beside them.
///
/// `Display` is the message, a sentence meant for a developer's log or, most often, for the
/// person.
#[derive(Clone)]
pub struct Refusal(Box<Told>);

#[derive(Clone)]
struct Told {
    grpc_code: Code,
    error_code: String,
    message: String,
    retry_after: Option<Duration>,
    violations: Vec<FieldViolation>,
}

/// One field of a request that breaks a rule of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldViolation {
    /// The field's name on the wire, in snake_case.
    pub field: String,
    /// A sentence for the developer.
    pub description: String,
    /// The rule that failed, such as `required`.
    pub constraint: String,
}

impl Refusal {
    /// The server's message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The stable machine code, such as `INVALID_CODE`. Where a server sends none, the name of
    /// its gRPC code.
    pub fn error_code(&self) -> &str {
        &self.0.error_code
    }

    /// The number of the gRPC status code, 1 to 16.
    pub fn grpc_code(&self) -> i32 {
        self.0.grpc_code.into()
    }

    /// How long to wait before the same call can succeed, in whole seconds, where the server
    /// tells.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many different wrong codes the auth request still survives, where the server tells.
    pub fn attempts_left(&self) -> Option<u32> {
        attempts_left(&self.0.message)
    }

    /// The offending fields of an invalid request.
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// What `status` says, as the peer sent it.
    pub(crate) fn from_status(status: &Status) -> Self {
        let info = error_info(status.details());
        let code = info.as_ref().map(|info| info.error_code.clone());
        Self(Box::new(Told {
            grpc_code: status.code(),
            error_code: code
                .filter(|code| !code.is_empty())
                .unwrap_or_else(|| name_of(status.code()).to_owned()),
            message: status.message().to_owned(),
            retry_after: wait_in_metadata(status).or_else(|| wait_in(status.message())),
            violations: info.map(violations).unwrap_or_default(),
        }))
    }

    /// A refusal by plain HTTP, such as the token endpoint's.
    pub(crate) fn new(grpc_code: Code, error_code: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Told {
            grpc_code,
            error_code: error_code.to_owned(),
            message: message.into(),
            retry_after: None,
            violations: Vec::new(),
        }))
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("error_code", &self.0.error_code)
            .field("message", &self.0.message)
            .field("retry_after", &self.0.retry_after)
            .field("violations", &self.0.violations)
            .finish_non_exhaustive()
    }
}

/// The first `ErrorInfo` of the details, as the other SDKs read them.
fn error_info(details: &[u8]) -> Option<ErrorInfo> {
    let status = rpc::Status::decode(details).ok()?;
    let any = status
        .details
        .into_iter()
        .find(|any| any.type_url == ERROR_INFO_TYPE_URL)?;
    ErrorInfo::decode(any.value.as_slice()).ok()
}

fn violations(info: ErrorInfo) -> Vec<FieldViolation> {
    let fields = info.validation_error_info.map(|info| info.field_violations);
    fields
        .unwrap_or_default()
        .into_iter()
        .map(|violation| FieldViolation {
            field: violation.field,
            description: violation.description,
            constraint: violation.constraint,
        })
        .collect()
}

fn wait_in_metadata(status: &Status) -> Option<Duration> {
    let seconds = status.metadata().get("retry-after")?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// The number in "… try again in 12 seconds", where gRPC carries no header of its own for it.
fn wait_in(message: &str) -> Option<Duration> {
    let (before, _) = message.split_once(" second")?;
    last_number(before).map(|seconds| Duration::from_secs(seconds.into()))
}

/// The number in "… 4 attempts left" or "no attempts are left".
fn attempts_left(message: &str) -> Option<u32> {
    let (before, after) = message.split_once(" attempt")?;
    if !after.contains("left") && !after.contains("remaining") {
        return None;
    }
    if before.ends_with("no") {
        Some(0)
    } else {
        last_number(before)
    }
}

fn last_number(text: &str) -> Option<u32> {
    text.rsplit(' ').next()?.parse().ok()
}

/// The name of a gRPC code, which is the `error_code` where no other is told.
fn name_of(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attempts_left_are_read_from_the_message() {
        assert_eq!(
            attempts_left("the code is invalid: 4 attempts left"),
            Some(4)
        );
        assert_eq!(
            attempts_left("the code is invalid: 1 attempt left"),
            Some(1)
        );
        assert_eq!(
            attempts_left("invalid, and no attempts are left: ask again"),
            Some(0)
        );
        assert_eq!(attempts_left("too many attempts: request a new code"), None);
    }

    #[test]
    fn the_wait_is_read_from_the_message_when_no_header_tells_it() {
        let told = "rate limit exceeded: too many mails, try again in 12 seconds";
        assert_eq!(wait_in(told), Some(Duration::from_secs(12)));
        assert_eq!(wait_in("try again in a few seconds"), None);
        assert_eq!(wait_in("too many attempts: request a new code"), None);
    }
}
