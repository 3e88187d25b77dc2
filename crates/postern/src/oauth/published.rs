//! The signing keys in force, opened once and held ready.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use jsonwebtoken::DecodingKey;
use postern_core::{
    keyring::Keyring,
    model::{SigningKey, SigningState, Snapshot},
};
use serde_json::json;

/// Why a signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// It does not open under the keyring.
    #[error("signing key {0} does not open")]
    Sealed(String, #[source] postern_core::keyring::SealProblem),
    /// What was opened is no RSA key.
    #[error("signing key {0} is not an RSA key: {1}")]
    Malformed(String, aws_lc_rs::error::KeyRejected),
}

/// The signing keys as of the newest snapshot. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub struct SigningKeys(Arc<ArcSwap<Published>>);

impl SigningKeys {
    /// Opens the keys of a snapshot.
    ///
    /// # Errors
    /// When the active key does not open.
    pub fn open(snapshot: &Snapshot, keyring: &Keyring) -> Result<Self, KeyProblem> {
        let published = Published::open(snapshot, keyring)?;
        Ok(Self(Arc::new(ArcSwap::from_pointee(published))))
    }

    /// Follows a newer snapshot. Costs nothing when the keys are the same.
    ///
    /// # Errors
    /// As [`SigningKeys::open`]; the keys in force then stay.
    pub fn refresh(&self, snapshot: &Snapshot, keyring: &Keyring) -> Result<(), KeyProblem> {
        if self.0.load().source != snapshot.signing_keys {
            self.0.store(Arc::new(Published::open(snapshot, keyring)?));
        }
        Ok(())
    }

    /// Whether tokens of the key named `kid` are accepted at this moment.
    pub(super) fn accept(&self, kid: &str) -> bool {
        self.0.load().verifying(kid).is_some()
    }

    /// The keys at this moment.
    pub fn current(&self) -> Arc<Published> {
        self.0.load_full()
    }
}

/// One state of the keys.
pub struct Published {
    source: Vec<SigningKey>,
    active: Option<Active>,
    verifying: Vec<(String, DecodingKey)>,
    jwks: Bytes,
}

struct Active {
    /// The token's first part, encoded, with its dot.
    header: String,
    pair: RsaKeyPair,
}

impl Published {
    fn open(snapshot: &Snapshot, keyring: &Keyring) -> Result<Self, KeyProblem> {
        let keys = &snapshot.signing_keys;
        let active = keys.iter().find(|key| key.state == SigningState::Active);
        let verifying = keys.iter().map(|key| {
            let half = DecodingKey::from_rsa_raw_components(&key.modulus, &key.exponent);
            (key.kid.clone(), half)
        });
        Ok(Self {
            active: active.map(|key| Active::open(key, keyring)).transpose()?,
            verifying: verifying.collect(),
            jwks: jwks(keys),
            source: keys.clone(),
        })
    }

    /// The JWKS document (contract §6).
    pub fn jwks(&self) -> Bytes {
        self.jwks.clone()
    }

    /// The public half of the key named `kid`.
    pub fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        let mut named = self.verifying.iter();
        named.find(|(name, _)| name == kid).map(|(_, key)| key)
    }

    /// Signs claims (JSON) as a JWT; about 1 ms of a core. `None` without an active key.
    ///
    /// jsonwebtoken reads the private key anew for every token, which costs a good part of a
    /// signature; joining three encoded parts ourselves needs no library.
    pub fn sign(&self, claims: &[u8]) -> Option<String> {
        let Active { header, pair } = self.active.as_ref()?;
        let mut token = String::with_capacity(header.len() + 2 * claims.len() + 352);
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = signature_of(pair, token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "blinds the key's arithmetic; RS256 itself takes none"
)]
fn signature_of(pair: &RsaKeyPair, message: &[u8]) -> Option<Vec<u8>> {
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
        .ok()?;
    Some(signature)
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<_> = self.verifying.iter().map(|(kid, _)| kid).collect();
        write!(f, "Published({kids:?})")
    }
}

impl Active {
    fn open(key: &SigningKey, keyring: &Keyring) -> Result<Self, KeyProblem> {
        let document = keyring
            .open(&SigningKey::private_slot(&key.kid), &key.private)
            .map_err(|problem| KeyProblem::Sealed(key.kid.clone(), problem))?;
        let pair = RsaKeyPair::from_pkcs8(&document)
            .map_err(|rejected| KeyProblem::Malformed(key.kid.clone(), rejected))?;
        let header = json!({"alg": "RS256", "kid": key.kid, "typ": "JWT"}).to_string();
        let header = URL_SAFE_NO_PAD.encode(header) + ".";
        Ok(Self { header, pair })
    }
}

fn jwks(keys: &[SigningKey]) -> Bytes {
    let shown = SigningKey::listed(keys).into_iter().map(|key| {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid,
            "n": URL_SAFE_NO_PAD.encode(&key.modulus),
            "e": URL_SAFE_NO_PAD.encode(&key.exponent),
        })
    });
    json!({ "keys": shown.collect::<Vec<_>>() })
        .to_string()
        .into()
}
