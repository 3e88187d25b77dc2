//! When secrets are used: the store is told of each once in a while, and no token waits for that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postern_core::flow::Postern;
use postern_core::model::{SecretText, Timestamp};

use super::bearer::digest_of;

/// How often the store is told of a secret.
const EVERY: Duration = Duration::from_mins(1);
/// Secrets that are remembered at once. Only good ones come here, so there are few.
const REMEMBERED: usize = 1000;

/// When each secret was told of last.
#[derive(Default)]
pub struct SecretUses(Mutex<HashMap<[u8; 32], Timestamp>>);

impl SecretUses {
    /// Notes that a good secret was used.
    pub fn note(&self, postern: &Arc<Postern>, secret: SecretText) {
        if !self.is_news(digest_of(secret.expose()), postern.now()) {
            return;
        }
        let postern = Arc::clone(postern);
        tokio::spawn(async move {
            if let Err(error) = postern.see_secret(secret.expose()).await {
                tracing::warn!(error = error.code(), "the use of a secret was not noted");
            }
        });
    }

    fn is_news(&self, digest: [u8; 32], now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&digest).is_some_and(|at| now.since(*at) < EVERY) {
            return false;
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(digest, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_of_once_a_minute() {
        let uses = SecretUses::default();
        let then = Timestamp::from_unix_seconds(1_800_000_000);
        assert!(uses.is_news([1; 32], then));
        assert!(uses.is_news([2; 32], then));
        assert!(!uses.is_news([1; 32], then.plus(Duration::from_secs(59))));
        assert!(uses.is_news([1; 32], then.plus(EVERY)));
    }
}
