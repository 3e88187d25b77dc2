use super::Postern;
use crate::error::Error;
use crate::model::{AuthRequestId, DeliveryId, DeliveryState, Email, Event};
use crate::ports::{AddressedDelivery, WantedDeliveries};

/// The most deliveries that are listed at once.
pub const MAX_LISTED: usize = 1000;

/// Deliveries that are looked at in one read, when an address is looked for.
const PAGE: usize = 1000;

/// The most deliveries that are looked through for an address.
const LOOKED_THROUGH: usize = 1_000_000;

impl Postern {
    /// The newest deliveries in this state and to this address, newest first; at most `limit`, and
    /// at most [`MAX_LISTED`].
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn list_deliveries(
        &self,
        state: Option<DeliveryState>,
        address: Option<&Email>,
        limit: usize,
    ) -> Result<Vec<AddressedDelivery>, Error> {
        let limit = limit.clamp(1, MAX_LISTED);
        let key = address.map(Email::key);
        let mut wanted = WantedDeliveries {
            request: None,
            state,
            before: None,
            limit: if key.is_some() { PAGE } else { limit },
        };
        let (mut found, mut seen) = (Vec::new(), 0);
        loop {
            let page = self.store.deliveries(wanted).await?;
            wanted.before = page.last().map(|one| one.delivery.id);
            seen += page.len();
            let more = page.len() == wanted.limit && seen < LOOKED_THROUGH;
            let ours = |one: &AddressedDelivery| key.is_none_or(|key| one.address.key() == key);
            found.extend(page.into_iter().filter(ours));
            if found.len() >= limit || !more {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// The deliveries of a request, oldest first, with what happened to the request. `text` is the
    /// request as `req_…` or as send answered it, or one delivery as `req_….0`. A request that has none,
    /// as one of a test identity, has what happened to it alone.
    ///
    /// # Errors
    /// [`Error::AuthRequestNotFound`].
    pub async fn show_deliveries(
        &self,
        text: &str,
    ) -> Result<(Vec<AddressedDelivery>, Vec<Event>), Error> {
        let (request, ordinal) = self.read_id(text).ok_or(Error::AuthRequestNotFound)?;
        let wanted = WantedDeliveries {
            request: Some(request),
            state: None,
            before: None,
            limit: MAX_LISTED,
        };
        let mut found = self.store.deliveries(wanted).await?;
        let none = found.is_empty();
        found.retain(|one| ordinal.is_none_or(|ordinal| one.delivery.id.ordinal == ordinal));
        found.reverse();
        if found.is_empty() && !none {
            return Err(Error::AuthRequestNotFound);
        }
        // The log may be behind; who asks about one mail wants its last try too.
        while self.store.project().await? {}
        let events = self.store.timeline(request).await?;
        if none && events.is_empty() {
            return Err(Error::AuthRequestNotFound);
        }
        Ok((found, events))
    }

    fn read_id(&self, text: &str) -> Option<(AuthRequestId, Option<u16>)> {
        if let Some(id) = DeliveryId::parse(text) {
            return Some((id.request, Some(id.ordinal)));
        }
        let request = AuthRequestId::parse(text).or_else(|| self.keyring().read_handle(text))?;
        Some((request, None))
    }
}
