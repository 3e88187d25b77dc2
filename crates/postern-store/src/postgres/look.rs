//! Statements on any table, for copying a store.

use tokio_postgres::Row as Found;

use super::column::{Given, Kind};
use super::failure::Failure;
use crate::rows::{Row, Value};

/// A table, the columns that matter, and where its key is among them.
pub(crate) struct Look<'t> {
    pub(crate) table: &'t str,
    pub(crate) columns: &'t [String],
    pub(crate) kinds: Vec<Kind>,
    pub(crate) key: &'t [usize],
}

/// What is written to a table in one transaction.
pub(crate) struct Change<'c> {
    pub(crate) put: &'c [Row],
    /// Columns of this engine's own, with a value for each row that is put.
    pub(crate) own: &'c [(String, Vec<Value>)],
    /// Keys of rows that go.
    pub(crate) drop: &'c [Row],
    /// How far the copy has come.
    pub(crate) mark: &'c str,
}

impl Look<'_> {
    pub(super) fn select(&self) -> String {
        format!(
            "SELECT {} FROM \"{}\" WHERE true",
            quoted(self.columns).join(", "),
            self.table
        )
    }

    /// The key's columns, in the order of their bytes whatever the database's language.
    pub(super) fn order(&self) -> Vec<String> {
        let column = |at: &usize| {
            let collate = if self.kinds[*at] == Kind::Text {
                " COLLATE \"C\""
            } else {
                ""
            };
            format!("\"{}\"{collate}", self.columns[*at])
        };
        self.key.iter().map(column).collect()
    }

    pub(super) fn compare(&self, how: &str, before: usize) -> String {
        let marks: Vec<_> = (1..=self.key.len())
            .map(|n| format!("${}", before + n))
            .collect();
        format!("({}) {how} ({})", self.order().join(", "), marks.join(", "))
    }

    fn key_names(&self) -> Vec<String> {
        self.key
            .iter()
            .map(|at| format!("\"{}\"", self.columns[*at]))
            .collect()
    }

    pub(super) fn delete(&self) -> String {
        let marks: Vec<_> = (1..=self.key.len()).map(|n| format!("${n}")).collect();
        format!(
            "DELETE FROM \"{}\" WHERE ({}) IN (SELECT * FROM UNNEST({}))",
            self.table,
            self.key_names().join(", "),
            marks.join(", ")
        )
    }

    pub(super) fn keys(&self, keys: &[Row]) -> Result<Given, Failure> {
        let column = |(n, at): (usize, &usize)| {
            let values: Vec<_> = keys.iter().map(|key| &key[n]).collect();
            self.kinds[*at].many(&values)
        };
        self.key.iter().enumerate().map(column).collect()
    }

    pub(super) fn insert(&self, change: &Change<'_>) -> Result<(String, Given), Failure> {
        let mut given = Given::new();
        for (at, kind) in self.kinds.iter().enumerate() {
            let values: Vec<_> = change.put.iter().map(|row| &row[at]).collect();
            given.push(kind.many(&values)?);
        }
        for (_, values) in change.own {
            given.push(Kind::Big.many(&values.iter().collect::<Vec<_>>())?);
        }
        let own = change.own.iter().map(|(name, _)| format!("\"{name}\""));
        let columns: Vec<_> = quoted(self.columns).into_iter().chain(own).collect();
        let marks: Vec<_> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let keys = self.key_names();
        let replaced: Vec<_> = quoted(self.columns)
            .into_iter()
            .filter(|column| !keys.contains(column))
            .map(|column| format!("{column} = EXCLUDED.{column}"))
            .collect();
        let clash = if replaced.is_empty() {
            "DO NOTHING".to_owned()
        } else {
            format!("DO UPDATE SET {}", replaced.join(", "))
        };
        let sql = format!(
            "INSERT INTO \"{}\" ({}) SELECT * FROM UNNEST({}) ON CONFLICT ({}) {clash}",
            self.table,
            columns.join(", "),
            marks.join(", "),
            keys.join(", ")
        );
        Ok((sql, given))
    }

    pub(super) fn read(&self, row: &Found) -> Result<Row, Failure> {
        let read = |(at, kind): (usize, &Kind)| kind.read(row, at);
        self.kinds.iter().enumerate().map(read).collect()
    }
}

fn quoted(columns: &[String]) -> Vec<String> {
    columns.iter().map(|name| format!("\"{name}\"")).collect()
}
