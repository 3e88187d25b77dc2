//! Counts of the log by the hour, made of those by the minute, and which of both make up a span of time.
//!
//! A month has 43,200 minutes and 720 hours. Hours are counted from one on, and from then on without a
//! gap: a store that is older than they are has minutes before it and nothing else. An hour is made anew
//! of its minutes whenever one of them changes, so it cannot drift away from them.

use std::collections::{BTreeMap, BTreeSet};

use postern_core::model::Tally;

/// Minutes of an hour.
pub(crate) const HOUR: i64 = 60;

/// The hours that minutes lie in.
pub(crate) fn hours_of(minutes: &BTreeMap<i64, Tally>) -> BTreeSet<i64> {
    let hours = minutes.keys().map(|minute| minute.div_euclid(HOUR));
    hours.collect()
}

/// Which counts make up a span of time. Each pair is the first number and the one after the last.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rollup {
    /// Minutes before the hours.
    pub(crate) before: (i64, i64),
    /// Whole hours.
    pub(crate) hours: (i64, i64),
    /// Minutes after them.
    pub(crate) after: (i64, i64),
}

impl Rollup {
    /// What makes up the minutes from `from` to before `to`, where hours are counted from `counted` on.
    /// Spans of `step` minutes that hours do not fill are made of minutes alone.
    pub(crate) fn of((from, to): (i64, i64), step: i64, counted: Option<i64>) -> Self {
        let whole = (from + HOUR - 1).div_euclid(HOUR);
        let hours = (
            counted.map_or(i64::MAX, |first| first.max(whole)),
            to.div_euclid(HOUR),
        );
        if step % HOUR != 0 || hours.0 >= hours.1 {
            return Self {
                before: (from, to),
                ..Self::default()
            };
        }
        Self {
            before: (from, hours.0 * HOUR),
            hours,
            after: (hours.1 * HOUR, to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_whole_hours_with_minutes_at_its_ends() {
        let day = (-30, 24 * HOUR + 7);
        let made = Rollup {
            before: (-30, 0),
            hours: (0, 24),
            after: (24 * HOUR, 24 * HOUR + 7),
        };
        assert_eq!(Rollup::of(day, HOUR, Some(-9)), made);
    }

    #[test]
    fn before_hours_were_counted_there_are_minutes() {
        let day = (0, 24 * HOUR);
        let made = Rollup {
            before: (0, 20 * HOUR),
            hours: (20, 24),
            after: (24 * HOUR, 24 * HOUR),
        };
        assert_eq!(Rollup::of(day, 24 * HOUR, Some(20)), made);
    }

    #[test]
    fn what_hours_do_not_fill_is_made_of_minutes() {
        let minutes = |span| Rollup {
            before: span,
            ..Rollup::default()
        };
        for (span, step, counted) in [
            ((0, 120), 2, Some(0)),
            ((0, 120), 90, Some(0)),
            ((0, 120), 60, None),
            ((0, 120), 60, Some(2)),
            ((1, 119), 60, Some(0)),
        ] {
            assert_eq!(Rollup::of(span, step, counted), minutes(span), "{span:?}");
        }
    }
}
