//! What the server answers.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use postern_proto::scalekit::v1::auth::passwordless as wire;

use crate::Template;

/// What was mailed, or what a person signed in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasswordlessType {
    /// A code.
    Otp,
    /// A link.
    Link,
    /// A code and a link.
    LinkOtp,
    /// A kind that this version of the crate does not know.
    Unknown,
}

/// The answer to a send or a resend.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// Names the auth request in verify and resend. It is a capability: keep it in the person's
    /// session, out of logs and pages.
    pub auth_request_id: String,
    /// When the code or link stops to be valid, by the server's clock, in whole seconds.
    pub expires_at: SystemTime,
    /// How long it stays valid, in whole seconds.
    pub expires_in: Duration,
    /// What the mail carries.
    pub passwordless_type: PasswordlessType,
}

/// The answer to a verify: the address is this person's.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The address as it was given to send.
    pub email: String,
    /// The `state` given to send.
    pub state: Option<String>,
    /// The wording given to send.
    pub template: Option<Template>,
    /// Which proof was accepted: [`PasswordlessType::Otp`] or [`PasswordlessType::Link`].
    pub passwordless_type: PasswordlessType,
}

/// Leaves the capability out.
impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent")
            .field("expires_at", &self.expires_at)
            .field("expires_in", &self.expires_in)
            .field("passwordless_type", &self.passwordless_type)
            .finish_non_exhaustive()
    }
}

/// Leaves the person and the caller's state out.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("template", &self.template)
            .field("passwordless_type", &self.passwordless_type)
            .finish_non_exhaustive()
    }
}

impl From<wire::SendPasswordlessResponse> for Sent {
    fn from(answer: wire::SendPasswordlessResponse) -> Self {
        let passwordless_type = type_from_wire(answer.passwordless_type());
        Self {
            auth_request_id: answer.auth_request_id,
            expires_at: UNIX_EPOCH
                + Duration::from_secs(u64::try_from(answer.expires_at).unwrap_or(0)),
            expires_in: Duration::from_secs(answer.expires_in.into()),
            passwordless_type,
        }
    }
}

impl From<wire::VerifyPasswordLessResponse> for Verified {
    fn from(answer: wire::VerifyPasswordLessResponse) -> Self {
        Self {
            template: match answer.template() {
                wire::TemplateType::Signin => Some(Template::SignIn),
                wire::TemplateType::Signup => Some(Template::SignUp),
                wire::TemplateType::Unspecified => None,
            },
            passwordless_type: type_from_wire(answer.passwordless_type()),
            email: answer.email,
            state: answer.state,
        }
    }
}

fn type_from_wire(wire: wire::PasswordlessType) -> PasswordlessType {
    match wire {
        wire::PasswordlessType::Otp => PasswordlessType::Otp,
        wire::PasswordlessType::Link => PasswordlessType::Link,
        wire::PasswordlessType::LinkOtp => PasswordlessType::LinkOtp,
        wire::PasswordlessType::Unspecified => PasswordlessType::Unknown,
    }
}
