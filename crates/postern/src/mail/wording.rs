//! What our mails and pages say, in every language that they speak (Fluent, `locales/*.ftl`).

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast::PatternElement;
use postern_core::model::{Language, Languages, Timestamp};
use postern_core::settings::Settings;
use quick_cache::sync::Cache;

use super::when::{self, Civil, Unit};

macro_rules! locales {
    ($($tag:literal $name:literal),* $(,)?) => {
        &[$(($tag, $name, include_str!(concat!("../../locales/", $tag, ".ftl")))),*]
    };
}

/// The languages, what they call themselves and what they say. English is first: it is the one that
/// is left when nothing else serves.
const SOURCES: &[(&str, &str, &str)] = locales![
    "en" "English", "de" "Deutsch", "fr" "Français", "es" "Español", "pt-BR" "Português (Brasil)",
    "it" "Italiano", "nl" "Nederlands", "pl" "Polski", "tr" "Türkçe", "uk" "Українська",
    "ja" "日本語", "ko" "한국어", "zh-Hans" "简体中文", "ar" "العربية", "hi" "हिन्दी",
];

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let parse =
        |(tag, ..): &(&str, &str, &str)| Language::parse(tag).expect("the tags are well-formed");
    SOURCES.iter().map(parse).collect()
});

/// The languages of the built-in wording, English first.
pub fn languages() -> &'static [Language] {
    &LANGUAGES
}

/// What a built-in language calls itself; others go by their tag.
pub fn language_name(tag: &str) -> &str {
    let known = SOURCES.iter().find(|(known, ..)| *known == tag);
    known.map_or(tag, |(_, name, _)| name)
}

/// All messages of one language.
pub struct Wording {
    language: &'static Language,
    bundle: FluentBundle<FluentResource>,
    /// What was said of times: mails that leave together name the same minutes.
    times: Cache<Time, Arc<str>>,
}

/// Something that is said of a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Time {
    Moment(Civil),
    Counted(&'static str, u64, Unit),
}

/// How many times a language remembers.
const TIMES: usize = 64;

/// A message that is not there, or names what it was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the wording {key:?} {problem}")]
pub struct WordingError {
    key: String,
    problem: String,
}

impl Wording {
    /// The wording for a reader of `wanted`: of the first language that we speak at all, else of the
    /// default, else of English.
    pub fn of(wanted: &Languages, settings: &Settings) -> &'static Self {
        let chosen = wanted
            .choose(&LANGUAGES)
            .or_else(|| settings.default_language.best_of(&LANGUAGES));
        Self::in_language(chosen.unwrap_or(&LANGUAGES[0]))
    }

    /// The wording of the built-in language that serves `language` best; English when none does.
    pub fn in_language(language: &Language) -> &'static Self {
        let best = language.best_of(&LANGUAGES);
        let at = best.and_then(|best| LANGUAGES.iter().position(|known| known == best));
        Self::at(at.unwrap_or(0))
    }

    /// [`Self::in_language`] of the language of a tag; English when it is none.
    pub fn tagged(tag: &str) -> &'static Self {
        match SOURCES.iter().position(|(known, ..)| *known == tag) {
            Some(at) => Self::at(at),
            None => Language::parse(tag).map_or(Self::at(0), |found| Self::in_language(&found)),
        }
    }

    fn at(at: usize) -> &'static Self {
        static READ: [OnceLock<Wording>; SOURCES.len()] =
            [const { OnceLock::new() }; SOURCES.len()];
        READ[at].get_or_init(|| Self::read(&LANGUAGES[at], SOURCES[at].2))
    }

    fn read(language: &'static Language, source: &str) -> Self {
        let tag = language.to_string().parse();
        let tag = tag.expect("a language is a language identifier");
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Isolating marks would stand around codes too, and be copied with them.
        bundle.set_use_isolating(false);
        let messages = FluentResource::try_new(source.to_owned());
        let messages = messages.map_err(|(_, errors)| errors);
        bundle
            .add_resource(messages.expect("the locales are Fluent"))
            .expect("no message of a locale stands twice");
        Self {
            language,
            bundle,
            times: Cache::new(TIMES),
        }
    }

    /// Which language it is.
    pub fn language(&self) -> &'static Language {
        self.language
    }

    /// `rtl` or `ltr`, as HTML names the direction of its script.
    pub fn direction(&self) -> &'static str {
        if self.language.is_rtl() { "rtl" } else { "ltr" }
    }

    /// A message that reads the same in every mail; `None` when it has to be filled, or does not exist.
    pub fn plain(&self, key: &str) -> Option<&str> {
        match self.bundle.get_message(key)?.value()?.elements.as_slice() {
            [PatternElement::TextElement { value }] => Some(value),
            _ => None,
        }
    }

    /// One message, filled.
    ///
    /// # Errors
    /// There is no such message, or it names something that `args` does not have.
    pub fn say(&self, key: &str, args: &FluentArgs<'_>) -> Result<String, WordingError> {
        let error = |problem: String| WordingError {
            key: key.chars().take(64).collect(),
            problem,
        };
        let message = self.bundle.get_message(key).and_then(|found| found.value());
        let pattern = message.ok_or_else(|| error("does not exist".to_owned()))?;
        let mut problems = Vec::new();
        let said = self
            .bundle
            .format_pattern(pattern, Some(args), &mut problems);
        match problems.first() {
            None => Ok(said.into_owned()),
            Some(problem) => Err(error(format!("cannot be filled: {problem}"))),
        }
    }

    /// A span as people say it, such as "5 minutes".
    pub fn span(&self, left: Duration) -> String {
        self.counted("span", left)
    }

    /// A span that ends a promise, such as "within 5 minutes".
    pub fn within(&self, left: Duration) -> String {
        self.counted("within", left)
    }

    /// A moment to the minute, such as "22 November 2026, 20:31 UTC".
    pub fn moment(&self, at: Timestamp) -> String {
        self.remembered(Time::Moment(Civil::of(at)))
    }

    fn counted(&self, what: &'static str, left: Duration) -> String {
        let (number, unit) = when::rounded(left);
        self.remembered(Time::Counted(what, number, unit))
    }

    fn remembered(&self, time: Time) -> String {
        if let Some(said) = self.times.get(&time) {
            return said.as_ref().to_owned();
        }
        let said = match time {
            Time::Moment(civil) => self.civil(civil),
            Time::Counted(what, number, unit) => self.number(what, number, unit),
        };
        self.times.insert(time, said.as_str().into());
        said
    }

    fn civil(&self, at: Civil) -> String {
        let mut args = FluentArgs::new();
        args.set("n", at.month);
        let month = self.ours("month", &args);
        args.set("month", month);
        args.set("day", at.day.to_string());
        args.set("year", at.year.to_string());
        args.set("time", format!("{:02}:{:02}", at.hour, at.minute));
        self.ours("moment", &args)
    }

    fn number(&self, what: &str, number: u64, unit: Unit) -> String {
        let key = match unit {
            Unit::Seconds => "seconds",
            Unit::Minutes => "minutes",
            Unit::Hours => "hours",
        };
        let mut args = FluentArgs::new();
        args.set("n", number);
        self.ours(&format!("{what}-{key}"), &args)
    }

    /// A message that every locale has (a test says so), with all that it names.
    fn ours(&self, key: &str, args: &FluentArgs<'_>) -> String {
        self.say(key, args).expect("every locale has this message")
    }
}

/// `args` with each pair of `pairs`.
pub fn args<'a>(pairs: impl IntoIterator<Item = (&'static str, Cow<'a, str>)>) -> FluentArgs<'a> {
    let mut args = FluentArgs::new();
    for (name, value) in pairs {
        args.set(name, value);
    }
    args
}

impl std::fmt::Debug for Wording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wording({})", self.language)
    }
}

#[cfg(test)]
mod tests;
