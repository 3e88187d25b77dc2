//! Mail by SMTP: the protocol by lettre, over a stream and a pool of our own.

mod connection;
mod endpoint;
mod failure;
mod starttls;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::response::Response;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use endpoint::{Endpoint, Trust};

use super::{Outcome, Reply, Stage};
use connection::Connection;
use endpoint::Dialer;
use failure::Failure;

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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8,
            idle: Duration::from_secs(20),
            attempt: Duration::from_secs(30),
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

    /// Hands a message over and says how that ended, within [`Limits::attempt`].
    ///
    /// `secrets` are masked wherever the server repeats them; those of the login always are.
    pub async fn send(&self, envelope: &Envelope, message: &[u8], secrets: &[&str]) -> Outcome {
        let login = self.endpoint.secrets();
        let secrets: Vec<&str> = secrets
            .iter()
            .copied()
            .chain(login.iter().map(String::as_str))
            .collect();
        let mut stage = Stage::Pool;
        let attempt = timeout(
            self.limits.attempt,
            self.attempt(envelope, message, &mut stage),
        )
        .await;
        match attempt {
            Ok(Ok(response)) => {
                let text = response.message().collect::<Vec<_>>().join(" ");
                Outcome::Sent(Reply::new(
                    Stage::EndOfData,
                    Some(response.code().into()),
                    &text,
                    &secrets,
                ))
            }
            Ok(Err(failure)) => failure.outcome(&secrets),
            Err(_) => Failure::connection(stage, "no answer in time").outcome(&secrets),
        }
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

    async fn attempt(
        &self,
        envelope: &Envelope,
        message: &[u8],
        stage: &mut Stage,
    ) -> Result<Response, Failure> {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
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
        stage: &mut Stage,
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
