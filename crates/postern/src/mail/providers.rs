//! From the mail providers in the store to open ways to them.

use std::sync::{Arc, Mutex, PoisonError};

use lettre::address::Envelope;
use lettre::message::Message;
use postern_core::flow::Postern;
use postern_core::model::{DkimKey, Email, MailProvider, Snapshot};
use postern_core::ports::random;
use tracing::warn;

use super::opener::{Opener, sender};
use super::smtp::{Limits, Trust};
use super::{Carrier, Gate, MessageError, Outcome, Patience, Reply, Route, Sender};
use crate::telemetry::metrics::Metrics;
use crate::world::SystemEntropy;

/// The route to the mail providers that the store names. A changed provider gets new connections
/// with the next mail; those of the old one end with the mails they are carrying.
pub struct Providers {
    postern: Arc<Postern>,
    opener: Opener,
    metrics: Arc<Metrics>,
    held: Mutex<Held>,
}

/// What was made of the providers of one revision of the registry.
#[derive(Default)]
struct Held {
    /// The revision; none while a provider could not be made, so that it is tried again.
    revision: Option<u64>,
    known: Vec<Known>,
    carriers: Option<Arc<[Arc<Carrier>]>>,
    problem: Option<String>,
}

/// A provider, the DKIM keys of its sender's domain, and what was made of them.
struct Known {
    provider: MailProvider,
    signed_by: Vec<DkimKey>,
    carrier: Arc<Carrier>,
}

impl Known {
    /// Whether it is the same but for its place in the order.
    fn is_same(&self, provider: &MailProvider, signed_by: &[DkimKey]) -> bool {
        let position = provider.position;
        self.signed_by == signed_by
            && *provider
                == MailProvider {
                    position,
                    ..self.provider.clone()
                }
    }
}

impl Providers {
    /// A route that has not connected yet.
    pub fn new(postern: Arc<Postern>, trust: Trust, limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            opener: Opener::new(Arc::clone(&postern), trust, limits),
            postern,
            metrics,
            held: Mutex::default(),
        }
    }

    /// Whether the store names none.
    pub fn is_empty(&self) -> bool {
        self.postern.snapshot().providers.is_empty()
    }

    /// Makes carriers of the snapshot's providers, keeping those that are as they were.
    fn take_up(&self, held: &mut Held, snapshot: &Snapshot) {
        let mut known = Vec::with_capacity(snapshot.providers.len());
        held.problem = None;
        for provider in &snapshot.providers {
            match self.known(held, snapshot, provider) {
                Ok(one) => known.push(one),
                Err(problem) => {
                    warn!(provider = provider.name, problem, "mail provider left out");
                    held.problem = Some(format!("{}: {problem}", provider.name));
                }
            }
        }
        for gone in held.known.iter().map(|one| &one.provider.name) {
            if !snapshot.providers.iter().any(|one| one.name == *gone) {
                self.metrics.forget_provider(gone);
            }
        }
        held.revision = held.problem.is_none().then_some(snapshot.revision);
        held.carriers =
            (!known.is_empty()).then(|| known.iter().map(|one| Arc::clone(&one.carrier)).collect());
        held.known = known;
    }

    /// What is made of a provider, or was made of it before.
    fn known(
        &self,
        held: &Held,
        snapshot: &Snapshot,
        provider: &MailProvider,
    ) -> Result<Known, String> {
        let sender = sender(provider)?;
        let signed_by = signed_by(snapshot, &sender);
        let kept = held
            .known
            .iter()
            .find(|one| one.is_same(provider, &signed_by));
        let carrier = match kept {
            Some(one) => Arc::clone(&one.carrier),
            None => Arc::new(self.carrier(provider, sender, &signed_by)?),
        };
        Ok(Known {
            provider: provider.clone(),
            signed_by,
            carrier,
        })
    }

    fn carrier(
        &self,
        provider: &MailProvider,
        sender: Sender,
        signed_by: &[DkimKey],
    ) -> Result<Carrier, String> {
        let transport = self.opener.open(provider, &sender, signed_by)?;
        let meter = self.metrics.provider(&provider.name);
        Ok(Carrier {
            name: provider.name.clone(),
            sender,
            transport: Arc::new(transport),
            gate: Gate::watching(&provider.name, provider.per_minute, meter),
        })
    }
}

/// The keys that sign mails of this sender.
fn signed_by(snapshot: &Snapshot, sender: &Sender) -> Vec<DkimKey> {
    let domain = sender.domain().to_ascii_lowercase();
    snapshot.dkim_keys_of(&domain).cloned().collect()
}

impl Route for Providers {
    fn carriers(&self) -> Result<Arc<[Arc<Carrier>]>, String> {
        let snapshot = self.postern.snapshot();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.revision != Some(snapshot.revision) {
            self.take_up(&mut held, &snapshot);
        }
        held.carriers.clone().ok_or_else(|| match &held.problem {
            Some(problem) => format!("no mail provider can be used: {problem}"),
            None => "no mail provider is configured".to_owned(),
        })
    }

    fn tidy(&self) {
        for carrier in self.carriers().iter().flat_map(|all| all.iter()) {
            carrier.transport.tidy();
        }
    }
}

/// How a test mail fared.
#[derive(Debug)]
pub struct Tried {
    /// How it ended.
    pub outcome: Outcome,
    /// What was said, without what belongs to the login.
    pub dialogue: Vec<String>,
}

/// Sends one plain mail that says it is a test, over a connection of its own.
///
/// # Errors
/// Why the provider, as it is stored, cannot be used at all.
pub async fn send_test(
    postern: &Arc<Postern>,
    provider: &MailProvider,
    trust: Trust,
    to: &Email,
) -> Result<Tried, String> {
    let sender = sender(provider)?;
    let signed_by = signed_by(&postern.snapshot(), &sender);
    let opener = Opener::new(Arc::clone(postern), trust, Limits::default());
    let mut submission = opener.open(provider, &sender, &signed_by)?;
    let tape = submission.record();
    let recipient =
        super::message::recipient(to).map_err(|_| MessageError::Recipient.to_string())?;
    let envelope = Envelope::new(Some(sender.address().clone()), vec![recipient.clone()]);
    let envelope = envelope.map_err(|error| error.to_string())?;
    let message = Message::builder()
        .from(sender.mailbox().clone())
        .to(recipient.into())
        .date_now()
        .message_id(Some(test_id(&sender)))
        .subject("Postern can send mail")
        .body("This is the test mail that you asked Postern to send.\n".to_owned())
        .map_err(|error| error.to_string())?;
    let outcome = submission
        .submit(&envelope, message.formatted(), &[], Patience::WHOLE)
        .await;
    submission.close().await;
    Ok(Tried {
        outcome,
        dialogue: tape.lines(),
    })
}

/// A Message-ID on the sender's domain, as other mails have it: filters think little of others.
fn test_id(sender: &Sender) -> String {
    let bytes: [u8; 16] = random(&SystemEntropy);
    format!(
        "<test.{:032x}@{}>",
        u128::from_be_bytes(bytes),
        sender.id_domain()
    )
}

/// Opens a connection to the provider as for a mail, and sends none. Answers how far that came,
/// where it failed.
///
/// # Errors
/// Why the provider, as it is stored, cannot be used at all.
pub async fn probe(
    postern: &Arc<Postern>,
    provider: &MailProvider,
    trust: Trust,
) -> Result<Result<(), Reply>, String> {
    let sender = sender(provider)?;
    let opener = Opener::new(Arc::clone(postern), trust, Limits::default());
    Ok(opener.open(provider, &sender, &[])?.probe().await)
}
