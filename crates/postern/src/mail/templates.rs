//! The templates of the mails: what they are called, what they may name, how they are filled.

mod built_in;
mod context;
mod engine;
mod mjml;
mod parts;
mod pieces;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Environment;
use postern_core::model::{Languages, MailKind, Variables};
use postern_core::ports;

pub use built_in::Source;
pub use engine::escape_html;
pub use parts::{Fields, Parts, TemplateError};

/// The variables that every mail has, supplied or not (contract §11). An optional one that nobody
/// supplied is empty.
pub const ALWAYS: [&str; 17] = [
    "app_name",
    "app_logo_url",
    "app_support_email",
    "app_color",
    "app_organization_meta_name",
    "organization_name",
    "user_name",
    "user_email",
    "expiry_time",
    "expire_time",
    "expiry_time_relative",
    "expiry_within",
    "requested_at",
    "language",
    "direction",
    "start",
    "subject",
];

/// The longest subject, in characters (contract §11).
const MAX_SUBJECT: usize = 255;

/// The templates in force, compiled. Filling one is cheap and safe from any thread.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// For each kind, what it names beyond what every mail of its kind has.
    needs: BTreeMap<MailKind, BTreeSet<String>>,
}

impl Templates {
    /// The built-in set.
    ///
    /// # Panics
    /// Never: a test fills every built-in template.
    pub fn built_in() -> Self {
        let sources = MailKind::ALL.map(|kind| (kind, built_in::source(kind)));
        Self::compile(&sources).expect("the built-in templates compile")
    }

    fn compile(sources: &[(MailKind, Source)]) -> Result<Self, TemplateError> {
        let mut environment = engine::environment();
        let mut needs = BTreeMap::new();
        for (kind, source) in sources {
            needs.insert(*kind, add(&mut environment, *kind, source)?);
        }
        Ok(Self { environment, needs })
    }

    /// Fills the three parts of a mail.
    ///
    /// # Errors
    /// When a variable is missing, a bound is passed, or the subject would break its header.
    pub fn fill(&self, kind: MailKind, fields: &Fields) -> Result<Parts, TemplateError> {
        let [subject_name, text_name, html_name] = names(kind.as_str());
        let subject = engine::fill(&self.environment, &subject_name, fields)?;
        let subject = one_line(&subject_name, &subject)?;
        let mut fields = fields.clone();
        fields.set("subject", subject.clone());
        Ok(Parts {
            text: engine::fill(&self.environment, &text_name, &fields)?,
            html: engine::fill(&self.environment, &html_name, &fields)?,
            subject,
        })
    }
}

impl ports::Templates for Templates {
    fn missing(&self, kind: MailKind, _: &Languages, supplied: &Variables) -> Vec<String> {
        let needs = self.needs.get(&kind).into_iter().flatten();
        needs
            .filter(|name| supplied.get(name).is_none())
            .cloned()
            .collect()
    }
}

/// The names of a template's parts in the engine.
fn names(stem: &str) -> [String; 3] {
    ["subject.txt", "txt", "html"].map(|part| format!("{stem}.{part}"))
}

/// Compiles one template under its kind's name; answers what it needs from the caller.
fn add(
    environment: &mut Environment<'static>,
    kind: MailKind,
    source: &Source,
) -> Result<BTreeSet<String>, TemplateError> {
    let [subject_name, text_name, html_name] = names(kind.as_str());
    let html = if mjml::is_mjml(&source.html) {
        mjml::to_html(&source.html)
    } else {
        Ok(source.html.clone())
    };
    let html = html.and_then(|html| context::fit(&html));
    let html = html.map_err(|problem| TemplateError::new(&html_name, problem))?;
    let mut needs = BTreeSet::new();
    for (name, source) in [
        (subject_name, source.subject.clone()),
        (text_name, source.text.clone()),
        (html_name, html),
    ] {
        engine::admit(&source).map_err(|problem| TemplateError::new(&name, problem))?;
        let trouble = |error: minijinja::Error| TemplateError::new(&name, error.to_string());
        environment
            .add_template_owned(name.clone(), source)
            .map_err(trouble)?;
        let compiled = environment.get_template(&name).map_err(trouble)?;
        needs.extend(compiled.undeclared_variables(false));
    }
    needs.retain(|name| !provided(kind, name));
    Ok(needs)
}

/// Whether every mail of the kind has this variable; `t` is the one function.
fn provided(kind: MailKind, name: &str) -> bool {
    match name {
        "otp" | "code_domain" => kind.method().has_code(),
        "link" => kind.method().has_link(),
        name => name == "t" || ALWAYS.contains(&name),
    }
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

#[cfg(test)]
mod tests;
