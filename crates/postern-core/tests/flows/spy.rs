use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use postern_core::Error;
use postern_core::model::{
    AddressKey, AdminSession, AuditEntry, AuthRequest, AuthRequestId, DeliveryId, Email, Event,
    EventId, Invite, LogEntry, NodeId, Outgoing, Snapshot, Suppression, Tally, TemplateEntry,
    TemplateKey, TemplateVersion, Timestamp, TokenDigest,
};
use postern_core::ports::{
    AddressedDelivery, Amend, Decide, Decision, Desk, Engine, Keep, Log, LogPage, LogQuery,
    Opening, OutboxState, Receive, Reception, Registry, Settled, Store, StoreError,
    SuppressionPlace, Swept, TemplateShelf, WantedDeliveries,
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

#[async_trait]
impl Registry for Spy {
    async fn revision(&self) -> Result<u64, StoreError> {
        self.inner.revision().await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.snapshot().await
    }

    async fn amend(&self, amend: Amend) -> Result<Result<Snapshot, Error>, StoreError> {
        self.write().amend(amend).await
    }
}

#[async_trait]
impl Log for Spy {
    async fn project(&self) -> Result<bool, StoreError> {
        self.write().project().await
    }

    async fn log(&self, query: LogQuery) -> Result<LogPage, StoreError> {
        self.inner.log(query).await
    }

    async fn find_logged(&self, id: AuthRequestId) -> Result<Option<LogEntry>, StoreError> {
        self.inner.find_logged(id).await
    }

    async fn refusals(&self, address: AddressKey) -> Result<Vec<Event>, StoreError> {
        self.inner.refusals(address).await
    }

    async fn tallies(
        &self,
        from: Timestamp,
        to: Timestamp,
        minutes: u32,
    ) -> Result<Vec<(Timestamp, Tally)>, StoreError> {
        self.inner.tallies(from, to, minutes).await
    }
}

#[async_trait]
impl Desk for Spy {
    async fn put_invite(&self, invite: Invite) -> Result<(), StoreError> {
        self.inner.put_invite(invite).await
    }

    async fn find_invite(&self, digest: TokenDigest) -> Result<Option<Invite>, StoreError> {
        self.inner.find_invite(digest).await
    }

    async fn take_invite(&self, digest: TokenDigest) -> Result<Option<Invite>, StoreError> {
        self.inner.take_invite(digest).await
    }

    async fn put_session(&self, session: AdminSession, since: Timestamp) -> Result<(), StoreError> {
        self.inner.put_session(session, since).await
    }

    async fn find_session(&self, digest: TokenDigest) -> Result<Option<AdminSession>, StoreError> {
        self.inner.find_session(digest).await
    }

    async fn sessions(&self) -> Result<Vec<AdminSession>, StoreError> {
        self.inner.sessions().await
    }

    async fn end_session(&self, digest: TokenDigest) -> Result<bool, StoreError> {
        self.inner.end_session(digest).await
    }

    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.inner.note(entry).await
    }

    async fn audit(
        &self,
        before: Option<EventId>,
        limit: u16,
    ) -> Result<Vec<(EventId, AuditEntry)>, StoreError> {
        self.inner.audit(before, limit).await
    }
}

#[async_trait]
impl Reception for Spy {
    async fn receive(&self, id: DeliveryId, rule: Receive) -> Result<Option<bool>, StoreError> {
        self.inner.receive(id, rule).await
    }

    async fn suppress(&self, suppression: Suppression) -> Result<(), StoreError> {
        self.inner.suppress(suppression).await
    }

    async fn unsuppress(&self, address: AddressKey) -> Result<bool, StoreError> {
        self.inner.unsuppress(address).await
    }

    async fn find_suppression(
        &self,
        address: AddressKey,
    ) -> Result<Option<Suppression>, StoreError> {
        self.inner.find_suppression(address).await
    }

    async fn suppressions(
        &self,
        now: Timestamp,
        place: Option<SuppressionPlace>,
        limit: u16,
    ) -> Result<Vec<Suppression>, StoreError> {
        self.inner.suppressions(now, place, limit).await
    }
}

#[async_trait]
impl TemplateShelf for Spy {
    async fn template_version(
        &self,
        key: &TemplateKey,
        number: u32,
    ) -> Result<Option<TemplateVersion>, StoreError> {
        self.inner.template_version(key, number).await
    }

    async fn template_history(&self, key: &TemplateKey) -> Result<Vec<TemplateEntry>, StoreError> {
        self.inner.template_history(key).await
    }
}

#[async_trait]
impl Engine for Spy {
    async fn close(&self) {
        self.inner.close().await;
    }

    fn waiting(&self) -> usize {
        self.inner.waiting()
    }
}
