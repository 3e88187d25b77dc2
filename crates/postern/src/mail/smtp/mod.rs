//! Mail by SMTP: the protocol by lettre, over a stream and a pool of our own.

mod answer;
mod connection;
mod endpoint;
mod failure;
mod login;
mod progress;
mod starttls;
mod tape;
mod tokens;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::response::Response;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use endpoint::Endpoint;
pub use login::Login;
pub use tape::Tape;
pub use tokens::Tokens;

use super::{Outcome, Patience, Reply, Stage};
use crate::app::Stopwatch;
pub use crate::trust::Trust;
use connection::Connection;
use endpoint::Dialer;
use failure::Failure;
use progress::Progress;

/// The bounds of an SMTP client.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections at a time; at least 1.
    pub connections: usize,
    /// How long a connection may wait for its next mail. Servers close idle ones after minutes
    /// (RFC 5321 §4.5.3.2.7), so less than that.
    pub idle: Duration,
    /// How long one attempt may take in all, connecting included.
    pub attempt: Duration,
    /// How long a mail waits for a free connection, when another provider could take it.
    pub spill: Duration,
    /// How long it may take until the server asks for the message, when another provider could
    /// take it: a provider that is silent there holds up none but the mails it has.
    pub opening: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8,
            idle: Duration::from_secs(20),
            attempt: Duration::from_secs(30),
            spill: Duration::from_secs(2),
            opening: Duration::from_secs(5),
        }
    }
}

/// A client of one SMTP server, with its open connections.
#[derive(Debug)]
pub struct Smtp {
    endpoint: Endpoint,
    limits: Limits,
    dialer: Dialer,
    slots: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Smtp {
    /// A client that has not connected yet.
    pub fn new(endpoint: Endpoint, trust: Trust, limits: Limits) -> Self {
        Self {
            endpoint,
            limits,
            dialer: Dialer::new(trust),
            slots: Semaphore::new(limits.connections.max(1)),
            idle: Mutex::default(),
        }
    }

    /// Records what is said on its connections from now on.
    pub fn record(&mut self) -> Tape {
        self.dialer.tape = Tape::recording(self.endpoint.passwords());
        self.dialer.tape.clone()
    }

    /// The server's host name or address.
    pub fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// Hands a message over and says how that ended, within [`Limits::attempt`] and `patience`.
    ///
    /// `secrets` are masked wherever the server repeats them; those of the login always are.
    pub async fn send(
        &self,
        envelope: &Envelope,
        message: &[u8],
        secrets: &[&str],
        patience: Patience,
    ) -> Outcome {
        let sent = self.in_time(envelope, message, patience).await;
        // Asked now: an access token may have been fetched meanwhile.
        let login = self.endpoint.secrets();
        let secrets: Vec<&str> = secrets
            .iter()
            .copied()
            .chain(login.iter().map(String::as_str))
            .collect();
        match sent {
            Ok(response) => {
                let text = response.message().collect::<Vec<_>>().join(" ");
                Outcome::Sent(Reply::new(
                    Stage::EndOfData,
                    Some(response.code().into()),
                    &text,
                    &secrets,
                ))
            }
            Err(failure) => failure.outcome(&secrets),
        }
    }

    /// Opens a connection as for a mail, logs in, and says goodbye; within [`Limits::attempt`].
    ///
    /// # Errors
    /// How far that came, and what was said there.
    pub async fn probe(&self) -> Result<(), Reply> {
        let progress = Progress::default();
        let opening = Connection::open(&self.dialer, &self.endpoint, &progress);
        let late = || Err(Failure::connection(progress.stage(), "no answer in time"));
        let opened = timeout(self.limits.attempt, opening).await;
        match opened.unwrap_or_else(|_| late()) {
            Ok(connection) => {
                let _ = timeout(Duration::from_secs(2), connection.quit()).await;
                Ok(())
            }
            Err(failure) => {
                let login = self.endpoint.secrets();
                let secrets: Vec<&str> = login.iter().map(String::as_str).collect();
                Err(failure.outcome(&secrets).reply().clone())
            }
        }
    }

    async fn in_time(
        &self,
        envelope: &Envelope,
        message: &[u8],
        patience: Patience,
    ) -> Result<Response, Failure> {
        let total = patience.total.min(self.limits.attempt);
        let (spill, opening) = if patience.another {
            (self.limits.spill.min(total), self.limits.opening.min(total))
        } else {
            (total, total)
        };
        let late =
            |progress: &Progress| Err(Failure::connection(progress.stage(), "no answer in time"));
        let (progress, watch) = (Progress::default(), Stopwatch::start());
        let Ok(slot) = timeout(spill, self.slots.acquire()).await else {
            return Err(Failure::connection(
                Stage::Pool,
                "no free connection in time",
            ));
        };
        let _slot = slot.expect("the semaphore is never closed");
        let mut attempt = std::pin::pin!(self.attempt(envelope, message, &progress));
        // What the server has the message of is not given up before its whole time is over.
        match timeout(opening, &mut attempt).await {
            Ok(ended) => return ended,
            Err(_) if progress.stage() < Stage::EndOfData => return late(&progress),
            Err(_) => {}
        }
        let rest = total.saturating_sub(watch.elapsed());
        timeout(rest, attempt)
            .await
            .unwrap_or_else(|_| late(&progress))
    }

    /// Closes connections that have waited for too long. Cheap; meant to be called every few seconds.
    pub fn tidy(&self) {
        let old: Vec<Connection> = {
            let mut idle = self.idle();
            let (young, old) = idle
                .drain(..)
                .partition(|connection| self.is_young(connection));
            *idle = young;
            old
        };
        for connection in old {
            tokio::spawn(timeout(Duration::from_secs(2), connection.quit()));
        }
    }

    /// Says goodbye on every connection that waits.
    pub async fn close(&self) {
        let waiting = std::mem::take(&mut *self.idle());
        for connection in waiting {
            let _ = timeout(Duration::from_secs(2), connection.quit()).await;
        }
    }

    async fn attempt(
        &self,
        envelope: &Envelope,
        message: &[u8],
        stage: &Progress,
    ) -> Result<Response, Failure> {
        if let Some(connection) = self.take() {
            match self.send_over(connection, envelope, message, stage).await {
                Err(failure) if failure.was_stale() => {}
                settled => return settled,
            }
        }
        let connection = Connection::open(&self.dialer, &self.endpoint, stage).await?;
        self.send_over(connection, envelope, message, stage).await
    }

    async fn send_over(
        &self,
        mut connection: Connection,
        envelope: &Envelope,
        message: &[u8],
        stage: &Progress,
    ) -> Result<Response, Failure> {
        let sent = connection.send(envelope, message, stage).await;
        let usable = match &sent {
            Ok(_) => true,
            Err(failure) => failure.in_step() && self.resets(&mut connection).await,
        };
        if usable {
            self.idle().push(connection);
        }
        sent
    }

    /// The verdict on the mail is known by now: a server that dawdles over RSET must not turn it
    /// into a timeout.
    async fn resets(&self, connection: &mut Connection) -> bool {
        timeout(Duration::from_secs(1), connection.reset())
            .await
            .unwrap_or(false)
    }

    fn take(&self) -> Option<Connection> {
        let newest = self.idle().pop()?;
        self.is_young(&newest).then_some(newest)
    }

    fn is_young(&self, connection: &Connection) -> bool {
        connection.used_at.elapsed() < self.limits.idle
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
