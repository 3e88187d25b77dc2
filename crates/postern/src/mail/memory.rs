//! A transport that keeps mails in memory, for tests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Mail, Outcome, Patience, Reply, Stage, Transport};

/// Keeps every mail and says it was sent.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<Mail>>);

impl Memory {
    /// The mails so far, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Vec<Mail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Memory {
    async fn deliver(&self, mail: &Mail, _: Patience) -> Outcome {
        self.held().push(mail.clone());
        Outcome::Sent(Reply::new(Stage::EndOfData, None, "kept in memory", &[]))
    }
}
