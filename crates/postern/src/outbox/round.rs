//! One attempt's round over the providers, until one of them settles the mail.

use std::sync::Arc;
use std::time::Duration;

use postern_core::flow::MailInput;
use postern_core::model::{
    DeliveryId, Event, EventKind, Fault, Outgoing, Settlement, Timestamp, Try,
};
use postern_core::ports::random;
use postern_core::rules::{next_attempt_at, order_of_providers, undeliverable};
use tracing::warn;

use super::Parts;
use crate::app::Stopwatch;
use crate::mail::{Carrier, FellBack, Mail, Outcome, Patience, Renderer, Reply, Shut};

/// How long a round may take in all; an attempt's lease counts on it.
pub(super) const WHOLE: Duration = Duration::from_secs(30);

/// With less than this left, the next provider is kept for the next round.
const WORTHWHILE: Duration = Duration::from_secs(3);

/// How long a mail waits at least for a provider that is shut, or for one to be configured.
const PAUSE: Duration = Duration::from_secs(1);

/// A round for one delivery.
pub(super) struct Round<'a> {
    parts: &'a Parts,
    outgoing: &'a Outgoing,
    watch: Stopwatch,
    tries: Vec<Try>,
}

/// What comes of trying one provider.
enum Next {
    /// The mail goes on to the next one.
    Goes(Try),
    /// It is settled.
    Settled(Settlement),
}

impl<'a> Round<'a> {
    /// A round that has tried nobody yet.
    pub(super) fn new(parts: &'a Parts, outgoing: &'a Outgoing) -> Self {
        Self {
            parts,
            outgoing,
            watch: Stopwatch::start(),
            tries: Vec::new(),
        }
    }

    /// Sends the mail if it still should be sent. Answers the tries that were followed by another
    /// one, and how it ended.
    pub(super) async fn run(mut self, now: Timestamp) -> (Vec<Try>, Settlement) {
        let settlement = self.settlement(now).await;
        (self.tries, settlement)
    }

    async fn settlement(&mut self, now: Timestamp) -> Settlement {
        if let Some(reason) = self.undeliverable(now) {
            return Settlement::Abandoned { reason };
        }
        let carriers = match self.parts.route.carriers() {
            Ok(carriers) => carriers,
            Err(reason) => return self.later(now.plus(PAUSE), reason),
        };
        // The first carrier names the mail whoever takes it, so that a repeat is the same mail.
        let mut mail = match self.render(&carriers[0], now) {
            Ok((mail, fell_back)) => {
                self.note(fell_back, now).await;
                mail
            }
            Err(reason) => {
                let provider = None;
                return Settlement::Failed { provider, reason };
            }
        };
        if let Some(inbox) = self.parts.route.copies(mail.delivery) {
            inbox.transport.deliver(&mail, Patience::WHOLE).await;
        }
        let domain = carriers[0].sender.domain().to_owned();
        let mut shut: Option<Shut> = None;
        let order = self.order(&carriers);
        for (place, index) in order.iter().enumerate() {
            let carrier = &carriers[*index];
            let rest = &order[place + 1..];
            match self
                .attempt(carrier, &carriers, rest, &mut mail, &domain)
                .await
            {
                Ok(Next::Settled(settlement)) => return settlement,
                Ok(Next::Goes(one)) => self.tries.push(one),
                Err(one) => shut = Some(sooner(shut, one)),
            }
        }
        match (self.tries.pop(), shut) {
            (Some(last), _) => self.again(carriers.len(), last),
            (None, Some(shut)) => {
                let reason = if shut.trouble {
                    "every mail provider is in trouble"
                } else {
                    "every mail provider is in trouble or at its rate limit"
                };
                self.later(shut.until, reason.to_owned())
            }
            (None, None) => self.later(now.plus(PAUSE), "no mail provider was tried".to_owned()),
        }
    }

    /// Tries one provider, unless its gate is shut.
    async fn attempt(
        &self,
        carrier: &Carrier,
        carriers: &[Arc<Carrier>],
        rest: &[usize],
        mail: &mut Mail,
        domain: &str,
    ) -> Result<Next, Shut> {
        let now = self.parts.postern.now();
        let left = WHOLE.saturating_sub(self.watch.elapsed());
        if !self.tries.is_empty() && left < WORTHWHILE {
            let until = now.plus(PAUSE);
            return Err(Shut {
                until,
                trouble: true,
            });
        }
        if !self.tries.is_empty()
            && let Some(reason) = self.spent_meanwhile().await
        {
            return Ok(Next::Settled(Settlement::Abandoned { reason }));
        }
        carrier.gate.pass(now)?;
        mail.from = carrier.sender.clone().identified_by(domain);
        let patience = Patience {
            total: left,
            another: rest.iter().any(|index| carriers[*index].gate.is_open(now)),
        };
        let outcome = carrier.transport.deliver(mail, patience).await;
        let now = self.parts.postern.now();
        carrier.gate.note(&outcome, now);
        tell(mail.delivery, &carrier.name, &outcome);
        Ok(self.judge(carriers.len(), carrier, &outcome, now))
    }

    fn judge(&self, carriers: usize, carrier: &Carrier, outcome: &Outcome, now: Timestamp) -> Next {
        let provider = carrier.name.clone();
        let tried = |fault, reply: &Reply| Try {
            provider: carrier.name.clone(),
            at: now,
            fault,
            reason: reply.to_string(),
        };
        match outcome {
            Outcome::Sent(reply) => Next::Settled(Settlement::Sent {
                provider,
                reply: reply.to_string(),
            }),
            Outcome::Bounced(reply) => Next::Settled(Settlement::Bounced {
                provider,
                reply: reply.to_string(),
            }),
            Outcome::Unsure(reply) => {
                let mut one = tried(Fault::Unsure, reply);
                one.reason = format!("no answer to the message: {reply}");
                Next::Settled(self.again(carriers, one))
            }
            Outcome::Retry(reply) if !outcome.is_trouble() => {
                Next::Settled(self.again(carriers, tried(Fault::Deferred, reply)))
            }
            Outcome::ProviderTrouble(reply) | Outcome::Retry(reply) => {
                Next::Goes(tried(Fault::Trouble, reply))
            }
        }
    }

    /// A later round, unless the credential will have ended by then.
    fn again(&self, carriers: usize, last: Try) -> Settlement {
        let earlier = usize::from(self.outgoing.delivery.attempts) + self.tries.len();
        let rounds = u16::try_from(earlier / carriers.max(1) + 1).unwrap_or(u16::MAX);
        let now = self.parts.postern.now();
        match next_attempt_at(&self.outgoing.request, rounds, self.jitter(), now) {
            Some(at) => Settlement::Retry {
                at,
                provider: Some(last.provider),
                fault: last.fault,
                reason: last.reason,
            },
            None => Settlement::Failed {
                provider: Some(last.provider),
                reason: last.reason,
            },
        }
    }

    /// A later round for a mail that nobody was tried with, spread over a fifth more than it waits.
    fn later(&self, until: Timestamp, reason: String) -> Settlement {
        let now = self.parts.postern.now();
        let wait = until.since(now).max(PAUSE);
        let spread = (wait / 5).mul_f64(f64::from(self.jitter()) / f64::from(u32::MAX));
        let at = now.plus(wait + spread);
        if at < self.outgoing.request.expires_at {
            return Settlement::Retry {
                at,
                provider: None,
                fault: Fault::Trouble,
                reason,
            };
        }
        let provider = None;
        Settlement::Failed { provider, reason }
    }

    fn jitter(&self) -> u32 {
        u32::from_le_bytes(random(&*self.parts.entropy))
    }

    fn undeliverable(&self, now: Timestamp) -> Option<&'static str> {
        undeliverable(&self.outgoing.delivery, &self.outgoing.request, now)
    }

    /// Whether the credential was spent while earlier providers were tried.
    async fn spent_meanwhile(&self) -> Option<&'static str> {
        let id = self.outgoing.delivery.id;
        let now = self.parts.postern.now();
        match self.parts.postern.store().find_outgoing(id).await {
            Ok(Some(read)) => undeliverable(&read.delivery, &read.request, now),
            Ok(None) => Some("gone"),
            // The credential was good a moment ago; a store that does not answer says nothing.
            Err(_) => self.undeliverable(now),
        }
    }

    /// In which order the providers are tried.
    fn order(&self, carriers: &[Arc<Carrier>]) -> Vec<usize> {
        let names: Vec<&str> = carriers.iter().map(|one| one.name.as_str()).collect();
        order_of_providers(&names, self.outgoing.delivery.last_try.as_ref())
    }

    /// Writes on the timeline that the mail goes out as the built-in one.
    async fn note(&self, fell_back: Option<FellBack>, now: Timestamp) {
        let Some(FellBack { template, problem }) = fell_back else {
            return;
        };
        let (delivery, request) = (self.outgoing.delivery.id, &self.outgoing.request);
        warn!(%delivery, template, %problem, "the built-in template serves instead");
        let event = Event {
            at: now,
            request: Some(request.id),
            client: Some(request.client.clone()),
            address: request.address.key(),
            what: EventKind::TemplateFailed {
                delivery: delivery.ordinal,
                template,
                reason: problem.to_string().chars().take(300).collect(),
            },
        };
        if let Err(error) = self.parts.postern.store().record(vec![event]).await {
            warn!(%delivery, %error, "an event could not be written");
        }
    }

    fn render(
        &self,
        carrier: &Carrier,
        now: Timestamp,
    ) -> Result<(Mail, Option<FellBack>), String> {
        let (keyring, snapshot) = (self.parts.postern.keyring(), self.parts.postern.snapshot());
        let outgoing = self.outgoing;
        let input = MailInput::open(&keyring, outgoing.request.id, outgoing.input.as_ref());
        let input =
            input.map_err(|problem| format!("what the caller passed does not open: {problem}"))?;
        let renderer = Renderer {
            templates: &self.parts.templates,
            keyring: &keyring,
            settings: &snapshot.settings,
            from: &carrier.sender,
            public_url: &self.parts.public_url,
        };
        renderer
            .render_telling(outgoing, &input, now)
            .map_err(|error| error.to_string())
    }
}

/// The shut gate that opens first.
fn sooner(one: Option<Shut>, other: Shut) -> Shut {
    match one {
        Some(one) => Shut {
            until: one.until.min(other.until),
            trouble: one.trouble && other.trouble,
        },
        None => other,
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
