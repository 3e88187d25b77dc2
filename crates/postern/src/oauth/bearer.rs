//! Who calls: bearer tokens verified once, then remembered.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderMap, header::AUTHORIZATION};
use jsonwebtoken::{Algorithm, Validation};
use postern_core::{
    Error,
    model::{Caller, ClientId, Snapshot, Timestamp},
};
use quick_cache::sync::Cache;

use super::{SigningKeys, claims::Claims};

/// Tokens remembered at once; about 200 bytes each.
const REMEMBERED: usize = 10_000;
/// `authorization` values of one request that are looked at.
const TRIED: usize = 4;

const ABSENT: &str = "Token empty";
const WORTHLESS: &str = "the access token is invalid or expired: fetch a new one";

/// Verifies the bearer tokens of calls.
///
/// A token's signature is checked once; afterwards its digest finds it again. Expiry, and
/// whether its client and its key still exist, are asked at every call.
pub struct Bearers {
    keys: SigningKeys,
    remembered: Cache<[u8; 32], Verified>,
    validation: Validation,
}

#[derive(Clone)]
struct Verified {
    caller: Arc<Caller>,
    kid: Arc<str>,
    expires_at: Timestamp,
}

impl Bearers {
    /// Accepts tokens that one of `keys` signed for `issuer`.
    pub fn new(keys: SigningKeys, issuer: &str) -> Self {
        Self::remembering(REMEMBERED, keys, issuer)
    }

    fn remembering(most: usize, keys: SigningKeys, issuer: &str) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_aud = false;
        // By our own clock, and at every call.
        validation.validate_exp = false;
        Self {
            keys,
            remembered: Cache::new(most),
            validation,
        }
    }

    /// The caller, if any `authorization` value of the request is a valid bearer token: one SDK
    /// sends its newest token first and its oldest, by then stale, after it (contract §2).
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], which makes clients fetch a token and try again.
    pub fn caller(
        &self,
        headers: &HeaderMap,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Arc<Caller>, Error> {
        let mut offered = tokens(headers).take(TRIED).peekable();
        if offered.peek().is_none() {
            return Err(Error::Unauthenticated(ABSENT));
        }
        offered
            .find_map(|token| self.accept(token, snapshot, now))
            .ok_or(Error::Unauthenticated(WORTHLESS))
    }

    fn accept(&self, token: &str, snapshot: &Snapshot, now: Timestamp) -> Option<Arc<Caller>> {
        let name = digest_of(token);
        let verified = if let Some(verified) = self.remembered.get(&name) {
            verified
        } else {
            let verified = self.verify(token, now)?;
            self.remembered.insert(name, verified.clone());
            verified
        };
        let lives = now < verified.expires_at;
        let known = snapshot.clients.contains_key(&verified.caller.client);
        let signed = self.keys.accept(&verified.kid);
        (lives && known && signed).then_some(verified.caller)
    }

    fn verify(&self, token: &str, now: Timestamp) -> Option<Verified> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let keys = self.keys.current();
        let key = keys.verifying(&kid)?;
        let claims = jsonwebtoken::decode::<Claims<'static>>(token, key, &self.validation);
        let claims = claims.ok()?.claims;
        // A person's token names the client too, but speaks of the person.
        let of_client = claims.sub == claims.client_id;
        let begun = claims.nbf <= now.unix_seconds();
        let client = ClientId::parse(&claims.client_id)?;
        (of_client && begun).then(|| Verified {
            caller: Arc::new(Caller::new(client)),
            kid: kid.into(),
            expires_at: Timestamp::from_unix_seconds(claims.exp),
        })
    }
}

/// Every bearer token of the request; a proxy may have joined several values with commas.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(AUTHORIZATION)
        .into_iter()
        // Not `to_str`, which looks at each of a token's many bytes for what a signature check finds anyway.
        .filter_map(|value| str::from_utf8(value.as_bytes()).ok())
        .flat_map(|value| value.split(','))
        .filter_map(bearer)
        .filter(|token| !token.is_empty())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(super) fn digest_of(token: &str) -> [u8; 32] {
    let digest = digest(&SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use postern_core::keyring::{Keyring, RootSecret};
    use postern_core::model::{Client, SigningState};

    use super::*;
    use crate::oauth::keys;
    use crate::world::SystemEntropy;

    const ISSUER: &str = "https://auth.example.com";
    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    /// A server of one client that remembers at most so many tokens.
    struct Door {
        keys: SigningKeys,
        bearers: Bearers,
        snapshot: Snapshot,
        client: ClientId,
    }

    impl Door {
        fn remembering(most: usize) -> Self {
            let keyring = Keyring::new(&[(1, RootSecret::new([1; 32]))], 1).unwrap();
            let key = keys::make(SigningState::Active, &keyring, &SystemEntropy, NOW).unwrap();
            let client = ClientId::parse("skc_1").unwrap();
            let known = Client {
                id: client.clone(),
                name: "shop".to_owned(),
                created_at: NOW,
                secrets: Vec::new(),
            };
            let snapshot = Snapshot {
                signing_keys: vec![key],
                clients: [(client.clone(), known)].into(),
                ..Snapshot::default()
            };
            let keys = SigningKeys::open(&snapshot, &keyring).unwrap();
            Self {
                bearers: Bearers::remembering(most, keys.clone(), ISSUER),
                keys,
                snapshot,
                client,
            }
        }

        fn token(&self, number: usize) -> String {
            let claims = Claims::new(ISSUER, &self.client, format!("tkn_{number}"), NOW);
            let claims = serde_json::to_vec(&claims).unwrap();
            self.keys.current().sign(&claims).unwrap()
        }

        fn accepts(&self, token: &str) -> bool {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            headers.insert(AUTHORIZATION, value);
            self.bearers.caller(&headers, &self.snapshot, NOW).is_ok()
        }
    }

    #[test]
    fn a_flood_of_tokens_is_accepted_and_does_not_grow_what_is_remembered() {
        let door = Door::remembering(64);
        for number in 0..640 {
            assert!(door.accepts(&door.token(number)), "token {number}");
        }
        let held = door.bearers.remembered.len();
        assert!((1..=64).contains(&held), "{held} are remembered");
    }

    #[test]
    fn a_flood_of_forgeries_is_not_remembered_at_all() {
        let door = Door::remembering(64);
        let token = door.token(0);
        let (signed, _) = token.rsplit_once('.').unwrap();
        for number in 0..640 {
            assert!(!door.accepts(&format!("{signed}.{number}")));
        }
        assert_eq!(door.bearers.remembered.len(), 0);
    }
}
