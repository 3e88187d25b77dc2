use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{DomainRules, OnBudget, Settings};
use crate::model::{
    CodeAlphabet, Email, Method, domain_name, is_https, is_mailable, may_be_custom,
};
use crate::rules::test_identity;

/// One setting: its name and how its text is read and written. What it means, its unit and its
/// default stand in `postern.default.toml`.
pub struct Key {
    /// The name, as `postern settings` takes it.
    pub name: &'static str,
    /// What it accepts, for messages and documentation.
    pub accepts: &'static str,
    pub(super) get: fn(&Settings) -> String,
    pub(super) set: fn(&mut Settings, &str) -> Result<(), String>,
}

macro_rules! key {
    ($field:ident, $accepts:literal, $parse:expr, $show:expr) => {
        Key {
            name: stringify!($field),
            accepts: $accepts,
            get: |settings| $show(&settings.$field),
            set: |settings, text| {
                settings.$field = $parse(text).ok_or_else(|| format!("must be {}", $accepts))?;
                Ok(())
            },
        }
    };
}

/// Every setting, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    key!(enabled, "true or false", switch, bool::to_string),
    key!(
        passwordless_type,
        "OTP, LINK or LINK_OTP",
        method,
        |m: &Method| m.as_str().to_owned()
    ),
    key!(expires_in, "60s to 3600s", |t| span(t, 60, 3600), show_span),
    key!(
        enforce_same_browser_origin,
        "true or false",
        switch,
        bool::to_string
    ),
    key!(
        regenerate_on_resend,
        "true or false",
        switch,
        bool::to_string
    ),
    key!(
        code_length,
        "a number from 6 to 10",
        |t| within(t, 6..=10),
        u8::to_string
    ),
    key!(
        code_alphabet,
        "NUMERIC or ALPHANUMERIC",
        alphabet,
        |a: &CodeAlphabet| a.as_str().to_owned()
    ),
    key!(
        sends_per_minute,
        "a number from 1 to 100",
        |t| within(t, 1..=100),
        u32::to_string
    ),
    key!(
        sends_per_hour,
        "a number from 1 to 500",
        |t| within(t, 1..=500),
        u32::to_string
    ),
    key!(
        sends_per_day,
        "a number from 1 to 1000",
        |t| within(t, 1..=1000),
        u32::to_string
    ),
    key!(
        client_sends_per_minute,
        "a number from 0 to 1000000",
        |t| within(t, 0..=1_000_000),
        u32::to_string
    ),
    key!(
        attempt_limit,
        "a number from 1 to 5",
        |t| within(t, 1..=5),
        u8::to_string
    ),
    key!(
        guess_budget,
        "a number from 5 to 1000",
        |t| within(t, 5..=1000),
        u32::to_string
    ),
    key!(on_budget, "harden or refuse", on_budget, |b: &OnBudget| {
        show_on_budget(*b)
    }),
    key!(
        test_addresses,
        "at most 5 addresses with +sktest before the @, separated by commas",
        test_addresses,
        show_list
    ),
    key!(test_code, "6 to 10 digits", digits, String::clone),
    key!(
        allowed_domains,
        "domains such as example.com or *.example.com, separated by commas, at most 1000",
        domains,
        show_list
    ),
    key!(
        blocked_domains,
        "domains such as example.com or *.example.com, separated by commas, at most 1000",
        domains,
        show_list
    ),
    key!(
        block_disposable_domains,
        "true or false",
        switch,
        bool::to_string
    ),
    key!(
        domain_rules,
        "enforce or log",
        domain_rules,
        |r: &DomainRules| show_domain_rules(*r)
    ),
    key!(
        link_origins,
        "origins such as https://app.example.com, separated by commas, at most 100",
        |t| list(t, is_origin),
        show_list
    ),
    key!(
        link_schemes,
        "custom schemes such as myapp, separated by commas, at most 100",
        |t| list(t, may_be_custom),
        show_list
    ),
    key!(
        app_name,
        "1 to 100 characters of plain text on one line",
        name,
        String::clone
    ),
    key!(
        app_logo_url,
        "an https address of at most 1000 characters, or empty",
        logo,
        String::clone
    ),
    key!(
        app_support_email,
        "an e-mail address, or empty",
        support,
        String::clone
    ),
    key!(
        keep_requests,
        "2d to 365d",
        |t| span(t, 2 * DAY, 365 * DAY),
        show_span
    ),
    key!(
        keep_events,
        "2d to 3650d",
        |t| span(t, 2 * DAY, 3650 * DAY),
        show_span
    ),
];

const DAY: u64 = 86_400;

/// The `[settings]` table of the embedded defaults.
pub(super) fn read_defaults() -> Settings {
    let text = include_str!("../../../../postern.default.toml");
    let file: toml::Table = text.parse().expect("the embedded defaults are TOML");
    let table = file["settings"].as_table().expect("[settings] is a table");
    let mut settings = blank();
    for key in KEYS {
        let value = plain(&table[key.name]);
        (key.set)(&mut settings, &value)
            .unwrap_or_else(|problem| panic!("default of {}: {problem}", key.name));
    }
    settings
}

/// Every field has a value before its default is read over it; none of these is ever in force.
fn blank() -> Settings {
    Settings {
        enabled: false,
        passwordless_type: Method::Otp,
        expires_in: Duration::ZERO,
        enforce_same_browser_origin: true,
        regenerate_on_resend: true,
        code_length: 0,
        code_alphabet: CodeAlphabet::Numeric,
        sends_per_minute: 0,
        sends_per_hour: 0,
        sends_per_day: 0,
        client_sends_per_minute: 0,
        attempt_limit: 0,
        guess_budget: 0,
        on_budget: OnBudget::Refuse,
        test_addresses: Vec::new(),
        test_code: String::new(),
        allowed_domains: Vec::new(),
        blocked_domains: Vec::new(),
        block_disposable_domains: true,
        domain_rules: DomainRules::Log,
        link_origins: Vec::new(),
        link_schemes: Vec::new(),
        app_name: String::new(),
        app_logo_url: String::new(),
        app_support_email: String::new(),
        keep_requests: Duration::ZERO,
        keep_events: Duration::ZERO,
    }
}

/// A TOML value as `postern settings set` would take it.
fn plain(value: &toml::Value) -> String {
    if let Some(items) = value.as_array() {
        return items.iter().map(plain).collect::<Vec<_>>().join(",");
    }
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "yes" => Some(true),
        "false" | "off" | "no" => Some(false),
        _ => None,
    }
}

fn within<T: FromStr + PartialOrd>(text: &str, range: RangeInclusive<T>) -> Option<T> {
    text.parse().ok().filter(|n| range.contains(n))
}

fn method(text: &str) -> Option<Method> {
    Method::ALL
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(text))
}

fn alphabet(text: &str) -> Option<CodeAlphabet> {
    [CodeAlphabet::Numeric, CodeAlphabet::Alphanumeric]
        .into_iter()
        .find(|a| a.as_str().eq_ignore_ascii_case(text))
}

fn on_budget(text: &str) -> Option<OnBudget> {
    match text {
        "harden" => Some(OnBudget::Harden),
        "refuse" => Some(OnBudget::Refuse),
        _ => None,
    }
}

fn show_on_budget(value: OnBudget) -> String {
    match value {
        OnBudget::Harden => "harden",
        OnBudget::Refuse => "refuse",
    }
    .to_owned()
}

/// A span of whole seconds: a number with `s`, `m`, `h` or `d`, or bare seconds.
fn span(text: &str, least: u64, most: u64) -> Option<Duration> {
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

fn show_span(value: &Duration) -> String {
    let seconds = value.as_secs();
    if seconds >= DAY && seconds.is_multiple_of(DAY) {
        format!("{}d", seconds / DAY)
    } else {
        format!("{seconds}s")
    }
}

fn domain_rules(text: &str) -> Option<DomainRules> {
    match text {
        "enforce" => Some(DomainRules::Enforce),
        "log" => Some(DomainRules::Log),
        _ => None,
    }
}

fn show_domain_rules(value: DomainRules) -> String {
    match value {
        DomainRules::Enforce => "enforce",
        DomainRules::Log => "log",
    }
    .to_owned()
}

/// Domain names in ASCII, each once, some with a `*.` before them.
fn domains(text: &str) -> Option<Vec<String>> {
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

fn list(text: &str, fits: fn(&str) -> bool) -> Option<Vec<String>> {
    let items: Vec<_> = items(text).map(str::to_owned).collect();
    (items.len() <= 100 && items.iter().all(|item| fits(item))).then_some(items)
}

/// Addresses in normal form, each once.
fn test_addresses(text: &str) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for item in list(text, |_| true)? {
        let address = Email::parse(&item).ok().filter(test_identity::is_marked)?;
        if !found.iter().any(|other| other == address.normal()) {
            found.push(address.normal().to_owned());
        }
    }
    (found.len() <= test_identity::MOST).then_some(found)
}

fn digits(text: &str) -> Option<String> {
    let fits = (6..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.to_owned())
}

fn show_list(items: &[String]) -> String {
    items.join(",")
}

fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}

fn name(text: &str) -> Option<String> {
    let fits = (1..=100).contains(&text.chars().count()) && is_mailable(text);
    fits.then(|| text.to_owned())
}

fn logo(text: &str) -> Option<String> {
    (text.is_empty() || (text.chars().count() <= 1000 && is_https(text))).then(|| text.to_owned())
}

fn support(text: &str) -> Option<String> {
    (text.is_empty() || Email::parse(text).is_ok()).then(|| text.to_owned())
}
