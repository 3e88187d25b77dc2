//! A store that breaks one promise on purpose, around a real one: what the checker must notice.

mod flatter;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use postern_core::model::{
    AuthRequestId, DeliveryId, Event, Fault, NodeId, Outgoing, Settlement, State,
};
use postern_core::ports::{
    AddressedDelivery, Change, Decide, Decision, Engine, Found, Keep, Opening, OutboxState,
    Settled, Store, StoreError, Swept, WantedDeliveries,
};

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Breakage {
    /// An accepted proof is not written down: it is accepted again.
    ForgetConsume,
    /// One send in four is acknowledged and not kept.
    LoseSend,
    /// The right code is accepted after its end.
    AcceptExpired,
    /// The right code is accepted after the fifth wrong one.
    AcceptDead,
    /// A code that a resend has replaced is accepted.
    AcceptSuperseded,
    /// A wrong code is refused and not counted.
    SkipCount,
    /// A send is not counted against its address's quota.
    SkipQuota,
    /// A wrong code is not counted against its address's budget.
    SkipBudget,
    /// One mail in four is written down as sent and is not.
    LoseMail,
    /// One mail in four is sent and then waits to be sent again.
    RepeatMail,
    /// A mail is sent though its credential is spent.
    MailSpent,
    /// One acceptance in four leaves no event.
    LoseEvent,
    /// One send in four is kept though the caller is told that it was not done.
    DenySend,
}

/// The store that does it.
pub(crate) struct Broken {
    inner: Arc<dyn Engine>,
    breakage: Breakage,
    /// Occasions so far.
    count: AtomicU64,
}

impl Broken {
    /// Breaks this promise of that store.
    pub(crate) fn around(inner: Arc<dyn Engine>, breakage: Breakage) -> Arc<dyn Engine> {
        Arc::new(Self {
            inner,
            breakage,
            count: AtomicU64::new(0),
        })
    }

    /// What it does nothing wrong with.
    fn whole(&self) -> &dyn Engine {
        &*self.inner
    }

    /// Whether this is the breakage, and it is time for it: one occasion in four.
    fn now(&self, breakage: Breakage) -> bool {
        self.breakage == breakage && self.count.fetch_add(1, Ordering::Relaxed) % 4 == 3
    }
}

/// What a tampered rule decided: it is answered, whatever was written.
type Answered = Arc<Mutex<Option<Change>>>;

/// The rule, but `tamper` says what is written of the change that it decided on.
fn tampered(
    mut decide: Decide,
    tamper: impl Fn(&mut Change) -> bool + Send + 'static,
) -> (Decide, Answered) {
    let answered = Answered::default();
    let told = Arc::clone(&answered);
    let decide = move |found: Found<'_>, now| {
        let mut decision = decide(found, now);
        if let Some(change) = &mut decision.change
            && !tamper(change)
        {
            let unwritten = decision.change.take();
            *told.lock().unwrap_or_else(PoisonError::into_inner) = unwritten;
        }
        decision
    };
    (Box::new(decide), answered)
}

/// The decision with what was kept from the store.
fn whole(mut decision: Decision, answered: &Answered) -> Decision {
    let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
    if decision.change.is_none() {
        decision.change = answered.take();
    }
    decision
}

#[async_trait]
impl Store for Broken {
    async fn open_auth_request(&self, opening: Opening) -> Result<Decision, StoreError> {
        let (loses, denies) = (self.now(Breakage::LoseSend), self.now(Breakage::DenySend));
        let miscounts = self.breakage == Breakage::SkipQuota;
        let (decide, answered) = tampered(opening.decide, move |change| {
            if miscounts {
                change.sends = None;
            }
            !loses
        });
        let opening = Opening { decide, ..opening };
        let decision = self.inner.open_auth_request(opening).await?;
        if denies && decision.outcome.is_ok() {
            return Err(StoreError::Refused);
        }
        Ok(whole(decision, &answered))
    }

    async fn redeem(
        &self,
        id: AuthRequestId,
        with_guesses: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError> {
        let (breakage, loses_event) = (self.breakage, self.now(Breakage::LoseEvent));
        let decide = flatter::flattered(decide, breakage);
        let (decide, answered) = tampered(decide, move |change| {
            let used = matches!(change.request.state, State::Used(_));
            if used && loses_event {
                change.events.clear();
            }
            if breakage == Breakage::SkipBudget {
                change.guesses = None;
            }
            !(used && breakage == Breakage::ForgetConsume
                || !used && breakage == Breakage::SkipCount)
        });
        let decision = self.inner.redeem(id, with_guesses, decide).await?;
        Ok(whole(decision, &answered))
    }

    async fn settle_delivery(&self, mut settled: Settled) -> Result<(), StoreError> {
        if matches!(settled.settlement, Settlement::Sent { .. }) && self.now(Breakage::RepeatMail) {
            let found = self.inner.find_outgoing(settled.id).await?;
            let queued_at = found.map(|found| found.delivery.queued_at);
            settled.settlement = Settlement::Retry {
                at: queued_at.unwrap_or(postern_core::model::Timestamp::from_micros(0)),
                provider: None,
                fault: Fault::Deferred,
                reason: "on purpose".to_owned(),
            };
        }
        self.inner.settle_delivery(settled).await
    }

    async fn find_outgoing(&self, id: DeliveryId) -> Result<Option<Outgoing>, StoreError> {
        let mut found = self.inner.find_outgoing(id).await?;
        if let Some(outgoing) = found
            .as_mut()
            .filter(|_| self.breakage == Breakage::MailSpent)
        {
            outgoing.request.state = State::Open;
            outgoing.request.generation = outgoing.delivery.generation;
            outgoing.request.expires_at = outgoing.delivery.due_at.plus(Duration::from_hours(1));
        }
        let Some(outgoing) = found.as_ref().filter(|_| self.now(Breakage::LoseMail)) else {
            return Ok(found);
        };
        let settled = Settled {
            id,
            client: outgoing.request.client.clone(),
            address: outgoing.request.address.key(),
            tries: Vec::new(),
            settlement: Settlement::Sent {
                provider: "nobody".to_owned(),
                reply: "250 on purpose".to_owned(),
            },
        };
        self.inner.settle_delivery(settled).await?;
        Ok(None)
    }

    async fn reissue(
        &self,
        id: AuthRequestId,
        count_client: bool,
        decide: Decide,
    ) -> Result<Decision, StoreError> {
        self.inner.reissue(id, count_client, decide).await
    }

    async fn claim_deliveries(
        &self,
        node: NodeId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        self.inner.claim_deliveries(node, limit, lease).await
    }

    async fn release_leases(&self, node: NodeId) -> Result<usize, StoreError> {
        self.inner.release_leases(node).await
    }

    async fn deliveries(
        &self,
        wanted: WantedDeliveries,
    ) -> Result<Vec<AddressedDelivery>, StoreError> {
        self.inner.deliveries(wanted).await
    }

    async fn outbox(&self) -> Result<OutboxState, StoreError> {
        self.inner.outbox().await
    }

    async fn record(&self, events: Vec<Event>) -> Result<(), StoreError> {
        self.inner.record(events).await
    }

    async fn timeline(&self, id: AuthRequestId) -> Result<Vec<Event>, StoreError> {
        self.inner.timeline(id).await
    }

    async fn find_auth_request(
        &self,
        id: AuthRequestId,
    ) -> Result<Option<postern_core::model::AuthRequest>, StoreError> {
        self.inner.find_auth_request(id).await
    }

    async fn sweep(&self, keep: Keep) -> Result<Swept, StoreError> {
        self.inner.sweep(keep).await
    }

    async fn forget_address(
        &self,
        address: &postern_core::model::Email,
    ) -> Result<u64, StoreError> {
        self.inner.forget_address(address).await
    }

    async fn kids_in_use(&self) -> Result<Vec<u8>, StoreError> {
        self.inner.kids_in_use().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

postern_store::forward_other_ports!(Broken, whole, whole);
