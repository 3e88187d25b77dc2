use std::fmt;

use aws_lc_rs::hkdf::{self, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// The 32 bytes of a root.
#[derive(Clone)]
pub struct RootSecret(Zeroizing<[u8; 32]>);

impl RootSecret {
    /// Wraps 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for writing the keyring file; for nothing else.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootSecret(…)")
    }
}

/// Why a list of roots is no keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringProblem {
    /// Kid 0, which no credential can name.
    #[error("a root key has the number 0: use 1 to 255")]
    Zero,
    /// Two roots with one kid.
    #[error("two root keys have the number {0}")]
    Twice(u8),
    /// The current kid has no root.
    #[error("there is no root key {0}, which is to be current")]
    NoCurrent(u8),
}

/// The roots in force and the keys derived from them.
pub struct Keyring {
    roots: Vec<Root>,
    current: u8,
}

/// The keys of one root, one for each label.
pub(super) struct Root {
    pub(super) kid: u8,
    pub(super) request: hmac::Key,
    pub(super) code: hmac::Key,
    pub(super) link: hmac::Key,
    pub(super) page: hmac::Key,
    pub(super) wrong: hmac::Key,
    pub(super) address: hmac::Key,
    pub(super) seal: Prk,
}

impl Keyring {
    /// A keyring of these roots, of which `current` issues.
    ///
    /// # Errors
    /// A kid that is 0, double or missing.
    pub fn new(roots: &[(u8, RootSecret)], current: u8) -> Result<Self, KeyringProblem> {
        for (at, (kid, _)) in roots.iter().enumerate() {
            if *kid == 0 {
                return Err(KeyringProblem::Zero);
            }
            if roots[..at].iter().any(|(other, _)| other == kid) {
                return Err(KeyringProblem::Twice(*kid));
            }
        }
        if !roots.iter().any(|(kid, _)| *kid == current) {
            return Err(KeyringProblem::NoCurrent(current));
        }
        Ok(Self {
            roots: roots
                .iter()
                .map(|(kid, secret)| Root::derive(*kid, secret))
                .collect(),
            current,
        })
    }

    /// The kid that new credentials and seals name.
    pub fn current_kid(&self) -> u8 {
        self.current
    }

    /// Every kid that is accepted, the current one among them.
    pub fn kids(&self) -> Vec<u8> {
        self.roots.iter().map(|root| root.kid).collect()
    }

    pub(super) fn current(&self) -> &Root {
        self.root(self.current)
            .expect("Keyring::new checked that the current root exists")
    }

    pub(super) fn root(&self, kid: u8) -> Option<&Root> {
        self.roots.iter().find(|root| root.kid == kid)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Keyring(kids {:?}, current {})",
            self.kids(),
            self.current
        )
    }
}

impl Root {
    fn derive(kid: u8, secret: &RootSecret) -> Self {
        let prk = Salt::new(hkdf::HKDF_SHA256, b"postern root").extract(secret.expose());
        let key = |label: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, &*expand(&prk, &[label]));
        Self {
            kid,
            request: key(b"request"),
            code: key(b"code"),
            link: key(b"link"),
            page: key(b"page"),
            wrong: key(b"wrong"),
            address: key(b"address"),
            seal: Prk::new_less_safe(hkdf::HKDF_SHA256, &*expand(&prk, &[b"seal"])),
        }
    }
}

struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

/// HKDF-Expand to 32 bytes.
pub(super) fn expand(prk: &Prk, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    prk.expand(info, Len32)
        .and_then(|okm| okm.fill(&mut *out))
        .expect("HKDF-SHA256 gives up to 8160 bytes; 32 are asked for");
    out
}
