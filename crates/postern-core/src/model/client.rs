use super::{ClientId, Timestamp};

/// An API client: what an app presents to call Postern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its public id.
    pub id: ClientId,
    /// What the operator calls it; 1 to 100 characters.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its secrets, newest first; at most [`Client::MAX_SECRETS`].
    pub secrets: Vec<ClientSecret>,
}

impl Client {
    /// How many secrets may be valid side by side.
    pub const MAX_SECRETS: usize = 5;

    /// Whether `digest` is one of the secrets that are valid at `now`. Compared in constant time.
    pub fn accepts(&self, digest: &[u8; 32], now: Timestamp) -> bool {
        self.secrets.iter().fold(false, |found, secret| {
            found | (secret.valid_at(now) & same(&secret.digest, digest))
        })
    }
}

/// SHA-256 of a client's secret.
pub type SecretDigest = [u8; 32];

/// A client's secret, kept as a digest only.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// SHA-256 of the secret, which has 256 random bits: no salt or stretching is needed.
    pub digest: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being valid; `None` while it is the newest.
    pub expires_at: Option<Timestamp>,
}

impl ClientSecret {
    /// Whether the secret may still be used at `now`.
    pub fn valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSecret")
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}
