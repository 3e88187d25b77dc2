use async_trait::async_trait;

use super::StoreError;
use crate::model::{AddressKey, Suppression, Timestamp};

/// What became of mails after a provider took them: whom no mail is sent to because of it.
#[async_trait]
pub trait Reception: Send + Sync {
    /// Puts an address on the suppression list, or replaces what the list says of it.
    async fn suppress(&self, suppression: Suppression) -> Result<(), StoreError>;

    /// Takes an address off the list; whether it was there.
    async fn unsuppress(&self, address: AddressKey) -> Result<bool, StoreError>;

    /// What the list says of an address, whether it still holds or not.
    async fn find_suppression(
        &self,
        address: AddressKey,
    ) -> Result<Option<Suppression>, StoreError>;

    /// Up to `limit` entries that hold at `now`, the newest first, from before `place` on.
    async fn suppressions(
        &self,
        now: Timestamp,
        place: Option<SuppressionPlace>,
        limit: u16,
    ) -> Result<Vec<Suppression>, StoreError>;
}

/// A place in the suppression list.
pub type SuppressionPlace = (Timestamp, AddressKey);
