use std::time::Duration;

use super::Postern;
use crate::error::Error;
use crate::model::{Email, Suppression, SuppressionReason};
use crate::ports::SuppressionPlace;
use crate::rules::{self, suppression};

/// How long an entry may last that is not for good: 10 years.
pub const LONGEST_SUPPRESSION: Duration = Duration::from_hours(10 * 366 * 24);

impl Postern {
    /// Lists an address by hand, for a while or until it is removed.
    ///
    /// # Errors
    /// It would last longer than [`LONGEST_SUPPRESSION`]; the store does not answer.
    pub async fn suppress(
        &self,
        address: &Email,
        detail: &str,
        lasts: Option<Duration>,
    ) -> Result<Suppression, Error> {
        if lasts.is_some_and(|lasts| lasts > LONGEST_SUPPRESSION) {
            let told = "an address is suppressed for at most 10 years, or without an end when no time is given";
            return Err(Error::invalid("for", "max:10y", told));
        }
        let span = (self.now(), lasts);
        let entry = suppression::listed(address, SuppressionReason::Manual, detail, span);
        self.store.suppress(entry.clone()).await?;
        Ok(entry)
    }

    /// Lists an address whose mail was refused with `said` if that names a bad mailbox; whether it
    /// did.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn suppress_bounced(&self, address: &Email, said: &str) -> Result<bool, Error> {
        if !rules::is_bad_mailbox(said) {
            return Ok(false);
        }
        let settings = &self.snapshot().settings;
        let reason = SuppressionReason::Bounced;
        let entry = rules::suppress(address, reason, said, settings, self.now());
        self.store.suppress(entry).await?;
        Ok(true)
    }

    /// Takes an address off the list; whether it was there.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn unsuppress(&self, address: &Email) -> Result<bool, Error> {
        Ok(self.store.unsuppress(address.key()).await?)
    }

    /// What the list says of an address, if it holds now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn suppression(&self, address: &Email) -> Result<Option<Suppression>, Error> {
        let found = self.store.find_suppression(address.key()).await?;
        Ok(found.filter(|entry| entry.holds(self.now())))
    }

    /// Up to `limit` entries that hold now, the newest first, from before `place` on.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn suppressions(
        &self,
        place: Option<SuppressionPlace>,
        limit: u16,
    ) -> Result<Vec<Suppression>, Error> {
        Ok(self.store.suppressions(self.now(), place, limit).await?)
    }
}
