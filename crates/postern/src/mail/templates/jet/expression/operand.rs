//! What stands between operators: variables, texts, numbers, calls, and what is in brackets.

use super::super::cursor::named;
use super::{Is, Parser, Read, unread};

/// Words that mean something in our language, so that no variable can be called so.
const TAKEN: [&str; 16] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None",
    "t", "loop", "self",
];

impl Parser<'_> {
    /// An operand, perhaps negated.
    pub(super) fn unary(&mut self) -> Result<Read, String> {
        self.deeper()?;
        self.at.space();
        let bang = self.at.rest.starts_with('!') && !self.at.rest.starts_with("!=");
        let read = if bang || self.at.takes_word("not") {
            if bang {
                self.at.rest = &self.at.rest[1..];
            }
            let read = self.unary()?;
            Self::fits(&read)?;
            self.not(read)
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
            Some('"' | '`') => Ok(Read::new(self.at.text()?, Is::Text)),
            Some(c) if c.is_ascii_digit() => {
                let end = self.at.rest.find(|c: char| !c.is_ascii_digit() && c != '.');
                let (number, rest) = self.at.rest.split_at(end.unwrap_or(self.at.rest.len()));
                self.at.rest = rest;
                let number = number.trim_end_matches('.').to_owned();
                Ok(Read::new(number, Is::Bare))
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
                    "nil" => Ok(Read::new(String::new(), Is::Nil)),
                    "true" | "false" => Ok(Read::new(name.to_owned(), Is::Bare)),
                    name => self.name(name),
                }
            }
            Some(_) => Err(unread(self.at.rest)),
        }
    }

    fn name(&mut self, name: &str) -> Result<Read, String> {
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
        self.used.push(name.to_owned());
        Ok(Read::new(name.to_owned(), Is::Name))
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
                Is::Name => Ok(self.set(&argument.text)),
                _ => Err("isset asks for a variable".to_owned()),
            };
        }
        Self::fits(&argument)?;
        self.apply(name, &argument)
    }

    /// A filter over what was read.
    pub(super) fn apply(&mut self, filter: &str, to: &Read) -> Result<Read, String> {
        let ours = match filter {
            "upper" => "upper",
            "lower" => "lower",
            "trimSpace" => "trim",
            "len" => "length",
            "url" => "in_query",
            "html" => {
                let told = "every value is escaped for its place here: html was left out";
                self.notes.push(told.to_owned());
                return Ok(to.clone());
            }
            "raw" | "unsafe" | "safeHtml" | "safeJs" | "safeJS" => {
                return Err(
                    "a value is never markup here: write the markup into the template".to_owned(),
                );
            }
            other => return Err(format!("{other} has no counterpart here")),
        };
        let is = if ours == "length" {
            Is::Count
        } else {
            Is::Other
        };
        Ok(Read::new(format!("{}|{ours}", to.apart()), is))
    }

    /// Whether it can stand there at all.
    pub(super) fn fits(read: &Read) -> Result<(), String> {
        match read.is {
            Is::Nil => Err("nil has no counterpart here".to_owned()),
            Is::Name | Is::Bare | Is::Text | Is::Count | Is::Set | Is::Other => Ok(()),
        }
    }
}
