//! What the store holds in the end, read through the port that the server uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use postern::world::SystemClock;
use postern_core::model::{AuthRequestId, DeliveryState, EventKind, NodeId, State};
use postern_core::ports::{Engine, WantedDeliveries};
use postern_core::rules::LEASE;
use postern_store::{Tuning, connect};
use tokio::task::JoinSet;

/// Deliveries of one page.
const PAGE: usize = 500;
/// Requests that are read at the same time.
const READERS: usize = 8;

/// An auth request and what belongs to it. Moments are milliseconds since 1970, by the nodes' clocks.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) to: String,
    pub(crate) state: State,
    pub(crate) expires_at: i64,
    pub(crate) hardened: bool,
    pub(crate) generation: u16,
    pub(crate) mailings: BTreeMap<u16, Mailing>,
    pub(crate) events: Vec<(i64, EventKind)>,
}

/// One mail of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mailing {
    pub(crate) state: DeliveryState,
    pub(crate) generation: u16,
    /// When the last attempt was begun at the earliest, by the clock of the node that made it.
    pub(crate) begun_at: i64,
}

/// Opens the store that `url` names, as nobody's node.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Engine>> {
    let clock = Arc::new(SystemClock);
    let engine = connect(url, NodeId([0; 8]), clock, Tuning::default()).await;
    engine.context("the store does not open")
}

/// Everything that the store at `url` holds; no node may have it open.
pub(crate) async fn read(url: &str) -> Result<BTreeMap<String, Kept>> {
    let engine = open(url).await?;
    while engine.project().await? {}
    let mut mailings = mailings(engine.as_ref()).await?;
    let mut all = BTreeMap::new();
    let mut reading = JoinSet::new();
    while !mailings.is_empty() || !reading.is_empty() {
        while reading.len() < READERS
            && let Some((id, mails)) = mailings.pop_first()
        {
            reading.spawn(read_one(Arc::clone(&engine), id, mails));
        }
        if let Some(kept) = reading.join_next().await {
            all.extend(kept??);
        }
    }
    engine.close().await;
    Ok(all)
}

/// The mails of all requests.
async fn mailings(engine: &dyn Engine) -> Result<BTreeMap<AuthRequestId, BTreeMap<u16, Mailing>>> {
    let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let mut before = None;
    loop {
        let wanted = WantedDeliveries {
            request: None,
            state: None,
            before,
            limit: PAGE,
        };
        let page = engine.deliveries(wanted).await?;
        for found in &page {
            let delivery = &found.delivery;
            let mailing = Mailing {
                state: delivery.state,
                generation: delivery.generation,
                // What is settled for good keeps the lease that it was sent under.
                begun_at: delivery.due_at.minus(LEASE).unix_millis(),
            };
            let of = all.entry(delivery.id.request).or_default();
            of.insert(delivery.id.ordinal, mailing);
        }
        match page.last() {
            Some(last) => before = Some(last.delivery.id),
            None => return Ok(all),
        }
    }
}

async fn read_one(
    engine: Arc<dyn Engine>,
    id: AuthRequestId,
    mailings: BTreeMap<u16, Mailing>,
) -> Result<Option<(String, Kept)>> {
    let Some(request) = engine.find_auth_request(id).await? else {
        return Ok(None);
    };
    let events = engine.timeline(id).await?;
    let kept = Kept {
        to: request.address.as_given().to_owned(),
        state: request.state,
        expires_at: request.expires_at.unix_millis(),
        hardened: request.hardened,
        generation: request.generation,
        mailings,
        events: events
            .into_iter()
            .map(|event| (event.at.unix_millis(), event.what))
            .collect(),
    };
    Ok(Some((id.to_string(), kept)))
}
