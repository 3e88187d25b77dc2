use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use postern_core::model::{AuthRequest, AuthRequestId, DeliveryId, Email, Event, NodeId, Outgoing};
use postern_core::ports::{
    AddressedDelivery, Decide, Decision, Keep, Opening, OutboxState, Settled, Store, StoreError,
    Swept, WantedDeliveries,
};

use super::act::{Answer, Ask};
use super::session::Sql;
use super::{PostgresStore, auth_request, bulk, delivery, forget, log, outgoing, sweep, value};

/// Leases ended in one act, so that no caller waits long behind it.
const RELEASE: u16 = 500;

#[async_trait]
impl Store for PostgresStore {
    async fn open_auth_request(&self, opening: Opening) -> Result<Decision, StoreError> {
        self.decide(Ask::Open(opening)).await
    }

    async fn reissue(
        &self,
        id: AuthRequestId,
        count_client: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError> {
        let ask = Ask::Reissue {
            id,
            count_client,
            decide,
        };
        self.decide(ask).await
    }

    async fn redeem(
        &self,
        id: AuthRequestId,
        with_guesses: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError> {
        let ask = Ask::Redeem {
            id,
            with_guesses,
            decide,
        };
        self.decide(ask).await
    }

    async fn claim_deliveries(
        &self,
        node: NodeId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let held = self.pool.take().await?;
        let now = self.bench.clock.now();
        let claim = delivery::claim(&held, node, limit, now, lease);
        let done = held.transact(held.in_time(claim)).await;
        held.ended(done)
    }

    async fn release_leases(&self, node: NodeId) -> Result<usize, StoreError> {
        let mut ended = 0;
        loop {
            let held = self.pool.take().await?;
            let now = self.bench.clock.now();
            let release = delivery::release(&held, node, now, RELEASE.into());
            let done = held.transact(held.in_time(release)).await;
            let more = held.ended(done)?;
            ended += more;
            if more < usize::from(RELEASE) {
                return Ok(ended);
            }
        }
    }

    async fn find_outgoing(&self, id: DeliveryId) -> Result<Option<Outgoing>, StoreError> {
        let read = |ids| outgoing::read(&self.pool, ids);
        self.outgoing.ask(id, read).await
    }

    async fn deliveries(
        &self,
        wanted: WantedDeliveries,
    ) -> Result<Vec<AddressedDelivery>, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(delivery::list(&held, wanted)).await;
        held.end(found)
    }

    async fn settle_delivery(&self, settled: Settled) -> Result<(), StoreError> {
        self.writers.run(Ask::Settle(settled)).await.map(drop)
    }

    async fn settle_deliveries(&self, settled: Vec<Settled>) -> Result<(), StoreError> {
        let each = settled.into_iter().map(|one| self.settle_delivery(one));
        try_join_all(each).await.map(drop)
    }

    async fn outbox(&self) -> Result<OutboxState, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(delivery::outbox(&held)).await;
        held.end(found)
    }

    async fn record(&self, events: Vec<Event>) -> Result<(), StoreError> {
        self.writers.run(Ask::Record(events)).await.map(drop)
    }

    async fn timeline(&self, id: AuthRequestId) -> Result<Vec<Event>, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(log::timeline(&held, id)).await;
        held.end(found)
    }

    async fn find_auth_request(
        &self,
        id: AuthRequestId,
    ) -> Result<Option<AuthRequest>, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(auth_request::find(&held, id)).await;
        held.end(found)
    }

    async fn sweep(&self, keep: Keep) -> Result<Swept, StoreError> {
        sweep::sweep(self, keep).await
    }

    async fn forget_address(&self, address: &Email) -> Result<u64, StoreError> {
        forget::forget(&self.pool, address.key()).await
    }

    async fn kids_in_use(&self) -> Result<Vec<u8>, StoreError> {
        static KIDS: Sql = Sql {
            text: "SELECT kid FROM auth_requests UNION SELECT state_kid FROM auth_requests WHERE state_kid IS NOT NULL \
                   UNION SELECT kid FROM mail_inputs UNION SELECT private_kid FROM signing_keys \
                   UNION SELECT secret_kid FROM mail_hooks UNION SELECT private_kid FROM dkim_keys \
                   UNION SELECT password_kid FROM mail_providers WHERE password_kid IS NOT NULL ORDER BY 1",
            types: &[],
        };
        let held = self.pool.take().await?;
        // Looks at every row: it takes as long as it takes.
        let rows = held.query(&KIDS, &[]).await;
        let kids = rows.and_then(|rows| {
            rows.iter()
                .map(|row| value::number::<i16, _>(row, 0))
                .collect()
        });
        held.end(kids)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if !self.writers.lives() {
            return Err(StoreError::Refused);
        }
        let held = self.pool.take().await?;
        let found = held.in_time(bulk::fence(&held)).await;
        match held.end(found)? {
            None => Ok(()),
            Some((fence, _)) => Err(StoreError::NotDone(fence.into())),
        }
    }
}

impl PostgresStore {
    async fn decide(&self, ask: Ask) -> Result<Decision, StoreError> {
        match self.writers.run(ask).await? {
            Answer::Decided(decision) => Ok(*decision),
            Answer::Done => Err(StoreError::Broken("an act answered out of turn".into())),
        }
    }
}
