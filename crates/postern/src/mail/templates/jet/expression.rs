//! One expression of JET, read and written in our language.

use super::cursor::{Cursor, named};

/// How deep expressions may lie in each other.
const DEPTH: usize = 40;

/// Words that mean something in our language, so that no variable can be called so.
const TAKEN: [&str; 16] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None",
    "t", "loop", "self",
];

/// Binary operators by how tightly they bind, loosest first: JET's spelling, ours.
const LEVELS: [&[(&str, &str)]; 4] = [
    &[("||", "or"), ("or", "or")],
    &[("&&", "and"), ("and", "and")],
    &[("==", "=="), ("!=", "!=")],
    &[("+", "~")],
];

/// An expression in our language.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) text: String,
    /// What reads otherwise than in JET.
    pub(super) notes: Vec<String>,
}

/// Carries an expression over.
///
/// # Errors
/// Why it cannot be.
pub(super) fn carry(jet: &str) -> Result<Carried, String> {
    let mut parser = Parser {
        at: Cursor { rest: jet },
        depth: 0,
        notes: Vec::new(),
    };
    let read = parser.pipeline()?;
    parser.at.space();
    if !parser.at.rest.is_empty() {
        return Err(unread(parser.at.rest));
    }
    Ok(Carried {
        text: read.text,
        notes: parser.notes,
    })
}

/// What was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    /// The one variable of this expression.
    Name,
    Nil,
    /// A number or a truth value.
    Bare,
    Text,
    Other,
}

struct Read {
    text: String,
    is: Is,
}

impl Read {
    fn other(text: String) -> Self {
        Self {
            text,
            is: Is::Other,
        }
    }

    /// As it may stand beside an operator.
    fn apart(&self) -> String {
        match self.is {
            Is::Other => format!("({})", self.text),
            Is::Name | Is::Nil | Is::Bare | Is::Text => self.text.clone(),
        }
    }
}

struct Parser<'a> {
    at: Cursor<'a>,
    depth: usize,
    notes: Vec<String>,
}

impl Parser<'_> {
    /// `value | filter | filter`
    fn pipeline(&mut self) -> Result<Read, String> {
        let mut read = self.ternary()?;
        Self::fits(&read)?;
        while self.takes_bar() {
            self.at.space();
            let name = self.at.word();
            self.at.space();
            if self.at.rest.starts_with([':', '(']) {
                return Err(format!("{name} with arguments has no counterpart here"));
            }
            read = self.apply(name, &read)?;
        }
        Ok(read)
    }

    fn takes_bar(&mut self) -> bool {
        self.at.space();
        !self.at.rest.starts_with("||") && self.at.takes("|")
    }

    /// `condition ? one : other`
    fn ternary(&mut self) -> Result<Read, String> {
        self.deeper()?;
        let read = self.level(0)?;
        self.at.space();
        if !self.at.takes("?") {
            self.depth -= 1;
            return Ok(read);
        }
        let one = self.ternary()?;
        self.at.space();
        if !self.at.takes(":") {
            return Err("a ? needs a :".to_owned());
        }
        let other = self.ternary()?;
        for part in [&read, &one, &other] {
            Self::fits(part)?;
        }
        self.depth -= 1;
        let (condition, one, other) = (read.apart(), one.apart(), other.apart());
        Ok(Read::other(format!("{one} if {condition} else {other}")))
    }

    fn level(&mut self, level: usize) -> Result<Read, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        while let Some(ours) = self.operator(operators) {
            let right = self.level(level + 1)?;
            left = self.join(&left, ours, &right)?;
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[(&str, &'static str)]) -> Option<&'static str> {
        self.at.space();
        for (jet, ours) in operators {
            let Some(after) = self.at.rest.strip_prefix(jet) else {
                continue;
            };
            let word = jet.starts_with(|c: char| c.is_ascii_alphabetic());
            if word && after.starts_with(named) {
                continue;
            }
            self.at.rest = after;
            return Some(ours);
        }
        None
    }

    /// Two operands and an operator. All values here are texts; nothing is null, but may be absent.
    fn join(&mut self, left: &Read, ours: &str, right: &Read) -> Result<Read, String> {
        if matches!(ours, "==" | "!=") {
            for (one, other) in [(left, right), (right, left)] {
                if other.is == Is::Nil {
                    if one.is != Is::Name {
                        return Err("only a variable can be compared with nil".to_owned());
                    }
                    let not = if ours == "==" { "not " } else { "" };
                    return Ok(Read::other(format!("{} is {not}defined", one.text)));
                }
            }
            let (one, other) = (self.quoted(left, right), self.quoted(right, left));
            return Ok(Read::other(format!("{one} {ours} {other}")));
        }
        for part in [left, right] {
            if part.is == Is::Nil {
                return Err("nil has no counterpart here".to_owned());
            }
        }
        if ours == "~" && left.is == Is::Bare && right.is == Is::Bare {
            return Err("a template does not calculate".to_owned());
        }
        Ok(Read::other(format!(
            "{} {ours} {}",
            left.apart(),
            right.apart()
        )))
    }

    /// A number or a truth value is compared with a variable as text, which every variable is.
    fn quoted(&mut self, one: &Read, other: &Read) -> String {
        if one.is == Is::Bare && other.is != Is::Bare {
            let text = &one.text;
            self.notes.push(format!(
                "variables are texts here: compared with the text \"{text}\""
            ));
            return format!("\"{text}\"");
        }
        one.apart()
    }

    fn unary(&mut self) -> Result<Read, String> {
        self.deeper()?;
        self.at.space();
        let bang = self.at.rest.starts_with('!') && !self.at.rest.starts_with("!=");
        let read = if bang || self.at.takes_word("not") {
            if bang {
                self.at.rest = &self.at.rest[1..];
            }
            let read = self.unary()?;
            Self::fits(&read)?;
            Read::other(format!("not {}", read.apart()))
        } else {
            self.primary()?
        };
        self.depth -= 1;
        self.at.space();
        if self.at.rest.starts_with(['<', '>', '-', '*', '/', '%']) {
            return Err("a template compares for equality only, and does not calculate".to_owned());
        }
        Ok(read)
    }

    fn primary(&mut self) -> Result<Read, String> {
        self.at.space();
        match self.at.rest.chars().next() {
            None => Err("an expression is missing".to_owned()),
            Some('(') => {
                self.at.rest = &self.at.rest[1..];
                let read = self.ternary()?;
                self.at.space();
                if !self.at.takes(")") {
                    return Err("a parenthesis is not closed".to_owned());
                }
                Ok(read)
            }
            Some('"' | '`') => Ok(Read {
                text: self.at.text()?,
                is: Is::Text,
            }),
            Some(c) if c.is_ascii_digit() => {
                let end = self.at.rest.find(|c: char| !c.is_ascii_digit() && c != '.');
                let (number, rest) = self.at.rest.split_at(end.unwrap_or(self.at.rest.len()));
                self.at.rest = rest;
                Ok(Read {
                    text: number.trim_end_matches('.').to_owned(),
                    is: Is::Bare,
                })
            }
            Some('.') => {
                self.at.rest = &self.at.rest[1..];
                let name = self.at.word();
                self.name(name)
            }
            Some(c) if named(c) => {
                let name = self.at.word();
                self.at.space();
                if self.at.takes("(") {
                    return self.call(name);
                }
                match name {
                    "nil" => Ok(Read {
                        text: String::new(),
                        is: Is::Nil,
                    }),
                    "true" | "false" => Ok(Read {
                        text: name.to_owned(),
                        is: Is::Bare,
                    }),
                    name => self.name(name),
                }
            }
            Some(_) => Err(unread(self.at.rest)),
        }
    }

    fn name(&self, name: &str) -> Result<Read, String> {
        if name.is_empty() {
            return Err(
                "a dot alone, the whole of what is passed, has no counterpart here".to_owned(),
            );
        }
        if self.at.rest.starts_with(['.', '[']) {
            return Err(format!(
                "{name} has no parts here: every variable is a plain text"
            ));
        }
        if TAKEN.contains(&name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("{name} cannot be the name of a variable here"));
        }
        Ok(Read {
            text: name.to_owned(),
            is: Is::Name,
        })
    }

    /// `name(argument)`
    fn call(&mut self, name: &str) -> Result<Read, String> {
        let argument = self.ternary()?;
        self.at.space();
        if !self.at.takes(")") {
            return Err(format!(
                "{name} with several arguments has no counterpart here"
            ));
        }
        if name == "isset" {
            return match argument.is {
                Is::Name => Ok(Read::other(format!("{} is defined", argument.text))),
                _ => Err("isset asks for a variable".to_owned()),
            };
        }
        Self::fits(&argument)?;
        self.apply(name, &argument)
    }

    fn apply(&mut self, filter: &str, to: &Read) -> Result<Read, String> {
        let ours = match filter {
            "upper" => "upper",
            "lower" => "lower",
            "trimSpace" => "trim",
            "len" => "length",
            "url" => "in_query",
            "html" => {
                let told = "every value is escaped for its place here: html was left out";
                self.notes.push(told.to_owned());
                return Ok(Read {
                    text: to.text.clone(),
                    is: to.is,
                });
            }
            "raw" | "unsafe" | "safeHtml" | "safeJs" | "safeJS" => {
                return Err(
                    "a value is never markup here: write the markup into the template".to_owned(),
                );
            }
            other => return Err(format!("{other} has no counterpart here")),
        };
        Ok(Read::other(format!("{}|{ours}", to.apart())))
    }

    fn fits(read: &Read) -> Result<(), String> {
        match read.is {
            Is::Nil => Err("nil has no counterpart here".to_owned()),
            Is::Name | Is::Bare | Is::Text | Is::Other => Ok(()),
        }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!(
                "expressions lie more than {DEPTH} deep in each other"
            ));
        }
        Ok(())
    }
}

fn unread(rest: &str) -> String {
    let told: String = rest.chars().take(20).collect();
    if told.starts_with(":=") || told.starts_with('=') || told.starts_with(';') {
        return "a template sets no variables".to_owned();
    }
    format!("{told:?} is not understood")
}
