use std::time::{Duration, UNIX_EPOCH};

/// A moment, in microseconds since 1970-01-01 UTC. Read once per flow from [`crate::ports::Clock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `seconds` seconds after the epoch.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The last second that RFC 3339 can write, with its four digits for the year.
    pub const LAST_WRITABLE: Self = Self::from_unix_seconds(253_402_300_799);

    /// The moment to the second in UTC, as `2027-01-15T08:00:00Z` (RFC 3339); the epoch for any
    /// before it, and [`Self::LAST_WRITABLE`] for any after that.
    pub fn rfc3339(self) -> String {
        let at = self.min(Self::LAST_WRITABLE);
        let seconds = u64::try_from(at.unix_seconds()).unwrap_or(0);
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
    }

    /// The moment `span` later, at most the last representable one.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(span)))
    }

    /// The moment `span` earlier, at least the first representable one.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(span)))
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn micros_of(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_that_rfc_3339_cannot_write_are_written_as_the_nearest_it_can() {
        let text = |micros| Timestamp::from_micros(micros).rfc3339();
        assert_eq!(text(i64::MIN), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_800_000_000_999_999), "2027-01-15T08:00:00Z");
        assert_eq!(text(253_402_300_800_000_000), "9999-12-31T23:59:59Z");
        assert_eq!(text(i64::MAX), "9999-12-31T23:59:59Z");
    }
}
