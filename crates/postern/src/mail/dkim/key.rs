//! Keys that sign mails: made, sealed, opened.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use postern_core::flow::DkimName;
use postern_core::keyring::Keyring;
use postern_core::model::{DkimAlgorithm, DkimKey, Timestamp};
use postern_core::ports::{Entropy, random};
use zeroize::Zeroizing;

/// Makes a key, its private half sealed. For RSA that takes 50 to 300 ms of a core.
///
/// # Errors
/// When the library cannot make a key, which has no known cause.
pub fn make_dkim_key(
    name: &DkimName,
    algorithm: DkimAlgorithm,
    keyring: &Keyring,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<DkimKey, Unspecified> {
    let (private, public) = match algorithm {
        DkimAlgorithm::Rsa => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
            let private: Pkcs8V1Der<'_> = pair.as_der()?;
            let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
            (
                Zeroizing::new(private.as_ref().to_vec()),
                public.as_ref().to_vec(),
            )
        }
        DkimAlgorithm::Ed25519 => {
            let seed = Zeroizing::new(random::<32>(entropy));
            let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| Unspecified)?;
            let private: Pkcs8V1Der<'_> = pair.as_der()?;
            let public = pair.public_key().as_ref().to_vec();
            (Zeroizing::new(private.as_ref().to_vec()), public)
        }
    };
    let record = DkimKey::name_of(name.domain(), name.selector());
    Ok(DkimKey {
        domain: name.domain().to_owned(),
        selector: name.selector().to_owned(),
        algorithm,
        private: keyring.seal(&DkimKey::private_slot(&record), &private, random(entropy)),
        public,
        created_at: now,
    })
}

/// A private key, open in memory.
pub(super) enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    /// Opens the private half of a key.
    ///
    /// # Errors
    /// Why it cannot be used, in words for a log.
    pub(super) fn open(key: &DkimKey, keyring: &Keyring) -> Result<Self, String> {
        let name = key.record_name();
        let opened = keyring.open(&DkimKey::private_slot(&name), &key.private);
        let opened = opened.map_err(|problem| problem.to_string())?;
        Self::read(key.algorithm, &opened)
    }

    /// Reads a PKCS#8 document.
    pub(super) fn read(algorithm: DkimAlgorithm, pkcs8: &[u8]) -> Result<Self, String> {
        let read = match algorithm {
            DkimAlgorithm::Rsa => RsaKeyPair::from_pkcs8(pkcs8).map(Box::new).map(Self::Rsa),
            DkimAlgorithm::Ed25519 => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map(Self::Ed25519)
            }
        };
        read.map_err(|rejected| rejected.to_string())
    }

    /// The `a=` tag of what it signs.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// Signs; about 1 ms of a core for RSA.
    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &no_randomness(), text, &mut signature)?;
                Ok(signature)
            }
            // RFC 8463 §3: what is signed is the hash.
            Self::Ed25519(pair) => {
                let hash = digest(&SHA256, text);
                Ok(pair.try_sign(hash.as_ref())?.as_ref().to_vec())
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the signature takes one by its type and draws nothing from it: PKCS#1 v1.5 is deterministic"
)]
fn no_randomness() -> SystemRandom {
    SystemRandom::new()
}
