use async_trait::async_trait;

use super::{Amendment, StoreError};
use crate::model::{
    AdminAccount, AdminSession, AuditEntry, EventId, Invite, SecretDigest, Snapshot, Timestamp,
    TokenDigest,
};

/// Decides inside a transaction what follows from an invitation that is taken: a pure function of it
/// and of what the registry holds.
pub type Accept = Box<dyn FnMut(&Invite, &Snapshot, Timestamp) -> Vec<Amendment> + Send>;

/// Keeps what admins work with: invitations, sessions and the audit of what they did. Who they are
/// is in the registry.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Keeps an invitation; removes those that are over.
    async fn put_invite(&self, invite: Invite) -> Result<(), StoreError>;

    /// The invitation with this digest, unless it is over; it stays.
    async fn find_invite(&self, digest: TokenDigest) -> Result<Option<Invite>, StoreError>;

    /// Takes the invitation with this digest, unless it is over, and writes what `accept` says, in one
    /// commit: of many who race, one gets it, and nobody who is removed meanwhile comes back by it.
    /// Answers it, and the registry afterwards.
    async fn accept_invite(
        &self,
        digest: TokenDigest,
        accept: Accept,
    ) -> Result<Option<(Invite, Snapshot)>, StoreError>;

    /// Keeps a session, or its new times; removes those that were opened before `since`.
    async fn put_session(&self, session: AdminSession, since: Timestamp) -> Result<(), StoreError>;

    /// The session with this digest and whose it is, as the registry has them now; nothing when they are
    /// no admin any more.
    async fn find_session(
        &self,
        digest: TokenDigest,
    ) -> Result<Option<(AdminSession, AdminAccount)>, StoreError>;

    /// Notes that a session was used; whether it is there. One that was ended in between stays ended.
    async fn see_session(&self, digest: TokenDigest, at: Timestamp) -> Result<bool, StoreError>;

    /// Every session, the one used last first; at most 500.
    async fn sessions(&self) -> Result<Vec<AdminSession>, StoreError>;

    /// Ends a session; whether it was there.
    async fn end_session(&self, digest: TokenDigest) -> Result<bool, StoreError>;

    /// Notes that a client's secret was used; nothing when no client has it any more.
    async fn see_secret(&self, digest: SecretDigest, at: Timestamp) -> Result<(), StoreError>;

    /// When each secret was used last, of those that were.
    async fn secrets_seen(&self) -> Result<Vec<(SecretDigest, Timestamp)>, StoreError>;

    /// Appends to the audit what belongs to no change of the registry.
    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError>;

    /// The newest entries of the audit that are older than `before`, newest first, at most `limit`.
    async fn audit(
        &self,
        before: Option<EventId>,
        limit: u16,
    ) -> Result<Vec<(EventId, AuditEntry)>, StoreError>;
}
