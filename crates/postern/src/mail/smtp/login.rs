//! Logging in, by a password or by an access token.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::Auth;
use postern_core::model::SecretText;

use super::failure::Failure;
use super::tokens::{NoToken, Token, Tokens, sasl};
use crate::mail::{Matter, Stage};

/// How a client logs in to its server.
#[derive(Clone)]
pub enum Login {
    /// By name and password (AUTH PLAIN or LOGIN).
    Password(String, SecretText),
    /// By name and access token (AUTH XOAUTH2).
    Token(String, Tokens),
}

impl Login {
    /// Logs in.
    pub(super) async fn perform(&self, smtp: &mut AsyncSmtpConnection) -> Result<(), Failure> {
        match self {
            Self::Password(username, password) => {
                let credentials = Credentials::new(username.clone(), password.expose().to_owned());
                let done = smtp
                    .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                    .await;
                done.map(drop)
                    .map_err(|error| Failure::of(Stage::Auth, &error))
            }
            Self::Token(username, tokens) => by_token(smtp, username, tokens).await,
        }
    }

    /// Everything that a server might repeat of the login and that must not be passed on.
    pub(super) fn secrets(&self) -> Vec<String> {
        let (Self::Password(username, _) | Self::Token(username, _)) = self;
        let mut secrets = self.passwords();
        secrets.push(username.clone());
        secrets
    }

    /// The same without the name: what proves it, in every form in which it goes over the wire.
    pub(super) fn passwords(&self) -> Vec<String> {
        match self {
            Self::Password(username, password) => {
                let plain = format!("\0{username}\0{}", password.expose());
                vec![
                    BASE64_STANDARD.encode(plain),
                    BASE64_STANDARD.encode(password.expose()),
                    password.expose().to_owned(),
                ]
            }
            Self::Token(username, tokens) => tokens.secrets(username),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(..) => f.write_str("Password(…)"),
            Self::Token(_, tokens) => write!(f, "Token({tokens:?})"),
        }
    }
}

/// A token that was at hand may have been withdrawn: refused, it is fetched anew, once.
async fn by_token(
    smtp: &mut AsyncSmtpConnection,
    username: &str,
    tokens: &Tokens,
) -> Result<(), Failure> {
    if !smtp
        .server_info()
        .supports_auth_mechanism(Mechanism::Xoauth2)
    {
        return Err(Failure::misfit(
            Stage::Auth,
            "the server does not offer XOAUTH2",
        ));
    }
    let trouble = |none: NoToken| {
        Failure::connection(Stage::Auth, none.told).about(Some(Matter::Token(none.fault)))
    };
    let token = tokens.token(None).await.map_err(trouble)?;
    let refused = match offer(smtp, username, &token).await {
        Ok(()) => return Ok(()),
        Err(refused) => refused,
    };
    if token.fresh || !refused.is_final() {
        return Err(refused);
    }
    let token = tokens.token(Some(token.text)).await.map_err(trouble)?;
    offer(smtp, username, &token).await
}

async fn offer(
    smtp: &mut AsyncSmtpConnection,
    username: &str,
    token: &Token,
) -> Result<(), Failure> {
    let text = token.text.expose();
    let credentials = Credentials::new(username.to_owned(), text.to_owned());
    let sasl = BASE64_STANDARD.encode(sasl(username, &token.text));
    let failed = |error| Failure::of(Stage::Auth, &error).hiding(&[text, &sasl]);
    let auth = Auth::new(Mechanism::Xoauth2, credentials, None).map_err(failed)?;
    let answer = smtp.command(auth).await.map_err(failed)?;
    if answer.has_code(334) {
        // A server that refuses says first why, as a challenge, and then waits for an empty answer.
        smtp.command("\r\n").await.map_err(failed)?;
    }
    Ok(())
}
