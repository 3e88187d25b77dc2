use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    AddressKey, AuthRequestId, ClientId, Event, LogEntry, LogStatus, Tally, Timestamp,
};

/// The authentication log: a projection of the events, made off the hot path.
///
/// It follows the events by their ids and is as new as the last [`Log::project`]; [`super::Store::timeline`]
/// reads through it too.
#[async_trait]
pub trait Log: Send + Sync {
    /// Takes a bounded number of events that it has not seen into the log, in one act; whether
    /// there are more. Of several nodes that do it at once, one wins.
    async fn project(&self) -> Result<bool, StoreError>;

    /// One page of the log, newest first.
    async fn log(&self, query: LogQuery) -> Result<LogPage, StoreError>;

    /// One request's entry.
    async fn find_logged(&self, id: AuthRequestId) -> Result<Option<LogEntry>, StoreError>;

    /// The newest calls about an address that a limit refused before they became a request, at
    /// most 100, newest first.
    async fn refusals(&self, address: AddressKey) -> Result<Vec<Event>, StoreError>;

    /// What happened in each span of so many minutes (at least 1) from `from` to before `to`, oldest
    /// first; a span in which nothing happened is left out.
    async fn tallies(
        &self,
        from: Timestamp,
        to: Timestamp,
        minutes: u32,
    ) -> Result<Vec<(Timestamp, Tally)>, StoreError>;
}

/// What is looked for in the log.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Only requests to this address.
    pub address: Option<AddressKey>,
    /// Only requests of this client.
    pub client: Option<ClientId>,
    /// No requests of this client.
    pub without: Option<ClientId>,
    /// Only requests with one of these statuses; all when empty.
    pub statuses: Vec<LogStatus>,
    /// Only requests whose mail was lost.
    pub lost: bool,
    /// Opened then or later.
    pub from: Option<Timestamp>,
    /// Opened then or earlier.
    pub to: Option<Timestamp>,
    /// Where the page begins.
    pub place: LogPlace,
    /// Entries of a page, at least 1.
    pub limit: usize,
}

/// Where a page of the log begins. Numbers grow with the age of the log, never with the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogPlace {
    /// At the newest.
    #[default]
    Newest,
    /// At the first that is older than this one.
    Before(i64),
    /// So that it ends with the last that is newer than this one.
    After(i64),
}

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Its entries, newest first.
    pub entries: Vec<LogEntry>,
    /// The number of the first entry, when there are newer ones.
    pub newer: Option<i64>,
    /// The number of the last entry, when there are older ones.
    pub older: Option<i64>,
    /// How many the query finds in all, exact up to [`LogPage::COUNTED`] and that plus one above.
    pub total: u64,
}

impl LogPage {
    /// How far entries are counted.
    pub const COUNTED: u64 = 10_000;
}
