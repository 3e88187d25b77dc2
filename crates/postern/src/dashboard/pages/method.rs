//! Authentication → Magic link & OTP.

use askama::Template;
use axum::response::Response;
use postern_core::error::{Error, Violation};
use postern_core::model::CodeAlphabet;
use postern_core::settings::Settings;

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::fields::Fields;
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

/// The settings of this page, and whether the form sends them as a box to tick.
const SHOWN: &[(&str, bool)] = &[
    ("enabled", true),
    ("passwordless_type", false),
    ("expires_in", false),
    ("enforce_same_browser_origin", true),
    ("regenerate_on_resend", true),
    ("code_length", false),
    ("code_alphabet", false),
    ("sends_per_minute", false),
    ("sends_per_hour", false),
    ("sends_per_day", false),
    ("client_sends_per_minute", false),
    ("attempt_limit", false),
    ("guess_budget", false),
    ("on_budget", false),
    ("link_origins", false),
    ("link_schemes", false),
    ("allowed_domains", false),
    ("blocked_domains", false),
    ("block_disposable_domains", true),
    ("domain_rules", false),
    ("test_addresses", false),
    ("test_code", false),
    ("keep_requests", false),
    ("keep_events", false),
];

#[derive(Template)]
#[template(path = "method.html")]
struct Page {
    shell: Shell,
    form: Form,
    changed: Vec<Changed>,
    stale: bool,
}

#[derive(Template)]
#[template(path = "advice.html")]
struct Advised {
    advice: Vec<String>,
}

/// One setting that was just changed.
struct Changed {
    label: String,
    before: String,
    after: String,
}

/// The form as it is shown: what was typed, what is in force, what is wrong with it.
struct Form {
    typed: Vec<(&'static str, String)>,
    held: Settings,
    wrong: Vec<Violation>,
    advice: Vec<String>,
}

impl Form {
    fn value(&self, name: &str) -> &str {
        let found = self.typed.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value)
    }

    fn seen(&self, name: &str) -> String {
        self.held.value(name).unwrap_or_default()
    }

    fn on(&self, name: &str) -> bool {
        self.value(name) == "true"
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    fn wrong(&self, name: &str) -> String {
        let found = self
            .wrong
            .iter()
            .filter(|violation| violation.field == name);
        found
            .map(|violation| violation.description.clone())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The expiry period's number and unit.
    fn period(&self) -> (String, &'static str) {
        let value = self.value("expires_in");
        let digits = value.trim_end_matches(char::is_alphabetic);
        match (digits.parse::<u64>(), &value[digits.len()..]) {
            (Ok(number), "s" | "") if number >= 60 && number.is_multiple_of(60) => {
                ((number / 60).to_string(), "m")
            }
            (_, "m") => (digits.to_owned(), "m"),
            _ => (digits.to_owned(), "s"),
        }
    }

    fn names() -> Vec<&'static str> {
        SHOWN.iter().map(|(name, _)| *name).collect()
    }
}

/// The settings as they are.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let held = dashboard.postern.snapshot().settings.clone();
    Ok(page(dashboard, &visit, in_force(held), Vec::new()))
}

fn in_force(held: Settings) -> Form {
    let value = |name| held.value(name).unwrap_or_default();
    Form {
        typed: SHOWN.iter().map(|(name, _)| (*name, value(name))).collect(),
        advice: advise(&held),
        wrong: Vec::new(),
        held,
    }
}

fn page(dashboard: &Dashboard, visit: &Visit, form: Form, changed: Vec<Changed>) -> Response {
    let stale = form
        .wrong
        .iter()
        .any(|violation| violation.constraint == "stale");
    html(&Page {
        shell: Shell::of(dashboard, visit),
        form,
        changed,
        stale,
    })
}

/// Saves what is different, unless somebody else changed the same since the form was made.
pub(in crate::dashboard) async fn save(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let typed = typed(&visit.form);
    let seen = |name: &str| visit.form.get(&format!("seen_{name}")).to_owned();
    let changes: Vec<_> = typed
        .iter()
        .filter(|(name, value)| same_text(name, value) != seen(name))
        .map(|(name, value)| ((*name).to_owned(), value.clone(), seen(name)))
        .collect();
    let before = dashboard.postern.snapshot().settings.clone();
    let names: Vec<_> = changes.iter().map(|(name, ..)| name.clone()).collect();
    match dashboard
        .postern
        .acting(visit.me())
        .change_seen_settings(changes)
        .await
    {
        Ok(after) => {
            let told = names
                .iter()
                .map(|name| changed(name, &before, &after))
                .collect();
            Ok(page(dashboard, &visit, in_force(after), told))
        }
        Err(Error::Invalid(wrong)) => {
            let held = dashboard.postern.snapshot().settings.clone();
            let form = Form {
                typed,
                advice: Vec::new(),
                wrong,
                held,
            };
            Ok(page(dashboard, &visit, form, Vec::new()))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is unsafe about what is typed, before it is saved.
pub(in crate::dashboard) async fn advice(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let typed = typed(&visit.form);
    let pairs = typed.iter().map(|(name, value)| (*name, value.as_str()));
    let advice = match dashboard.postern.snapshot().settings.with(pairs) {
        Ok(settings) => advise(&settings),
        Err(wrong) => wrong
            .into_iter()
            .map(|violation| violation.description)
            .collect(),
    };
    Ok(html(&Advised { advice }))
}

fn typed(form: &Fields) -> Vec<(&'static str, String)> {
    let value = |name: &str, ticked: bool| match name {
        "expires_in" => format!("{}{}", form.get("expires_in"), form.get("expires_in_unit")),
        _ if ticked => form.ticked(name).to_string(),
        // One to a line reads better than one long line.
        _ => form.get(name).replace("\r\n", ",").replace('\n', ","),
    };
    SHOWN
        .iter()
        .map(|(name, ticked)| (*name, value(name, *ticked)))
        .collect()
}

/// A value as the settings write it, so that `5m` is no change of `300s`.
fn same_text(name: &str, value: &str) -> String {
    let written = Settings::default().with([(name, value)]);
    written
        .ok()
        .and_then(|settings| settings.value(name))
        .unwrap_or_else(|| value.to_owned())
}

fn changed(name: &str, before: &Settings, after: &Settings) -> Changed {
    Changed {
        label: name.replace('_', " "),
        before: before.value(name).unwrap_or_default(),
        after: after.value(name).unwrap_or_default(),
    }
}

/// What every choice that lowers the guard costs.
fn advise(settings: &Settings) -> Vec<String> {
    let mut advice = Vec::new();
    if settings.expires_in.as_secs() > 600 {
        advice.push(
            "A code that lives longer than 10 minutes is out of the range that OWASP ASVS 6.5.5 allows: whoever reads \
             the mailbox later can still use it."
                .to_owned(),
        );
    }
    let bits = f64::from(settings.code_length)
        * match settings.code_alphabet {
            CodeAlphabet::Numeric => 10_f64.log2(),
            CodeAlphabet::Alphanumeric => 30_f64.log2(),
        };
    if settings.passwordless_type.has_code() && bits < 19.9 {
        advice.push(format!(
            "Codes like these have {bits:.1} bits, fewer than the 20 of OWASP ASVS 6.5.4: use 6 digits or more."
        ));
    }
    if settings.passwordless_type.has_link() && !settings.enforce_same_browser_origin {
        advice.push(
            "Links work in every browser: somebody can start a sign-in and get its owner to click. Enforce the same \
             browser where your app keeps auth_request_id in the session."
                .to_owned(),
        );
    }
    if settings.passwordless_type.has_link() && settings.link_origins.is_empty() {
        advice.push(
            "Links may lead to any site that a client names: list your own origins.".to_owned(),
        );
    }
    if settings.guess_budget > 100 {
        advice.push(
            "NIST SP 800-63B allows 100 failed tries in a row for one account; yours allows more in a day.".to_owned(),
        );
    }
    if !settings.test_addresses.is_empty() {
        advice.push(
            "Test identities sign in with a code that is no secret: give them no rights in your app.".to_owned(),
        );
    }
    advice
}

#[cfg(test)]
mod tests {
    use postern_core::settings::KEYS;

    use super::*;

    #[test]
    fn every_setting_of_the_page_exists_and_unsafe_ones_explain_themselves() {
        assert!(
            SHOWN
                .iter()
                .all(|(name, _)| KEYS.iter().any(|key| key.name == *name))
        );
        assert_eq!(advise(&Settings::default()), Vec::<String>::new());
        let unsafe_ones = [
            ("expires_in", "660s"),
            ("passwordless_type", "LINK_OTP"),
            ("guess_budget", "101"),
        ];
        for (name, value) in unsafe_ones {
            let settings = Settings::default().with([(name, value)]).unwrap();
            assert!(!advise(&settings).is_empty(), "{name}");
        }
    }

    #[test]
    fn another_spelling_of_the_same_value_is_no_change() {
        assert_eq!(same_text("expires_in", "5m"), "300s");
        assert_eq!(same_text("expires_in", "soon"), "soon");
    }
}
