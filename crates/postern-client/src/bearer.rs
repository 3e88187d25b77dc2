//! The access token: fetched at the first call, kept, renewed before it expires.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use http::StatusCode;
use serde::Deserialize;
use tokio::sync::{Mutex, MutexGuard};
use tonic::{
    Code,
    metadata::{Ascii, MetadataValue},
};
use zeroize::Zeroizing;

use crate::{
    Error, Refusal,
    clock::Clock,
    error::from_http,
    fault::TransportError,
    transport::{Document, Transport, retry_after},
};

/// A token is renewed this long before it expires, or when a tenth of its life is left, whichever
/// is later: a short-lived token is not renewed at each call.
const RENEWED_BEFORE: Duration = Duration::from_mins(1);
/// What a server that tells no lifetime is taken to mean.
const UNTOLD_LIFETIME: Duration = Duration::from_mins(5);
/// A server that refuses token after token is not asked for one at each call.
const REPLACED_AT_MOST_EVERY: Duration = Duration::from_secs(5);

/// Who the caller is. Has no `Debug`, so that nothing can print it.
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Zeroizing<String>,
}

/// An `authorization` value and its times on the client's clock.
pub(crate) struct Bearer {
    pub(crate) header: MetadataValue<Ascii>,
    renew_at: Duration,
    expires_at: Duration,
}

/// The token of one client, fetched by one call at a time.
pub(crate) struct Tokens {
    transport: Transport,
    credentials: Credentials,
    clock: Clock,
    current: RwLock<Option<Arc<Bearer>>>,
    fetching: Mutex<()>,
    /// When a new token last took the place of one that was refused.
    replaced_at: RwLock<Option<Duration>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize, Default)]
struct Denied {
    error: Option<String>,
    error_description: Option<String>,
}

impl Tokens {
    pub(crate) fn new(transport: Transport, credentials: Credentials, clock: Clock) -> Self {
        Self {
            transport,
            credentials,
            clock,
            current: RwLock::new(None),
            fetching: Mutex::new(()),
            replaced_at: RwLock::new(None),
        }
    }

    /// A token to call with. While one call renews it, others go on with the old one as long as
    /// that is valid, and wait otherwise.
    pub(crate) async fn bearer(&self) -> Result<Arc<Bearer>, Error> {
        let Some(held) = self.held() else {
            let turn = self.fetching.lock().await;
            return self.renewed(None, turn).await;
        };
        let now = self.clock.now();
        if now < held.renew_at {
            return Ok(held);
        }
        if now >= held.expires_at {
            let turn = self.fetching.lock().await;
            return self.renewed(Some(&held), turn).await;
        }
        match self.fetching.try_lock() {
            // Still valid: a failure to renew must not fail the call.
            Ok(turn) => Ok(self.renewed(Some(&held), turn).await.unwrap_or(held)),
            Err(_) => Ok(held),
        }
    }

    /// Whether another token than `refused` may be had now: one is there, or none was fetched for
    /// this reason of late.
    pub(crate) fn may_replace(&self, refused: &Arc<Bearer>) -> bool {
        let last = *read(&self.replaced_at);
        self.other_than(refused).is_some()
            || last.is_none_or(|at| self.clock.now() >= at + REPLACED_AT_MOST_EVERY)
    }

    /// A token other than `refused`, which the server did not accept.
    pub(crate) async fn instead_of(&self, refused: &Arc<Bearer>) -> Result<Arc<Bearer>, Error> {
        let turn = self.fetching.lock().await;
        if let Some(held) = self.other_than(refused) {
            return Ok(held);
        }
        let new = self.renewed(Some(refused), turn).await?;
        *write(&self.replaced_at) = Some(self.clock.now());
        Ok(new)
    }

    fn other_than(&self, refused: &Arc<Bearer>) -> Option<Arc<Bearer>> {
        self.held().filter(|held| !Arc::ptr_eq(refused, held))
    }

    /// The current token if somebody replaced `old` while we waited for our turn, else a new one.
    async fn renewed(
        &self,
        old: Option<&Arc<Bearer>>,
        _turn: MutexGuard<'_, ()>,
    ) -> Result<Arc<Bearer>, Error> {
        if let Some(held) = self.held()
            && old.is_none_or(|old| !Arc::ptr_eq(old, &held))
        {
            return Ok(held);
        }
        let new = Arc::new(self.fetch().await?);
        *write(&self.current) = Some(Arc::clone(&new));
        Ok(new)
    }

    fn held(&self) -> Option<Arc<Bearer>> {
        read(&self.current).clone()
    }

    async fn fetch(&self) -> Result<Bearer, Error> {
        let asked_at = self.clock.now();
        let answer = self.transport.post_form("/oauth/token", self.form());
        let answer = answer.await.map_err(untaken)?;
        if answer.status != StatusCode::OK {
            return Err(denied(&answer));
        }
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let lifetime = granted
            .expires_in
            .map_or(UNTOLD_LIFETIME, Duration::from_secs);
        let token = Zeroizing::new(granted.access_token);
        let header = Zeroizing::new(format!("Bearer {}", *token));
        let mut header = MetadataValue::try_from(header.as_str()).map_err(|_| unreadable())?;
        header.set_sensitive(true);
        let margin = RENEWED_BEFORE.min(lifetime / 10);
        Ok(Bearer {
            header,
            renew_at: asked_at + lifetime.saturating_sub(margin),
            expires_at: asked_at + lifetime,
        })
    }

    fn form(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.credentials.client_id)
            .append_pair("client_secret", &self.credentials.client_secret)
            .finish()
    }
}

fn read<T>(of: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    of.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(of: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    of.write().unwrap_or_else(PoisonError::into_inner)
}

/// Asking for a token changes nothing, so every fault on the way may be repeated.
fn untaken(fault: TransportError) -> Error {
    match fault {
        TransportError::Http {
            status,
            retry_after,
        } => from_http(status, retry_after),
        fault => Error::Unreachable(Box::new(fault)),
    }
}

fn denied(answer: &Document) -> Error {
    let said: Denied = serde_json::from_slice(&answer.body).unwrap_or_default();
    let error = said.error.unwrap_or_default();
    let wait = retry_after(&answer.headers);
    let message = said
        .error_description
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| format!("the token endpoint answered HTTP {}", answer.status));
    let told = |code| Refusal::new(code, &error, message).with_retry_after(wait);
    match (error.as_str(), answer.status.as_u16()) {
        ("invalid_client" | "unauthorized_client" | "invalid_grant", _) | (_, 401) => {
            Error::Unauthenticated(told(Code::Unauthenticated))
        }
        (_, 429) => Error::RateLimited(told(Code::ResourceExhausted)),
        (_, 500..) => Error::Unavailable(told(Code::Unavailable)),
        _ => Error::Other(told(Code::Unknown)),
    }
}

fn unreadable() -> Error {
    Error::Other(Refusal::new(
        Code::Unknown,
        "UNKNOWN",
        "the token endpoint's answer cannot be read",
    ))
}
