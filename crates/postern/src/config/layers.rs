use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::origin::Origin;
use super::{ConfigError, DEFAULTS, SETTINGS_TABLE};

/// What the environment may hold though we never read it: what Kubernetes injects for a service
/// whose name begins with "postern".
const INJECTED: [&str; 3] = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"];

/// Values laid over one another, each with the place where it was typed.
#[derive(Clone, Debug)]
pub struct Layers {
    values: BTreeMap<String, (Value, Origin)>,
    problems: Vec<String>,
}

impl Layers {
    /// The defaults alone.
    ///
    /// # Panics
    /// Never: the embedded file is checked by a test.
    pub fn defaults() -> Self {
        let tables: Table = DEFAULTS.parse().expect("the embedded defaults are TOML");
        let mut values = BTreeMap::new();
        for (table, keys) in tables
            .into_iter()
            .filter(|(table, _)| table != SETTINGS_TABLE)
        {
            let Value::Table(keys) = keys else { continue };
            for (key, value) in keys {
                values.insert(format!("{table}.{key}"), (value, Origin::Default));
            }
        }
        Self {
            values,
            problems: Vec::new(),
        }
    }

    /// Lays the operator's file over what is there.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML. Keys that do not exist wait for [`Self::problems`].
    pub fn file(&mut self, file: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
            file: file.to_owned(),
            source,
        })?;
        self.text(&text, file)
    }

    /// Lays the text of `file` over what is there.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn text(&mut self, text: &str, file: &Path) -> Result<(), ConfigError> {
        let tables = DeTable::parse(text).map_err(|error| ConfigError::NotToml {
            file: file.to_owned(),
            line: error.span().map(|span| line_of(text, span.start)),
            message: error.message().to_owned(),
        })?;
        for (table, keys) in tables.get_ref() {
            let at = |start: usize| Origin::File {
                file: file.to_owned(),
                line: line_of(text, start),
            };
            match keys.get_ref() {
                _ if table.get_ref() == SETTINGS_TABLE => self.problems.push(format!(
                    "[settings] ({}) is not configuration: remove it and use `postern settings set KEY=VALUE`",
                    at(table.span().start)
                )),
                DeValue::Table(keys) => {
                    for (key, value) in keys {
                        let name = format!("{}.{}", table.get_ref(), key.get_ref());
                        self.put(&name, plain(value), at(key.span().start));
                    }
                }
                _ => self.unknown(table.get_ref(), &at(table.span().start)),
            }
        }
        Ok(())
    }

    /// Lays `POSTERN_TABLE_KEY` variables over what is there; other variables are not looked at.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (variable, text) in variables {
            let Some(rest) = variable.strip_prefix("POSTERN_") else {
                continue;
            };
            let known = self
                .values
                .keys()
                .find(|key| key.replace('.', "_").eq_ignore_ascii_case(rest))
                .cloned();
            match known {
                Some(key) => self.put_text(&key, &text, Origin::Environment(variable)),
                None if is_injected(rest) => {}
                None => self.unknown(&variable, &Origin::Environment("environment".into())),
            }
        }
    }

    /// Lays one value given as text over what is there.
    pub fn put_text(&mut self, key: &str, text: &str, origin: Origin) {
        let parsed = match self.values.get(key) {
            Some((Value::Boolean(_), _)) => text.parse().map(Value::Boolean).ok(),
            Some((Value::Integer(_), _)) => text.parse().map(Value::Integer).ok(),
            _ => None,
        };
        self.put(
            key,
            Some(parsed.unwrap_or_else(|| Value::String(text.to_owned()))),
            origin,
        );
    }

    /// Lays a value under whatever was typed: over the default alone.
    pub fn suggest(&mut self, key: &str, text: &str, origin: Origin) {
        if self.origin(key) == Origin::Default {
            self.put_text(key, text, origin);
        }
    }

    /// The text of `key`; `None` when it was not typed, or is no text.
    pub fn typed(&self, key: &str) -> Option<&str> {
        let (value, origin) = self.values.get(key)?;
        value.as_str().filter(|_| *origin != Origin::Default)
    }

    /// Lays `TABLE.KEY=VALUE`, as the flag `--set` takes it, over what is there.
    pub fn assignment(&mut self, assignment: &str) {
        match assignment.split_once('=') {
            Some((key, text)) => self.put_text(key.trim(), text.trim(), Origin::Flag("--set")),
            None => self
                .problems
                .push(format!("--set {assignment:?}: write TABLE.KEY=VALUE")),
        }
    }

    /// What was refused so far.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Every key with its value and origin, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value, &Origin)> {
        self.values
            .iter()
            .map(|(key, (value, origin))| (key.as_str(), value, origin))
    }

    /// Where the value of `key` was typed; the default for a key that does not exist.
    pub fn origin(&self, key: &str) -> Origin {
        self.values
            .get(key)
            .map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// The values as nested tables.
    pub fn tables(&self) -> Table {
        let mut tables = Table::new();
        for (name, (value, _)) in &self.values {
            let Some((table, key)) = name.split_once('.') else {
                continue;
            };
            let entry = tables
                .entry(table)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(keys) = entry {
                keys.insert(key.to_owned(), value.clone());
            }
        }
        tables
    }

    fn put(&mut self, key: &str, value: Option<Value>, origin: Origin) {
        let Some((held, _)) = self.values.get(key) else {
            return self.unknown(key, &origin);
        };
        match value {
            Some(value) if value.same_type(held) => {
                self.values.insert(key.to_owned(), (value, origin));
            }
            _ => self
                .problems
                .push(format!("{key} ({origin}) must be {}", kind(held))),
        }
    }

    fn unknown(&mut self, key: &str, origin: &Origin) {
        let hint = match self.nearest(key) {
            Some(near) => format!("did you mean {near}?"),
            None => "`postern config print` lists every key".to_owned(),
        };
        self.problems
            .push(format!("{key} ({origin}) is not a known key: {hint}"));
    }

    /// The known key that shares the last part or the most letters with `key`.
    fn nearest(&self, key: &str) -> Option<String> {
        let wanted = key
            .strip_prefix("POSTERN_")
            .unwrap_or(key)
            .replace('.', "_")
            .to_ascii_lowercase();
        let distance = |known: &String| edits(&wanted, &known.replace('.', "_"));
        let near = self.values.keys().min_by_key(|known| distance(known))?;
        let written = if key.starts_with("POSTERN_") {
            format!("POSTERN_{}", near.replace('.', "_").to_ascii_uppercase())
        } else {
            near.clone()
        };
        (distance(near) <= 3).then_some(written)
    }
}

/// A spanned value as a plain one; `None` for what no key of ours takes.
fn plain(value: &Spanned<DeValue<'_>>) -> Option<Value> {
    match value.get_ref() {
        DeValue::String(text) => Some(Value::String(text.to_string())),
        DeValue::Boolean(flag) => Some(Value::Boolean(*flag)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(Value::Integer),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Boolean(_) => "true or false",
        Value::Integer(_) => "a whole number",
        _ => "text in quotes",
    }
}

fn line_of(text: &str, start: usize) -> usize {
    text[..start].matches('\n').count() + 1
}

fn is_injected(rest: &str) -> bool {
    INJECTED.iter().any(|shape| rest.contains(shape))
        || ["SERVICE_", "PORT"]
            .iter()
            .any(|shape| rest.starts_with(shape))
}

/// Levenshtein distance, in letters.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
