//! Rows as they are whatever the engine, and what tells two tables apart.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// One column of one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// A number, a moment, or a truth as 0 and 1.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes, an id among them.
    Bytes(Vec<u8>),
}

impl Value {
    /// How much memory it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let held = match self {
            Self::Null | Self::Int(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        };
        size_of::<Self>() + held
    }
}

/// One row, in the order of its table's columns.
pub(crate) type Row = Vec<Value>;

/// How many rows a table has, and a digest of them all in the order of their key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 over what they hold, in hexadecimal.
    pub digest: String,
}

/// A tally on its way.
pub(crate) struct Tallying {
    context: Context,
    rows: u64,
}

impl Tallying {
    /// Of no row yet.
    pub(crate) fn new() -> Self {
        Self {
            context: Context::new(&SHA256),
            rows: 0,
        }
    }

    /// Takes the next row in. Each value goes in with its kind and its length, so that no two rows
    /// that differ read the same.
    pub(crate) fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        self.frame(b'R', row.len());
        for value in row {
            match value {
                Value::Null => self.frame(b'N', 0),
                Value::Int(number) => {
                    self.frame(b'I', 8);
                    self.context.update(&number.to_be_bytes());
                }
                Value::Text(text) => {
                    self.frame(b'T', text.len());
                    self.context.update(text.as_bytes());
                }
                Value::Bytes(bytes) => {
                    self.frame(b'B', bytes.len());
                    self.context.update(bytes);
                }
            }
        }
    }

    /// The tally of what went in.
    pub(crate) fn end(self, table: &str) -> Tally {
        let mut digest = String::with_capacity(64);
        for byte in self.context.finish().as_ref() {
            let _ = write!(digest, "{byte:02x}");
        }
        Tally {
            table: table.to_owned(),
            rows: self.rows,
            digest,
        }
    }

    fn frame(&mut self, kind: u8, length: usize) {
        let mut frame = [kind; 9];
        frame[1..].copy_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
        self.context.update(&frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rows: &[Row]) -> Tally {
        let mut tallying = Tallying::new();
        for row in rows {
            tallying.add(row);
        }
        tallying.end("t")
    }

    #[test]
    fn tables_that_differ_in_any_way_have_different_tallies() {
        let text = |text: &str| Value::Text(text.to_owned());
        let tables = [
            vec![vec![text("ab"), text("c")]],
            vec![vec![text("a"), text("bc")]],
            vec![vec![text("ab")], vec![text("c")]],
            vec![vec![Value::Bytes(b"ab".to_vec()), text("c")]],
            vec![vec![text("ab"), Value::Null]],
            vec![vec![text("ab"), Value::Int(0)]],
            vec![],
        ];
        let tallies: Vec<_> = tables.iter().map(|rows| tally(rows)).collect();
        for (n, one) in tallies.iter().enumerate() {
            assert_eq!(*one, tally(&tables[n]));
            assert!(tallies[..n].iter().all(|other| other.digest != one.digest));
        }
    }
}
