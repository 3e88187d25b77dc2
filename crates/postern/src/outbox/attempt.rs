//! One attempt at one delivery.

use std::time::Duration;

use postern_core::model::{Delivery, DeliveryId, DeliveryState, Settlement, Timestamp};
use postern_core::ports::{Settled, StoreError};
use postern_core::rules::{LEASE, SKEW};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, info, warn};

use super::gathering::UnderWay;
use super::round::{Round, WHOLE};
use super::{Parts, suppress};
use crate::app::Stopwatch;
use crate::telemetry::labels::{self, Label as _};

/// What has to be left of a lease to begin: an attempt's deadline and the clocks' skew. With less,
/// another node could claim the delivery while we are still sending it.
const NEEDED: Duration = WHOLE.saturating_add(SKEW);

/// How often a settlement is offered to a store that has no room for it.
const SETTLE_TRIES: u32 = 40;
const SETTLE_PAUSE: Duration = Duration::from_millis(250);

/// Where this node's lease on a delivery comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lease {
    /// From the commit of the send. It stands only as long as nobody has claimed the delivery since.
    FromSend,
    /// From a claim.
    Claimed,
}

impl Lease {
    fn stands(self, delivery: &Delivery, now: Timestamp) -> bool {
        let untouched = delivery.due_at == delivery.queued_at.plus(LEASE);
        (self == Self::Claimed || untouched) && now.plus(NEEDED) <= delivery.due_at
    }
}

/// An attempt, with what it needs.
pub(super) struct Attempt<'a> {
    pub(super) parts: &'a Parts,
    pub(super) lease: Lease,
    pub(super) under_way: UnderWay<'a, Settled>,
    /// Who may wait to be written.
    pub(super) ends: &'a Semaphore,
}

impl Attempt<'_> {
    /// Reads the delivery, sends it if it still should be sent, and settles it. A delivery that
    /// could not be read or settled is left to its lease. The next attempt has the slot of this one while
    /// this one's end is written.
    pub(super) async fn run(&self, id: DeliveryId, slot: OwnedSemaphorePermit) {
        let outgoing = match self.parts.postern.store().find_outgoing(id).await {
            Ok(Some(outgoing)) => outgoing,
            Ok(None) => return,
            Err(error) => return warn!(delivery = %id, %error, "a delivery could not be read"),
        };
        let now = self.parts.postern.now();
        if outgoing.delivery.state != DeliveryState::Queued
            || !self.lease.stands(&outgoing.delivery, now)
        {
            return;
        }
        let watch = Stopwatch::start();
        let (tries, settlement) = Round::new(self.parts, &outgoing).run(now).await;
        self.parts.metrics.attempt(label(&settlement));
        if settlement.state() == DeliveryState::Sent {
            let queued = self.parts.postern.now().since(outgoing.delivery.queued_at);
            self.parts.metrics.sent_after(queued);
        }
        suppress::note(&self.parts.postern, &outgoing, &settlement).await;
        tell(id, &settlement, watch);
        let settled = Settled {
            id,
            client: outgoing.request.client.clone(),
            address: outgoing.request.address.key(),
            tries,
            settlement,
        };
        let _end = self.ends.acquire().await;
        drop(slot);
        self.under_way.end(settled, |all| self.settle(all)).await;
    }

    /// Writes the ends of attempts. A store without room is asked again, because a delivery
    /// that was sent and not settled would be sent twice; settling twice changes nothing.
    async fn settle(&self, all: Vec<Settled>) {
        match self.settled(&all).await {
            Ok(()) => {}
            // One that cannot be written is in nobody's way.
            Err(StoreError::Broken(_)) if all.len() > 1 => {
                for one in all {
                    let alone = [one];
                    let done = self.settled(&alone).await;
                    done.unwrap_or_else(|error| left(&alone, &error));
                }
            }
            Err(error) => left(&all, &error),
        }
    }

    async fn settled(&self, all: &[Settled]) -> Result<(), StoreError> {
        let store = self.parts.postern.store();
        let mut tries = 1;
        loop {
            match store.settle_deliveries(all.to_vec()).await {
                Err(StoreError::Refused | StoreError::NotDone(_) | StoreError::Unknown(_))
                    if tries < SETTLE_TRIES => {}
                done => return done,
            }
            tries += 1;
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }
}

/// These are left to their leases.
fn left(all: &[Settled], error: &StoreError) {
    for one in all {
        warn!(delivery = %one.id, %error, "a delivery could not be settled");
    }
}

fn tell(id: DeliveryId, settlement: &Settlement, watch: Stopwatch) {
    let (outcome, took_ms) = (label(settlement).text(), watch.elapsed().as_millis());
    match settlement.state() {
        DeliveryState::Failed | DeliveryState::Bounced => {
            info!(delivery = %id, outcome, took_ms, "mail failed");
        }
        _ => debug!(delivery = %id, outcome, took_ms, "mail attempted"),
    }
}

fn label(settlement: &Settlement) -> labels::Attempt {
    match settlement {
        Settlement::Sent { .. } => labels::Attempt::Sent,
        Settlement::Retry { .. } => labels::Attempt::Retried,
        Settlement::Bounced { .. } => labels::Attempt::Bounced,
        Settlement::Failed { .. } => labels::Attempt::Failed,
        Settlement::Abandoned { .. } => labels::Attempt::Abandoned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Patience;
    use crate::mail::smtp::Limits;

    /// How long a mail waits for its turn on a busy node without being given back.
    const TURN: Duration = Duration::from_secs(10);

    #[test]
    fn a_lease_outlives_the_longest_attempt_the_skew_and_a_wait_for_its_turn() {
        let longest = [WHOLE, Patience::WHOLE.total, Limits::default().attempt]
            .into_iter()
            .max()
            .unwrap();
        assert_eq!(NEEDED, longest + SKEW);
        assert!(LEASE >= longest + SKEW + TURN, "{LEASE:?}");
    }

    #[test]
    fn an_attempt_begins_only_while_its_lease_holds_until_its_end() {
        let queued_at = Timestamp::from_unix_seconds(1_800_000_000);
        let delivery = Delivery {
            id: DeliveryId {
                request: postern_core::model::AuthRequestId::from_bytes([7; 16]),
                ordinal: 0,
            },
            generation: 0,
            state: DeliveryState::Queued,
            attempts: 0,
            queued_at,
            due_at: queued_at.plus(LEASE),
            last_try: None,
        };
        let last = queued_at.plus(LEASE).minus(NEEDED);
        for lease in [Lease::FromSend, Lease::Claimed] {
            assert!(lease.stands(&delivery, last));
            assert!(!lease.stands(&delivery, last.plus(Duration::from_micros(1))));
        }
    }
}
