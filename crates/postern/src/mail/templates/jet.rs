//! Templates written for Scalekit, whose language is JET, carried over into ours.
//!
//! What has no counterpart is reported with its line and the reason, and a comment stands in its
//! place: nothing changes its meaning without being told of.

mod cursor;
mod expression;
mod lexer;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use postern_core::model::{MailKind, RESERVED_VARIABLES};

use self::expression::{Carried, Known};
use self::lexer::{Tag, Token, tokens};
use super::Source;
use super::compiled::{Compiled, provided};
use super::parts::Part;
use super::pieces::{Piece, pieces};

/// A template carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The template in our language; whole only when nothing is left uncarried.
    pub source: Source,
    /// What could not be carried.
    pub uncarried: Vec<Uncarried>,
    /// What was carried and reads otherwise now.
    pub changed: Vec<Uncarried>,
}

/// One place of a template that was not carried over, or not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncarried {
    /// In which part.
    pub part: Part,
    /// On which line of what was imported, from 1.
    pub line: usize,
    /// What stands there; at most 60 characters.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
}

/// Carries a template over.
pub fn import(kind: MailKind, jet: &Source) -> Imported {
    // First to see which variables it shows without asking for them: it needs those, and the others
    // are left out by senders who do not have them.
    let filled = |name: &str| provided(kind, name);
    let first = Known {
        filled: &filled,
        spared: &|_| true,
    };
    let (_, first) = carried(jet, first);
    let needed = first.needed;
    let known = Known {
        filled: &filled,
        spared: &|name| !provided(kind, name) && !needed.contains(name),
    };
    let (mut source, report) = carried(jet, known);
    declare(kind, &mut source);
    Imported {
        source,
        uncarried: report.uncarried,
        changed: report.changed,
    }
}

/// Whether a text has a tag that only JET has: a dot before a name, a word of a statement between the
/// braces of what is shown, or one of its operators.
pub(super) fn is_jet(text: &str) -> bool {
    let only_jet = |piece: Piece<'_>| {
        let inner = piece.inner();
        let word = inner.split_whitespace().next().unwrap_or_default();
        let operator = ["&&", "||", ":=", "isset("];
        let operator = operator.iter().any(|mark| inner.contains(mark));
        match piece {
            Piece::Output(_) => inner.starts_with('.') || is_word(word) || operator,
            Piece::Statement(_) => operator,
            Piece::Text(_) | Piece::Comment(_) => false,
        }
    };
    pieces(text).unwrap_or_default().into_iter().any(only_jet)
}

/// Whether a word begins a statement of JET. Between `{{` and `}}`, ours reads it as a variable.
pub(super) fn is_word(word: &str) -> bool {
    let known = [
        "if", "else", "end", "range", "block", "yield", "include", "import", "extends",
    ];
    known.contains(&word)
}

fn carried(jet: &Source, known: Known<'_>) -> (Source, Report) {
    let mut report = Report::default();
    let mut carry = |part: Part| {
        report.part = Some(part);
        Carrier::new(&mut report, known).carry(part.of(jet))
    };
    let source = Source {
        subject: carry(Part::Subject).trim().to_owned(),
        text: carry(Part::Text),
        html: carry(Part::Html),
    };
    (source, report)
}

/// Scalekit demands what a template shows of every send: so does the template that was carried over.
fn declare(kind: MailKind, source: &mut Source) {
    let Ok(compiled) = Compiled::compile(kind, source) else {
        return;
    };
    let named: Vec<&str> = compiled
        .required()
        .map(String::as_str)
        .filter(|name| !RESERVED_VARIABLES.contains(name) && *name != "code_domain")
        .collect();
    if !named.is_empty() {
        source.text = format!("{{# needs {} -#}}\n{}", named.join(", "), source.text);
    }
}

#[derive(Default)]
struct Report {
    part: Option<Part>,
    uncarried: Vec<Uncarried>,
    changed: Vec<Uncarried>,
    /// Variables that are shown where nothing says that they are there.
    needed: BTreeSet<String>,
}

/// What an `end` ends.
#[derive(Clone, PartialEq, Eq)]
enum Open {
    If {
        /// Variables that are there in this branch.
        holds: Vec<String>,
        /// Variables that are there in the branches after it.
        fails: Vec<String>,
    },
    /// Something that was not carried.
    Foreign,
}

/// Carries one part over.
struct Carrier<'r> {
    report: &'r mut Report,
    known: Known<'r>,
    out: String,
    open: Vec<(Open, usize)>,
}

impl<'r> Carrier<'r> {
    fn new(report: &'r mut Report, known: Known<'r>) -> Self {
        Self {
            report,
            known,
            out: String::new(),
            open: Vec::new(),
        }
    }

    fn carry(mut self, jet: &str) -> String {
        for token in tokens(jet) {
            match token {
                Token::Text { text, line } => self.text(text, line),
                Token::Comment { text } => self.comment(text),
                Token::Tag(tag) => self.tag(&tag),
                Token::Unclosed { text, line } => {
                    self.refuse(text, line, "it is not closed: nothing after it was carried");
                }
            }
        }
        while let Some((_, line)) = self.open.pop() {
            self.refuse("{{ if … }}", line, "it has no {{ end }}");
        }
        self.out
    }

    /// Text stays as it is, unless our language would read a tag in it.
    fn text(&mut self, text: &str, line: usize) {
        let mut rest = text;
        let mut lines = line;
        while let Some(at) = ["{%", "{#"].iter().filter_map(|tag| rest.find(tag)).min() {
            let (before, after) = rest.split_at(at + 1);
            lines += before.matches('\n').count();
            self.out.push_str(before);
            self.out.push(' ');
            let what: String = format!("{{{}", after.chars().take(8).collect::<String>());
            self.change(
                &what,
                lines,
                "it would begin a tag here: a space was put between",
            );
            rest = after;
        }
        self.out.push_str(rest);
    }

    fn comment(&mut self, text: &str) {
        let text = text.replace("#}", "# }");
        self.put(format_args!("{{#{text}#}}"));
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        let word = tag.word();
        match word {
            "if" => match self.expression(tag, tag.after("if"), true) {
                Some(Carried {
                    text, holds, fails, ..
                }) => {
                    self.open.push((Open::If { holds, fails }, tag.line));
                    self.statement(tag, &format!("if {text}"));
                }
                None => self.open.push((Open::Foreign, tag.line)),
            },
            "else" => self.otherwise(tag),
            "end" => match self.open.pop() {
                Some((Open::If { .. }, _)) => self.statement(tag, "endif"),
                Some((Open::Foreign, _)) => {}
                None => self.refuse(
                    tag.whole,
                    tag.line,
                    "there is no {{ if … }} that it could end",
                ),
            },
            "range" | "block" | "try" => {
                self.open.push((Open::Foreign, tag.line));
                self.refuse(tag.whole, tag.line, foreign(word));
            }
            "yield" | "include" | "import" | "extends" | "return" | "catch" | "content" => {
                self.refuse(tag.whole, tag.line, foreign(word));
            }
            _ => {
                if let Some(Carried { text, .. }) = self.expression(tag, tag.inner, false) {
                    let (left, right) = tag.trims();
                    self.put(format_args!("{{{{{left} {text} {right}}}}}"));
                }
            }
        }
    }

    fn otherwise(&mut self, tag: &Tag<'_>) {
        let Some((Open::If { holds, fails }, _)) = self.open.last_mut() else {
            if self.open.is_empty() {
                self.refuse(tag.whole, tag.line, "there is no {{ if … }} before it");
            }
            return;
        };
        holds.clone_from(fails);
        let rest = tag.after("else").trim();
        let condition = rest
            .strip_prefix("if")
            .filter(|rest| !rest.starts_with(char::is_alphanumeric));
        match condition {
            None if rest.is_empty() => self.statement(tag, "else"),
            None => self.refuse(
                tag.whole,
                tag.line,
                "an else is followed by nothing or by an if",
            ),
            Some(condition) => {
                if let Some(condition) = self.expression(tag, condition, true) {
                    if let Some((Open::If { holds, fails }, _)) = self.open.last_mut() {
                        holds.extend(condition.holds);
                        fails.extend(condition.fails);
                    }
                    self.statement(tag, &format!("elif {}", condition.text));
                }
            }
        }
    }

    fn statement(&mut self, tag: &Tag<'_>, statement: &str) {
        let (left, right) = tag.trims();
        self.put(format_args!("{{%{left} {statement} {right}%}}"));
    }

    /// The expression in our language; reported when it has none.
    fn expression(&mut self, tag: &Tag<'_>, text: &str, condition: bool) -> Option<Carried> {
        match expression::carry(text, condition, self.known) {
            Ok(carried) => {
                for note in &carried.notes {
                    self.change(tag.whole, tag.line, note);
                }
                let used = carried.used.iter().filter(|name| !self.holds(name));
                let used: Vec<String> = used.cloned().collect();
                self.report.needed.extend(used);
                Some(carried)
            }
            Err(why) => {
                self.refuse(tag.whole, tag.line, &why);
                None
            }
        }
    }

    /// Whether an `if` around this place says that the variable is there.
    fn holds(&self, name: &str) -> bool {
        self.open.iter().any(|(open, _)| match open {
            Open::If { holds, .. } => holds.iter().any(|held| held == name),
            Open::Foreign => false,
        })
    }

    fn put(&mut self, what: fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(what);
    }

    fn refuse(&mut self, what: &str, line: usize, why: &str) {
        let one = self.told(what, line, why);
        let safe = one
            .what
            .replace("#}", "# }")
            .replace('{', "(")
            .replace('}', ")");
        self.put(format_args!("{{# not carried: {safe} #}}"));
        self.report.uncarried.push(one);
    }

    fn change(&mut self, what: &str, line: usize, why: &str) {
        let one = self.told(what, line, why);
        self.report.changed.push(one);
    }

    fn told(&self, what: &str, line: usize, why: &str) -> Uncarried {
        let flat: Vec<&str> = what.split_whitespace().collect();
        Uncarried {
            part: self.report.part.unwrap_or(Part::Html),
            line,
            what: flat.join(" ").chars().take(60).collect(),
            why: why.to_owned(),
        }
    }
}

fn foreign(word: &str) -> &'static str {
    match word {
        "range" => "a mail here has no lists to go through: write its entries out",
        "block" | "yield" | "content" => "there are no blocks: write the text where it belongs",
        "include" | "import" | "extends" => {
            "a template stands alone: copy what the other file has into it"
        }
        _ => "a template chooses and names, and does nothing else: leave it out",
    }
}
