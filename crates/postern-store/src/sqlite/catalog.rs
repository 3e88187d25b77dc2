//! What tables a database has, read from the database itself.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use crate::rows::{Row, Tally, Tallying, Value};

/// A table as the database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Its name.
    pub(crate) table: String,
    /// Its columns, in their order.
    pub(crate) columns: Vec<String>,
    /// The columns of its primary key, in the key's order; none for a table of one row.
    pub(crate) key: Vec<String>,
}

/// Every table, by name.
pub(crate) fn shapes(conn: &Connection) -> Result<Vec<Shape>> {
    let mut tables = conn.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = tables.query_map([], |row| row.get(0))?;
    names.map(|name| shape(conn, name?)).collect()
}

/// What the schema says, object by object: kind, name and the statement that makes it. Without what
/// SQLite makes for itself.
pub(crate) fn written(conn: &Connection) -> Result<Vec<(String, String, String)>> {
    let mut objects = conn.prepare(
        "SELECT type, name, coalesce(sql, '') FROM sqlite_schema \
         WHERE NOT (type IN ('table', 'index') AND name LIKE 'sqlite\\_%' ESCAPE '\\') ORDER BY type, name",
    )?;
    let read = objects.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    read.collect()
}

fn shape(conn: &Connection, table: String) -> Result<Shape> {
    let mut columns = conn.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let read = columns.query_map([&table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?))
    })?;
    let columns: Vec<_> = read.collect::<Result<_>>()?;
    let mut key: Vec<_> = columns.iter().filter(|(_, place)| *place > 0).collect();
    key.sort_by_key(|(_, place)| *place);
    Ok(Shape {
        key: key.into_iter().map(|(name, _)| name.clone()).collect(),
        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
        table,
    })
}

/// Counts and digests a table, row by row in the order of its key; `each` hears of every row.
pub(crate) fn tally(conn: &Connection, shape: &Shape, each: &mut dyn FnMut()) -> Result<Tally> {
    let columns = names(&shape.columns);
    let order = if shape.key.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", names(&shape.key))
    };
    let from = quoted(&shape.table);
    let mut rows = conn.prepare(&format!("SELECT {columns} FROM {from}{order}"))?;
    let mut rows = rows.query([])?;
    let mut tallying = Tallying::new();
    while let Some(row) = rows.next()? {
        tallying.add(&read(row, shape.columns.len())?);
        each();
    }
    Ok(tallying.end(&shape.table))
}

/// Names of columns for a statement.
pub(crate) fn names(columns: &[String]) -> String {
    let quoted: Vec<_> = columns.iter().map(|name| quoted(name)).collect();
    quoted.join(", ")
}

/// A name for a statement, whoever chose it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The first `columns` columns of a row.
pub(crate) fn read(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row> {
    let value = |column| {
        Ok(match row.get_ref(column)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Int(number),
            ValueRef::Text(_) => Value::Text(row.get(column)?),
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => return Err(rusqlite::Error::InvalidQuery),
        })
    };
    (0..columns).map(value).collect()
}
