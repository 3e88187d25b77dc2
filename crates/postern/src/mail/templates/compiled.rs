//! One template, ready to be filled.

use std::collections::{BTreeSet, HashSet};

use minijinja::Environment;
use postern_core::model::{MailKind, RESERVED_VARIABLES, Variables};

use super::filling::Filling;
use super::parts::{Fields, Part, Parts, TemplateError};
use super::pieces::{Piece, pieces};
use super::{ALWAYS, Source, context, engine, mjml};

/// The longest subject, in characters (contract §11).
pub(super) const MAX_SUBJECT: usize = 255;

/// The most variables of a caller's own that a template may name. A send carries
/// [`Variables::MAX_PAIRS`]; the rest is room for those that only some senders supply.
pub(super) const MAX_NAMED: usize = 100;

/// One template, compiled. Filling it is cheap and safe from any thread.
#[derive(Debug)]
pub(super) struct Compiled {
    environment: Environment<'static>,
    names: [String; 3],
    /// Whether the lines of the HTML are those that were written.
    as_written: bool,
    /// What it names beyond what every mail of its kind has.
    needs: BTreeSet<String>,
    /// Those of them that it can do without.
    spared: BTreeSet<String>,
}

impl Compiled {
    /// Compiles the three parts.
    ///
    /// # Errors
    /// The first part that the engine refuses, and why; more than [`MAX_NAMED`] variables.
    pub(super) fn compile(kind: MailKind, source: &Source) -> Result<Self, TemplateError> {
        let names = names(kind.as_str());
        let mut environment = engine::environment();
        let mut needs = BTreeSet::new();
        for (part, name) in Part::ALL.into_iter().zip(&names) {
            needs.extend(add(&mut environment, name, part, part.of(source))?);
            needs.retain(|name| !provided(kind, name));
            if needs.len() > MAX_NAMED {
                return Err(TemplateError::too_many(name, needs.len()));
            }
        }
        let guarded: BTreeSet<String> = Part::ALL
            .into_iter()
            .flat_map(|part| spared(part.of(source)))
            .collect();
        let spared = needs.intersection(&guarded).cloned().collect();
        Ok(Self {
            environment,
            names,
            as_written: !mjml::is_mjml(&source.html),
            needs,
            spared,
        })
    }

    /// Fills the three parts of a mail.
    ///
    /// # Errors
    /// When a variable is missing, a bound is passed, or the subject would break its header.
    pub(super) fn fill(&self, fields: &Fields) -> Result<Parts, TemplateError> {
        let [subject_name, text_name, html_name] = &self.names;
        let filling = Filling::new(fields);
        let subject = engine::fill(&self.environment, subject_name, &filling)?;
        let subject = one_line(subject_name, &subject)?;
        filling.know_subject(subject.clone());
        let html = engine::fill(&self.environment, html_name, &filling);
        Ok(Parts {
            text: engine::fill(&self.environment, text_name, &filling)?,
            html: html.map_err(|error| {
                let line = error.line.filter(|_| self.as_written);
                error.at(line)
            })?,
            subject,
        })
    }

    /// What the caller has to supply.
    pub(super) fn required(&self) -> impl Iterator<Item = &String> {
        self.needs.difference(&self.spared)
    }

    /// What the caller may supply.
    pub(super) fn optional(&self) -> impl Iterator<Item = &String> {
        let theirs =
            |name: &&String| !RESERVED_VARIABLES.contains(&name.as_str()) && *name != "code_domain";
        self.spared.iter().filter(theirs)
    }

    /// What the caller had to supply and did not.
    pub(super) fn missing(&self, supplied: &Variables) -> Vec<String> {
        self.required()
            .filter(|name| supplied.get(name).is_none())
            .cloned()
            .collect()
    }
}

/// The names of a template's parts in the engine.
fn names(stem: &str) -> [String; 3] {
    Part::ALL.map(|part| format!("{stem}.{}", part.suffix()))
}

/// The HTML that is sent of what was written, with its values fit for their places.
///
/// # Errors
/// What is wrong with the MJML, or a value where none is safe.
fn html(written: &str) -> Result<String, String> {
    if !mjml::is_mjml(written) {
        return context::fit(written);
    }
    let html = mjml::to_html(written)?;
    let known: HashSet<&str> = tags(written)?.collect();
    match tags(&html)?.find(|tag| !known.contains(tag)) {
        Some(made) => {
            let begins: String = made.chars().take(40).collect();
            Err(format!(
                "{begins:?} is no tag as it is written, and becomes one when the MJML is made into HTML"
            ))
        }
        None => context::fit(&html),
    }
}

fn tags(source: &str) -> Result<impl Iterator<Item = &str>, String> {
    Ok(pieces(source)?.into_iter().filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Output(tag) | Piece::Statement(tag) | Piece::Comment(tag) => Some(tag),
    }))
}

/// Compiles one part under its name; answers what it names.
pub(super) fn add(
    environment: &mut Environment<'static>,
    name: &str,
    part: Part,
    written: &str,
) -> Result<Vec<String>, TemplateError> {
    let refused = |problem: String| TemplateError::new(name, problem);
    engine::admit(written).map_err(refused)?;
    let source = match part {
        Part::Html => html(written).map_err(refused)?,
        Part::Subject | Part::Text => written.to_owned(),
    };
    engine::compile(environment, name, source).map_err(|error| {
        // MJML may make lines of its own: what the engine says is about the lines as they were written.
        let line = error.line.filter(|_| !mjml::is_mjml(written));
        error.at(line)
    })?;
    let compiled = environment.get_template(name);
    let compiled = compiled.expect("it was added a moment ago");
    let sliced = sliced(written).into_iter();
    let named = compiled.undeclared_variables(false);
    Ok(named.into_iter().chain(sliced).collect())
}

/// The variables that a tag takes a slice of: the engine does not count those as named.
fn sliced(written: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in pieces(written).unwrap_or_default() {
        let (Piece::Output(_) | Piece::Statement(_)) = piece else {
            continue;
        };
        let mut before = piece.inner();
        while let Some(open) = before.rfind('[') {
            let slice = before[open..].split(']').next().unwrap_or_default();
            before = &before[..open];
            let path = before.rsplit(|c| !wordly(c)).next().unwrap_or_default();
            let root = path.split('.').next().unwrap_or_default();
            if slice.contains(':') && !root.is_empty() {
                found.push(root.to_owned());
            }
        }
    }
    found
}

/// Whether every mail of the kind has this variable; `t` is the one function.
pub(super) fn provided(kind: MailKind, name: &str) -> bool {
    match name {
        "otp" | "code_domain" => kind.method().has_code(),
        "link" => kind.method().has_link(),
        name => name == "t" || ALWAYS.contains(&name),
    }
}

/// What asks whether a variable is there, or puts something in its place.
const GUARDS: [&str; 4] = [
    "|default",
    " is defined",
    " is undefined",
    " is not defined",
];

/// What a part asks for before it uses it, or has something to put in its place.
fn spared(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for piece in pieces(source).unwrap_or_default() {
        if matches!(piece, Piece::Output(_) | Piece::Statement(_)) {
            found.extend(guarded(piece.inner()));
        }
    }
    found
}

/// The names that stand right before a guard.
fn guarded(expression: &str) -> Vec<String> {
    let words: Vec<&str> = expression.split_whitespace().collect();
    let flat = words.join(" ").replace(" |", "|").replace("| ", "|");
    let places = GUARDS.iter().flat_map(|guard| flat.match_indices(guard));
    let before = places.filter_map(|(at, _)| flat[..at].rsplit(|c| !wordly(c)).next());
    before
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a character may stand in a name.
pub(super) fn wordly(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

fn one_line(name: &str, filled: &str) -> Result<String, TemplateError> {
    let line = filled.trim();
    if line.chars().any(char::is_control) {
        return Err(TemplateError::new(
            name,
            "a subject is one line without control characters",
        ));
    }
    Ok(line.chars().take(MAX_SUBJECT).collect())
}
