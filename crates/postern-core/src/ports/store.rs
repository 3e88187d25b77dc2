use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Source};
use crate::model::{
    AddressKey, AuthRequest, AuthRequestId, ClientId, Delivery, DeliveryId, DeliveryState, Email,
    Event, History, NodeId, Outgoing, Sealed, SecondBuckets, Settlement, Suppression, Timestamp,
    Try,
};

/// Keeps auth requests, their deliveries and their events.
///
/// Every method is one atomic act. An answer means durable: whatever an act wrote is on disk when it
/// returns. An act reads the store's clock when it runs, after any queue, and hands the moment to the
/// closure that decides. A closure is pure and may be called more than once (an engine whose write
/// lost a race judges again); what its last call decided is what was written.
#[async_trait]
pub trait Store: Send + Sync {
    /// Opens an auth request: quotas, request, delivery, input and events in one commit, or nothing.
    async fn open_auth_request(&self, opening: Opening) -> Result<Decision, StoreError>;

    /// Decides a resend on the request that is held still, with its input and its address's ledger.
    async fn reissue(
        &self,
        id: AuthRequestId,
        count_client: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError>;

    /// Judges a proof on the request that is held still. For exactly one caller the request becomes
    /// used, however many race. `with_guesses` asks for the address's guesses in the ledger.
    async fn redeem(
        &self,
        id: AuthRequestId,
        with_guesses: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError>;

    /// Takes up to `limit` deliveries that are due, oldest first, and leases them until `lease` from now.
    async fn claim_deliveries(
        &self,
        node: NodeId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<DeliveryId>, StoreError>;

    /// Makes every lease of another node due at once. Only for an engine that one process owns.
    async fn release_leases(&self, node: NodeId) -> Result<usize, StoreError>;

    /// Reads a delivery with what is needed to send it; `None` when it or its request is gone.
    async fn find_outgoing(&self, id: DeliveryId) -> Result<Option<Outgoing>, StoreError>;

    /// The newest deliveries that match, newest first.
    async fn deliveries(
        &self,
        wanted: WantedDeliveries,
    ) -> Result<Vec<AddressedDelivery>, StoreError>;

    /// Writes how an attempt ended, with an event for each try in it. Only a queued delivery is changed.
    async fn settle_delivery(&self, settled: Settled) -> Result<(), StoreError>;

    /// [`Self::settle_delivery`] for several at once, in one act or in one each: after an error, some may be
    /// written. Writing one again changes nothing.
    async fn settle_deliveries(&self, settled: Vec<Settled>) -> Result<(), StoreError> {
        for one in settled {
            self.settle_delivery(one).await?;
        }
        Ok(())
    }

    /// How much waits in the outbox.
    async fn outbox(&self) -> Result<OutboxState, StoreError>;

    /// Appends events that belong to no act.
    async fn record(&self, events: Vec<Event>) -> Result<(), StoreError>;

    /// The events of one request, in their order, as far as [`super::Log::project`] has come.
    async fn timeline(&self, id: AuthRequestId) -> Result<Vec<Event>, StoreError>;

    /// Finds one request.
    async fn find_auth_request(&self, id: AuthRequestId)
    -> Result<Option<AuthRequest>, StoreError>;

    /// Tidies a bounded piece: writes due expired events and removes what is older than `keep`.
    async fn sweep(&self, keep: Keep) -> Result<Swept, StoreError>;

    /// Removes the requests, mails and events of one address, also from the disk, and its name from
    /// the audit ([`crate::model::AuditEntry::without`]); answers how many rows went. What its quotas
    /// count stays, by its digest, until that is spent: forgetting lifts no limit.
    async fn forget_address(&self, address: &Email) -> Result<u64, StoreError>;

    /// The kids that stored requests and sealed values still name.
    async fn kids_in_use(&self) -> Result<Vec<u8>, StoreError>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// A new auth request, but for what is decided when the act runs.
pub struct Opening {
    /// Whom the suppression list is asked about.
    pub address: AddressKey,
    /// Under which name mails and wrong codes are counted ([`crate::model::Email::counted_as`]): the
    /// address's own, or one apart that belongs to this address alone.
    pub counted_as: AddressKey,
    /// The client whose cap is asked, when there is a cap.
    pub client: Option<ClientId>,
    /// The caller's link URI and variables, sealed; kept apart from the request.
    pub input: Option<Sealed>,
    /// The rule.
    pub decide: Decide,
}

/// A rule that runs inside an act.
pub type Decide = Box<dyn FnMut(Found<'_>, Timestamp) -> Decision + Send>;

/// What an act found, for the rule to decide on.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The request, unless it is being opened or is not there.
    pub request: Option<&'a AuthRequest>,
    /// The request's sealed input (only for [`Store::reissue`]).
    pub input: Option<&'a Sealed>,
    /// What was counted for the address and the client.
    pub ledger: &'a Ledger,
}

/// What was counted; a part that an act does not ask for is empty.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Mails to the address, over the last day.
    pub sends: History,
    /// Mails of the client, over the last minute.
    pub client_sends: SecondBuckets,
    /// Counted wrong codes of the address, over the last day.
    pub guesses: History,
    /// What the suppression list says of the address.
    pub suppressed: Option<Suppression>,
}

/// What a rule decided: the answer, and what is to be written (also when the answer is a refusal).
#[derive(Debug)]
pub struct Decision {
    /// The answer.
    pub outcome: Result<(), Error>,
    /// The write; nothing is written without it.
    pub change: Option<Change>,
}

impl Decision {
    /// A refusal that writes nothing.
    pub fn refuse(error: Error) -> Self {
        Self {
            outcome: Err(error),
            change: None,
        }
    }
}

/// What an act writes: the request's new form and whatever goes with it.
#[derive(Debug)]
pub struct Change {
    /// The request as it is afterwards; its stored times never move backwards.
    pub request: AuthRequest,
    /// The address's new send history, if it changed.
    pub sends: Option<History>,
    /// The client's new counts, if they changed.
    pub client_sends: Option<SecondBuckets>,
    /// The address's new guess history, if it changed.
    pub guesses: Option<History>,
    /// A mail to queue, already leased to this node until its `due_at`.
    pub delivery: Option<Delivery>,
    /// What happened.
    pub events: Vec<Event>,
}

/// The end of an attempt at a delivery.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Which delivery.
    pub id: DeliveryId,
    /// Whose it is, for the event.
    pub client: ClientId,
    /// To whom it went, for the event.
    pub address: AddressKey,
    /// Tries before the last, in their order: a mail goes on to the next provider at once.
    pub tries: Vec<Try>,
    /// How the last one ended.
    pub settlement: Settlement,
}

/// Which deliveries are looked for.
#[derive(Clone, Copy, Debug)]
pub struct WantedDeliveries {
    /// Only those of this request.
    pub request: Option<AuthRequestId>,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those older than this one.
    pub before: Option<DeliveryId>,
    /// At most so many, at least 1.
    pub limit: usize,
}

/// A delivery and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressedDelivery {
    /// The mail.
    pub delivery: Delivery,
    /// Whom it is for, as given.
    pub address: Email,
}

/// How much waits in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Deliveries that are queued or leased.
    pub depth: u64,
    /// When the oldest of them was queued.
    pub oldest: Option<Timestamp>,
}

/// What the sweeper keeps.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Requests opened before this go.
    pub requests_from: Timestamp,
    /// Events before this go.
    pub events_from: Timestamp,
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Expired events written.
    pub expired: u64,
    /// Rows removed.
    pub removed: u64,
    /// Whether there is more to do at once.
    pub more: bool,
}

/// Why an act was not done, or may have been.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The queue is full or the store is closing; nothing was done.
    #[error("the store takes no more work at the moment")]
    Refused,
    /// It failed and nothing of it was committed.
    #[error("the act failed and was not committed")]
    NotDone(#[source] Source),
    /// It failed in a way that leaves open whether it was committed.
    #[error("the act's outcome is unknown")]
    Unknown(#[source] Source),
    /// A fault of ours: the act panicked, or a row does not read. Nothing of it was committed.
    #[error("the act broke down")]
    Broken(#[source] Source),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused => Self::Unavailable(None),
            StoreError::NotDone(source) => Self::Unavailable(Some(source)),
            StoreError::Unknown(source) => Self::Unknown(source),
            StoreError::Broken(source) => Self::Internal(source),
        }
    }
}
