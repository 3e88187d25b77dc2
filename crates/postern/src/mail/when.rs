//! Times, taken apart for people and written for programs.

use std::time::Duration;

use postern_core::model::Timestamp;

/// A moment in UTC, to the minute, by the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day: i64,
    /// 0 to 23.
    pub(super) hour: i64,
    /// 0 to 59.
    pub(super) minute: i64,
}

impl Civil {
    /// The moment, taken apart.
    pub(super) fn of(at: Timestamp) -> Self {
        let seconds = at.unix_seconds();
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        Self {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day % 3600 / 60,
        }
    }
}

/// A moment to the millisecond, as RFC 3339 writes it; none after [`Timestamp::LAST_WRITABLE`].
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let at = at.min(Timestamp::LAST_WRITABLE);
    let Civil {
        year,
        month,
        day,
        hour,
        minute,
    } = Civil::of(at);
    let second = at.unix_seconds().rem_euclid(60);
    let millis = at.unix_millis().rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// What a span is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unit {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

/// A span as people say it: seconds below two minutes, then whole minutes, and whole hours. What is
/// promised holds, but for five seconds: a mail takes a moment to be made.
pub(super) fn rounded(left: Duration) -> (u64, Unit) {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let minutes = (seconds + 5) / 60;
    match (seconds, minutes) {
        (0..115, _) => (seconds, Unit::Seconds),
        (_, minutes) if minutes % 60 == 0 => (minutes / 60, Unit::Hours),
        (_, minutes) => (minutes, Unit::Minutes),
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar: years
/// are taken from March, so that the leap day is the last of its year and months follow one line.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right_at_the_edges_of_the_calendar() {
        for (seconds, expected) in [
            (0, (1970, 1, 1, 0, 0)),
            (951_782_399, (2000, 2, 28, 23, 59)),
            (951_782_400, (2000, 2, 29, 0, 0)),
            (1_795_379_460, (2026, 11, 22, 20, 31)),
            (4_107_542_399, (2100, 2, 28, 23, 59)),
            (4_107_542_400, (2100, 3, 1, 0, 0)),
        ] {
            let at = Civil::of(Timestamp::from_unix_seconds(seconds));
            assert_eq!((at.year, at.month, at.day, at.hour, at.minute), expected);
        }
    }

    #[test]
    fn a_moment_for_programs_has_milliseconds() {
        let at = Timestamp::from_micros(951_782_400_123_456);
        assert_eq!(rfc3339(at), "2000-02-29T00:00:00.123Z");
    }

    #[test]
    fn spans_are_rounded_as_people_say_them() {
        for (millis, expected) in [
            (299_950, (5, Unit::Minutes)),
            (300_000, (5, Unit::Minutes)),
            (60_000, (60, Unit::Seconds)),
            (1_000, (1, Unit::Seconds)),
            (89_000, (89, Unit::Seconds)),
            (90_000, (90, Unit::Seconds)),
            (114_000, (114, Unit::Seconds)),
            (119_950, (2, Unit::Minutes)),
            (150_000, (2, Unit::Minutes)),
            (294_000, (4, Unit::Minutes)),
            (295_000, (5, Unit::Minutes)),
            (3_600_000, (1, Unit::Hours)),
            (3_000_000, (50, Unit::Minutes)),
        ] {
            assert_eq!(
                rounded(Duration::from_millis(millis)),
                expected,
                "{millis} ms"
            );
        }
    }
}
