//! From the mail providers in the store to open ways to them.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lettre::address::Envelope;
use lettre::message::Message;
use postern_core::flow::Postern;
use postern_core::keyring::Keyring;
use postern_core::model::{Email, MailProvider, SecretText, Snapshot};
use tracing::warn;

use super::smtp::{Endpoint, Limits, Smtp, Trust};
use super::{
    Carrier, Gate, Mail, MessageError, Outcome, Patience, Reply, Route, Sender, Stage, Transport,
};
use crate::telemetry::metrics::Metrics;

/// The route to the mail providers that the store names. A changed provider gets new connections
/// with the next mail; those of the old one end with the mails they are carrying.
pub struct Providers {
    postern: Arc<Postern>,
    trust: Trust,
    limits: Limits,
    metrics: Arc<Metrics>,
    held: Mutex<Held>,
}

/// What was made of the providers of one revision of the registry.
#[derive(Default)]
struct Held {
    /// The revision; none while a provider could not be made, so that it is tried again.
    revision: Option<u64>,
    known: Vec<(MailProvider, Arc<Carrier>)>,
    carriers: Option<Arc<[Arc<Carrier>]>>,
    problem: Option<String>,
}

impl Providers {
    /// A route that has not connected yet.
    pub fn new(postern: Arc<Postern>, trust: Trust, limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            postern,
            trust,
            limits,
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
            let kept = held.known.iter().find(|(one, _)| is_same(one, provider));
            let made = match kept {
                Some((_, carrier)) => Ok(Arc::clone(carrier)),
                None => self.carrier(provider).map(Arc::new),
            };
            match made {
                Ok(carrier) => known.push((provider.clone(), carrier)),
                Err(problem) => {
                    warn!(provider = provider.name, problem, "mail provider left out");
                    held.problem = Some(format!("{}: {problem}", provider.name));
                }
            }
        }
        for (gone, _) in &held.known {
            if !snapshot.providers.iter().any(|one| one.name == gone.name) {
                self.metrics.forget_provider(&gone.name);
            }
        }
        held.revision = held.problem.is_none().then_some(snapshot.revision);
        held.carriers = (!known.is_empty()).then(|| {
            known
                .iter()
                .map(|(_, carrier)| Arc::clone(carrier))
                .collect()
        });
        held.known = known;
    }

    fn carrier(&self, provider: &MailProvider) -> Result<Carrier, String> {
        let sender = sender(provider)?;
        let limits = Limits {
            connections: provider
                .connections
                .map_or(self.limits.connections, usize::from),
            ..self.limits
        };
        let endpoint = endpoint(provider, &self.postern.keyring(), &sender)?;
        let smtp = Smtp::new(endpoint, self.trust.clone(), limits);
        let meter = self.metrics.provider(&provider.name);
        Ok(Carrier {
            name: provider.name.clone(),
            sender,
            transport: Arc::new(smtp),
            gate: Gate::watching(&provider.name, provider.per_minute, meter),
        })
    }
}

/// Whether two providers are the same but for their place in the order.
fn is_same(one: &MailProvider, other: &MailProvider) -> bool {
    let position = other.position;
    *other
        == MailProvider {
            position,
            ..one.clone()
        }
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

/// Sends one plain mail that says it is a test, over a connection of its own.
///
/// # Errors
/// Why the provider, as it is stored, cannot be used at all.
pub async fn send_test(
    provider: &MailProvider,
    keyring: &Keyring,
    trust: Trust,
    to: &Email,
) -> Result<Outcome, String> {
    let sender = sender(provider)?;
    let smtp = Smtp::new(
        endpoint(provider, keyring, &sender)?,
        trust,
        Limits::default(),
    );
    let recipient =
        super::message::recipient(to).map_err(|_| MessageError::Recipient.to_string())?;
    let envelope = Envelope::new(Some(sender.address().clone()), vec![recipient.clone()]);
    let envelope = envelope.map_err(|error| error.to_string())?;
    let message = Message::builder()
        .from(sender.mailbox().clone())
        .to(recipient.into())
        .date_now()
        .message_id(None)
        .subject("Postern can send mail")
        .body("This is the test mail that you asked Postern to send.\n".to_owned())
        .map_err(|error| error.to_string())?;
    Ok(smtp
        .send(&envelope, &message.formatted(), &[], Patience::WHOLE)
        .await)
}

fn sender(provider: &MailProvider) -> Result<Sender, String> {
    let read = |text: &str| {
        text.parse::<Sender>()
            .map_err(|problem| format!("the provider's sender does not read: {problem}"))
    };
    let sender = read(&provider.from)?;
    Ok(match &provider.reply_to {
        Some(other) => sender.answered_at(read(other)?),
        None => sender,
    })
}

fn endpoint(
    provider: &MailProvider,
    keyring: &Keyring,
    sender: &Sender,
) -> Result<Endpoint, String> {
    Ok(Endpoint {
        host: provider.host.clone(),
        port: provider.port,
        tls: provider.tls,
        login: login(provider, keyring)?,
        hello: sender.domain().to_owned(),
    })
}

fn login(
    provider: &MailProvider,
    keyring: &Keyring,
) -> Result<Option<(String, SecretText)>, String> {
    let Some(sealed) = &provider.password else {
        return Ok(None);
    };
    if provider.oauth.is_some() {
        return Err("the login by XOAUTH2 is not there yet".to_owned());
    }
    let opened = keyring
        .open(&MailProvider::password_slot(&provider.name), sealed)
        .map_err(|problem| format!("the provider's password: {problem}"))?;
    let password =
        String::from_utf8(opened.to_vec()).map_err(|_| "the provider's password is not text")?;
    let username = provider.username.as_ref().unwrap_or(&password).clone();
    Ok(Some((username, SecretText::new(password))))
}

#[async_trait]
impl Transport for Smtp {
    async fn deliver(&self, mail: &Mail, patience: Patience) -> Outcome {
        match mail.encode_for(self.host()) {
            Ok((envelope, message)) => {
                let secrets = mail.secrets();
                self.send(&envelope, &message, &secrets, patience).await
            }
            Err(error) => Outcome::Bounced(Reply::new(Stage::Rcpt, None, &error.to_string(), &[])),
        }
    }

    fn tidy(&self) {
        Smtp::tidy(self);
    }
}
