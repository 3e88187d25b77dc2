//! The ports on which it does nothing wrong.

use async_trait::async_trait;
use postern_core::Error;
use postern_core::model::{
    AddressKey, AdminSession, AuditEntry, AuthRequestId, DeliveryId, Event, EventId, Invite,
    LogEntry, Snapshot, Suppression, Tally, TemplateEntry, TemplateKey, TemplateVersion, Timestamp,
    TokenDigest,
};
use postern_core::ports::{
    Amend, Desk, Engine, Log, LogPage, LogQuery, Receive, Reception, Registry, StoreError,
    SuppressionPlace, TemplateShelf,
};

use super::Broken;

#[async_trait]
impl Engine for Broken {
    async fn close(&self) {
        self.inner.close().await;
    }

    fn shared(&self) -> bool {
        self.inner.shared()
    }

    fn waiting(&self) -> usize {
        self.inner.waiting()
    }
}

#[async_trait]
impl Registry for Broken {
    async fn revision(&self) -> Result<u64, StoreError> {
        self.inner.revision().await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.snapshot().await
    }

    async fn amend(&self, amend: Amend) -> Result<Result<Snapshot, Error>, StoreError> {
        self.inner.amend(amend).await
    }
}

#[async_trait]
impl Log for Broken {
    async fn project(&self) -> Result<bool, StoreError> {
        self.inner.project().await
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
impl Desk for Broken {
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
impl Reception for Broken {
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
impl TemplateShelf for Broken {
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
