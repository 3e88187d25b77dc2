//! What a caller asks for.

use std::{collections::HashMap, fmt, time::Duration};

use postern_proto::scalekit::v1::auth::passwordless as wire;

/// Which wording the mail uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Template {
    /// For a person who comes back.
    SignIn,
    /// For a person who is new.
    SignUp,
}

/// A mail to send: a code, a link or both, as the server's settings say.
///
/// Only the address is required. The server checks every field and names each offending one in
/// [`Error::InvalidArgument`](crate::Error::InvalidArgument).
#[derive(Clone)]
pub struct SendRequest {
    email: String,
    template: Option<Template>,
    magiclink_auth_uri: Option<String>,
    state: Option<String>,
    expires_in: Option<Duration>,
    variables: HashMap<String, String>,
}

impl SendRequest {
    /// A mail to `email`: one address, 1 to 320 characters.
    pub fn new(email: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            template: None,
            magiclink_auth_uri: None,
            state: None,
            expires_in: None,
            variables: HashMap::new(),
        }
    }

    /// Chooses the wording of the mail.
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.template = Some(template);
        self
    }

    /// Where the link leads: an absolute URI of at most 1000 characters, to which the server adds
    /// `link_token`. Required when the server mails links.
    #[must_use]
    pub fn magiclink_auth_uri(mut self, uri: impl Into<String>) -> Self {
        self.magiclink_auth_uri = Some(uri.into());
        self
    }

    /// A text of 1 to 1000 characters that the verify answer gives back unread.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// How long the code or link stays valid: whole seconds, 60 to 3600 on Postern. Unset means
    /// the server's setting.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Adds a variable of the mail's template: name 2 to 25 characters, value at most 256, and at
    /// most 30 of them. A second value for one name replaces the first.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub(crate) fn into_wire(self) -> wire::SendPasswordlessRequest {
        wire::SendPasswordlessRequest {
            email: self.email,
            template: self.template.map(template_to_wire),
            magiclink_auth_uri: self.magiclink_auth_uri,
            state: self.state,
            expires_in: self.expires_in.map(whole_seconds),
            template_variables: self.variables.into_iter().collect(),
        }
    }
}

/// Leaves out everything but what cannot identify a person.
impl fmt::Debug for SendRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRequest")
            .field("template", &self.template)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// A proof to check: a typed code, or the token of an opened link.
#[derive(Clone)]
pub struct VerifyRequest {
    credential: wire::verify_password_less_request::AuthCredential,
    auth_request_id: Option<String>,
}

impl VerifyRequest {
    /// The code a person typed, with the `auth_request_id` that the send answered.
    pub fn code(auth_request_id: impl Into<String>, code: impl Into<String>) -> Self {
        Self {
            credential: wire::verify_password_less_request::AuthCredential::Code(code.into()),
            auth_request_id: Some(auth_request_id.into()),
        }
    }

    /// The `link_token` of an opened link.
    ///
    /// Where the server enforces the same browser, add the `auth_request_id` that this browser's
    /// session holds with [`auth_request_id`](Self::auth_request_id).
    pub fn link(link_token: impl Into<String>) -> Self {
        Self {
            credential: wire::verify_password_less_request::AuthCredential::LinkToken(
                link_token.into(),
            ),
            auth_request_id: None,
        }
    }

    /// Says which auth request the proof belongs to.
    #[must_use]
    pub fn auth_request_id(mut self, id: impl Into<String>) -> Self {
        self.auth_request_id = Some(id.into());
        self
    }

    pub(crate) fn into_wire(self) -> wire::VerifyPasswordLessRequest {
        wire::VerifyPasswordLessRequest {
            auth_credential: Some(self.credential),
            auth_request_id: self.auth_request_id,
        }
    }
}

/// Prints no part of the proof.
impl fmt::Debug for VerifyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyRequest").finish_non_exhaustive()
    }
}

fn template_to_wire(template: Template) -> i32 {
    let template = match template {
        Template::SignIn => wire::TemplateType::Signin,
        Template::SignUp => wire::TemplateType::Signup,
    };
    template.into()
}

/// Past what the field holds the server refuses any value alike.
fn whole_seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}
