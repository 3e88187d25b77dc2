//! The bodies of calls and answers, in both encodings.

use anyhow::Context;
use postern_proto::{
    google::rpc,
    scalekit::v1::{
        auth::passwordless::{
            ResendPasswordlessRequest, SendPasswordlessRequest, SendPasswordlessResponse,
            VerifyPasswordLessRequest, verify_password_less_request::AuthCredential,
        },
        errdetails::ErrorInfo,
    },
};
use prost::Message;
use serde::Deserialize;

use crate::door::Encoding;

/// One call that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Send,
    Resend,
    Verify,
    Token,
}

impl Verb {
    pub(crate) fn rest_path(self) -> &'static str {
        match self {
            Self::Send => "/api/v1/passwordless/email/send",
            Self::Resend => "/api/v1/passwordless/email/resend",
            Self::Verify => "/api/v1/passwordless/email/verify",
            Self::Token => "/oauth/token",
        }
    }

    /// The token endpoint has no gRPC form.
    pub(crate) fn grpc_path(self) -> &'static str {
        match self {
            Self::Send => {
                "/scalekit.v1.auth.passwordless.PasswordlessService/SendPasswordlessEmail"
            }
            Self::Resend => {
                "/scalekit.v1.auth.passwordless.PasswordlessService/ResendPasswordlessEmail"
            }
            Self::Verify => {
                "/scalekit.v1.auth.passwordless.PasswordlessService/VerifyPasswordlessEmail"
            }
            Self::Token => "/oauth/token",
        }
    }
}

pub(crate) fn send(encoding: Encoding, email: String) -> Vec<u8> {
    let message = SendPasswordlessRequest {
        email,
        ..SendPasswordlessRequest::default()
    };
    encoded(encoding, &message)
}

pub(crate) fn resend(encoding: Encoding, auth_request_id: &str) -> Vec<u8> {
    let message = ResendPasswordlessRequest {
        auth_request_id: auth_request_id.to_owned(),
    };
    encoded(encoding, &message)
}

pub(crate) fn verify(encoding: Encoding, auth_request_id: &str, code: &str) -> Vec<u8> {
    let message = VerifyPasswordLessRequest {
        auth_credential: Some(AuthCredential::Code(code.to_owned())),
        auth_request_id: Some(auth_request_id.to_owned()),
    };
    encoded(encoding, &message)
}

fn encoded<M: Message + serde::Serialize>(encoding: Encoding, message: &M) -> Vec<u8> {
    match encoding {
        Encoding::Json => serde_json::to_vec(message).expect("messages have a JSON form"),
        Encoding::Protobuf => message.encode_to_vec(),
    }
}

/// The `auth_request_id` of a send's answer.
pub(crate) fn auth_request_id(encoding: Encoding, answer: &[u8]) -> anyhow::Result<String> {
    let answer = match encoding {
        Encoding::Json => serde_json::from_slice(answer)?,
        Encoding::Protobuf => SendPasswordlessResponse::decode(answer)?,
    };
    Ok(answer.auth_request_id)
}

#[derive(Deserialize)]
struct RestError {
    error: Option<String>,
    #[serde(default)]
    details: Vec<RestDetail>,
}

#[derive(Deserialize)]
struct RestDetail {
    error_code: String,
}

/// The `error_code` of a refusal by REST or the token endpoint.
pub(crate) fn rest_error_code(status: u16, body: &[u8]) -> String {
    let told: Option<RestError> = serde_json::from_slice(body).ok();
    told.and_then(|told| {
        let detail = told
            .details
            .into_iter()
            .next()
            .map(|detail| detail.error_code);
        detail.or(told.error)
    })
    .unwrap_or_else(|| format!("HTTP {status}"))
}

/// The `error_code` in the details of a gRPC status.
pub(crate) fn grpc_error_code(code: u16, trailers: &http::HeaderMap) -> String {
    details(trailers).unwrap_or_else(|_| format!("gRPC {code}"))
}

fn details(trailers: &http::HeaderMap) -> anyhow::Result<String> {
    let value = trailers
        .get("grpc-status-details-bin")
        .context("no details")?;
    let value = tonic::metadata::BinaryMetadataValue::try_from(value.as_bytes())?;
    let status = rpc::Status::decode(value.to_bytes()?)?;
    let any = status.details.first().context("no detail")?;
    Ok(ErrorInfo::decode(any.value.as_slice())?.error_code)
}
