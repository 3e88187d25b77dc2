use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use postern_core::model::Timestamp;
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::error::CopyError;
use super::side::{Ends, Page, Side, Span};
use super::tables::Table;
use crate::backup::{Ended, revoke};
use crate::fence::Fence;
use crate::rows::{Row, Value};
use crate::sqlite::catalog::{self, Shape};
use crate::sqlite::{fence, log_segment_length, made_schema, open, read_requests, snapshot};

/// How long a write waits for the server beside us.
const BUSY: Duration = Duration::from_mins(1);

/// The largest value or row that is read: the largest template, twice.
const LARGEST: i32 = 8 * 1024 * 1024;
/// From so many bytes on, a piece has enough rows.
const ENOUGH: usize = 16 * 1024 * 1024;

/// The embedded engine's side: a connection of our own beside whoever has the file open.
pub(super) struct SqliteSide {
    conn: Connection,
    /// Sends that are in the log and not in the table yet, by address.
    recent: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl SqliteSide {
    pub(super) fn open(file: &Path) -> Result<Self, CopyError> {
        let conn = open::writing(file, 16 * 1024).map_err(CopyError::doing("opening the store"))?;
        // A busy server leaves the file free for moments only.
        conn.busy_timeout(BUSY)
            .and_then(|()| conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, LARGEST))
            .map_err(CopyError::doing("opening the store"))?;
        Ok(Self {
            conn,
            recent: BTreeMap::new(),
        })
    }

    /// Reads the logs of sends: ids grow across both, and the last row of an address holds.
    fn read_recent(&mut self) -> rusqlite::Result<()> {
        let mut rows = self.conn.prepare(
            "SELECT address, times FROM (SELECT id, address, times FROM recent_sends_0 \
             UNION ALL SELECT id, address, times FROM recent_sends_1) ORDER BY id",
        )?;
        let read = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.recent = read.collect::<rusqlite::Result<_>>()?;
        Ok(())
    }

    fn page(&self, table: &Table, span: Span<'_>, limit: Option<usize>) -> rusqlite::Result<Page> {
        let columns = catalog::names(&table.columns);
        let key = catalog::names(&table.key_columns());
        let marks = vec!["?"; table.key.len()].join(", ");
        let mut sql = format!("SELECT {columns} FROM \"{}\" WHERE true", table.name);
        let mut given: Vec<&Value> = Vec::new();
        for (bound, compare) in [(span.after, ">"), (span.until, "<=")] {
            if let Some(bound) = bound {
                let _ = write!(sql, " AND ({key}) {compare} ({marks})");
                given.extend(bound);
            }
        }
        let _ = write!(sql, " ORDER BY {key}");
        if let Some(limit) = limit {
            let _ = write!(sql, " LIMIT {limit}");
        }
        let mut rows = self.conn.prepare_cached(&sql)?;
        let mut rows = rows.query(params_from_iter(given))?;
        let (mut page, mut bytes) = (Page::default(), 0);
        while let Some(row) = rows.next()? {
            let row = catalog::read(row, table.columns.len())?;
            bytes += row.iter().map(Value::bytes).sum::<usize>();
            page.rows.push(row);
            if limit.is_some_and(|limit| page.rows.len() >= limit || bytes >= ENOUGH) {
                page.more = true;
                break;
            }
        }
        Ok(page)
    }

    /// The page as it is with the log of sends.
    fn with_recent(&self, page: Page, span: Span<'_>) -> Page {
        let bytes = |value: Option<&Value>| match value {
            Some(Value::Bytes(bytes)) => Some(bytes.clone()),
            _ => None,
        };
        let mut merged: BTreeMap<Vec<u8>, Row> = BTreeMap::new();
        let last = page.rows.last().and_then(|row| bytes(row.first()));
        for row in page.rows {
            merged.insert(bytes(row.first()).unwrap_or_default(), row);
        }
        let after = bytes(span.after.and_then(<[Value]>::first));
        let until = if page.more {
            last
        } else {
            bytes(span.until.and_then(<[Value]>::first))
        };
        for (address, times) in &self.recent {
            let within = after.as_ref().is_none_or(|after| address > after)
                && until.as_ref().is_none_or(|until| address <= until);
            if within {
                let row = vec![Value::Bytes(address.clone()), Value::Bytes(times.clone())];
                merged.insert(address.clone(), row);
            }
        }
        Page {
            rows: merged.into_values().collect(),
            more: page.more,
        }
    }

    fn put(&self, table: &Table, put: &[Row], drop: &[Row], mark: &str) -> rusqlite::Result<()> {
        let columns = catalog::names(&table.columns);
        let marks = vec!["?"; table.columns.len()].join(", ");
        let mut putting = self.conn.prepare_cached(&format!(
            "INSERT OR REPLACE INTO \"{}\" ({columns}) VALUES ({marks})",
            table.name
        ))?;
        for row in put {
            putting.execute(params_from_iter(row))?;
        }
        let key = catalog::names(&table.key_columns());
        let marks = vec!["?"; table.key.len()].join(", ");
        let mut dropping = self.conn.prepare_cached(&format!(
            "DELETE FROM \"{}\" WHERE ({key}) = ({marks})",
            table.name
        ))?;
        for row in drop {
            dropping.execute(params_from_iter(row))?;
        }
        self.conn.execute("UPDATE fence SET mark = ?1", [mark])?;
        Ok(())
    }

    fn transact(&self, work: impl FnOnce(&Self) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        match work(self).and_then(|()| self.conn.execute_batch("COMMIT")) {
            Ok(()) => Ok(()),
            Err(error) => {
                let _ = self.conn.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[async_trait]
impl Side for SqliteSide {
    /// A file may come from anywhere: another schema would do something else with what is written to it,
    /// an index that does not agree with its table would hide rows from the copy, and a registry that
    /// does not read would make a store that does not open.
    async fn check(&mut self) -> Result<(), CopyError> {
        let reading = || CopyError::doing("reading the schema");
        if catalog::written(&self.conn).map_err(reading())? != made_schema()? {
            let told = "the file's is not one that this release makes";
            return Err(CopyError::Schema(told.to_owned()));
        }
        let found: rusqlite::Result<String> =
            self.conn
                .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        match found
            .map_err(CopyError::doing("checking the file"))?
            .as_str()
        {
            "ok" => {}
            damage => return Err(CopyError::Damaged(damage.to_owned())),
        }
        let unreadable = |error| CopyError::Damaged(format!("a row does not read: {error}"));
        snapshot(&self.conn).map_err(unreadable)?;
        read_requests(&self.conn).map_err(unreadable)
    }

    async fn shapes(&mut self) -> Result<Vec<Shape>, CopyError> {
        catalog::shapes(&self.conn).map_err(CopyError::doing("reading the schema"))
    }

    async fn count(&mut self, table: &str) -> Result<u64, CopyError> {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let counted = self.conn.query_row(&sql, [], |row| row.get::<_, i64>(0));
        let counted = counted.map_err(CopyError::doing(format!("counting {table}")))?;
        Ok(counted.unsigned_abs())
    }

    async fn rows(
        &mut self,
        table: &Table,
        span: Span<'_>,
        limit: Option<usize>,
    ) -> Result<Page, CopyError> {
        let reading = || CopyError::doing(format!("reading {}", table.name));
        let sends = table.name == "address_sends";
        if sends && span.after.is_none() {
            self.read_recent().map_err(reading())?;
        }
        let page = self.page(table, span, limit).map_err(reading())?;
        Ok(if sends {
            self.with_recent(page, span)
        } else {
            page
        })
    }

    async fn write(
        &mut self,
        table: &Table,
        put: &[Row],
        drop: &[Row],
        mark: &str,
    ) -> Result<(), CopyError> {
        self.transact(|side| side.put(table, put, drop, mark))
            .map_err(CopyError::doing(format!("writing {}", table.name)))
    }

    async fn ends(&mut self) -> Result<Ends, CopyError> {
        let ends = self.conn.query_row(
            "SELECT revision, event, next FROM registry, log_cursor",
            [],
            |row| {
                Ok(Ends {
                    revision: row.get(0)?,
                    event: row.get(1)?,
                    number: row.get(2)?,
                })
            },
        );
        ends.map_err(CopyError::doing("reading the log's cursor"))
    }

    async fn finish(&mut self, ends: &Ends) -> Result<(), CopyError> {
        let work = |side: &Self| {
            let conn = &side.conn;
            conn.execute("UPDATE registry SET revision = ?1", [ends.revision])?;
            conn.execute(
                "UPDATE log_cursor SET event = ?1, next = ?2",
                rusqlite::params![ends.event, ends.number],
            )?;
            conn.execute("DELETE FROM log_addresses", [])?;
            conn.execute(
                "INSERT INTO log_addresses (segment, address, number) \
                 SELECT number / ?1, address, number FROM log_requests",
                [log_segment_length()],
            )?;
            Ok(())
        };
        self.transact(work)
            .map_err(CopyError::doing("finishing the log"))
    }

    async fn fence(&mut self) -> Result<Option<(Fence, Option<String>)>, CopyError> {
        fence::read(&self.conn).map_err(CopyError::doing("reading the fence"))
    }

    async fn put_fence(&mut self, fence: Option<&Fence>) -> Result<(), CopyError> {
        self.transact(|side| fence::put(&side.conn, fence))
            .map_err(CopyError::doing("fencing the store"))
    }

    async fn end_open(&mut self, now: Timestamp) -> Result<Ended, CopyError> {
        let mut ended = Ended::default();
        let work = |side: &Self| {
            ended = revoke(&side.conn, now)?;
            Ok(())
        };
        let done = self.transact(work);
        done.map_err(CopyError::doing("ending what is open"))?;
        Ok(ended)
    }

    /// What its log has not taken in yet, the copy's takes in.
    async fn settle_log(&mut self) -> Result<(), CopyError> {
        Ok(())
    }
}
