use async_trait::async_trait;

use super::StoreError;
use crate::error::Error;
use crate::model::{
    AdminAccount, AuditEntry, Client, ClientId, DkimKey, Email, HookProvider, MailHook,
    MailProvider, SigningKey, Snapshot, TemplateHead, TemplateKey, TemplateVersion, Timestamp,
};

/// Keeps the slow-moving part: settings, clients, providers and signing keys.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The number that grows with every amendment; cheap to ask often.
    async fn revision(&self) -> Result<u64, StoreError>;

    /// Everything, in one consistent read.
    async fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Shows `amend` the present state and writes what it answers, in one commit with the next
    /// revision; an error from it writes nothing. Answers the state afterwards.
    async fn amend(&self, amend: Amend) -> Result<Result<Snapshot, Error>, StoreError>;
}

/// A rule on the registry. Pure; may be called more than once.
pub type Amend = Box<dyn FnMut(&Snapshot, Timestamp) -> Result<Vec<Amendment>, Error> + Send>;

/// One change of the registry. A `Put` replaces what has the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amendment {
    /// Sets one setting to a text that its registry accepts.
    PutSetting {
        /// The key.
        name: String,
        /// The value.
        value: String,
    },
    /// Adds or replaces a client with all its secrets.
    PutClient(Client),
    /// Removes a client: its tokens die with it.
    DropClient(ClientId),
    /// Adds or replaces a mail provider.
    PutProvider(MailProvider),
    /// Removes a mail provider, by name.
    DropProvider(String),
    /// Sets what a provider's callbacks are verified with.
    PutHook(MailHook),
    /// Lets a provider call no more.
    DropHook(HookProvider),
    /// Adds or replaces a DKIM key.
    PutDkimKey(DkimKey),
    /// Removes a DKIM key.
    DropDkimKey {
        /// Its domain.
        domain: String,
        /// Its selector.
        selector: String,
    },
    /// Adds or replaces a signing key.
    PutSigningKey(SigningKey),
    /// Removes a signing key, by kid.
    DropSigningKey(String),
    /// Adds or replaces an admin.
    PutAdmin(AdminAccount),
    /// Removes an admin.
    DropAdmin(Email),
    /// Adds a version of a mail template.
    PutTemplateVersion(Box<TemplateVersion>),
    /// Sets what is known, and in force, of a mail template.
    PutTemplateHead(TemplateHead),
    /// Removes versions of a mail template.
    PruneTemplate {
        /// Of which template.
        key: TemplateKey,
        /// All with a lower number,
        below: u32,
        /// but for these.
        but: Vec<u32>,
    },
    /// Appends to the audit.
    Note(AuditEntry),
}
