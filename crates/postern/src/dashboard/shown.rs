//! Values as the pages show them.

use std::time::Duration;

use postern_core::model::Timestamp;

/// A moment, `2027-01-15 08:00:00` UTC.
pub(super) fn at(at: Timestamp) -> String {
    let text = crate::mail::rfc3339(at);
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// A moment that is written as RFC 3339, as the pages show moments.
pub(super) fn written(at: &str) -> String {
    at.get(..19).unwrap_or(at).replace('T', " ")
}

/// The time of day of a moment, `08:00:00` UTC.
pub(super) fn clock(at: Timestamp) -> String {
    crate::mail::rfc3339(at)
        .get(11..19)
        .unwrap_or_default()
        .to_owned()
}

/// How long ago: `just now`, `5 min ago`, `3 h ago`, `12 d ago`.
pub(super) fn ago(now: Timestamp, at: Timestamp) -> String {
    let since = now.since(at).as_secs();
    match since {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", since / 60),
        3600..172_800 => format!("{} h ago", since / 3600),
        _ => format!("{} d ago", since / 86_400),
    }
}

/// A span: `45 s`, `5 min`, `2 h`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// A browser as people know it, `Firefox on Windows`; as it names itself where it is not known.
pub(super) fn browser(agent: &str) -> String {
    let known = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    let browser = known(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = known(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => agent.to_owned(),
    }
}

/// A number with a space between its thousands.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A share in whole percent; nothing of nothing is no share.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{} %", (part * 100 + whole / 2) / whole)
}

/// A span of seconds in the largest unit that tells it whole.
pub(super) fn whole_span(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = units
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (count, unit) = match whole {
        Some((unit, name)) => (seconds / unit, *name),
        None => (seconds, "second"),
    };
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_are_easy_to_read() {
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(100), "100");
        assert_eq!(percent(1, 3), "33 %");
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn browsers_are_told_by_the_names_that_people_know() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 \
                    Safari/537.36 Edg/120.0";
        assert_eq!(browser(edge), "Edge on Windows");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 \
                      Mobile/15E148 Safari/604.1";
        assert_eq!(browser(safari), "Safari on iPhone");
        assert_eq!(browser("curl/8.5.0"), "curl/8.5.0");
    }

    #[test]
    fn moments_are_told_to_the_second_and_by_their_age() {
        let then = Timestamp::from_unix_seconds(1_800_000_000);
        assert_eq!(at(then), "2027-01-15 08:00:00");
        assert_eq!(ago(then.plus(Duration::from_mins(5)), then), "5 min ago");
        assert_eq!(ago(then, then), "just now");
        assert_eq!(span(Duration::from_mins(5)), "5 min");
        assert_eq!(written("2027-01-15T08:00:00Z"), at(then));
    }
}
