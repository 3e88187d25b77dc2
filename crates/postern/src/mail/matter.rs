//! What an operator has to look at after an attempt that failed, where more is known of it than how far
//! the dialogue had come.

use crate::trust::Distrust;

/// What an operator has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// The mail server's certificate.
    Certificate(Distrust),
    /// The endpoint that access tokens come from.
    Token(TokenFault),
}

/// Why an endpoint gave no access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// No answer came.
    Unreached,
    /// Its certificate was not believed.
    Certificate(Distrust),
    /// It knows no such client, or does not let it.
    Refused,
    /// It failed itself.
    Down,
    /// It answered something that is no token of use.
    NoToken,
}

impl Matter {
    /// What to do about it.
    pub fn fix(self) -> String {
        match self {
            Self::Certificate(why) => why.fix().to_owned(),
            Self::Token(fault) => fault.fix(),
        }
    }
}

impl TokenFault {
    fn fix(self) -> String {
        let fix = match self {
            Self::Certificate(why) => {
                return format!(
                    "this is about the token endpoint's certificate: {}",
                    why.fix()
                );
            }
            Self::Unreached => {
                "see that the token URL (--token-url) is right, and that a firewall lets connections to its host out"
            }
            Self::Refused => {
                "see that client id (--client-id), client secret (--client-secret-file), tenant and scope are those of \
                 an application that may send mail, and that the secret has not expired there; then add the provider again"
            }
            Self::Down => "the endpoint is in trouble itself: try again in some minutes",
            Self::NoToken => {
                "see that the token URL (--token-url) is that of the endpoint for tokens, for the client credentials grant"
            }
        };
        fix.to_owned()
    }
}
