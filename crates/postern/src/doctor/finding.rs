use std::fmt;

use serde::{Deserialize, Serialize};

use crate::mail::is_unseen;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's name, such as `spf`.
    pub check: String,
    /// What was looked at: a domain, a provider, a file.
    pub about: String,
    /// How it stands.
    pub status: Status,
    /// What was found, as a sentence.
    pub told: String,
    /// What to do, where something is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It could not be looked at, or does not apply.
    Skipped,
    /// Works, and will cost something.
    Warning,
    /// Does not work.
    Failed,
}

/// What all checks found, in a fixed order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether nothing failed; warnings may be there.
    pub ok: bool,
    /// How many checks warn.
    pub warnings: usize,
    /// How many failed.
    pub failures: usize,
    /// Every check.
    pub checks: Vec<Finding>,
}

impl Finding {
    pub(super) fn ok(check: &str, about: impl Into<String>, told: impl Into<String>) -> Self {
        Self::of(check, about, Status::Ok, told, None)
    }

    pub(super) fn skipped(check: &str, about: impl Into<String>, told: impl Into<String>) -> Self {
        Self::of(check, about, Status::Skipped, told, None)
    }

    pub(super) fn warning(
        check: &str,
        about: impl Into<String>,
        told: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::of(check, about, Status::Warning, told, Some(fix.into()))
    }

    pub(super) fn failed(
        check: &str,
        about: impl Into<String>,
        told: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::of(check, about, Status::Failed, told, Some(fix.into()))
    }

    fn of(
        check: &str,
        about: impl Into<String>,
        status: Status,
        told: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self {
            check: check.to_owned(),
            about: about.into(),
            status,
            // What a DNS or mail server says is in it.
            told: told.into().replace(is_unseen, " "),
            fix,
        }
    }
}

impl Status {
    /// The status as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

impl Report {
    pub(super) fn of(checks: Vec<Finding>) -> Self {
        let count = |status| checks.iter().filter(|one| one.status == status).count();
        let (warnings, failures) = (count(Status::Warning), count(Status::Failed));
        Self {
            ok: failures == 0,
            warnings,
            failures,
            checks,
        }
    }
}

/// One line, the fix on it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, told) = (self.status.as_str(), &self.told);
        write!(f, "{status:7}  {:10}  ", self.check)?;
        if self.about != self.check {
            write!(f, "{}: ", self.about)?;
        }
        f.write_str(told)?;
        match &self.fix {
            Some(fix) => write!(f, ". Fix: {fix}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_move_the_lines_around_it() {
        let told = "it says \u{1b}[2J\u{1b}[Hok\u{202e}\r\nok";
        let found = Finding::failed("spf", "a.example", told, "look");
        assert_eq!(found.told, "it says  [2J [Hok   ok");
    }
}
