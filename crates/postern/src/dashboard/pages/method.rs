//! Authentication → Magic link & OTP.

use askama::Template;
use axum::response::Response;
use postern_core::model::{CodeAlphabet, Role};
use postern_core::settings::Settings;

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::settings_form::{self, SettingsForm, Shown};
use crate::dashboard::trouble::Trouble;

const fn field(name: &'static str, label: &'static str) -> Shown {
    Shown {
        name,
        label,
        ticked: false,
    }
}

const fn tick(name: &'static str, label: &'static str) -> Shown {
    Shown {
        name,
        label,
        ticked: true,
    }
}

/// The settings of this page.
pub(super) const SHOWN: &[Shown] = &[
    tick("enabled", "Enabled"),
    field("passwordless_type", "Method"),
    field("expires_in", "Expiry period"),
    tick("enforce_same_browser_origin", "Enforce same browser origin"),
    tick(
        "regenerate_on_resend",
        "Enable new passwordless credentials on resend",
    ),
    field("code_length", "Code length"),
    field("code_alphabet", "Code alphabet"),
    field("sends_per_minute", "Mails to one address a minute"),
    field("sends_per_hour", "Mails to one address an hour"),
    field("sends_per_day", "Mails to one address a day"),
    field(
        "client_sends_per_minute",
        "Mails of one application a minute",
    ),
    field("attempt_limit", "Wrong codes that end a request"),
    field("guess_budget", "Wrong codes of one address a day"),
    field("on_budget", "When these are used up"),
    tick("confirm_page", "Links lead to Postern's own page first"),
    field("link_origins", "Allowed origins"),
    field("link_schemes", "Custom schemes"),
    field("allowed_domains", "Only these domains"),
    field("blocked_domains", "Not these domains"),
    tick("block_disposable_domains", "Refuse disposable domains"),
    field("domain_rules", "What the domain rules do"),
    field("test_addresses", "Test addresses"),
    field("test_code", "Code of test addresses"),
    field("keep_requests", "Requests are kept"),
    field("keep_events", "Events and logs are kept"),
];

#[derive(Template)]
#[template(path = "method.html")]
struct Page {
    shell: Shell,
    form: SettingsForm,
    advice: Vec<String>,
}

#[derive(Template)]
#[template(path = "advice.html")]
struct Advised {
    advice: Vec<String>,
}

impl Page {
    /// The expiry period's number and unit.
    fn period(&self) -> (String, &'static str) {
        let value = self.form.value("expires_in");
        let digits = value.trim_end_matches(char::is_alphabetic);
        match (digits.parse::<u64>(), &value[digits.len()..]) {
            (Ok(number), "s" | "") if number >= 60 && number.is_multiple_of(60) => {
                ((number / 60).to_string(), "m")
            }
            (_, "m") => (digits.to_owned(), "m"),
            _ => (digits.to_owned(), "s"),
        }
    }
}

/// The settings as they are.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let mut form = SettingsForm::in_force(dashboard, SHOWN);
    if visit.signed_in()?.account.role != Role::Owner {
        form.hide_test_code();
    }
    Ok(page(dashboard, &visit, form))
}

fn page(dashboard: &Dashboard, visit: &Visit, form: SettingsForm) -> Response {
    html(&Page {
        shell: Shell::of(dashboard, visit),
        advice: if form.wrong.is_empty() {
            advise(&form.held)
        } else {
            Vec::new()
        },
        form,
    })
}

/// Saves what is different.
pub(in crate::dashboard) async fn save(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let form = SettingsForm::save(dashboard, &visit, SHOWN).await?;
    Ok(page(dashboard, &visit, form))
}

/// What is unsafe about what is typed, before it is saved.
pub(in crate::dashboard) async fn advice(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let typed = settings_form::typed(&visit.form, SHOWN);
    let pairs = typed.iter().map(|(name, value)| (*name, value.as_str()));
    let advice = match dashboard.postern.snapshot().settings.with(pairs) {
        Ok(settings) => advise(&settings),
        Err(wrong) => settings_form::told(wrong, SHOWN),
    };
    Ok(html(&Advised { advice }))
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
    use crate::dashboard::pages::{branding, suppression};

    #[test]
    fn every_setting_stands_on_exactly_one_page() {
        let pages = [SHOWN, branding::SHOWN, suppression::SHOWN];
        let mut shown: Vec<_> = pages
            .iter()
            .copied()
            .flatten()
            .map(|one| one.name)
            .collect();
        let mut known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known);
    }

    #[test]
    fn unsafe_choices_explain_themselves() {
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
}
