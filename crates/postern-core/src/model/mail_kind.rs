use super::{Method, Template};

/// Which mail: what it is for and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailKind {
    /// Signing in by code.
    SigninOtp,
    /// Signing in by link.
    SigninLink,
    /// Signing in by either.
    SigninLinkOtp,
    /// Signing up by code.
    SignupOtp,
    /// Signing up by link.
    SignupLink,
    /// Signing up by either.
    SignupLinkOtp,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::SigninOtp,
        Self::SigninLink,
        Self::SigninLinkOtp,
        Self::SignupOtp,
        Self::SignupLink,
        Self::SignupLinkOtp,
    ];

    /// The mail for a request of this method and wording; a sign-in unless it says otherwise.
    pub fn of(method: Method, template: Option<Template>) -> Self {
        let signup = template == Some(Template::Signup);
        match (method, signup) {
            (Method::Otp, false) => Self::SigninOtp,
            (Method::Link, false) => Self::SigninLink,
            (Method::LinkOtp, false) => Self::SigninLinkOtp,
            (Method::Otp, true) => Self::SignupOtp,
            (Method::Link, true) => Self::SignupLink,
            (Method::LinkOtp, true) => Self::SignupLinkOtp,
        }
    }

    /// What it carries.
    pub fn method(self) -> Method {
        match self {
            Self::SigninOtp | Self::SignupOtp => Method::Otp,
            Self::SigninLink | Self::SignupLink => Method::Link,
            Self::SigninLinkOtp | Self::SignupLinkOtp => Method::LinkOtp,
        }
    }

    /// Its name, which is also the stem of its files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SigninOtp => "signin_otp",
            Self::SigninLink => "signin_link",
            Self::SigninLinkOtp => "signin_link_otp",
            Self::SignupOtp => "signup_otp",
            Self::SignupLink => "signup_link",
            Self::SignupLinkOtp => "signup_link_otp",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it is for making an account, rather than for signing in to one.
    pub fn is_signup(self) -> bool {
        matches!(
            self,
            Self::SignupOtp | Self::SignupLink | Self::SignupLinkOtp
        )
    }
}
