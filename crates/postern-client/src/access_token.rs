//! Access tokens: what to check of them, and what they say.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind};
use serde_json::{Map, Value};

use crate::error::BoxError;

/// What to check of an access token beyond its signature and expiry.
#[derive(Debug, Clone, Default)]
pub struct TokenChecks {
    issuer: Option<String>,
    audience: Option<String>,
}

/// What a valid access token says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AccessClaims {
    /// Whom the token is about.
    pub subject: Option<String>,
    /// The client it was given to.
    pub client_id: Option<String>,
    /// Who signed it.
    pub issuer: Option<String>,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires_at: SystemTime,
    /// Every claim as signed, those above among them.
    pub all: Map<String, Value>,
}

/// What is wrong with an access token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is no JWT signed with RS256, or lacks `kid` or `exp`.
    #[error("the token is malformed")]
    Malformed,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Another issuer than asked for.
    #[error("the token is of another issuer")]
    WrongIssuer,
    /// Another audience than asked for.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The signature is not the server's.
    #[error("the token's signature is invalid")]
    InvalidSignature,
    /// The server publishes no such key.
    #[error("the token is signed by a key that the server does not publish")]
    UnknownKey,
    /// The server's keys could not be read.
    #[error("the server's keys cannot be read: {0}")]
    KeysUnreadable(#[source] BoxError),
}

impl TokenChecks {
    /// Signature and expiry only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for this `iss`, exactly: the server's public URL without a trailing slash.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Asks for an `aud` that names this one among others.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp"]);
        validation.validate_aud = self.audience.is_some();
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        validation
    }
}

/// The key id of a token that may be checked at all.
pub(crate) fn key_id(token: &str) -> Result<String, TokenError> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
    if header.alg != Algorithm::RS256 {
        return Err(TokenError::Malformed);
    }
    header.kid.ok_or(TokenError::Malformed)
}

/// The claims of a token signed by `key`, if they pass `checks`.
pub(crate) fn check(
    token: &str,
    key: &DecodingKey,
    checks: &TokenChecks,
) -> Result<AccessClaims, TokenError> {
    let decoded = jsonwebtoken::decode(token, key, &checks.validation());
    AccessClaims::read(decoded.map_err(|error| wrong(error.kind()))?.claims)
}

impl AccessClaims {
    fn read(all: Map<String, Value>) -> Result<Self, TokenError> {
        let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned);
        let expires_at = all.get("exp").and_then(Value::as_u64).and_then(at);
        Ok(Self {
            subject: text("sub"),
            client_id: text("client_id"),
            issuer: text("iss"),
            audience: one_or_many(all.get("aud")),
            scopes: match all.get("scopes") {
                Some(scopes) => one_or_many(Some(scopes)),
                None => text("scope")
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect(),
            },
            expires_at: expires_at.ok_or(TokenError::Malformed)?,
            all,
        })
    }
}

fn at(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn one_or_many(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn wrong(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYetValid,
        ErrorKind::InvalidIssuer => TokenError::WrongIssuer,
        ErrorKind::InvalidAudience => TokenError::WrongAudience,
        ErrorKind::InvalidSignature => TokenError::InvalidSignature,
        _ => TokenError::Malformed,
    }
}
