//! One attempt at one delivery.

use std::time::Duration;

use postern_core::flow::MailInput;
use postern_core::model::{Delivery, DeliveryId, DeliveryState, Outgoing, Settlement, Timestamp};
use postern_core::ports::{Settled, StoreError, random};
use postern_core::rules::{LEASE, next_attempt_at, undeliverable};
use tracing::{debug, info, warn};

use super::{Parts, suppress};
use crate::app::Stopwatch;
use crate::mail::{Carrier, Mail, Outcome, Renderer, Reply};
use crate::telemetry::labels::{self, Label as _};

/// What has to be left of a lease to begin: an attempt's deadline and the clocks' skew. With less,
/// another node could claim the delivery while we are still sending it.
const NEEDED: Duration = Duration::from_secs(32);

/// How often a settlement is offered to a store that has no room for it.
const SETTLE_TRIES: u32 = 40;
const SETTLE_PAUSE: Duration = Duration::from_millis(250);

/// Where this node's lease on a delivery comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lease {
    /// From the commit of the send. It stands only as long as nobody has claimed the delivery since.
    FromSend,
    /// From a claim.
    Claimed,
}

impl Lease {
    fn stands(self, delivery: &Delivery, now: Timestamp) -> bool {
        let untouched = delivery.due_at == delivery.queued_at.plus(LEASE);
        (self == Self::Claimed || untouched) && now.plus(NEEDED) <= delivery.due_at
    }
}

/// An attempt, with what it needs.
pub(super) struct Attempt<'a> {
    pub(super) parts: &'a Parts,
    pub(super) lease: Lease,
}

impl Attempt<'_> {
    /// Reads the delivery, sends it if it still should be sent, and settles it. A delivery that
    /// could not be read or settled is left to its lease.
    pub(super) async fn run(&self, id: DeliveryId) {
        let outgoing = match self.parts.postern.store().find_outgoing(id).await {
            Ok(Some(outgoing)) => outgoing,
            Ok(None) => return,
            Err(error) => return warn!(delivery = %id, %error, "a delivery could not be read"),
        };
        let now = self.parts.postern.now();
        if outgoing.delivery.state != DeliveryState::Queued
            || !self.lease.stands(&outgoing.delivery, now)
        {
            return;
        }
        let watch = Stopwatch::start();
        let settlement = self.settlement(&outgoing, now).await;
        self.parts.metrics.attempt(label(&settlement));
        let (outcome, took_ms) = (label(&settlement).text(), watch.elapsed().as_millis());
        if settlement.state() == DeliveryState::Failed
            || settlement.state() == DeliveryState::Bounced
        {
            info!(delivery = %id, outcome, took_ms, "mail failed");
        } else {
            debug!(delivery = %id, outcome, took_ms, "mail attempted");
        }
        suppress::note(&self.parts.postern, &outgoing, &settlement).await;
        self.settle(&outgoing, settlement).await;
    }

    async fn settlement(&self, outgoing: &Outgoing, now: Timestamp) -> Settlement {
        if let Some(reason) = undeliverable(&outgoing.delivery, &outgoing.request, now) {
            return Settlement::Abandoned { reason };
        }
        let carrier = match self.parts.route.carrier() {
            Ok(carrier) => carrier,
            Err(reason) => return self.again(outgoing, None, reason),
        };
        let mail = match self.render(outgoing, &carrier, now) {
            Ok(mail) => mail,
            Err(reason) => return Settlement::Failed { reason },
        };
        let outcome = carrier.transport.deliver(&mail).await;
        self.judge(outgoing, &carrier, &outcome)
    }

    fn render(
        &self,
        outgoing: &Outgoing,
        carrier: &Carrier,
        now: Timestamp,
    ) -> Result<Mail, String> {
        let (keyring, snapshot) = (self.parts.postern.keyring(), self.parts.postern.snapshot());
        let input = MailInput::open(&keyring, outgoing.request.id, outgoing.input.as_ref());
        let input =
            input.map_err(|problem| format!("what the caller passed does not open: {problem}"))?;
        let renderer = Renderer {
            templates: &self.parts.templates,
            keyring: &keyring,
            settings: &snapshot.settings,
            from: &carrier.sender,
        };
        renderer
            .render(outgoing, &input, now)
            .map_err(|error| error.to_string())
    }

    fn judge(&self, outgoing: &Outgoing, carrier: &Carrier, outcome: &Outcome) -> Settlement {
        tell(outgoing.delivery.id, &carrier.name, outcome);
        let provider = carrier.name.clone();
        let told = |reply: &Reply| reply.to_string();
        match outcome {
            Outcome::Sent(reply) => Settlement::Sent {
                provider,
                reply: told(reply),
            },
            Outcome::Bounced(reply) => Settlement::Bounced {
                provider,
                reply: told(reply),
            },
            Outcome::ProviderTrouble(reply) | Outcome::Retry(reply) => {
                self.again(outgoing, Some(provider), told(reply))
            }
            Outcome::Unsure(reply) => self.again(
                outgoing,
                Some(provider),
                format!("no answer to the message: {reply}"),
            ),
        }
    }

    /// A later try, unless the credential will have ended by then.
    fn again(&self, outgoing: &Outgoing, provider: Option<String>, reason: String) -> Settlement {
        let attempts = outgoing.delivery.attempts.saturating_add(1);
        let jitter = u32::from_le_bytes(random(&*self.parts.entropy));
        let now = self.parts.postern.now();
        match next_attempt_at(&outgoing.request, attempts, jitter, now) {
            Some(at) => Settlement::Retry {
                at,
                provider,
                reason,
            },
            None => Settlement::Failed { reason },
        }
    }

    /// Writes the end of the attempt. A store without room is asked again, because a delivery
    /// that was sent and not settled would be sent twice; settling twice changes nothing.
    async fn settle(&self, outgoing: &Outgoing, settlement: Settlement) {
        let settled = Settled {
            id: outgoing.delivery.id,
            client: outgoing.request.client.clone(),
            address: outgoing.request.address.key(),
            settlement,
        };
        for _ in 0..SETTLE_TRIES {
            match self
                .parts
                .postern
                .store()
                .settle_delivery(settled.clone())
                .await
            {
                Ok(()) => return,
                Err(error @ StoreError::Broken(_)) => {
                    return warn!(delivery = %settled.id, %error, "a delivery could not be settled");
                }
                Err(StoreError::Refused | StoreError::NotDone(_) | StoreError::Unknown(_)) => {}
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        warn!(delivery = %settled.id, "a delivery could not be settled in time");
    }
}

/// Tells the log how far a mail came that was not taken. What the server said stays in the event:
/// it may name the person.
fn tell(delivery: DeliveryId, provider: &str, outcome: &Outcome) {
    if matches!(outcome, Outcome::Sent(_)) {
        return;
    }
    let (outcome, reply) = (outcome.as_str(), outcome.reply());
    let (stage, code) = (reply.stage.as_str(), reply.code);
    warn!(%delivery, provider, outcome, stage, code, "mail not taken");
}

fn label(settlement: &Settlement) -> labels::Attempt {
    match settlement {
        Settlement::Sent { .. } => labels::Attempt::Sent,
        Settlement::Retry { .. } => labels::Attempt::Retried,
        Settlement::Bounced { .. } | Settlement::Failed { .. } => labels::Attempt::Failed,
        Settlement::Abandoned { .. } => labels::Attempt::Abandoned,
    }
}
