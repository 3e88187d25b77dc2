//! A form of settings: what is in force, what was typed, what is wrong, what was changed.

use postern_core::error::{Error, Violation};
use postern_core::settings::Settings;

use super::Dashboard;
use super::fields::Fields;
use super::mistakes::Mistakes;
use super::route::Visit;
use super::shown;
use super::trouble::Trouble;

/// A setting of a form.
pub(super) struct Shown {
    /// Its name.
    pub(super) name: &'static str,
    /// What the page calls it.
    pub(super) label: &'static str,
    /// Whether the form has a box to tick for it.
    pub(super) ticked: bool,
}

/// One setting that was just changed.
pub(super) struct Changed {
    pub(super) label: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

/// The form.
pub(super) struct SettingsForm {
    shown: &'static [Shown],
    typed: Vec<(&'static str, String)>,
    /// What is in force.
    pub(super) held: Settings,
    /// What is wrong; nothing was saved then.
    pub(super) wrong: Mistakes,
    /// What was saved.
    pub(super) changed: Vec<Changed>,
    /// Whether a save found nothing different.
    pub(super) unchanged: bool,
}

impl SettingsForm {
    /// The settings as they are.
    pub(super) fn in_force(dashboard: &Dashboard, shown: &'static [Shown]) -> Self {
        Self::holding(dashboard.postern.snapshot().settings.clone(), shown)
    }

    fn holding(held: Settings, shown: &'static [Shown]) -> Self {
        let value = |name| held.value(name).unwrap_or_default();
        Self {
            shown,
            typed: shown
                .iter()
                .map(|one| (one.name, value(one.name)))
                .collect(),
            held,
            wrong: Mistakes::default(),
            changed: Vec::new(),
            unchanged: false,
        }
    }

    /// Shows dots in the place of what opens the test identities.
    pub(super) fn hide_test_code(&mut self) {
        "••••••".clone_into(&mut self.held.test_code);
        let held = self.held.test_code.clone();
        for (_, value) in self
            .typed
            .iter_mut()
            .filter(|(name, _)| *name == "test_code")
        {
            value.clone_from(&held);
        }
    }

    /// Saves what is different, unless somebody else changed the same since the form was made.
    ///
    /// # Errors
    /// What no other input mends.
    pub(super) async fn save(
        dashboard: &Dashboard,
        visit: &Visit,
        shown: &'static [Shown],
    ) -> Result<Self, Trouble> {
        let typed = typed(&visit.form, shown);
        let seen = |name: &str| visit.form.get(&format!("seen_{name}")).to_owned();
        let different = |(name, value): &&(&str, String)| same_text(name, value) != seen(name);
        let changes: Vec<_> = typed.iter().filter(different).collect();
        let names: Vec<_> = changes.iter().map(|(name, _)| *name).collect();
        let changes = changes
            .into_iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone(), seen(name)));
        let changes = changes.collect();
        let before = dashboard.postern.snapshot().settings.clone();
        let acting = dashboard.postern.acting(visit.me());
        match acting.change_seen_settings(changes).await {
            Ok(after) => {
                let told = |one: &&Shown| names.contains(&one.name);
                let listed = shown
                    .iter()
                    .filter(told)
                    .map(|one| one.told(&before, &after));
                Ok(Self {
                    changed: listed.collect(),
                    unchanged: names.is_empty(),
                    ..Self::holding(after, shown)
                })
            }
            Err(Error::Invalid(wrong)) => Ok(Self {
                typed,
                wrong: Mistakes::new(wrong),
                ..Self::in_force(dashboard, shown)
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// What is in the field.
    pub(super) fn value(&self, name: &str) -> &str {
        let found = self.typed.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value)
    }

    /// What is in force, for the hidden field that tells what the admin saw.
    pub(super) fn seen(&self, name: &str) -> String {
        self.held.value(name).unwrap_or_default()
    }

    /// Whether the box is ticked.
    pub(super) fn on(&self, name: &str) -> bool {
        self.value(name) == "true"
    }

    /// Whether this is chosen.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// What is told beside the field.
    pub(super) fn wrong(&self, name: &str) -> String {
        if self.wrong.is_overtaken(name) {
            let held = in_words(name, &self.seen(name));
            let held = if held.is_empty() { "nothing" } else { &held };
            return format!("Somebody else has set this to {held} since you opened the page.");
        }
        self.wrong.of(name)
    }

    /// Everything that is wrong: the field, what the page calls it, and a sentence.
    pub(super) fn mistakes(&self) -> Vec<(&str, &'static str, String)> {
        let all = self.wrong.all().iter().map(|wrong| &*wrong.field);
        all.map(|field| (field, label(field, self.shown), self.wrong(field)))
            .collect()
    }

    /// Whether somebody else was faster.
    pub(super) fn is_stale(&self) -> bool {
        self.wrong.is_stale()
    }

    /// The settings of the form.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.shown.iter().map(|one| one.name)
    }
}

impl Shown {
    fn told(&self, before: &Settings, after: &Settings) -> Changed {
        Changed {
            label: self.label,
            before: in_words(self.name, &before.value(self.name).unwrap_or_default()),
            after: in_words(self.name, &after.value(self.name).unwrap_or_default()),
        }
    }
}

/// What the page calls a setting; empty when it is none of the page's.
fn label(name: &str, shown: &[Shown]) -> &'static str {
    let found = shown.iter().find(|one| one.name == name);
    found.map_or("", |one| one.label)
}

/// What is wrong, each with what the page calls its setting.
pub(super) fn told(wrong: Vec<Violation>, shown: &[Shown]) -> Vec<String> {
    let wrong = Mistakes::new(wrong);
    let told = wrong.all().iter().map(|one| {
        let sentence = wrong.of(&one.field);
        match label(&one.field, shown) {
            "" => sentence,
            label => format!("{label}: {sentence}"),
        }
    });
    told.collect()
}

/// A value as the form calls it.
fn in_words(name: &str, value: &str) -> String {
    let spans = ["expires_in", "keep_requests", "keep_events", "suppress_for"];
    if spans.contains(&name)
        && let Ok(span) = humantime::parse_duration(value)
    {
        return shown::whole_span(span.as_secs());
    }
    match (name, value) {
        (_, "true") => "on",
        (_, "false") => "off",
        ("passwordless_type", "OTP") => "Verification code",
        ("passwordless_type", "LINK") => "Magic link",
        ("passwordless_type", "LINK_OTP") => "Magic link + verification code",
        ("code_alphabet", "NUMERIC") => "Digits",
        ("code_alphabet", "ALPHANUMERIC") => "Letters and digits",
        ("on_budget", "harden") => "Mail a longer code",
        ("on_budget", "refuse") | ("domain_rules", "enforce") => "Refuse",
        ("domain_rules", "log") => "Only write down",
        (_, value) => value,
    }
    .to_owned()
}

/// What a form says of each of its settings.
pub(super) fn typed(form: &Fields, shown: &'static [Shown]) -> Vec<(&'static str, String)> {
    let value = |one: &Shown| match one.name {
        "expires_in" => format!("{}{}", form.get("expires_in"), form.get("expires_in_unit")),
        name if one.ticked => form.ticked(name).to_string(),
        // One to a line reads better than one long line.
        name => form.get(name).replace("\r\n", ",").replace('\n', ","),
    };
    shown.iter().map(|one| (one.name, value(one))).collect()
}

/// A value as the settings write it, so that `5m` is no change of `300s`.
fn same_text(name: &str, value: &str) -> String {
    let written = Settings::default().with([(name, value)]);
    written
        .ok()
        .and_then(|settings| settings.value(name))
        .unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_as_the_form_calls_it() {
        assert_eq!(in_words("expires_in", "480s"), "8 minutes");
        assert_eq!(in_words("expires_in", "90s"), "90 seconds");
        assert_eq!(in_words("keep_requests", "30d"), "30 days");
        assert_eq!(in_words("regenerate_on_resend", "true"), "on");
        let both = in_words("passwordless_type", "LINK_OTP");
        assert_eq!(both, "Magic link + verification code");
        assert_eq!(in_words("domain_rules", "log"), "Only write down");
        assert_eq!(in_words("app_name", "Shop"), "Shop");
    }

    #[test]
    fn a_mistake_is_told_under_the_name_that_the_page_has_for_it() {
        let shown = [Shown {
            name: "expires_in",
            label: "Expiry period",
            ticked: false,
        }];
        let wrong = Settings::default().with([("expires_in", "10s"), ("code_length", "3")]);
        let told = told(wrong.unwrap_err(), &shown);
        assert_eq!(told[0], "Expiry period: This must be 1 minute to 1 hour");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn another_spelling_of_the_same_value_is_no_change() {
        assert_eq!(same_text("expires_in", "5m"), "300s");
        assert_eq!(same_text("expires_in", "soon"), "soon");
    }
}
