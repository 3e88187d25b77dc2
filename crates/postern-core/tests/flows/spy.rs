use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use postern_core::model::{AuthRequest, AuthRequestId, DeliveryId, Email, Event, NodeId, Outgoing};
use postern_core::ports::{
    AddressedDelivery, Decide, Decision, Engine, Keep, Opening, OutboxState, Settled, Store,
    StoreError, Swept, WantedDeliveries,
};

/// The real store, with a note of every request that it is asked to judge.
pub(crate) struct Spy {
    inner: Arc<dyn Engine>,
    asked: Mutex<Vec<AuthRequestId>>,
    writes: AtomicUsize,
}

impl Spy {
    pub(crate) fn new(inner: Arc<dyn Engine>) -> Self {
        Self {
            inner,
            asked: Mutex::default(),
            writes: AtomicUsize::new(0),
        }
    }

    /// The requests asked for since the last look.
    pub(crate) fn asked(&self) -> Vec<AuthRequestId> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Acts that may write, since the world began.
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    fn read(&self) -> &dyn Engine {
        &*self.inner
    }

    fn write(&self) -> &dyn Engine {
        self.writes.fetch_add(1, Ordering::SeqCst);
        &*self.inner
    }

    fn note(&self, id: AuthRequestId) {
        self.asked.lock().unwrap().push(id);
    }
}

#[async_trait]
impl Store for Spy {
    async fn open_auth_request(&self, opening: Opening) -> Result<Decision, StoreError> {
        self.write().open_auth_request(opening).await
    }

    async fn reissue(
        &self,
        id: AuthRequestId,
        count_client: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError> {
        self.note(id);
        self.write().reissue(id, count_client, decide).await
    }

    async fn redeem(
        &self,
        id: AuthRequestId,
        with_guesses: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError> {
        self.note(id);
        self.write().redeem(id, with_guesses, decide).await
    }

    async fn claim_deliveries(
        &self,
        node: NodeId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        self.write().claim_deliveries(node, limit, lease).await
    }

    async fn release_leases(&self, node: NodeId) -> Result<usize, StoreError> {
        self.write().release_leases(node).await
    }

    async fn find_outgoing(&self, id: DeliveryId) -> Result<Option<Outgoing>, StoreError> {
        self.inner.find_outgoing(id).await
    }

    async fn deliveries(
        &self,
        wanted: WantedDeliveries,
    ) -> Result<Vec<AddressedDelivery>, StoreError> {
        self.inner.deliveries(wanted).await
    }

    async fn settle_delivery(&self, settled: Settled) -> Result<(), StoreError> {
        self.write().settle_delivery(settled).await
    }

    async fn outbox(&self) -> Result<OutboxState, StoreError> {
        self.inner.outbox().await
    }

    async fn record(&self, events: Vec<Event>) -> Result<(), StoreError> {
        self.write().record(events).await
    }

    async fn timeline(&self, id: AuthRequestId) -> Result<Vec<Event>, StoreError> {
        self.inner.timeline(id).await
    }

    async fn find_auth_request(
        &self,
        id: AuthRequestId,
    ) -> Result<Option<AuthRequest>, StoreError> {
        self.inner.find_auth_request(id).await
    }

    async fn sweep(&self, keep: Keep) -> Result<Swept, StoreError> {
        self.write().sweep(keep).await
    }

    async fn forget_address(&self, address: &Email) -> Result<u64, StoreError> {
        self.write().forget_address(address).await
    }

    async fn kids_in_use(&self) -> Result<Vec<u8>, StoreError> {
        self.inner.kids_in_use().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

postern_store::forward_other_ports!(Spy, read, write);
