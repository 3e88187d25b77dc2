//! What goes into a template, and what comes out.

use std::fmt;
use std::sync::Arc;

use postern_core::model::{TemplateSource, Variables};

use super::compiled::MAX_NAMED;

/// What a template is filled with: a few dozen at most, each told from most others by its length. A copy
/// shares it. Prints nothing: a code and a link are among it.
#[derive(Clone, Default)]
pub struct Fields(Arc<Vec<(String, String)>>);

impl Fields {
    /// Sets one variable.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let fields = Arc::make_mut(&mut self.0);
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, held)) => *held = value.into(),
            None => fields.push((name.to_owned(), value.into())),
        }
    }

    /// The value of one variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.0.len())
    }
}

/// One of the three parts of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The subject line.
    Subject,
    /// The plain text.
    Text,
    /// MJML or HTML.
    Html,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html",
        }
    }

    /// What its name in the engine ends with: `.html` means HTML escaping.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Subject => "subject.txt",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }

    /// This part of a source.
    pub fn of(self, source: &TemplateSource) -> &str {
        match self {
            Self::Subject => &source.subject,
            Self::Text => &source.text,
            Self::Html => &source.html,
        }
    }
}

/// The three parts of a mail, filled.
#[derive(Clone, PartialEq, Eq)]
pub struct Parts {
    /// One line of at most 255 characters.
    pub subject: String,
    /// The plain text, with `\n` line ends.
    pub text: String,
    /// The HTML, with `\n` line ends.
    pub html: String,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts(…)")
    }
}

/// Why a template could not be filled. Names variables and places, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {part}: {problem}{}", .line.map(|line| format!(" (line {line})")).unwrap_or_default())]
pub struct TemplateError {
    pub(super) part: String,
    pub(super) problem: String,
    /// Where, from 1, where that is known.
    pub(super) line: Option<usize>,
    /// The rule of lint that it breaks.
    pub(super) rule: &'static str,
}

impl TemplateError {
    pub(super) fn new(part: &str, problem: impl Into<String>) -> Self {
        Self {
            part: part.to_owned(),
            problem: problem.into(),
            line: None,
            rule: "engine",
        }
    }

    /// A template that names `count` variables by the end of `part`.
    pub(super) fn too_many(part: &str, count: usize) -> Self {
        let told = format!(
            "it names {count} variables beyond those of Postern, and {MAX_NAMED} is the most: a send carries at \
             most {}",
            Variables::MAX_PAIRS
        );
        Self {
            rule: Self::TOO_MANY,
            ..Self::new(part, told)
        }
    }

    /// The rule of [`Self::too_many`].
    pub(super) const TOO_MANY: &'static str = "too-many-variables";

    /// The part that it is about.
    pub(super) fn part(&self) -> Part {
        let ends = |part: &Part| self.part.ends_with(&format!(".{}", part.suffix()));
        Part::ALL.into_iter().find(ends).unwrap_or(Part::Html)
    }

    pub(super) fn at(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }
}
