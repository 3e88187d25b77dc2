//! The server's published keys, kept.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::StatusCode;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    TokenError,
    clock::Clock,
    transport::{Document, Transport},
};

/// Forged key ids, or a server that is down, must not make us ask at each token.
const ASKED_AT_MOST_EVERY: Duration = Duration::from_secs(10);
/// Keys that the server has withdrawn are forgotten by then, unless it cannot be asked.
const YOUNG: Duration = Duration::from_hours(1);

/// The key set of one server, fetched by one caller at a time.
pub(crate) struct Keys {
    transport: Transport,
    deadline: Duration,
    clock: Clock,
    held: RwLock<Option<Arc<KeySet>>>,
    /// Held while asking, so that one caller asks for all.
    asked_at: Mutex<Option<Duration>>,
}

struct KeySet {
    by_id: HashMap<String, DecodingKey>,
    fetched_at: Duration,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kid: Option<String>,
    kty: String,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    pub(crate) fn new(transport: Transport, deadline: Duration, clock: Clock) -> Self {
        Self {
            transport,
            deadline,
            clock,
            held: RwLock::new(None),
            asked_at: Mutex::new(None),
        }
    }

    /// The key of that id, from the set in hand if it is young and holds it. A set that is old is
    /// used on where no newer one can be had.
    pub(crate) async fn key(&self, id: &str) -> Result<DecodingKey, TokenError> {
        if let Some(key) = self.young(id) {
            return Ok(key);
        }
        let mut asked_at = self.asked_at.lock().await;
        // Somebody may have fetched while we waited for our turn.
        if let Some(key) = self.young(id) {
            return Ok(key);
        }
        let now = self.clock.now();
        let mut failure = None;
        if asked_at.is_none_or(|at| now >= at + ASKED_AT_MOST_EVERY) {
            *asked_at = Some(now);
            match self.fetch(now).await {
                Ok(set) => self.keep(set),
                Err(error) => failure = Some(error),
            }
        }
        match (self.held(), failure) {
            (Some(held), failure) => held
                .by_id
                .get(id)
                .cloned()
                .ok_or(failure.unwrap_or(TokenError::UnknownKey)),
            (None, Some(failure)) => Err(failure),
            (None, None) => Err(unreadable("the last attempt failed moments ago")),
        }
    }

    fn young(&self, id: &str) -> Option<DecodingKey> {
        let held = self.held()?;
        let young = self.clock.now() < held.fetched_at + YOUNG;
        young.then(|| held.by_id.get(id).cloned()).flatten()
    }

    fn held(&self) -> Option<Arc<KeySet>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    fn keep(&self, set: KeySet) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
    }

    async fn fetch(&self, fetched_at: Duration) -> Result<KeySet, TokenError> {
        let answer = tokio::time::timeout(self.deadline, self.transport.get("/keys")).await;
        let answer = answer
            .map_err(|_| unreadable("no answer in time"))?
            .map_err(unreadable)?;
        Ok(KeySet {
            by_id: parse(&answer)?,
            fetched_at,
        })
    }
}

fn unreadable(cause: impl Into<crate::error::BoxError>) -> TokenError {
    TokenError::KeysUnreadable(cause.into())
}

/// The RSA keys of a set; keys of other kinds sign nothing that we accept.
fn parse(answer: &Document) -> Result<HashMap<String, DecodingKey>, TokenError> {
    if answer.status != StatusCode::OK {
        return Err(unreadable(format!(
            "the server answered HTTP {}",
            answer.status
        )));
    }
    let published: Published = serde_json::from_slice(&answer.body).map_err(unreadable)?;
    let rsa = published.keys.into_iter().filter(|key| key.kty == "RSA");
    Ok(rsa
        .filter_map(|key| {
            let decoding = DecodingKey::from_rsa_components(&key.n?, &key.e?).ok()?;
            Some((key.kid?, decoding))
        })
        .collect())
}
