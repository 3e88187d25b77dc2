//! What is wrong with a template, before any person gets it as a mail.
//!
//! An error keeps a template from coming into force; a warning is for its author to judge.

mod assets;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minijinja::Environment;
use postern_core::error::Violation;
use postern_core::model::{MailKind, RESERVED_VARIABLES, TemplateKey};
use serde::{Deserialize, Serialize};

use super::compiled::{self, Compiled, wordly};
use super::parts::{Part, TemplateError};
use super::pieces::{Piece, pieces};
use super::{Source, engine, jet, mjml};
use crate::mail::wording;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot come into force.
    Error,
    /// It can.
    Warning,
}

impl Severity {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// In which part.
    pub part: Part,
    /// Where, from 1, where that is known.
    pub line: Option<usize>,
    /// The rule's name, which stays the same.
    pub rule: &'static str,
    /// What it is and how to mend it.
    pub message: String,
}

impl Finding {
    fn error(part: Part, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            part,
            line: None,
            rule,
            message: message.into(),
        }
    }

    fn warning(part: Part, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(part, rule, message)
        }
    }

    fn at(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }

    /// The finding as what keeps a template from coming into force, if it does.
    pub fn fault(&self) -> Option<Violation> {
        let line = self.line.map(|line| format!(", line {line}"));
        let place = format!("{}{}", self.part.as_str(), line.unwrap_or_default());
        (self.severity == Severity::Error).then(|| {
            Violation::new(
                self.part.as_str(),
                self.rule,
                format!("{place}: {}", self.message),
            )
        })
    }
}

/// `html:12: error: what it is [rule]`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.part.as_str())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        let (severity, rule) = (self.severity.as_str(), self.rule);
        write!(f, ": {severity}: {} [{rule}]", self.message)
    }
}

/// Everything that is wrong with a template, errors first.
pub fn lint(key: &TemplateKey, source: &Source) -> Vec<Finding> {
    let mut found: BTreeSet<Finding> = BTreeSet::new();
    for wrong in source.unkeepable() {
        let part = Part::ALL
            .into_iter()
            .find(|one| wrong.field == one.as_str());
        let part = part.unwrap_or(Part::Html);
        found.insert(Finding::error(part, "too-large", wrong.description));
    }
    if !found.is_empty() {
        return found.into_iter().collect();
    }
    // First, because what follows takes longer the more there are.
    let compiled = Compiled::compile(key.kind, source);
    if let Err(error) = &compiled
        && error.rule == TemplateError::TOO_MANY
    {
        let told = Finding::error(error.part(), error.rule, error.problem.clone());
        return vec![told];
    }
    found.extend(
        Part::ALL
            .into_iter()
            .filter_map(|part| absent(part, source)),
    );
    found.extend(broken_subject(&source.subject));
    found.extend(assets::findings(&source.html));
    found.extend(assets::secrets(&source.html));
    for part in [Part::Subject, Part::Html] {
        found.extend(assets::conditions(part, part.of(source)));
    }
    found.extend(assets::styles(&source.html));
    found.extend(language(key, source));
    let refused: Vec<_> = Part::ALL
        .iter()
        .filter_map(|part| engine(*part, source))
        .collect();
    if refused.is_empty() {
        match compiled {
            Ok(compiled) => {
                found.extend(variables(key.kind, source, &compiled));
                found.extend(trial::findings(key, source, &compiled));
            }
            Err(error) => {
                found.insert(Finding::error(Part::Html, error.rule, error.problem));
            }
        }
    }
    found.extend(refused);
    found.into_iter().collect()
}

fn absent(part: Part, source: &Source) -> Option<Finding> {
    let rule = match part {
        Part::Subject => "missing-subject",
        Part::Text => "missing-text",
        Part::Html => "missing-html",
    };
    let told = match part {
        Part::Subject => "the mail needs a subject",
        Part::Text => "the mail needs a text part, for readers and filters that do not show HTML",
        Part::Html => "the mail needs an HTML part",
    };
    let empty = part.of(source).trim().is_empty();
    empty.then(|| Finding::error(part, rule, told))
}

/// A subject is one header line.
fn broken_subject(subject: &str) -> Option<Finding> {
    let literal = pieces(subject.trim()).unwrap_or_default();
    let breaks = literal.iter().any(|piece| match piece {
        Piece::Text(text) => text.chars().any(char::is_control),
        Piece::Output(_) | Piece::Statement(_) | Piece::Comment(_) => false,
    });
    breaks.then(|| {
        let told = "a subject is one line: a line break in it would begin another header";
        Finding::error(Part::Subject, "subject-break", told)
    })
}

/// What the engine refuses of one part.
fn engine(part: Part, source: &Source) -> Option<Finding> {
    let mut found = refused(part, source)?;
    if jet::is_jet(part.of(source)) {
        found.message.push_str("; ");
        found.message.push_str(WRITTEN_FOR_SCALEKIT);
    }
    Some(found)
}

/// Where to go with a template in JET.
const WRITTEN_FOR_SCALEKIT: &str =
    "if it was written for Scalekit, `postern template import` carries it over";

fn refused(part: Part, source: &Source) -> Option<Finding> {
    let written = part.of(source);
    if part == Part::Html && mjml::is_mjml(written) {
        if let Err(problem) = mjml::to_html(written) {
            return Some(Finding::error(part, "mjml", problem));
        }
        // The library moves lines: what is wrong with the tags is looked for where they stand.
        let mut environment = engine::environment();
        let tags = engine::compile(&mut environment, "html", written.to_owned());
        if let Err(error) = tags {
            return Some(Finding::error(part, "engine", error.problem).at(error.line));
        }
    }
    let mut environment: Environment<'static> = engine::environment();
    let error = compiled::add(&mut environment, part.as_str(), part, written).err()?;
    let line = error.line.or_else(|| line_of_tag(written, &error.problem));
    Some(Finding::error(part, "engine", error.problem).at(line))
}

/// Where the tag stands that a message begins with.
fn line_of_tag(source: &str, message: &str) -> Option<usize> {
    let tag = message.find("}}").map(|end| &message[..end + 2])?;
    line_of(source, tag)
}

fn line_of(source: &str, needle: &str) -> Option<usize> {
    let at = source.find(needle)?;
    Some(line_at(source, at))
}

/// The line, from 1, on which byte `at` stands.
fn line_at(source: &str, at: usize) -> usize {
    source[..at].matches('\n').count() + 1
}

/// What the template names that Postern does not fill.
fn variables(kind: MailKind, source: &Source, compiled: &Compiled) -> Vec<Finding> {
    let declared = declared(source);
    let places = places(source, &compiled.required().map(String::as_str).collect());
    compiled
        .required()
        .map(|name| {
            let place = places.get(name.as_str()).copied();
            let (part, line) = place.unwrap_or((Part::Html, None));
            unknown(kind, name, &declared, part).at(line)
        })
        .collect()
}

fn unknown(kind: MailKind, name: &str, declared: &BTreeSet<String>, part: Part) -> Finding {
    let rule = "unknown-variable";
    if RESERVED_VARIABLES.contains(&name) || name == "code_domain" {
        let told = format!("a mail of the kind {} has no {name}", kind.as_str());
        return Finding::error(part, rule, told);
    }
    if !(2..=25).contains(&name.chars().count()) {
        let told = format!("{name:?} can never be supplied: names have 2 to 25 characters");
        return Finding::error(part, rule, told);
    }
    if declared.contains(name) {
        let told = format!("every send has to supply {name}, or it is refused");
        return Finding::warning(part, rule, told);
    }
    if jet::is_word(name) {
        let told = format!("{{{{ {name} … }}}} is no statement here; {WRITTEN_FOR_SCALEKIT}");
        return Finding::error(part, rule, told);
    }
    Finding::error(
        part,
        rule,
        format!(
            "Postern does not fill {name}, so that every send without it would be refused: write {{% if {name} \
             is defined %}}, or declare {{# needs {name} #}}"
        ),
    )
}

/// The names in `{# needs a, b #}`: what the author says that every send supplies.
fn declared(source: &Source) -> BTreeSet<String> {
    let parts = Part::ALL.into_iter().map(|part| part.of(source));
    let comments = parts.flat_map(|part| pieces(part).unwrap_or_default());
    let needs = comments.filter_map(|piece| match piece {
        Piece::Comment(_) => piece.inner().strip_prefix("needs "),
        Piece::Text(_) | Piece::Output(_) | Piece::Statement(_) => None,
    });
    let names = needs.flat_map(|names| names.split([',', ' ', '\n']));
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Where each variable is named first.
fn places<'a>(
    source: &'a Source,
    wanted: &BTreeSet<&str>,
) -> BTreeMap<&'a str, (Part, Option<usize>)> {
    let mut found = BTreeMap::new();
    for part in Part::ALL {
        let mut at = 0;
        for piece in pieces(part.of(source)).unwrap_or_default() {
            if let Piece::Output(tag) | Piece::Statement(tag) = piece {
                for name in roots(tag).filter(|name| wanted.contains(name)) {
                    let place = || (part, Some(line_at(part.of(source), at)));
                    found.entry(name).or_insert_with(place);
                }
            }
            at += piece.len();
        }
    }
    found
}

/// The words of a tag, without what follows a dot.
fn roots(tag: &str) -> impl Iterator<Item = &str> {
    let words = tag.split(|c| !wordly(c));
    words.filter_map(|word| word.split('.').next())
}

/// What a template for one language has to mind.
fn language(key: &TemplateKey, source: &Source) -> Vec<Finding> {
    let Some(language) = &key.language else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if language.best_of(wording::languages()).is_none() {
        let told = format!(
            "there is no built-in wording in {language}: times and t(\"…\") read in English"
        );
        found.push(Finding::warning(Part::Html, "wording", told));
    }
    if language.is_rtl() && !source.html.contains("dir=") {
        let told = "the language runs from right to left: say dir=\"{{ direction }}\"";
        found.push(Finding::warning(Part::Html, "direction", told));
    }
    found
}

#[cfg(test)]
mod tests;
