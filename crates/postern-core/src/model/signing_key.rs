use super::{Sealed, Slot, Timestamp};

/// An RSA key that signs access tokens; its private half rests sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The `kid` of the JWKS, `snk_…`.
    pub kid: String,
    /// What the key is for at present.
    pub state: SigningState,
    /// The PKCS#8 document, sealed in slot (`signing_keys`, `private`, kid).
    pub private: Sealed,
    /// The public modulus, big-endian.
    pub modulus: Vec<u8>,
    /// The public exponent, big-endian.
    pub exponent: Vec<u8>,
    /// When the key was made.
    pub created_at: Timestamp,
    /// When it stopped signing, for a retired key.
    pub retired_at: Option<Timestamp>,
}

impl SigningKey {
    /// Where the private half of the key `kid` is sealed.
    pub fn private_slot(kid: &str) -> Slot<'_> {
        Slot {
            table: "signing_keys",
            column: "private",
            id: kid.as_bytes(),
        }
    }
}

/// The life of a signing key, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SigningState {
    /// Published, not yet used: caches that never refresh already hold it when it is promoted.
    Standby,
    /// Signs.
    Active,
    /// Published until the last token it signed has expired.
    Retired,
}
