//! Times as people read them in a mail.

use std::time::Duration;

use postern_core::model::Timestamp;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment to the minute, as `22 November 2026, 20:31 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    let seconds = at.unix_seconds();
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let name = MONTHS[usize::try_from(month - 1).expect("a month is 1 to 12")];
    format!(
        "{day} {name} {year}, {:02}:{:02} UTC",
        of_day / 3600,
        of_day % 3600 / 60
    )
}

/// A moment to the millisecond, as RFC 3339 writes it.
pub(super) fn rfc3339(at: Timestamp) -> String {
    let seconds = at.unix_seconds();
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day % 3600 / 60, of_day % 60);
    let millis = at.unix_millis().rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// A span as people say it: seconds below 90 s, then minutes to the nearest, and whole hours.
pub(super) fn span(left: Duration) -> String {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let minutes = (seconds + 30) / 60;
    match (seconds, minutes) {
        (0..90, _) => count(seconds, "second"),
        (_, minutes) if minutes % 60 == 0 => count(minutes / 60, "hour"),
        (_, minutes) => count(minutes, "minute"),
    }
}

fn count(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
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
            (0, "1 January 1970, 00:00 UTC"),
            (951_782_399, "28 February 2000, 23:59 UTC"),
            (951_782_400, "29 February 2000, 00:00 UTC"),
            (1_795_379_460, "22 November 2026, 20:31 UTC"),
            (4_107_542_399, "28 February 2100, 23:59 UTC"),
            (4_107_542_400, "1 March 2100, 00:00 UTC"),
        ] {
            assert_eq!(moment(Timestamp::from_unix_seconds(seconds)), expected);
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
            (299_950, "5 minutes"),
            (300_000, "5 minutes"),
            (60_000, "60 seconds"),
            (1_000, "1 second"),
            (89_000, "89 seconds"),
            (90_000, "2 minutes"),
            (3_600_000, "1 hour"),
            (3_000_000, "50 minutes"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), expected, "{millis} ms");
        }
    }
}
