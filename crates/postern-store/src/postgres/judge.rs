use std::panic::{AssertUnwindSafe, catch_unwind};

use postern_core::model::{AddressKey, AuthRequestId, ClientId, DeliveryState, Event, Sealed};
use postern_core::ports::{Change, Decide, Decision, Found, Ledger, Settled, StoreError};
use postern_core::rules;

use super::act::{Act, Answer, Ask};
use super::auth_request::Versioned;
use super::batch::{Bench, Rows};
use super::failure::Failure;
use super::ledger::Counted;
use super::writes::Writes;

/// Judges acts and gathers what they write.
pub(super) struct Judge<'b> {
    pub(super) bench: &'b Bench,
    pub(super) rows: Rows,
    pub(super) counted: Counted,
    pub(super) writes: Writes,
}

impl Judge<'_> {
    /// Leaves the act with its outcome, as if what it writes were written.
    pub(super) fn act(&mut self, act: &mut Act) {
        let judged = match &mut act.ask {
            Ask::Open(opening) => {
                let client = opening.client.clone();
                let ledger = self.ledger((opening.address, opening.counted_as), client.as_ref());
                let decision = self.decide(&mut opening.decide, None, None, &ledger);
                decision.and_then(|decision| {
                    self.open(opening.counted_as, opening.input.clone(), decision)
                })
            }
            Ask::Reissue {
                id,
                count_client,
                decide,
            } => self.reissue(*id, *count_client, decide),
            Ask::Redeem {
                id,
                with_guesses,
                decide,
            } => self.redeem(*id, *with_guesses, decide),
            Ask::Settle(settled) => self.settle(settled),
            Ask::Record(events) => self.tell(events).map(|()| Answer::Done),
        };
        act.outcome = Some(judged);
    }

    fn open(
        &mut self,
        counted_as: AddressKey,
        input: Option<Sealed>,
        decision: Decision,
    ) -> Result<Answer, StoreError> {
        if let Some(change) = &decision.change {
            self.tell(&change.events)?;
            let id = change.request.id;
            self.writes.opened.push(change.request.clone());
            self.writes
                .queued
                .inputs
                .extend(input.map(|input| (id, input)));
            self.follow(counted_as, change);
        }
        Ok(Answer::Decided(Box::new(decision)))
    }

    fn reissue(
        &mut self,
        id: AuthRequestId,
        count_client: bool,
        decide: &mut Decide,
    ) -> Result<Answer, StoreError> {
        let Some(before) = self.request(id)? else {
            return self.missing(decide);
        };
        let counted_as = before.0.address.counted_as(&before.0.client);
        let keys = (before.0.address.key(), counted_as);
        let ledger = self.ledger(keys, count_client.then_some(&before.0.client));
        let input = self.rows.inputs.get(&id).cloned();
        let decision = self.decide(decide, Some(&before), input.as_ref(), &ledger)?;
        if let Some(change) = &decision.change {
            self.writes.revived.push(id, change.request.expires_at);
        }
        self.change(counted_as, &before, decision)
    }

    fn redeem(
        &mut self,
        id: AuthRequestId,
        with_guesses: bool,
        decide: &mut Decide,
    ) -> Result<Answer, StoreError> {
        let Some(before) = self.request(id)? else {
            return self.missing(decide);
        };
        let counted_as = before.0.address.counted_as(&before.0.client);
        let mut ledger = Ledger::default();
        if with_guesses && let Some((guesses, _)) = self.counted.guesses.get(&counted_as) {
            ledger.guesses = guesses.clone();
        }
        let decision = self.decide(decide, Some(&before), None, &ledger)?;
        self.change(counted_as, &before, decision)
    }

    fn settle(&mut self, settled: &Settled) -> Result<Answer, StoreError> {
        let found = self.rows.deliveries.get(&settled.id);
        let Some(before) = found
            .filter(|found| found.state == DeliveryState::Queued)
            .cloned()
        else {
            return Ok(Answer::Done);
        };
        let now = self.bench.clock.now();
        let (after, told) = rules::settle(&before, &settled.tries, &settled.settlement, now);
        let event = |(at, what)| Event {
            at,
            request: Some(settled.id.request),
            client: Some(settled.client.clone()),
            address: settled.address,
            what,
        };
        let events: Vec<Event> = told.into_iter().map(event).collect();
        self.tell(&events)?;
        self.writes.ended.0.push((before, after));
        Ok(Answer::Done)
    }

    fn request(&self, id: AuthRequestId) -> Result<Option<Versioned>, StoreError> {
        match self.rows.requests.get(&id) {
            None => Ok(None),
            Some(Ok(found)) => Ok(Some(found.clone())),
            Some(Err(failure)) => Err(failure.clone().not_done()),
        }
    }

    fn missing(&self, decide: &mut Decide) -> Result<Answer, StoreError> {
        let decision = self.decide(decide, None, None, &Ledger::default())?;
        Ok(Answer::Decided(Box::new(decision)))
    }

    /// What counts for a mail to the address, which is counted under the second key.
    fn ledger(
        &self,
        (address, counted_as): (AddressKey, AddressKey),
        client: Option<&ClientId>,
    ) -> Ledger {
        let counted = &self.counted;
        let sends = counted
            .sends
            .get(&counted_as)
            .map(|(sends, _)| sends.clone());
        let guesses = counted
            .guesses
            .get(&counted_as)
            .map(|(guesses, _)| guesses.clone());
        // Several acts of a batch may count for one client, each on what the one before it left.
        let clients = client.and_then(|client| {
            let written = self.writes.counts.clients.get(client);
            written.or_else(|| counted.clients.get(client))
        });
        Ledger {
            sends: sends.unwrap_or_default(),
            client_sends: clients.map(|(sends, _)| sends.clone()).unwrap_or_default(),
            guesses: guesses.unwrap_or_default(),
            suppressed: counted.suppressed.get(&address).cloned(),
        }
    }

    /// Asks the rule. What a panic leaves behind is nothing: the rule is pure, and nothing is written yet.
    fn decide(
        &self,
        decide: &mut Decide,
        request: Option<&Versioned>,
        input: Option<&Sealed>,
        ledger: &Ledger,
    ) -> Result<Decision, StoreError> {
        let found = Found {
            request: request.map(|(request, _)| request),
            input,
            ledger,
        };
        let now = self.bench.clock.now();
        catch_unwind(AssertUnwindSafe(|| decide(found, now)))
            .map_err(|_| StoreError::Broken("the act panicked".into()))
    }

    fn change(
        &mut self,
        counted_as: AddressKey,
        before: &Versioned,
        decision: Decision,
    ) -> Result<Answer, StoreError> {
        if let Some(change) = &decision.change {
            self.tell(&change.events)?;
            self.writes.changed.push(before, &change.request);
            self.follow(counted_as, change);
        }
        Ok(Answer::Decided(Box::new(decision)))
    }

    /// What goes with a request.
    fn follow(&mut self, address: AddressKey, change: &Change) {
        let version = |held: Option<i64>| held.unwrap_or(0);
        let (counted, counts) = (&self.counted, &mut self.writes.counts);
        if let Some(sends) = &change.sends {
            let held = version(counted.sends.get(&address).map(|held| held.1));
            counts.sends.insert(address, (sends.clone(), held));
        }
        if let Some(guesses) = &change.guesses {
            let held = version(counted.guesses.get(&address).map(|held| held.1));
            counts.guesses.insert(address, (guesses.clone(), held));
        }
        if let Some(sends) = &change.client_sends {
            let client = &change.request.client;
            let held = version(counted.clients.get(client).map(|held| held.1));
            counts.clients.insert(client.clone(), (sends.clone(), held));
        }
        self.writes
            .queued
            .deliveries
            .extend(change.delivery.clone());
    }

    fn tell(&mut self, events: &[Event]) -> Result<(), StoreError> {
        let told = self.writes.told.push(&self.bench.ids, events);
        told.map_err(Failure::not_done)
    }
}
