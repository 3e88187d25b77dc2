//! What is wrong with a form, field by field.

use postern_core::error::Violation;

use super::shown;

/// The mistakes of a form.
#[derive(Default)]
pub(super) struct Mistakes(Vec<Violation>);

impl Mistakes {
    /// These.
    pub(super) fn new(wrong: Vec<Violation>) -> Self {
        Self(wrong)
    }

    /// One more.
    pub(super) fn add(&mut self, field: &'static str, told: impl Into<String>) {
        self.0.push(Violation::new(field, "value", told.into()));
    }

    /// More of them, but for fields that are known to be wrong.
    pub(super) fn extend(&mut self, more: Vec<Violation>) {
        for wrong in more {
            if self.of(&wrong.field).is_empty() {
                self.0.push(wrong);
            }
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is told beside this field; empty when nothing is wrong with it.
    pub(super) fn of(&self, field: &str) -> String {
        let here = self.0.iter().filter(|wrong| wrong.field == field);
        let told: Vec<_> = here
            .map(|wrong| beside(field, &wrong.description))
            .collect();
        told.join(" ")
    }

    /// Whether one of them is that somebody else was faster.
    pub(super) fn is_stale(&self) -> bool {
        self.0.iter().any(|wrong| wrong.constraint == "stale")
    }

    /// Whether somebody else was faster with this field.
    pub(super) fn is_overtaken(&self, field: &str) -> bool {
        let mut here = self.0.iter().filter(|wrong| wrong.field == field);
        here.any(|wrong| wrong.constraint == "stale")
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Violation] {
        &self.0
    }
}

/// A sentence as it reads beside its field, whose name it may begin with.
fn beside(field: &str, told: &str) -> String {
    let told = in_peoples_units(told);
    match told.strip_prefix(field) {
        Some(rest) if rest.starts_with(' ') => format!("This{rest}"),
        _ => begun(&told),
    }
}

/// Ranges of time as people say them: the settings write `60s to 3600s`.
fn in_peoples_units(told: &str) -> String {
    let range = told.rsplit_once(" must be ").and_then(|(_, range)| {
        let (from, to) = range.split_once(" to ")?;
        let span = |text: &str| {
            let span = humantime::parse_duration(text).ok()?;
            Some(shown::whole_span(span.as_secs()))
        };
        let words = format!("{} to {}", span(from)?, span(to)?);
        Some((range, words))
    });
    match range {
        Some((range, words)) => told.replace(range, &words),
        None => told.to_owned(),
    }
}

/// The text with a capital letter at its beginning.
fn begun(told: &str) -> String {
    let mut letters = told.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_its_field_a_mistake_does_not_name_it_again() {
        let mut wrong = Mistakes::default();
        wrong.add("from", "from must be an address");
        wrong.add("port", "The port is a number.");
        assert_eq!(wrong.of("from"), "This must be an address");
        assert_eq!(wrong.of("port"), "The port is a number.");
        wrong.add("expires_in", "expires_in must be 60s to 3600s");
        assert_eq!(wrong.of("expires_in"), "This must be 1 minute to 1 hour");
        wrong.add("name", "a provider's name has no spaces");
        assert_eq!(wrong.of("name"), "A provider's name has no spaces");
    }
}
