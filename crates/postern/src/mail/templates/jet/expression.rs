//! One expression of JET, read and written in our language.

mod operand;
mod read;

use super::cursor::{Cursor, named};
use read::{Is, Read};

/// How deep expressions may lie in each other.
const DEPTH: usize = 40;

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
    /// Variables whose value it needs, whether they are there or not.
    pub(super) used: Vec<String>,
    /// Variables that are there when it is true.
    pub(super) holds: Vec<String>,
    /// Variables that are there when it is false.
    pub(super) fails: Vec<String>,
}

/// What is known of variables.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    /// Whether Postern fills it: it is always there, and empty when there is nothing to say.
    pub(super) filled: &'k dyn Fn(&str) -> bool,
    /// Whether a template can do without it. In JET, one that is not there is untrue and equals
    /// nothing; here it has to be asked for first.
    pub(super) spared: &'k dyn Fn(&str) -> bool,
}

/// Carries an expression over: what is shown, or with `condition` what is asked.
///
/// # Errors
/// Why it cannot be.
pub(super) fn carry(jet: &str, condition: bool, known: Known<'_>) -> Result<Carried, String> {
    let mut parser = Parser {
        at: Cursor { rest: jet },
        depth: 0,
        notes: Vec::new(),
        used: Vec::new(),
        known,
    };
    let mut read = parser.pipeline()?;
    if condition {
        read = parser.truth(read);
    }
    parser.at.space();
    if !parser.at.rest.is_empty() {
        return Err(unread(parser.at.rest));
    }
    Ok(Carried {
        text: read.text,
        notes: parser.notes,
        used: parser.used,
        holds: read.holds,
        fails: read.fails,
    })
}

struct Parser<'a> {
    at: Cursor<'a>,
    depth: usize,
    notes: Vec<String>,
    used: Vec<String>,
    known: Known<'a>,
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
        Self::fits(&read)?;
        let read = self.truth(read);
        let one = self.after(&read.holds, Self::ternary)?;
        self.at.space();
        if !self.at.takes(":") {
            return Err("a ? needs a :".to_owned());
        }
        let other = self.after(&read.fails, Self::ternary)?;
        for part in [&one, &other] {
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
            left = match ours {
                "and" | "or" => self.both(left, ours, level)?,
                _ => {
                    let right = self.level(level + 1)?;
                    self.join(&left, ours, &right)?
                }
            };
        }
        Ok(left)
    }

    /// `left && …` or `left || …`, whose right side is looked at only when the left side lets it.
    fn both(&mut self, left: Read, ours: &str, level: usize) -> Result<Read, String> {
        Self::fits(&left)?;
        let left = self.truth(left);
        let known = if ours == "and" {
            &left.holds
        } else {
            &left.fails
        };
        let right = self.after(known, |parser| parser.level(level + 1))?;
        Self::fits(&right)?;
        let right = self.truth(right);
        let text = format!("{} {ours} {}", left.apart(), right.apart());
        let mut both = Read::other(text);
        if ours == "and" {
            both.holds = [left.holds, right.holds].concat();
        } else {
            both.fails = [left.fails, right.fails].concat();
        }
        Ok(both)
    }

    /// Reads on where `known` are there, so that their values may be used.
    fn after(
        &mut self,
        known: &[String],
        read: impl FnOnce(&mut Self) -> Result<Read, String>,
    ) -> Result<Read, String> {
        let before = std::mem::take(&mut self.used);
        let read = read(self);
        let mut used = std::mem::replace(&mut self.used, before);
        used.retain(|name| !known.contains(name));
        self.used.extend(used);
        read
    }

    /// What was read, as a question: whether a variable says something, and is there at all.
    fn truth(&mut self, read: Read) -> Read {
        if let (Is::Set, [name]) = (read.is, &*read.holds) {
            return Read {
                text: name.clone(),
                is: Is::Name,
                ..read
            };
        }
        if read.is != Is::Name {
            return read;
        }
        let name = read.text.clone();
        self.asked(&name);
        if !(self.known.spared)(&name) {
            return Read {
                holds: vec![name],
                ..read
            };
        }
        Read::shows(format!("{name} is defined and {name}"), vec![name])
    }

    /// Whether a variable is set. One that Postern fills is always there: it is set when it says
    /// something.
    fn set(&mut self, name: &str) -> Read {
        self.asked(name);
        let holds = vec![name.to_owned()];
        if (self.known.filled)(name) {
            // Twice, so that it is a truth value wherever it stands; in a condition the name is enough.
            return Read {
                is: Is::Set,
                ..Read::shows(format!("not not {name}"), holds)
            };
        }
        Read::shows(format!("{name} is defined"), holds)
    }

    /// The opposite.
    fn not(&mut self, read: Read) -> Read {
        let read = self.truth(read);
        let text = format!("not {}", read.apart());
        let is = Is::Other;
        Read { text, is, ..read }.turned()
    }

    /// The variable that was read last is asked about, and its value not used.
    fn asked(&mut self, name: &str) {
        if let Some(at) = self.used.iter().rposition(|used| used == name) {
            self.used.remove(at);
        }
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
            return self.compare(left, ours, right);
        }
        Self::fits(left)?;
        Self::fits(right)?;
        if left.is == Is::Bare && right.is == Is::Bare {
            return Err("a template does not calculate".to_owned());
        }
        let text = format!("{} {ours} {}", left.apart(), right.apart());
        Ok(Read::other(text))
    }

    /// `left == right` or `left != right`.
    fn compare(&mut self, left: &Read, ours: &str, right: &Read) -> Result<Read, String> {
        let equal = ours == "==";
        for (one, other) in [(left, right), (right, left)] {
            if other.is == Is::Nil {
                if one.is != Is::Name {
                    return Err("only a variable can be compared with nil".to_owned());
                }
                let set = self.set(&one.text);
                return Ok(if equal { self.not(set) } else { set });
            }
        }
        let (one, other) = (self.quoted(left, right), self.quoted(right, left));
        let text = format!("{one} {ours} {other}");
        let names = [left, right].into_iter().filter(|read| read.is == Is::Name);
        let names: Vec<String> = names.map(|read| read.text.clone()).collect();
        let spared: Vec<_> = names
            .iter()
            .filter(|name| (self.known.spared)(name))
            .collect();
        let (is, then) = if equal {
            ("is defined", "and")
        } else {
            ("is not defined", "or")
        };
        let guards = spared.iter().map(|name| format!("{name} {is} {then} "));
        let text = guards.collect::<String>() + &text;
        for name in &names {
            self.asked(name);
        }
        let asked = Read::shows(text, names);
        Ok(if equal { asked } else { asked.turned() })
    }

    /// A number or a truth value is compared with a variable as text, which every variable is.
    fn quoted(&mut self, one: &Read, other: &Read) -> String {
        if one.is == Is::Bare && !matches!(other.is, Is::Bare | Is::Count) {
            let text = &one.text;
            self.notes.push(format!(
                "variables are texts here: compared with the text \"{text}\""
            ));
            return format!("\"{text}\"");
        }
        one.apart()
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
