//! From a mail provider as it is stored to a way to it.

use std::sync::Arc;
use std::thread::available_parallelism;

use postern_core::flow::Postern;
use postern_core::model::{DkimKey, MailProvider, SecretText};
use tokio::sync::Semaphore;
use tracing::warn;

use super::dkim::Signer;
use super::smtp::{Endpoint, Limits, Login, Smtp, Tokens, Trust};
use super::submission::{Signing, Submission};
use super::{Preset, Sender};
use crate::https::Https;

/// Opens ways to providers.
pub(super) struct Opener {
    postern: Arc<Postern>,
    trust: Trust,
    limits: Limits,
    /// Fetches access tokens.
    https: Arc<Https>,
    /// How many signatures may be made at once, whatever the provider.
    turns: Arc<Semaphore>,
}

impl Opener {
    pub(super) fn new(postern: Arc<Postern>, trust: Trust, limits: Limits) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            postern,
            https: Arc::new(Https::new(trust.clone())),
            trust,
            limits,
            turns: Arc::new(Semaphore::new(cores)),
        }
    }

    /// A way to the provider that has not connected yet, for mails that `signed_by` sign.
    ///
    /// # Errors
    /// Why the provider, as it is stored, cannot be used.
    pub(super) fn open(
        &self,
        provider: &MailProvider,
        sender: &Sender,
        signed_by: &[DkimKey],
    ) -> Result<Submission, String> {
        let limits = Limits {
            connections: provider
                .connections
                .map_or(self.limits.connections, usize::from),
            ..self.limits
        };
        let endpoint = Endpoint {
            host: provider.host.clone(),
            port: provider.port,
            tls: provider.tls,
            login: self.login(provider)?,
            hello: sender.domain().to_owned(),
        };
        let smtp = Smtp::new(endpoint, self.trust.clone(), limits);
        let preset = Preset::of(provider);
        Ok(Submission::new(smtp, preset, self.signing(signed_by)))
    }

    fn login(&self, provider: &MailProvider) -> Result<Option<Login>, String> {
        let Some(sealed) = &provider.password else {
            return Ok(None);
        };
        let opened = self
            .postern
            .keyring()
            .open(&MailProvider::password_slot(&provider.name), sealed)
            .map_err(|problem| format!("the provider's password: {problem}"))?;
        let secret =
            std::str::from_utf8(&opened).map_err(|_| "the provider's password is not text")?;
        let username = provider.username.as_deref().unwrap_or(secret).to_owned();
        let secret = SecretText::new(secret);
        Ok(Some(match &provider.oauth {
            None => Login::Password(username, secret),
            Some(source) => {
                let https = Arc::clone(&self.https);
                Login::Token(username, Tokens::new(source.clone(), secret, https))
            }
        }))
    }

    /// What signs. A key that does not open is no reason to send nothing: mails that SPF vouches
    /// for arrive without a signature too.
    fn signing(&self, keys: &[DkimKey]) -> Option<Signing> {
        match Signer::open(keys, &self.postern.keyring()) {
            Ok(signer) => {
                let (turns, postern) = (Arc::clone(&self.turns), Arc::clone(&self.postern));
                Some(Signing::new(signer?, turns, postern))
            }
            Err(problem) => {
                warn!(problem, "mails go out unsigned");
                None
            }
        }
    }
}

/// The sender of a provider's mails.
pub(super) fn sender(provider: &MailProvider) -> Result<Sender, String> {
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
