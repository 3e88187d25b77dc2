//! The way to one provider: a mail is encoded, signed and handed over.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use lettre::address::Envelope;
use postern_core::flow::Postern;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::dkim::Signer;
use super::smtp::{Smtp, Tape};
use super::{Mail, Outcome, Patience, Preset, Reply, Stage, Transport, mark};

/// An SMTP client, and what its mails are signed with.
#[derive(Debug)]
pub(super) struct Submission {
    smtp: Smtp,
    preset: Option<Preset>,
    signing: Option<Signing>,
}

/// What signs mails. A signature takes a millisecond of a core, so that it is made on a blocking
/// thread, and by no more of them at once than there are cores.
#[derive(Clone)]
pub(super) struct Signing {
    signer: Arc<Signer>,
    turns: Arc<Semaphore>,
    postern: Arc<Postern>,
}

impl Signing {
    pub(super) fn new(signer: Signer, turns: Arc<Semaphore>, postern: Arc<Postern>) -> Self {
        Self {
            signer: Arc::new(signer),
            turns,
            postern,
        }
    }

    /// The message with its signatures; without them, should there be no way to make them.
    async fn sign(&self, message: Vec<u8>, host: &str) -> Vec<u8> {
        let _turn = self.turns.acquire().await;
        let (signer, at) = (Arc::clone(&self.signer), self.postern.now());
        let rewritten = mark::rewritten(host);
        let message = Arc::new(message);
        let held = Arc::clone(&message);
        let signing = spawn_blocking(move || signer.sign(&held, rewritten, at));
        if let Ok(Ok(whole)) = signing.await {
            return whole;
        }
        warn!("a mail goes out unsigned: DKIM failed");
        Arc::unwrap_or_clone(message)
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signer.fmt(f)
    }
}

impl Submission {
    pub(super) fn new(smtp: Smtp, preset: Option<Preset>, signing: Option<Signing>) -> Self {
        Self {
            smtp,
            preset,
            signing,
        }
    }

    /// Opens a connection as for a mail, and says goodbye.
    ///
    /// # Errors
    /// How far that came, and what was said there.
    pub(super) async fn probe(&self) -> Result<(), Reply> {
        self.smtp.probe().await
    }

    /// Records what is said from now on.
    pub(super) fn record(&mut self) -> Tape {
        self.smtp.record()
    }

    /// Says goodbye on every connection that waits.
    pub(super) async fn close(&self) {
        self.smtp.close().await;
    }

    /// Signs a message and hands it over. `secrets` are masked in what the server says.
    pub(super) async fn submit(
        &self,
        envelope: &Envelope,
        message: Vec<u8>,
        secrets: &[&str],
        patience: Patience,
    ) -> Outcome {
        let message = match &self.signing {
            Some(signing) => signing.sign(message, self.smtp.host()).await,
            None => message,
        };
        self.smtp.send(envelope, &message, secrets, patience).await
    }
}

#[async_trait]
impl Transport for Submission {
    async fn deliver(&self, mail: &Mail, patience: Patience) -> Outcome {
        match mail.encode_for(self.preset) {
            Ok((envelope, message)) => {
                self.submit(&envelope, message, &mail.secrets(), patience)
                    .await
            }
            Err(error) => Outcome::Bounced(Reply::new(Stage::Rcpt, None, &error.to_string(), &[])),
        }
    }

    fn tidy(&self) {
        self.smtp.tidy();
    }
}
