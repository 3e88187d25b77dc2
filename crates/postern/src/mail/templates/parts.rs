//! What goes into a template, and what comes out.

use std::collections::BTreeMap;
use std::fmt;

/// What a template is filled with. Prints nothing: a code and a link are among it.
#[derive(Clone, Default)]
pub struct Fields(pub(super) BTreeMap<String, String>);

impl Fields {
    /// Sets one variable.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.0.len())
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
#[error("template {part}: {problem}")]
pub struct TemplateError {
    pub(super) part: String,
    pub(super) problem: String,
}

impl TemplateError {
    pub(super) fn new(part: &str, problem: impl Into<String>) -> Self {
        Self {
            part: part.to_owned(),
            problem: problem.into(),
        }
    }
}
