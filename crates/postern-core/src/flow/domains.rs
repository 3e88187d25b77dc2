use std::sync::atomic::{AtomicU64, Ordering};

use super::Postern;
use crate::error::Error;
use crate::model::{Email, Snapshot};
use crate::rules::{DomainRule, domain_rule};
use crate::settings::DomainRules;

/// How often each domain rule spoke against a call since the process started.
#[derive(Debug, Default)]
pub struct DomainTally {
    refused: [AtomicU64; 3],
    logged: [AtomicU64; 3],
}

impl DomainTally {
    /// Calls that the rule refused.
    pub fn refused(&self, rule: DomainRule) -> u64 {
        self.refused[rule as usize].load(Ordering::Relaxed)
    }

    /// Calls that the rule would have refused.
    pub fn logged(&self, rule: DomainRule) -> u64 {
        self.logged[rule as usize].load(Ordering::Relaxed)
    }

    fn note(&self, rule: DomainRule, mode: DomainRules) {
        let counts = match mode {
            DomainRules::Enforce => &self.refused,
            DomainRules::Log => &self.logged,
        };
        counts[rule as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl Postern {
    /// Which domain rule speaks against the address now, whatever `domain_rules` makes of it.
    pub fn domain_rule(&self, address: &Email) -> Option<DomainRule> {
        domain_rule(address, &self.snapshot().settings, &self.disposable.load())
    }

    /// How often each domain rule spoke against a call.
    pub fn domain_tally(&self) -> &DomainTally {
        &self.domain_tally
    }

    /// Applies the domain rules in force; answers the rule that the call passes in log-only mode.
    ///
    /// # Errors
    /// [`Error::DomainNotAllowed`], where the rules are enforced.
    pub(super) fn check_domain(
        &self,
        address: &Email,
        snapshot: &Snapshot,
    ) -> Result<Option<DomainRule>, Error> {
        let settings = &snapshot.settings;
        let against = domain_rule(address, settings, &self.disposable.load());
        self.note_domain(against, settings.domain_rules);
        admit(against, settings.domain_rules)
    }

    /// Counts a call that a rule spoke against.
    pub(super) fn note_domain(&self, against: Option<DomainRule>, mode: DomainRules) {
        if let Some(rule) = against {
            self.domain_tally.note(rule, mode);
        }
    }
}

/// Lets a call pass, with the rule to be told of, or refuses it.
pub(super) fn admit(
    against: Option<DomainRule>,
    mode: DomainRules,
) -> Result<Option<DomainRule>, Error> {
    match (against, mode) {
        (Some(rule), DomainRules::Enforce) => Err(Error::DomainNotAllowed(rule)),
        (against, DomainRules::Enforce | DomainRules::Log) => Ok(against),
    }
}
