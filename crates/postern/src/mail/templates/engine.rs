//! The template engine, and what it is not allowed.
//!
//! A template chooses (`if`) and names variables; it does not loop, define, include or call
//! anything but `t`. So what it can cost is bounded by its own length, and the engine's fuel and
//! the bound on its output stand behind that.

use std::io::{self, Write};
use std::sync::Arc;

use minijinja::{
    AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter,
    filters, tests,
};

use super::context;
use super::filling::Filling;
use super::parts::TemplateError;
use super::pieces::{Piece, pieces};

/// Steps of the engine that one part of a mail may take; the built-in ones take about 200.
const FUEL: u64 = 50_000;
/// What the HTML and what any other part of a mail seldom passes, in bytes.
const USUAL: (usize, usize) = (8 * 1024, 1024);
/// The longest body part, in bytes (contract §11).
pub(super) const MAX_BODY: usize = 1 << 20;

/// The most `elif` in one template: each is nested in the one before it when it is compiled.
const MOST_ELIF: usize = 100;

/// The statements of the language.
const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];

/// An engine without templates. The suffix `.html` of a template's name means HTML escaping.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    // So that the engine names the variable that is not there. What else it keeps of a mail goes into
    // the error alone, and only its kind and detail are told.
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(20);
    environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
        Some((_, "html")) => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment.set_formatter(write_value);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment.add_filter("as_url", |value: &str| context::as_url(value));
    environment.add_filter("in_path", |value: &str| context::in_path(value));
    environment.add_filter("in_query", |value: &str| context::in_query(value));
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment
}

/// Passes a template that keeps to the statements of the language.
///
/// # Errors
/// The first statement beyond them, or a tag that is not closed.
pub(super) fn admit(source: &str) -> Result<(), String> {
    let foreign = |piece: &Piece<'_>| {
        let word = piece.inner().split_whitespace().next().unwrap_or_default();
        matches!(piece, Piece::Statement(_)) && !STATEMENTS.contains(&word)
    };
    let pieces = pieces(source)?;
    let again = |piece: &&Piece<'_>| {
        matches!(piece, Piece::Statement(_)) && piece.inner().starts_with("elif")
    };
    if pieces.iter().filter(again).count() > MOST_ELIF {
        return Err(format!("there are more than {MOST_ELIF} elif"));
    }
    match pieces.iter().find(|piece| foreign(piece)) {
        Some(piece) => {
            let told: String = piece.inner().chars().take(40).collect();
            let known = STATEMENTS.join(", ");
            Err(format!(
                "{{% {told} %}} is not for mails: there are {known}"
            ))
        }
        None => Ok(()),
    }
}

/// Compiles a template that is admitted. The one way into the engine, which reads and compiles by
/// calling itself: what was not admitted could take the stack of the whole process.
///
/// # Errors
/// Why it is not admitted, or what the engine says.
pub(super) fn compile(
    environment: &mut Environment<'static>,
    name: &str,
    source: String,
) -> Result<(), TemplateError> {
    admit(&source).map_err(|problem| TemplateError::new(name, problem))?;
    let added = environment.add_template_owned(name.to_owned(), source);
    added.map_err(|error| TemplateError::new(name, told(&error)).at(error.line()))
}

/// The template called `name`, filled, and at most 1 MiB.
///
/// # Errors
/// A variable is missing, or a bound is passed.
pub(super) fn fill(
    environment: &Environment<'_>,
    name: &str,
    filling: &Arc<Filling>,
) -> Result<String, TemplateError> {
    let trouble = |error: &Error| TemplateError::new(name, told(error)).at(error.line());
    let template = environment
        .get_template(name)
        .map_err(|error| trouble(&error))?;
    let usual = match name.rsplit_once('.') {
        Some((_, "html")) => USUAL.0,
        _ => USUAL.1,
    };
    let mut out = Bounded(Vec::with_capacity(usual));
    template
        .render_captured_to(Value::from_dyn_object(Arc::clone(filling)), &mut out)
        .map_err(|error| trouble(&error))?;
    String::from_utf8(out.0).map_err(|_| TemplateError::new(name, "it is not UTF-8"))
}

/// What is wrong, in one line, without the source around it.
pub(super) fn told(error: &Error) -> String {
    let mut line = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    if let Some(cause) = std::error::Error::source(error) {
        line.push_str(": ");
        line.push_str(&cause.to_string());
    }
    line
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_BODY {
            return Err(io::Error::other("it is longer than 1 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes for HTML as the engine does, but leaves `/` alone: clients and link checkers that
/// do not decode `&#x2f;` in an address exist, and in quoted attributes it is harmless.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let plain = value.as_str().filter(|_| !value.is_safe());
    match (state.auto_escape(), plain) {
        (AutoEscape::Html, Some(text)) if !text.bytes().any(is_special) => {
            out.write_str(text).map_err(Error::from)
        }
        (AutoEscape::Html, Some(text)) => out.write_str(&escape_html(text)).map_err(Error::from),
        _ => escape_formatter(out, state, value),
    }
}

/// Whether a byte of UTF-8 means something in HTML.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'')
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
