//! What an admin edits while the server runs: a registry of keys, each with its rule.
//!
//! Defaults come from `postern.default.toml`, table `[settings]`; nothing here repeats them.

mod registry;
mod values;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

pub use registry::{KEYS, Key};

use crate::error::Violation;
use crate::model::{CodeAlphabet, CodeShape, Language, Method};

/// The settings in force. Cheap to clone; read through [`crate::model::Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that an admin sees by its name"
)]
pub struct Settings {
    /// Whether codes and links can be sent and verified.
    pub enabled: bool,
    /// What is mailed.
    pub passwordless_type: Method,
    /// Lifetime of a code or link, 60 to 3600 s.
    pub expires_in: Duration,
    /// Whether a link needs its `auth_request_id` beside it.
    pub enforce_same_browser_origin: bool,
    /// Whether a resend makes new credentials.
    pub regenerate_on_resend: bool,
    /// Characters in a code, 6 to 10.
    pub code_length: u8,
    /// What a code is drawn from.
    pub code_alphabet: CodeAlphabet,
    /// Mails to one address in 60 s.
    pub sends_per_minute: u32,
    /// Mails to one address in an hour.
    pub sends_per_hour: u32,
    /// Mails to one address in a day.
    pub sends_per_day: u32,
    /// Mails of one client in 60 s; 0 is no limit.
    pub client_sends_per_minute: u32,
    /// Different wrong codes that end a request, 1 to 5.
    pub attempt_limit: u8,
    /// Counted wrong codes of one address in 24 h.
    pub guess_budget: u32,
    /// What happens past the budget.
    pub on_budget: OnBudget,
    /// The test identities, in normal form; at most five, each with `+sktest` in its local part.
    pub test_addresses: Vec<String>,
    /// The static code of test identities: 6 to 10 digits.
    pub test_code: String,
    /// Domains that sign-in is open to, in ASCII, with `*.` before those whose subdomains are meant;
    /// empty opens it to all.
    pub allowed_domains: Vec<String>,
    /// Domains that sign-in is closed to, with what lies below them; in ASCII.
    pub blocked_domains: Vec<String>,
    /// Whether sign-in is closed to disposable domains.
    pub block_disposable_domains: bool,
    /// What happens to an address that a domain rule speaks against.
    pub domain_rules: DomainRules,
    /// Whether mails link to the page of ours that has a button, rather than to the app's.
    pub confirm_page: bool,
    /// Origins that links may have; empty allows any.
    pub link_origins: Vec<String>,
    /// Custom link schemes without a dot.
    pub link_schemes: Vec<String>,
    /// How long an address that bounced, or complained, is sent no mail.
    pub suppress_for: Duration,
    /// Whether a complaint puts an address on the suppression list.
    pub suppress_complaints: bool,
    /// The app's name in mails.
    pub app_name: String,
    /// The app's logo, https, or empty.
    pub app_logo_url: String,
    /// Where people get help, or empty.
    pub app_support_email: String,
    /// The colour of buttons, as `#rrggbb`.
    pub app_color: String,
    /// The domain that mail clients match codes with where no link says it, or empty.
    pub app_domain: String,
    /// The language of mails for which nobody asked another.
    pub default_language: Language,
    /// How long auth requests are kept.
    pub keep_requests: Duration,
    /// How long events are kept.
    pub keep_events: Duration,
}

/// What happens to an address that a domain rule speaks against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainRules {
    /// It is refused.
    Enforce,
    /// It passes, with an event and a count.
    Log,
}

/// What `send` does for an address past its guess budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBudget {
    /// Mails a code long enough to be judged outside the budget.
    Harden,
    /// Mails no code until the budget frees.
    Refuse,
}

impl Settings {
    /// The shortest and the longest lifetime of a credential.
    pub const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=3600;

    /// These settings with some values changed, validated as a whole.
    ///
    /// # Errors
    /// One violation for every unknown key and broken rule; nothing is changed then.
    pub fn with<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<Violation>> {
        let mut next = self.clone();
        let mut violations = Vec::new();
        for (name, value) in changes {
            match KEYS.iter().find(|key| key.name == name) {
                None => violations.push(Violation::new(
                    name,
                    "unknown",
                    format!("there is no setting {name:?}"),
                )),
                Some(key) => {
                    if let Err(problem) = (key.set)(&mut next, value.trim()) {
                        violations.push(Violation::new(name, "value", format!("{name} {problem}")));
                    }
                }
            }
        }
        violations.extend(next.contradictions());
        if violations.is_empty() {
            Ok(next)
        } else {
            Err(violations)
        }
    }

    /// Every key with its value as text, in the order of the registry.
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        KEYS.iter().map(|key| (key.name, (key.get)(self))).collect()
    }

    /// The value of one key as text; `None` for an unknown one.
    pub fn value(&self, name: &str) -> Option<String> {
        KEYS.iter()
            .find(|key| key.name == name)
            .map(|key| (key.get)(self))
    }

    /// The form of an ordinary request's codes.
    pub fn code_shape(&self) -> CodeShape {
        CodeShape {
            length: self.code_length,
            alphabet: self.code_alphabet,
        }
    }

    /// Reads stored values over the defaults; a key that this release does not know is passed over,
    /// so that a node of the previous release keeps running beside a newer one.
    ///
    /// # Errors
    /// One violation for every value that breaks a rule.
    pub fn restore(stored: &BTreeMap<String, String>) -> Result<Self, Vec<Violation>> {
        let known = stored
            .iter()
            .filter(|(name, _)| KEYS.iter().any(|key| key.name == *name));
        Self::default().with(known.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    fn contradictions(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        if self.sends_per_minute > self.sends_per_hour || self.sends_per_hour > self.sends_per_day {
            found.push(Violation::new(
                "sends_per_day",
                "order",
                "sends_per_minute must not exceed sends_per_hour, nor that sends_per_day",
            ));
        }
        if self.keep_events < self.keep_requests {
            found.push(Violation::new(
                "keep_events",
                "order",
                "keep_events must be at least keep_requests",
            ));
        }
        found
    }
}

impl Default for Settings {
    fn default() -> Self {
        static DEFAULTS: LazyLock<Settings> = LazyLock::new(registry::read_defaults);
        DEFAULTS.clone()
    }
}

#[cfg(test)]
mod tests;
