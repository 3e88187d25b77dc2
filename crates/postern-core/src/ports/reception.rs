use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    AddressKey, AuthRequest, Delivery, DeliveryId, DeliveryState, Event, Suppression, Timestamp,
};

/// What became of mails after a provider took them: whom no mail is sent to because of it.
#[async_trait]
pub trait Reception: Send + Sync {
    /// Shows `rule` a delivery with its request and writes what it answers, in one act; whether it
    /// answered anything. `None` when the delivery or its request is gone.
    async fn receive(&self, id: DeliveryId, rule: Receive) -> Result<Option<bool>, StoreError>;

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

/// A rule on a delivery that a provider tells of. Pure; may be called more than once.
pub type Receive = Box<dyn FnMut(&Delivery, &AuthRequest, Timestamp) -> Option<Received> + Send>;

/// What a rule makes of what a provider tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Where the delivery stands now.
    pub state: DeliveryState,
    /// What happened.
    pub events: Vec<Event>,
    /// Who is sent no mail any more.
    pub suppression: Option<Suppression>,
}

/// A place in the suppression list.
pub type SuppressionPlace = (Timestamp, AddressKey);
