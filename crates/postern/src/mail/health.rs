//! How a provider fares, for who looks at it.

use postern_core::model::Timestamp;

use super::{Outcome, Shut};

/// What is known of a provider on this node since the node started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// When it last took a mail, or refused one for the mail's own sake.
    pub worked_at: Option<Timestamp>,
    /// When it was last in trouble, and what it said.
    pub trouble: Option<(Timestamp, String)>,
    /// Why it is not tried at the moment.
    pub shut: Option<Shut>,
}

/// A provider's health in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing was tried yet.
    Unknown,
    /// The last mail was no trouble.
    Works,
    /// It has as many mails as its rate allows.
    Full,
    /// The last mail was trouble; the next is tried all the same.
    Shaky,
    /// It is left alone for its trouble.
    Down,
}

impl Health {
    /// Takes note of how a mail fared.
    pub(super) fn note(&mut self, outcome: &Outcome, now: Timestamp) {
        if outcome.is_trouble() {
            self.trouble = Some((now, outcome.reply().to_string()));
        } else {
            self.worked_at = Some(now);
        }
    }

    /// The word.
    pub fn condition(&self) -> Condition {
        let troubled_at = self.trouble.as_ref().map(|(at, _)| *at);
        match (self.shut, self.worked_at, troubled_at) {
            (Some(shut), ..) if shut.trouble => Condition::Down,
            (Some(_), ..) => Condition::Full,
            (None, None, None) => Condition::Unknown,
            (None, worked, troubled) if troubled > worked => Condition::Shaky,
            (None, ..) => Condition::Works,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Reply, Stage};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn the_last_mail_tells_how_it_fares() {
        let reply = |code| Reply::new(Stage::Mail, Some(code), "", &[]);
        let mut health = Health::default();
        assert_eq!(health.condition(), Condition::Unknown);
        health.note(&Outcome::ProviderTrouble(reply(550)), at(1));
        assert_eq!(health.condition(), Condition::Shaky);
        health.note(&Outcome::Sent(reply(250)), at(2));
        assert_eq!(health.condition(), Condition::Works);
        health.shut = Some(Shut {
            until: at(9),
            trouble: true,
        });
        assert_eq!(health.condition(), Condition::Down);
    }
}
