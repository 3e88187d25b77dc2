use std::time::Duration;

use super::values::{
    DAY, alphabet, color, digits, domain, domain_rules, domains, is_origin, list, logo, method,
    name, on_budget, show_domain_rules, show_list, show_on_budget, show_span, span, support,
    switch, test_addresses, within,
};
use super::{DomainRules, OnBudget, Settings};
use crate::model::{CodeAlphabet, Language, Method, may_be_custom};

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
    key!(confirm_page, "true or false", switch, bool::to_string),
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
        suppress_for,
        "1h to 365d",
        |t| span(t, 3600, 365 * DAY),
        show_span
    ),
    key!(
        suppress_complaints,
        "true or false",
        switch,
        bool::to_string
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
        app_color,
        "a colour such as #1a56db, dark enough for white letters",
        color,
        String::clone
    ),
    key!(
        app_domain,
        "a domain such as example.com, or empty",
        domain,
        String::clone
    ),
    key!(
        default_language,
        "a language tag such as en or pt-BR",
        Language::parse,
        Language::to_string
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
        confirm_page: true,
        link_origins: Vec::new(),
        link_schemes: Vec::new(),
        suppress_for: Duration::ZERO,
        suppress_complaints: true,
        app_name: String::new(),
        app_logo_url: String::new(),
        app_support_email: String::new(),
        app_color: String::new(),
        app_domain: String::new(),
        default_language: Language::parse("en").expect("en is a language"),
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
