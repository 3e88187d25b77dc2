//! From the mail provider in the store to an open way to it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lettre::address::Envelope;
use lettre::message::Message;
use postern_core::flow::Postern;
use postern_core::keyring::Keyring;
use postern_core::model::{Email, MailProvider, SecretText};

use super::smtp::{Endpoint, Limits, Smtp, Trust};
use super::{Carrier, Mail, MessageError, Outcome, Reply, Route, Sender, Stage, Transport};

/// The route to the mail provider that the store names. A changed provider gets new connections
/// with the next mail; those of the old one end with the mails they are carrying.
pub struct Providers {
    postern: Arc<Postern>,
    trust: Trust,
    limits: Limits,
    held: Mutex<Option<(MailProvider, Arc<Carrier>)>>,
}

impl Providers {
    /// A route that has not connected yet.
    pub fn new(postern: Arc<Postern>, trust: Trust, limits: Limits) -> Self {
        Self {
            postern,
            trust,
            limits,
            held: Mutex::default(),
        }
    }
}

impl Route for Providers {
    fn carrier(&self) -> Result<Arc<Carrier>, String> {
        let snapshot = self.postern.snapshot();
        let provider = snapshot
            .providers
            .first()
            .ok_or("no mail provider is configured")?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, carrier)) = &*held
            && known == provider
        {
            return Ok(Arc::clone(carrier));
        }
        let carrier = Arc::new(carrier(
            provider,
            &self.postern.keyring(),
            self.trust.clone(),
            self.limits,
        )?);
        *held = Some((provider.clone(), Arc::clone(&carrier)));
        Ok(carrier)
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
    Ok(smtp.send(&envelope, &message.formatted(), &[]).await)
}

fn carrier(
    provider: &MailProvider,
    keyring: &Keyring,
    trust: Trust,
    limits: Limits,
) -> Result<Carrier, String> {
    let sender = sender(provider)?;
    let limits = Limits {
        connections: provider.connections.map_or(limits.connections, usize::from),
        ..limits
    };
    let smtp = Smtp::new(endpoint(provider, keyring, &sender)?, trust, limits);
    Ok(Carrier {
        name: provider.name.clone(),
        sender,
        transport: Arc::new(smtp),
    })
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
    async fn deliver(&self, mail: &Mail) -> Outcome {
        match mail.encode() {
            Ok((envelope, message)) => self.send(&envelope, &message, &mail.secrets()).await,
            Err(error) => Outcome::Bounced(Reply::new(Stage::Rcpt, None, &error.to_string(), &[])),
        }
    }

    fn tidy(&self) {
        Smtp::tidy(self);
    }
}
