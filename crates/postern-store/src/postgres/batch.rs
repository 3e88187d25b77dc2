//! Acts that are committed together: everything is read, judged here, and written guarded.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use postern_core::model::{AddressKey, AuthRequestId, Delivery, DeliveryId, NodeId, Sealed};
use postern_core::ports::Clock;

use super::act::{Act, Ask, Key};
use super::auth_request::{self, Versioned};
use super::delivery;
use super::event::EventIds;
use super::failure::Failure;
use super::judge::Judge;
use super::ledger::Keys;
use super::session::Session;
use super::value::Id;
use super::writer::Turn;
use super::writes::Writes;
use crate::pace::Watch;

/// What judging needs beside the database.
pub(super) struct Bench {
    pub(super) clock: std::sync::Arc<dyn Clock>,
    pub(super) node: NodeId,
    pub(super) ids: EventIds,
    #[cfg(feature = "testing")]
    pub(super) drag: crate::testing::Drag,
}

/// How a batch ended.
pub(super) enum Outcome {
    /// It is durable, or wrote nothing: every act has its outcome. The indices are those of acts that
    /// share a row with another and wait for the next batch.
    Done(HashSet<usize>),
    /// It failed before its commit.
    Failed(Failure),
    /// It failed at its commit.
    Unknown(Failure),
}

/// Runs the acts in one transaction, and leaves each with its outcome. The turn ends where the commit
/// begins; adds to `committing` how long that took.
pub(super) async fn run(
    session: &Session,
    bench: &Bench,
    acts: &mut [Act],
    turn: &mut Turn,
    committing: &mut Duration,
) -> Outcome {
    for act in acts.iter_mut() {
        act.outcome = None;
    }
    let (writes, later) = match judged(session, bench, acts).await {
        Ok(judged) => judged,
        Err(failure) => return failed(session, failure).await,
    };
    if writes.is_empty() {
        return match session.rollback().await {
            Ok(()) => Outcome::Done(later),
            Err(failure) => Outcome::Failed(failure),
        };
    }
    #[cfg(feature = "testing")]
    bench.drag.acts(acts.len() - later.len()).await;
    let mut writes = writes;
    if let Err(failure) = session.in_time(writes.write(session, bench.node)).await {
        return failed(session, failure).await;
    }
    if !commits(acts, &later) {
        return failed(session, Failure::GivenUp).await;
    }
    turn.end();
    let watch = Watch::start();
    let committed = session.commit().await;
    *committing += watch.elapsed();
    match committed {
        Ok(()) => Outcome::Done(later),
        Err(failure) => Outcome::Unknown(failure),
    }
}

/// Whether the commit of the acts may begin: not when one of them was given up meanwhile.
fn commits(acts: &[Act], later: &HashSet<usize>) -> bool {
    let written = || {
        acts.iter()
            .enumerate()
            .filter(|(index, _)| !later.contains(index))
    };
    let begins = written().all(|(_, act)| act.standing.commit());
    if !begins {
        written().for_each(|(_, act)| act.standing.recall());
    }
    begins
}

async fn failed(session: &Session, failure: Failure) -> Outcome {
    if failure.spoils() {
        return Outcome::Failed(failure);
    }
    match session.rollback().await {
        Ok(()) => Outcome::Failed(failure),
        Err(worse) => Outcome::Failed(worse),
    }
}

/// Begins, reads, and judges every act that shares nothing with an earlier one.
async fn judged(
    session: &Session,
    bench: &Bench,
    acts: &mut [Act],
) -> Result<(Writes, HashSet<usize>), Failure> {
    let mut taken = Taken::default();
    for (index, act) in acts.iter().enumerate() {
        taken.first(index, act.key());
    }
    let wanted = Wanted::of(acts, &taken.later);
    let first = if wanted.is_empty() {
        // Nothing has to be read to know the counts: begin and read them in one go.
        let keys = keys(acts, &Rows::default(), &mut taken);
        let (begun, counted) = session_join(session, keys.read(session)).await?;
        begun?;
        (Rows::default(), counted?)
    } else {
        let (begun, rows) = session_join(session, wanted.read(session)).await?;
        begun?;
        let rows = rows?;
        let keys = keys(acts, &rows, &mut taken);
        let counted = session.in_time(keys.read(session)).await?;
        (rows, counted)
    };
    let mut judge = Judge {
        bench,
        rows: first.0,
        counted: first.1,
        writes: Writes::default(),
    };
    for (index, act) in acts.iter_mut().enumerate() {
        if !taken.later.contains(&index) {
            judge.act(act);
        }
    }
    Ok((judge.writes, taken.later))
}

/// BEGIN and `work` behind it, without waiting in between.
async fn session_join<T>(
    session: &Session,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<(Result<(), Failure>, Result<T, Failure>), Failure> {
    let both = futures_util::future::join(session.begin(), work);
    session.in_time(async { Ok(both.await) }).await
}

/// Which rows and counts are spoken for in this batch.
#[derive(Default)]
struct Taken {
    keys: HashSet<Key>,
    later: HashSet<usize>,
}

impl Taken {
    /// Takes `key` for the act; it waits when another has it.
    fn first(&mut self, index: usize, key: Option<Key>) {
        if key.is_some_and(|key| !self.keys.insert(key)) {
            self.later.insert(index);
        }
    }
}

/// The rows that acts name.
struct Wanted {
    requests: Vec<Id>,
    inputs: Vec<Id>,
    deliveries: Vec<DeliveryId>,
}

impl Wanted {
    fn of(acts: &[Act], later: &HashSet<usize>) -> Self {
        let mut wanted = Self {
            requests: Vec::new(),
            inputs: Vec::new(),
            deliveries: Vec::new(),
        };
        for (index, act) in acts.iter().enumerate() {
            match &act.ask {
                _ if later.contains(&index) => {}
                Ask::Reissue { id, .. } => {
                    wanted.requests.push((*id).into());
                    wanted.inputs.push((*id).into());
                }
                Ask::Redeem { id, .. } => wanted.requests.push((*id).into()),
                Ask::Settle(settled) => wanted.deliveries.push(settled.id),
                Ask::Open(_) | Ask::Record(_) => {}
            }
        }
        wanted
    }

    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.deliveries.is_empty()
    }

    async fn read(&self, session: &Session) -> Result<Rows, Failure> {
        let (requests, inputs, deliveries) = futures_util::future::join3(
            auth_request::find_all(session, &self.requests),
            delivery::inputs(session, &self.inputs),
            delivery::find_all(session, &self.deliveries),
        )
        .await;
        Ok(Rows {
            requests: requests?,
            inputs: inputs?,
            deliveries: deliveries?,
        })
    }
}

/// The rows that were found.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) requests: HashMap<AuthRequestId, Result<Versioned, Failure>>,
    pub(super) inputs: HashMap<AuthRequestId, Sealed>,
    pub(super) deliveries: HashMap<DeliveryId, Delivery>,
}

impl Rows {
    /// The address of a request, and the key under which it counts; none for a request that is not
    /// there or does not read.
    fn address(&self, id: AuthRequestId) -> Option<(AddressKey, AddressKey)> {
        let (request, _) = self.requests.get(&id)?.as_ref().ok()?;
        let address = &request.address;
        Some((address.key(), address.counted_as(&request.client)))
    }
}

/// Which counts the acts ask for, now that their requests are known.
fn keys(acts: &[Act], rows: &Rows, taken: &mut Taken) -> Keys {
    let mut keys = Keys::default();
    for (index, act) in acts.iter().enumerate() {
        match &act.ask {
            _ if taken.later.contains(&index) => {}
            Ask::Open(opening) => {
                // Nobody else has that key, so who has the address has both.
                keys.sends.insert(opening.counted_as);
                keys.seen_guesses.insert(opening.counted_as);
                keys.listed.insert(opening.address);
                keys.clients.extend(opening.client.clone());
            }
            Ask::Reissue {
                id, count_client, ..
            } => {
                let Some((address, counted_as)) = rows.address(*id) else {
                    continue;
                };
                taken.first(index, Some(Key::Address(address)));
                if taken.later.contains(&index) {
                    continue;
                }
                keys.sends.insert(counted_as);
                keys.seen_guesses.insert(counted_as);
                keys.listed.insert(address);
                if let (true, Some(Ok((request, _)))) = (count_client, rows.requests.get(id)) {
                    keys.clients.insert(request.client.clone());
                }
            }
            Ask::Redeem {
                id,
                with_guesses: true,
                ..
            } => {
                let Some((address, counted_as)) = rows.address(*id) else {
                    continue;
                };
                taken.first(index, Some(Key::Address(address)));
                if !taken.later.contains(&index) {
                    keys.guesses.insert(counted_as);
                }
            }
            Ask::Redeem { .. } | Ask::Settle(_) | Ask::Record(_) => {}
        }
    }
    keys
}
