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

    /// The keys as they are listed and published: the one that signs, the standby, the retired;
    /// oldest first among those of one state.
    pub fn listed(keys: &[Self]) -> Vec<&Self> {
        let place = |key: &&Self| match key.state {
            SigningState::Active => (0, key.created_at),
            SigningState::Standby => (1, key.created_at),
            SigningState::Retired => (2, key.created_at),
        };
        let mut keys: Vec<_> = keys.iter().collect();
        keys.sort_by_key(place);
        keys
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, state: SigningState, created_at: i64) -> SigningKey {
        SigningKey {
            kid: kid.to_owned(),
            state,
            private: Sealed {
                kid: 1,
                bytes: Vec::new(),
            },
            modulus: Vec::new(),
            exponent: Vec::new(),
            created_at: Timestamp::from_unix_seconds(created_at),
            retired_at: None,
        }
    }

    #[test]
    fn the_key_that_signs_is_listed_first_however_old_the_others_are() {
        use SigningState::{Active, Retired, Standby};
        let keys = [
            key("old", Retired, 1),
            key("next", Standby, 2),
            key("older", Retired, 0),
            key("now", Active, 2),
        ];
        let listed = SigningKey::listed(&keys);
        let kids: Vec<_> = listed.iter().map(|key| &*key.kid).collect();
        assert_eq!(kids, ["now", "next", "older", "old"]);
    }
}
