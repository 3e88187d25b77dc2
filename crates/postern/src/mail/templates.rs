//! The templates of the mails: what they are called, what they may name, how they are filled.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minijinja::{
    AutoEscape, Environment, Output, State, UndefinedBehavior, Value, escape_formatter,
};
use postern_core::model::{Method, Template, Variables};
use postern_core::ports;

use super::kind::Kind;

/// The variables that every mail has, supplied or not (contract §11). An optional one that nobody
/// supplied is empty.
pub const ALWAYS: [&str; 12] = [
    "app_name",
    "app_logo_url",
    "app_support_email",
    "app_organization_meta_name",
    "organization_name",
    "user_name",
    "user_email",
    "expiry_time",
    "expire_time",
    "expiry_time_relative",
    "requested_at",
    "subject",
];

/// Steps of the template engine that one part of a mail may take; the built-in ones take about 200.
const FUEL: u64 = 50_000;
/// The longest subject, in characters (contract §11).
const MAX_SUBJECT: usize = 255;
/// The longest body part, in bytes (contract §11).
const MAX_BODY: usize = 1 << 20;

/// What a template is filled with. Prints nothing: a code and a link are among it.
#[derive(Clone, Default)]
pub struct Fields(BTreeMap<String, String>);

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
    part: String,
    problem: String,
}

impl TemplateError {
    fn new(part: &str, problem: impl Into<String>) -> Self {
        Self {
            part: part.to_owned(),
            problem: problem.into(),
        }
    }
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/emails/", $name)))),*]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "base.html",
    "part_code.html",
    "part_link.html",
    "signin_otp.subject.txt",
    "signin_otp.txt",
    "signin_otp.html",
    "signin_link.subject.txt",
    "signin_link.txt",
    "signin_link.html",
    "signin_link_otp.subject.txt",
    "signin_link_otp.txt",
    "signin_link_otp.html",
    "signup_otp.subject.txt",
    "signup_otp.txt",
    "signup_otp.html",
    "signup_link.subject.txt",
    "signup_link.txt",
    "signup_link.html",
    "signup_link_otp.subject.txt",
    "signup_link_otp.txt",
    "signup_link_otp.html",
];

/// The active templates, compiled. Made once; filling them is cheap and safe from any thread.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// For each kind, what it names beyond what every mail of its kind has.
    needs: BTreeMap<Kind, BTreeSet<String>>,
}

impl Templates {
    /// The built-in set.
    ///
    /// # Panics
    /// Never: a test fills every built-in template.
    pub fn built_in() -> Self {
        Self::compile(BUILT_IN).expect("the built-in templates compile")
    }

    fn compile(sources: &[(&'static str, &'static str)]) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(20);
        environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
            Some((_, "html")) => AutoEscape::Html,
            _ => AutoEscape::None,
        });
        environment.set_formatter(write_value);
        for (name, source) in sources {
            let added = environment.add_template(name, source);
            added.map_err(|error| TemplateError::new(name, error.to_string()))?;
        }
        let needs = Kind::ALL
            .into_iter()
            .map(|kind| (kind, needs(&environment, kind)))
            .collect();
        Ok(Self { environment, needs })
    }

    /// Fills the three parts of a mail.
    ///
    /// # Errors
    /// When a variable is missing, a bound is passed, or the subject would break its header.
    pub fn fill(&self, kind: Kind, fields: &Fields) -> Result<Parts, TemplateError> {
        let stem = kind.as_str();
        let subject_name = format!("{stem}.subject.txt");
        let subject = one_line(&subject_name, &self.fill_part(&subject_name, fields)?)?;
        let mut fields = fields.clone();
        fields.set("subject", subject.clone());
        Ok(Parts {
            text: self.fill_part(&format!("{stem}.txt"), &fields)?,
            html: self.fill_part(&format!("{stem}.html"), &fields)?,
            subject,
        })
    }

    fn fill_part(&self, name: &str, fields: &Fields) -> Result<String, TemplateError> {
        let trouble = |error: &minijinja::Error| TemplateError::new(name, error.to_string());
        let template = self
            .environment
            .get_template(name)
            .map_err(|error| trouble(&error))?;
        let filled = template
            .render(Value::from(fields.0.clone()))
            .map_err(|error| trouble(&error))?;
        if filled.len() > MAX_BODY {
            return Err(TemplateError::new(name, "it is longer than 1 MiB"));
        }
        Ok(filled)
    }
}

impl ports::Templates for Templates {
    fn missing(&self, method: Method, template: Template, supplied: &Variables) -> Vec<String> {
        let needs = self.needs.get(&Kind::of(method, Some(template)));
        let unmet = needs
            .into_iter()
            .flatten()
            .filter(|name| supplied.get(name).is_none());
        unmet.cloned().collect()
    }
}

/// What the parts of a kind name, without what every mail of that kind has.
fn needs(environment: &Environment<'_>, kind: Kind) -> BTreeSet<String> {
    let own = ["subject.txt", "txt", "html"].map(|part| format!("{}.{part}", kind.as_str()));
    let named = own
        .iter()
        .filter_map(|name| environment.get_template(name).ok());
    let mut needs: BTreeSet<String> = named
        .flat_map(|template| template.undeclared_variables(false))
        .collect();
    for known in ALWAYS {
        needs.remove(known);
    }
    if kind.method().has_code() {
        needs.remove("otp");
        needs.remove("code_domain");
    }
    if kind.method().has_link() {
        needs.remove("link");
    }
    needs
}

/// Escapes for HTML as the engine does, but leaves `/` alone: clients and link checkers that
/// do not decode `&#x2f;` in an address exist, and in quoted attributes it is harmless.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    let plain = value.as_str().filter(|_| !value.is_safe());
    match (state.auto_escape(), plain) {
        (AutoEscape::Html, Some(text)) => out
            .write_str(&escape_html(text))
            .map_err(minijinja::Error::from),
        _ => escape_formatter(out, state, value),
    }
}

/// `text` fit for HTML content and for quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
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
