//! The life of signing keys: made, published, promoted, retired, gone.
//!
//! Clients fetch `/keys` once in their life and never again (contract §6), so a key is published
//! long before it signs: from the first start there is a standby beside the active one, and
//! rotation promotes it.

use std::time::Duration;

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    error::Unspecified,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RsaPublicKeyComponents},
};
use postern_core::{
    Error,
    keyring::Keyring,
    model::{SigningKey, SigningState, Snapshot, Timestamp},
    ports::{Amendment, Entropy, random},
};

/// How long a retired key stays published: a day, which no token outlives, and an hour of slack.
pub const RETIRED_KEPT: Duration = Duration::from_hours(25);

/// Makes an RSA key of 2048 bits in the given state, its private half sealed.
///
/// Takes 50 to 300 ms of a core: never on the path of a call.
///
/// # Errors
/// When the library cannot make a key, which has no known cause.
pub fn make(
    state: SigningState,
    keyring: &Keyring,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<SigningKey, Unspecified> {
    let pair = KeyPair::generate(KeySize::Rsa2048)?;
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let private: Pkcs8V1Der<'_> = pair.as_der()?;
    let kid = format!("snk_{:020}", u64::from_be_bytes(random(entropy)));
    let sealed = keyring.seal(
        &SigningKey::private_slot(&kid),
        private.as_ref(),
        random(entropy),
    );
    Ok(SigningKey {
        kid,
        state,
        private: sealed,
        modulus: public.n,
        exponent: public.e,
        created_at: now,
        retired_at: None,
    })
}

/// Which keys a store still needs: an active one and a standby.
pub fn wanted(snapshot: &Snapshot) -> Vec<SigningState> {
    [SigningState::Active, SigningState::Standby]
        .into_iter()
        .filter(|state| !snapshot.signing_keys.iter().any(|key| key.state == *state))
        .collect()
}

/// Promotes the oldest standby to active, retires the active key, and publishes `fresh` as the
/// next standby. Without a standby nothing is promoted: `fresh` has to become known first.
pub fn rotate(snapshot: &Snapshot, fresh: SigningKey, now: Timestamp) -> Vec<Amendment> {
    let keys = &snapshot.signing_keys;
    let mut changed = vec![SigningKey {
        state: SigningState::Standby,
        ..fresh
    }];
    if let Some(next) = keys.iter().find(|key| key.state == SigningState::Standby) {
        let active = keys.iter().filter(|key| key.state == SigningState::Active);
        changed.extend(active.cloned().map(|key| SigningKey {
            state: SigningState::Retired,
            retired_at: Some(now),
            ..key
        }));
        changed.push(SigningKey {
            state: SigningState::Active,
            ..next.clone()
        });
    }
    changed.into_iter().map(Amendment::PutSigningKey).collect()
}

/// Drops the key named `kid` at once; `fresh` takes its place if it was the standby.
///
/// # Errors
/// There is no such key, or it is the one that signs.
pub fn drop(snapshot: &Snapshot, kid: &str, fresh: SigningKey) -> Result<Vec<Amendment>, Error> {
    let refused = |told: String| Err(Error::invalid("kid", "droppable", told));
    let Some(key) = snapshot.signing_keys.iter().find(|key| key.kid == kid) else {
        return refused(format!("there is no signing key {kid:?}"));
    };
    let mut amendments = vec![Amendment::DropSigningKey(kid.to_owned())];
    match key.state {
        SigningState::Active => {
            return refused(format!(
                "signing key {kid} signs new tokens: run `postern keys signing rotate` first"
            ));
        }
        SigningState::Standby => amendments.push(Amendment::PutSigningKey(fresh)),
        SigningState::Retired => {}
    }
    Ok(amendments)
}

/// Retired keys that no living token names any more.
pub fn outlived(snapshot: &Snapshot, now: Timestamp) -> Vec<Amendment> {
    let keys = snapshot.signing_keys.iter();
    keys.filter(|key| {
        key.retired_at
            .is_some_and(|at| now.since(at) > RETIRED_KEPT)
    })
    .map(|key| Amendment::DropSigningKey(key.kid.clone()))
    .collect()
}
