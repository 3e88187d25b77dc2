//! How the text of a setting is read and written.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{DomainRules, OnBudget};
use crate::model::{CodeAlphabet, Email, Method, domain_name, is_https, is_mailable};
use crate::rules::test_identity;

/// Seconds of a day.
pub(super) const DAY: u64 = 86_400;

pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "yes" => Some(true),
        "false" | "off" | "no" => Some(false),
        _ => None,
    }
}

pub(super) fn within<T: FromStr + PartialOrd>(text: &str, range: RangeInclusive<T>) -> Option<T> {
    text.parse().ok().filter(|n| range.contains(n))
}

pub(super) fn method(text: &str) -> Option<Method> {
    Method::ALL
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(text))
}

pub(super) fn alphabet(text: &str) -> Option<CodeAlphabet> {
    [CodeAlphabet::Numeric, CodeAlphabet::Alphanumeric]
        .into_iter()
        .find(|a| a.as_str().eq_ignore_ascii_case(text))
}

pub(super) fn on_budget(text: &str) -> Option<OnBudget> {
    match text {
        "harden" => Some(OnBudget::Harden),
        "refuse" => Some(OnBudget::Refuse),
        _ => None,
    }
}

pub(super) fn show_on_budget(value: OnBudget) -> String {
    match value {
        OnBudget::Harden => "harden",
        OnBudget::Refuse => "refuse",
    }
    .to_owned()
}

/// A span of whole seconds: a number with `s`, `m`, `h` or `d`, or bare seconds.
pub(super) fn span(text: &str, least: u64, most: u64) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => DAY,
        _ => return None,
    };
    let seconds = digits.trim_end().parse::<u64>().ok()?.checked_mul(unit)?;
    (least..=most)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

pub(super) fn show_span(value: &Duration) -> String {
    let seconds = value.as_secs();
    if seconds >= DAY && seconds.is_multiple_of(DAY) {
        format!("{}d", seconds / DAY)
    } else {
        format!("{seconds}s")
    }
}

pub(super) fn domain_rules(text: &str) -> Option<DomainRules> {
    match text {
        "enforce" => Some(DomainRules::Enforce),
        "log" => Some(DomainRules::Log),
        _ => None,
    }
}

pub(super) fn show_domain_rules(value: DomainRules) -> String {
    match value {
        DomainRules::Enforce => "enforce",
        DomainRules::Log => "log",
    }
    .to_owned()
}

/// Domain names in ASCII, each once, some with a `*.` before them.
pub(super) fn domains(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for item in items(text) {
        let (star, name) = match item.strip_prefix("*.") {
            Some(name) => ("*.", name),
            None => ("", item),
        };
        let entry = format!("{star}{}", domain_name(name)?);
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    (found.len() <= 1000).then_some(found)
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

pub(super) fn list(text: &str, fits: fn(&str) -> bool) -> Option<Vec<String>> {
    let items: Vec<_> = items(text).map(str::to_owned).collect();
    (items.len() <= 100 && items.iter().all(|item| fits(item))).then_some(items)
}

/// Addresses in normal form, each once.
pub(super) fn test_addresses(text: &str) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for item in list(text, |_| true)? {
        let address = Email::parse(&item).ok().filter(test_identity::is_marked)?;
        if !found.iter().any(|other| other == address.normal()) {
            found.push(address.normal().to_owned());
        }
    }
    (found.len() <= test_identity::MOST).then_some(found)
}

pub(super) fn digits(text: &str) -> Option<String> {
    let fits = (6..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.to_owned())
}

pub(super) fn show_list(items: &[String]) -> String {
    items.join(",")
}

pub(super) fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}

pub(super) fn name(text: &str) -> Option<String> {
    let fits = (1..=100).contains(&text.chars().count()) && is_mailable(text);
    fits.then(|| text.to_owned())
}

pub(super) fn logo(text: &str) -> Option<String> {
    (text.is_empty() || (text.chars().count() <= 1000 && is_https(text))).then(|| text.to_owned())
}

pub(super) fn color(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#')?;
    let fits = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let rgb = u32::from_str_radix(digits, 16).ok().filter(|_| fits)?;
    (1.05 / (luminance(rgb) + 0.05) >= 4.5).then(|| text.to_ascii_lowercase())
}

/// The relative luminance of a colour, 0 to 1; white letters on it are readable from a contrast of
/// 4.5 to 1 on (WCAG 2.2 §1.4.3).
fn luminance(rgb: u32) -> f64 {
    let [_, red, green, blue] = rgb.to_be_bytes().map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// A domain in its ASCII form, or nothing.
pub(super) fn domain(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    domain_name(text)
}

pub(super) fn support(text: &str) -> Option<String> {
    (text.is_empty() || Email::parse(text).is_ok()).then(|| text.to_owned())
}
