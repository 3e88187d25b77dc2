//! The certificates of SNS that are held, and which are fetched.
//!
//! Whoever knows the name of a topic can send messages that claim to be signed by any certificate of
//! its region. So what is held is looked at first and costs nothing; only a certificate by which a
//! message was verified stays for good and is renewed out of turn; one that is not held is fetched in
//! turn, a few at a time, and a name that led nowhere is left alone for a while. Nothing is locked
//! while a file is under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio::sync::Semaphore;

use super::Distrust;
use super::aws::Fetch;

/// How long a certificate is held before it is fetched anew, in seconds.
const HELD: i64 = 24 * 3600;
/// How long the old one serves when no new one is to be had, in seconds after it was fetched.
const KEPT: i64 = 7 * HELD;
/// Seconds before a file that was not to be had is asked for again.
const PAUSE: i64 = 5;
/// Certificates held at most: those that verified something, and the others.
const MOST: usize = 8;
/// Names that led nowhere and are remembered.
const MISSED: usize = 1024;
/// Files under way at the same time, of those that were never had.
const AT_ONCE: usize = 4;

/// One certificate.
#[derive(Clone)]
struct Certificate {
    der: CertificateDer<'static>,
    fetched_at: i64,
    renewed_at: i64,
}

#[derive(Default)]
struct Held {
    /// Those by which a message was verified.
    proven: HashMap<String, Certificate>,
    /// Those by which none was so far.
    unproven: HashMap<String, Certificate>,
    /// Files that could not be had, and when they may be asked for again.
    missed: HashMap<String, i64>,
}

/// What is to be done for a certificate.
enum Next {
    Use(CertificateDer<'static>),
    /// It serves, and it is time to ask for a newer one.
    Renew(Certificate),
    Fetch,
}

/// Certificates by host and path.
pub(super) struct Certificates {
    fetch: Arc<dyn Fetch>,
    held: Mutex<Held>,
    turns: Semaphore,
}

impl Certificates {
    pub(super) fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            held: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// The certificate in this file.
    ///
    /// # Errors
    /// It is not to be had now, or is none.
    pub(super) async fn find(
        &self,
        host: &str,
        path: &str,
        now: i64,
    ) -> Result<CertificateDer<'static>, Distrust> {
        let place = format!("{host}{path}");
        match self.next(&place, now)? {
            Next::Use(der) => return Ok(der),
            Next::Renew(old) => return self.renewed(host, path, old, now).await,
            Next::Fetch => {}
        }
        // Fair: whoever came first is served first, however many names others make up.
        let _turn = self.turns.acquire().await.expect("never closed");
        match self.next(&place, now)? {
            Next::Use(der) => Ok(der),
            Next::Renew(old) => self.renewed(host, path, old, now).await,
            Next::Fetch => self.fetched(host, path, now).await,
        }
    }

    /// Notes that a message was verified by the certificate in this file.
    pub(super) fn proven(&self, host: &str, path: &str) {
        let place = format!("{host}{path}");
        let mut held = self.lock();
        let Some(found) = held.unproven.remove(&place) else {
            return;
        };
        make_room(&mut held.proven);
        held.proven.insert(place, found);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, place: &str, now: i64) -> Result<Next, Distrust> {
        let mut held = self.lock();
        if let Some(known) = held.proven.get_mut(place) {
            if now < known.renewed_at.saturating_add(HELD) {
                return Ok(Next::Use(known.der.clone()));
            }
            let old = known.clone();
            // The others use the old one until this call is back.
            known.renewed_at = now.saturating_add(PAUSE).saturating_sub(HELD);
            return Ok(Next::Renew(old));
        }
        if let Some(known) = held.unproven.get(place)
            && now < known.fetched_at.saturating_add(HELD)
        {
            return Ok(Next::Use(known.der.clone()));
        }
        if held.missed.get(place).is_some_and(|until| now < *until) {
            let told = "its certificate was not to be had a moment ago";
            return Err(Distrust::NotNow(told.to_owned()));
        }
        Ok(Next::Fetch)
    }

    async fn renewed(
        &self,
        host: &str,
        path: &str,
        old: Certificate,
        now: i64,
    ) -> Result<CertificateDer<'static>, Distrust> {
        match self.file(host, path).await {
            Ok(der) => {
                let place = format!("{host}{path}");
                let fresh = Certificate::new(der.clone(), now);
                self.lock().proven.insert(place, fresh);
                Ok(der)
            }
            Err(_) if now < old.fetched_at.saturating_add(KEPT) => Ok(old.der),
            Err(problem) => Err(problem),
        }
    }

    async fn fetched(
        &self,
        host: &str,
        path: &str,
        now: i64,
    ) -> Result<CertificateDer<'static>, Distrust> {
        let answer = self.file(host, path).await;
        let place = format!("{host}{path}");
        let mut held = self.lock();
        match answer {
            Ok(der) => {
                make_room(&mut held.unproven);
                let fresh = Certificate::new(der.clone(), now);
                held.unproven.insert(place, fresh);
                Ok(der)
            }
            Err(problem) => {
                if held.missed.len() >= MISSED {
                    held.missed.retain(|_, until| now < *until);
                }
                if held.missed.len() < MISSED {
                    held.missed.insert(place, now.saturating_add(PAUSE));
                }
                Err(problem)
            }
        }
    }

    async fn file(&self, host: &str, path: &str) -> Result<CertificateDer<'static>, Distrust> {
        let pem = self.fetch.get(host, path).await;
        CertificateDer::from_pem_slice(&pem.map_err(Distrust::NotNow)?)
            .map_err(|_| Distrust::Unverified("its certificate does not read"))
    }
}

impl Certificate {
    fn new(der: CertificateDer<'static>, now: i64) -> Self {
        Self {
            der,
            fetched_at: now,
            renewed_at: now,
        }
    }
}

/// Drops the oldest one when there are too many.
fn make_room(held: &mut HashMap<String, Certificate>) {
    if held.len() < MOST {
        return;
    }
    let oldest = held.iter().min_by_key(|(_, one)| one.fetched_at);
    if let Some(place) = oldest.map(|(place, _)| place.clone()) {
        held.remove(&place);
    }
}
