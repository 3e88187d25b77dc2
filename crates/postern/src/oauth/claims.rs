//! What an access token of a client says (contract §1.16-17, §6).

use std::borrow::Cow;

use postern_core::model::{ClientId, Timestamp};
use serde::{Deserialize, Serialize};

/// Seconds that an access token of a client lives.
pub const LIFETIME: i64 = 86_399;
/// Seconds that `iat` and `nbf` lie in the past: some clients allow for no clock skew at all.
const BACK_DATED: i64 = 5;

/// The claims of a client's access token. `aud` is an array; `sub` and `jti` are strings.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims<'a> {
    /// The public URL of the server, with no slash at the end.
    pub iss: Cow<'a, str>,
    /// Whom it is for: the client itself.
    pub aud: Vec<Cow<'a, str>>,
    /// Whom it speaks of: the client itself, and never a person.
    pub sub: Cow<'a, str>,
    /// The client.
    pub client_id: Cow<'a, str>,
    /// Unix seconds after which it is worthless.
    pub exp: i64,
    /// Unix seconds of issue, back-dated.
    pub iat: i64,
    /// Unix seconds before which it is worthless, back-dated.
    pub nbf: i64,
    /// Unique name of the token, `tkn_…`.
    pub jti: Cow<'a, str>,
}

impl<'a> Claims<'a> {
    /// The claims of a token that `client` gets at `now`; `jti` must be new.
    pub(super) fn new(issuer: &'a str, client: &'a ClientId, jti: String, now: Timestamp) -> Self {
        let now = now.unix_seconds();
        let client = Cow::Borrowed(client.as_str());
        Self {
            iss: Cow::Borrowed(issuer),
            aud: vec![client.clone()],
            sub: client.clone(),
            client_id: client,
            exp: now + LIFETIME,
            iat: now - BACK_DATED,
            nbf: now - BACK_DATED,
            jti: Cow::Owned(jti),
        }
    }
}
