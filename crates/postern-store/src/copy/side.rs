use std::path::PathBuf;

use async_trait::async_trait;
use postern_core::model::Timestamp;

use super::error::CopyError;
use super::tables::Table;
use crate::backup::Ended;
use crate::data_dir::store_file;
use crate::fence::Fence;
use crate::rows::{Row, Value};
use crate::sqlite::catalog::Shape;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// In this data directory.
    Dir(PathBuf),
    /// In the PostgreSQL of this URL.
    Url(String),
}

impl Place {
    /// Reads what was typed: a URL, or else a directory.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Self::Url(text.to_owned());
        }
        Self::Dir(PathBuf::from(text))
    }

    /// Its name for people and for the fence: without user, password and parameters, except where a
    /// socket is.
    pub fn shown(&self) -> String {
        match self {
            Self::Dir(dir) => {
                let whole = dir.canonicalize().unwrap_or_else(|_| dir.clone());
                store_file(&whole).display().to_string()
            }
            Self::Url(url) => shown_url(url),
        }
    }
}

fn shown_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let told = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| matches!(key.as_ref(), "host" | "port" | "dbname"))
        .map(|(key, value)| format!("{key}={value}"));
    let told: Vec<_> = told.collect();
    let mark = if told.is_empty() { "" } else { "?" };
    format!("{scheme}://{place}{mark}{}", told.join("&"))
}

/// What belongs to no table's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// The registry's revision.
    pub(super) revision: i64,
    /// The last event that the authentication log took in.
    pub(super) event: [u8; 16],
    /// The number of the next request in the log.
    pub(super) number: i64,
}

/// Which rows of a table: after this key, up to that one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span<'a> {
    /// After it.
    pub(super) after: Option<&'a [Value]>,
    /// Up to it.
    pub(super) until: Option<&'a [Value]>,
}

/// Rows that follow each other.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    /// Whether others may follow within what was asked for.
    pub(super) more: bool,
}

/// One of the two stores.
#[async_trait]
pub(super) trait Side: Send {
    /// Looks whether everything in it is as this release writes it, as far as that costs no copy.
    async fn check(&mut self) -> Result<(), CopyError>;

    /// The tables of its database.
    async fn shapes(&mut self) -> Result<Vec<Shape>, CopyError>;

    /// How many rows a table has.
    async fn count(&mut self, table: &str) -> Result<u64, CopyError>;

    /// Rows in the order of their key; at most `limit` when it is given, or fewer that are large.
    async fn rows(
        &mut self,
        table: &Table,
        span: Span<'_>,
        limit: Option<usize>,
    ) -> Result<Page, CopyError>;

    /// Puts rows, removes the rows of these keys, and notes how far the copy has come, in one
    /// transaction.
    async fn write(
        &mut self,
        table: &Table,
        put: &[Row],
        drop: &[Row],
        mark: &str,
    ) -> Result<(), CopyError>;

    /// What belongs to no table's rows.
    async fn ends(&mut self) -> Result<Ends, CopyError>;

    /// Sets that, and makes what this engine has besides.
    async fn finish(&mut self, ends: &Ends) -> Result<(), CopyError>;

    /// The fence and the mark that stand there.
    async fn fence(&mut self) -> Result<Option<(Fence, Option<String>)>, CopyError>;

    /// Puts up a fence, once everything that was being written is written; with none, takes it away.
    async fn put_fence(&mut self, fence: Option<&Fence>) -> Result<(), CopyError>;

    /// Ends what may have been spent since the state that the store was put back to.
    async fn end_open(&mut self, now: Timestamp) -> Result<Ended, CopyError>;

    /// Brings to an end, in a fenced store, what its log has not taken in.
    async fn settle_log(&mut self) -> Result<(), CopyError>;
}
