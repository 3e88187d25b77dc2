//! What a round of calls came to.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use crate::process::Spent;

/// The longest latency that is told apart, in microseconds.
const LONGEST_US: u64 = 120_000_000;

/// Counts and latencies of the calls of one round.
pub(crate) struct Meter {
    latencies: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

/// A round that is over.
pub(crate) struct Round {
    pub(crate) meter: Meter,
    pub(crate) took: Duration,
    /// What the server used meanwhile.
    pub(crate) used: Spent,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            latencies: Histogram::new_with_max(LONGEST_US, 3).expect("the bounds are constants"),
            errors: BTreeMap::new(),
        }
    }

    pub(crate) fn record(&mut self, latency: Duration, error: Option<String>) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.latencies.saturating_record(us.max(1));
        if let Some(code) = error {
            *self.errors.entry(code).or_default() += 1;
        }
    }

    /// Calls answered, refusals among them.
    pub(crate) fn calls(&self) -> u64 {
        self.latencies.len()
    }

    pub(crate) fn errors(&self) -> &BTreeMap<String, u64> {
        &self.errors
    }

    /// The latency that this share of calls did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        ms(self.latencies.value_at_quantile(share))
    }

    pub(crate) fn longest_ms(&self) -> f64 {
        ms(self.latencies.max())
    }
}

impl Round {
    pub(crate) fn per_second(&self) -> f64 {
        count(self.meter.calls()) / self.took.as_secs_f64()
    }

    /// CPU time for each call, the database server's included, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.each(self.used.server.cpu + self.used.database.cpu)
    }

    /// Of it the database server's.
    pub(crate) fn database_cpu_us(&self) -> f64 {
        self.each(self.used.database.cpu)
    }

    fn each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / count(self.meter.calls()).max(1.0)
    }
}

/// The middle one of an odd number of figures, the mean of the middle two otherwise.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

fn ms(us: u64) -> f64 {
    count(us) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_figure() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < f64::EPSILON);
        assert!(median([].into_iter()).is_nan());
    }

    #[test]
    fn refusals_are_counted_by_their_code() {
        let mut meter = Meter::new();
        meter.record(Duration::from_millis(2), None);
        meter.record(Duration::from_millis(4), Some("RATE_LIMITED".into()));
        assert_eq!((meter.calls(), meter.errors()["RATE_LIMITED"]), (2, 1));
        assert!((meter.longest_ms() - 4.0).abs() < 0.01);
    }
}
