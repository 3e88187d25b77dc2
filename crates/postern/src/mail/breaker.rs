//! A circuit breaker: who was in trouble again and again is left alone for a while.

use std::time::Duration;

use postern_core::model::Timestamp;

/// How many troubles in a row open the circuit.
pub(super) const TROUBLES: u32 = 5;

/// How long it is open at first; each failed probe doubles that, up to [`LONGEST`].
pub(super) const FIRST: Duration = Duration::from_secs(5);

/// The longest that it is open.
pub(super) const LONGEST: Duration = Duration::from_mins(1);

/// A probe that has told nothing for this long is given up: attempts end within 30 s.
const PROBE: Duration = Duration::from_secs(32);

/// How soon those who met a probe under way should ask again.
const SOON: Duration = Duration::from_secs(1);

/// The state of one circuit. Pure: told the time, and what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Breaker {
    troubles: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    span: Duration,
    until: Timestamp,
    /// Until when the one that was let through half-open is waited for.
    probed_until: Option<Timestamp>,
}

impl Breaker {
    /// When it is worth to ask; `None` at once.
    pub(super) fn shut_until(&self, now: Timestamp) -> Option<Timestamp> {
        let open = self.open?;
        match open.probed_until {
            Some(until) if now < until => Some(now.plus(SOON)),
            Some(_) => None,
            None => (now < open.until).then_some(open.until),
        }
    }

    /// Lets one through, or says when to ask again. Half-open, one at a time is let through: a probe,
    /// of which it answers `true`.
    ///
    /// # Errors
    /// The moment from which it is worth to ask again.
    pub(super) fn admit(&mut self, now: Timestamp) -> Result<bool, Timestamp> {
        if let Some(until) = self.shut_until(now) {
            return Err(until);
        }
        if let Some(open) = &mut self.open {
            open.probed_until = Some(now.plus(PROBE));
        }
        Ok(self.open.is_some())
    }

    /// It works. Answers whether that closed the circuit.
    pub(super) fn works(&mut self) -> bool {
        self.troubles = 0;
        self.open.take().is_some()
    }

    /// It was in trouble. Answers for how long that opened the circuit, if it did.
    pub(super) fn troubled(&mut self, now: Timestamp) -> Option<Duration> {
        self.troubles = self.troubles.saturating_add(1);
        let span = match self.open {
            Some(Open {
                probed_until: None, ..
            }) => return None,
            Some(Open { span, .. }) => (span * 2).min(LONGEST),
            None if self.troubles >= TROUBLES => FIRST,
            None => return None,
        };
        self.open = Some(Open {
            span,
            until: now.plus(span),
            probed_until: None,
        });
        Some(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..TROUBLES {
            breaker.troubled(at(0));
        }
        breaker
    }

    #[test]
    fn it_opens_at_the_last_of_many_troubles_in_a_row_and_at_no_other() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..TROUBLES {
                assert_eq!(breaker.troubled(at(0)), None);
            }
            assert!(!breaker.works());
        }
        assert_eq!(opened().admit(at(4)), Err(at(5)));
    }

    #[test]
    fn half_open_it_lets_one_through_at_a_time() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(5)), Ok(true));
        assert_eq!(breaker.admit(at(5)), Err(at(6)));
        assert!(breaker.works());
        assert_eq!(breaker.admit(at(6)), Ok(false));
        assert_eq!(breaker.admit(at(6)), Ok(false));
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_its_bound() {
        let mut breaker = opened();
        let mut now = at(5);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            breaker.admit(now).unwrap();
            let pause = breaker.troubled(now).unwrap();
            pauses.push(pause.as_secs());
            now = now.plus(pause);
        }
        assert_eq!(pauses, [10, 20, 40, 60, 60, 60]);
    }

    #[test]
    fn a_probe_that_tells_nothing_is_followed_by_another() {
        let mut breaker = opened();
        breaker.admit(at(5)).unwrap();
        assert!(breaker.admit(at(36)).is_err());
        assert_eq!(breaker.admit(at(37)), Ok(true));
    }

    #[test]
    fn what_began_before_it_opened_does_not_lengthen_the_pause() {
        let mut breaker = opened();
        assert_eq!(breaker.troubled(at(1)), None);
        assert_eq!(breaker.admit(at(5)), Ok(true));
    }
}
