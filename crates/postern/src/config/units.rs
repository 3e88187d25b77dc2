//! Durations and sizes as operators write them.

use std::time::Duration;

const SIZES: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// A duration such as `300s`, `5 min` or `1h 30m`; a bare number has no unit and is refused.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn duration(text: &str) -> Result<Duration, String> {
    let accepted = || {
        format!(
            "{text:?} is not a duration: write a number with a unit, such as \"300s\", \"5 min\" or \"24h\""
        )
    };
    humantime::parse_duration(text.trim()).map_err(|_| accepted())
}

/// A size in bytes such as `64 KiB` or `16MiB`; a bare number has no unit and is refused.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn size(text: &str) -> Result<u64, String> {
    let accepted = || {
        format!(
            "{text:?} is not a size: write a number with a unit, such as \"64 KiB\" or \"16 MiB\""
        )
    };
    let trimmed = text.trim();
    let (number, factor) = SIZES
        .iter()
        .find_map(|(unit, factor)| Some((trimmed.strip_suffix(unit)?, *factor)))
        .ok_or_else(accepted)?;
    let number: u64 = number.trim_end().parse().map_err(|_| accepted())?;
    number.checked_mul(factor).ok_or_else(accepted)
}

/// A duration as it is written in a configuration: `300s`, `1day`.
pub fn show_duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, seconds) in [
            ("300s", 300),
            ("5 min", 300),
            ("24h", 86_400),
            (" 1h 30m ", 5400),
            ("2d", 172_800),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn a_duration_without_a_unit_is_refused() {
        for text in ["300", "", "s", "-5s", "5 parsecs"] {
            let refused = duration(text).expect_err(text);
            assert!(refused.contains("write a number with a unit"), "{refused}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [
            ("64 KiB", 65_536),
            ("16MiB", 16 << 20),
            ("1 GiB", 1 << 30),
            ("10 kB", 10_000),
            ("7 B", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn a_size_without_a_unit_or_past_64_bits_is_refused() {
        for text in ["64", "", "KiB", "1.5 MiB", "-1 KiB", "99999999999999 GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
