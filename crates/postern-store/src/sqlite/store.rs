use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use postern_core::model::{AuthRequest, AuthRequestId, DeliveryId, Email, Event, NodeId, Outgoing};
use postern_core::ports::{
    AddressedDelivery, Decide, Decision, Keep, Opening, OutboxState, Settled, Store, StoreError,
    Swept, WantedDeliveries,
};
use rusqlite::Connection;

use super::{
    SqliteStore, auth_request, delivery, event, fence, forget, log, request_acts, sweep, tx,
};

/// Leases ended in one act, so that no caller waits long behind it.
const RELEASE: u16 = 500;

#[async_trait]
impl Store for SqliteStore {
    async fn open_auth_request(&self, mut opening: Opening) -> Result<Decision, StoreError> {
        self.writer
            .run_soon(move |tx| request_acts::open(tx, &mut opening))
            .await
    }

    async fn reissue(
        &self,
        id: AuthRequestId,
        count_client: bool,
        mut decide: Decide,
    ) -> Result<Decision, StoreError> {
        let cursor = Arc::clone(&self.cursor);
        let act = move |tx: &tx::Tx<'_>| {
            let decision = request_acts::reissue(tx, id, count_client, &mut decide)?;
            if decision.change.is_some() {
                cursor.revive(id);
            }
            Ok(decision)
        };
        self.writer.run_soon(act).await
    }

    async fn redeem(
        &self,
        id: AuthRequestId,
        with_guesses: bool,
        mut decide: Decide,
    ) -> Result<Decision, StoreError> {
        self.writer
            .run_soon(move |tx| request_acts::redeem(tx, id, with_guesses, &mut decide))
            .await
    }

    async fn claim_deliveries(
        &self,
        node: NodeId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        self.writer
            .run(move |tx| delivery::claim(tx, node, limit, lease))
            .await
    }

    async fn release_leases(&self, node: NodeId) -> Result<usize, StoreError> {
        let (mut ended, mut from) = (0, None);
        loop {
            let (more, next) = self
                .writer
                .run(move |tx| delivery::release(tx, node, from, RELEASE))
                .await?;
            ended += more;
            if next.is_none() {
                return Ok(ended);
            }
            from = next;
        }
    }

    async fn find_outgoing(&self, id: DeliveryId) -> Result<Option<Outgoing>, StoreError> {
        self.quick
            .run_here(move |conn| delivery::outgoing(conn, id))
            .await
    }

    async fn deliveries(
        &self,
        wanted: WantedDeliveries,
    ) -> Result<Vec<AddressedDelivery>, StoreError> {
        self.slow
            .run(move |conn| delivery::list(conn, wanted))
            .await
    }

    async fn settle_delivery(&self, settled: Settled) -> Result<(), StoreError> {
        self.writer
            .run(move |tx| delivery::settle(tx, &settled))
            .await
    }

    async fn settle_deliveries(&self, settled: Vec<Settled>) -> Result<(), StoreError> {
        self.writer
            .run(move |tx| settled.iter().try_for_each(|one| delivery::settle(tx, one)))
            .await
    }

    async fn outbox(&self) -> Result<OutboxState, StoreError> {
        self.slow.run(delivery::outbox).await
    }

    async fn record(&self, events: Vec<Event>) -> Result<(), StoreError> {
        self.writer.run(move |tx| event::append(tx, &events)).await
    }

    async fn timeline(&self, id: AuthRequestId) -> Result<Vec<Event>, StoreError> {
        self.slow.run(move |conn| log::timeline(conn, id)).await
    }

    async fn find_auth_request(
        &self,
        id: AuthRequestId,
    ) -> Result<Option<AuthRequest>, StoreError> {
        self.quick
            .run(move |conn| auth_request::find(conn, id))
            .await
    }

    async fn sweep(&self, keep: Keep) -> Result<Swept, StoreError> {
        sweep::sweep(
            &self.cursor,
            &self.slow,
            &self.writer,
            self.clock.now(),
            keep,
        )
        .await
    }

    async fn forget_address(&self, address: &Email) -> Result<u64, StoreError> {
        let _waiting = self.projecting.lock().await;
        let removed = forget::forget(&self.slow, &self.writer, address.key()).await?;
        let path = self.path.clone();
        let emptied = tokio::task::spawn_blocking(move || forget::empty_log(&path)).await;
        match emptied {
            Ok(Ok(())) => Ok(removed),
            _ => Err(StoreError::NotDone(
                "the write-ahead log could not be emptied: forget the address again".into(),
            )),
        }
    }

    async fn kids_in_use(&self) -> Result<Vec<u8>, StoreError> {
        self.slow.run(kids).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if !self.writer.lives() {
            return Err(StoreError::Refused);
        }
        match self.quick.run(fence::read).await? {
            None => Ok(()),
            Some((fence, _)) => Err(StoreError::NotDone(fence.into())),
        }
    }
}

/// The numbers of the roots that something stored names.
pub(crate) fn kids(conn: &Connection) -> rusqlite::Result<Vec<u8>> {
    tx::all(
        conn,
        "SELECT kid FROM auth_requests UNION SELECT state_kid FROM auth_requests WHERE state_kid IS NOT NULL \
         UNION SELECT kid FROM mail_inputs UNION SELECT private_kid FROM signing_keys \
         UNION SELECT secret_kid FROM mail_hooks UNION SELECT private_kid FROM dkim_keys \
         UNION SELECT password_kid FROM mail_providers WHERE password_kid IS NOT NULL ORDER BY 1",
        [],
        |row| row.get(0),
    )
}
