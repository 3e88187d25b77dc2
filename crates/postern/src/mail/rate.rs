//! A rate limit: so many a minute, evenly, with bursts of a second.

use std::time::Duration;

use postern_core::model::Timestamp;

/// How far ahead of its even pace a burst may run.
const BURST: Duration = Duration::from_secs(1);

/// Meters what is handed to one provider (the generic cell rate algorithm of ITU-T I.371).
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    each: Duration,
    /// When the next one would be due at an even pace.
    due: Option<Timestamp>,
}

impl Rate {
    /// `per_minute` of them; 0 counts as 1.
    pub(super) fn new(per_minute: u32) -> Self {
        Self {
            each: Duration::from_mins(1) / per_minute.max(1),
            due: None,
        }
    }

    /// When the next one may go; `None` at once.
    pub(super) fn full_until(&self, now: Timestamp) -> Option<Timestamp> {
        let from = self.due?.minus(BURST);
        (now < from).then_some(from)
    }

    /// Counts one that goes now.
    pub(super) fn take(&mut self, now: Timestamp) {
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = Some(due.plus(self.each));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of those that ask 100 times a second go within so many seconds.
    fn passed(per_minute: u32, seconds: i64) -> u32 {
        let mut rate = Rate::new(per_minute);
        let start = Timestamp::from_unix_seconds(1_800_000_000);
        let mut passed = 0;
        for tick in 0..seconds * 100 {
            let now = Timestamp::from_micros(start.micros() + tick * 10_000);
            if rate.full_until(now).is_none() {
                rate.take(now);
                passed += 1;
            }
        }
        passed
    }

    #[test]
    fn no_more_go_than_the_rate_and_a_burst_of_a_second() {
        assert!((30..=31).contains(&passed(30, 60)), "{}", passed(30, 60));
        let passed = passed(840, 10);
        assert!((140..=155).contains(&passed), "{passed}");
    }

    #[test]
    fn a_quiet_time_is_not_saved_up() {
        let mut rate = Rate::new(60);
        let start = Timestamp::from_unix_seconds(1_800_000_000);
        rate.take(start);
        let later = start.plus(Duration::from_hours(1));
        rate.take(later);
        rate.take(later);
        assert!(rate.full_until(later).is_some());
    }
}
