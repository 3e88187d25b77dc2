//! Looking into the authentication log.
//!
//! A query walks the segments from the newest and passes over those that cannot hold what it asks
//! for, by their counts and their spans of time; what it counts, it counts by whole segments where
//! it can. No filter has an index of its own, for every index would be paid for by every request.

use std::collections::HashMap;

use async_trait::async_trait;
use postern_core::model::{AuthRequestId, Event, LogEntry, Tally, Timestamp};
use postern_core::ports::{Log, LogPage, LogPlace, LogQuery, StoreError};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

use super::log::{self, Numbered, SEGMENT};
use super::{SqliteStore, project, tallies, tx};

#[async_trait]
impl Log for SqliteStore {
    async fn project(&self) -> Result<bool, StoreError> {
        let _alone = self.projecting.lock().await;
        project::project(&self.slow, &self.writer).await
    }

    async fn log(&self, query: LogQuery) -> Result<LogPage, StoreError> {
        self.slow.run(move |conn| page(conn, &query)).await
    }

    async fn find_logged(&self, id: AuthRequestId) -> Result<Option<LogEntry>, StoreError> {
        let found = self.slow.run(move |conn| log::find(conn, id)).await?;
        Ok(found.map(|(_, entry)| entry))
    }

    async fn refusals(
        &self,
        address: postern_core::model::AddressKey,
    ) -> Result<Vec<Event>, StoreError> {
        self.slow
            .run(move |conn| log::refusals(conn, address))
            .await
    }

    async fn tallies(
        &self,
        from: Timestamp,
        to: Timestamp,
        minutes: u32,
    ) -> Result<Vec<(Timestamp, Tally)>, StoreError> {
        self.slow
            .run(move |conn| tallies::read(conn, (from, to), minutes))
            .await
    }
}

/// A segment that may hold what is asked for.
struct Segment {
    number: i64,
    /// Whether every one of its entries is within the span of time that is asked for.
    whole: bool,
    /// Entries of the client and the statuses that are asked for.
    count: u64,
}

fn page(conn: &Connection, query: &LogQuery) -> Result<LogPage> {
    let segments = segments(conn, query)?;
    let limit = query.limit.max(1);
    let (found, backwards) = match query.place {
        LogPlace::Newest => (older(conn, query, &segments, i64::MAX, limit + 1)?, false),
        LogPlace::Before(number) => (older(conn, query, &segments, number, limit + 1)?, false),
        LogPlace::After(number) => (newer(conn, query, &segments, number, limit + 1)?, true),
    };
    let more = found.len() > limit;
    let mut found = found;
    found.truncate(limit);
    if backwards {
        found.reverse();
    }
    let at_an_end = query.place == LogPlace::Newest;
    let first = found.first().map(|(number, _)| *number);
    let last = found.last().map(|(number, _)| *number);
    Ok(LogPage {
        newer: first.filter(|_| if backwards { more } else { !at_an_end }),
        older: last.filter(|_| backwards || more),
        total: total(conn, query, &segments)?,
        entries: found.into_iter().map(|(_, entry)| entry).collect(),
    })
}

/// The segments that may hold what is asked for, newest first.
fn segments(conn: &Connection, query: &LogQuery) -> Result<Vec<Segment>> {
    let (from, to) = bounds(query);
    let spans = tx::all(
        conn,
        "SELECT segment, first_at, last_at FROM log_segments WHERE last_at >= ?1 AND first_at <= ?2 \
         ORDER BY segment DESC",
        [from, to],
        |row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
    )?;
    let mut counts: HashMap<i64, u64> = HashMap::new();
    let mut sql = "SELECT segment, sum(count) FROM log_counts WHERE count > 0".to_owned();
    let mut values = Vec::new();
    narrow(&mut sql, &mut values, query);
    sql.push_str(" GROUP BY segment");
    for (segment, count) in tx::all(conn, &sql, params_from_iter(values), |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?))
    })? {
        counts.insert(segment, u64::try_from(count).unwrap_or(0));
    }
    let segment = |(number, first, last): (i64, i64, i64)| Segment {
        number,
        whole: first >= from && last <= to,
        count: counts.get(&number).copied().unwrap_or(0),
    };
    let held = spans.into_iter().map(segment);
    Ok(held.filter(|segment| segment.count > 0).collect())
}

fn bounds(query: &LogQuery) -> (i64, i64) {
    (
        query.from.map_or(i64::MIN, Timestamp::micros),
        query.to.map_or(i64::MAX, Timestamp::micros),
    )
}

/// Adds the conditions on clients and status.
fn narrow(sql: &mut String, values: &mut Vec<Value>, query: &LogQuery) {
    if let Some(client) = &query.client {
        sql.push_str(" AND client = ?");
        values.push(client.as_str().to_owned().into());
    }
    if let Some(client) = &query.without {
        sql.push_str(" AND client <> ?");
        values.push(client.as_str().to_owned().into());
    }
    if !query.statuses.is_empty() {
        let marks = vec!["?"; query.statuses.len()].join(", ");
        sql.extend([" AND status IN (", &marks, ")"]);
        values.extend(
            query
                .statuses
                .iter()
                .map(|status| Value::from(i64::from(status.number()))),
        );
    }
}

/// Entries that are older than `number`, newest first.
fn older(
    conn: &Connection,
    query: &LogQuery,
    segments: &[Segment],
    number: i64,
    limit: usize,
) -> Result<Vec<Numbered>> {
    let mut found = Vec::new();
    for segment in segments {
        let first = segment.number * SEGMENT;
        let end = number.min(first + SEGMENT);
        if first < end && found.len() < limit {
            let span = Span(first, end, "DESC", limit - found.len());
            found.extend(within(conn, query, &span)?);
        }
    }
    Ok(found)
}

/// Entries that are newer than `number`, oldest first.
fn newer(
    conn: &Connection,
    query: &LogQuery,
    segments: &[Segment],
    number: i64,
    limit: usize,
) -> Result<Vec<Numbered>> {
    let mut found = Vec::new();
    for segment in segments.iter().rev() {
        let first = segment.number * SEGMENT;
        let begin = first.max(number.saturating_add(1));
        if begin < first + SEGMENT && found.len() < limit {
            let span = Span(begin, first + SEGMENT, "ASC", limit - found.len());
            found.extend(within(conn, query, &span)?);
        }
    }
    Ok(found)
}

/// From a number to before another, in an order, at most so many.
struct Span(i64, i64, &'static str, usize);

fn within(conn: &Connection, query: &LogQuery, span: &Span) -> Result<Vec<Numbered>> {
    let (mut sql, mut values) = selection(log::COLUMNS, query, span);
    sql.extend([" ORDER BY ", place(query), " ", span.2, " LIMIT ?"]);
    values.push(i64::try_from(span.3).unwrap_or(i64::MAX).into());
    tx::all(conn, &sql, params_from_iter(values), log::read)
}

/// The column by which entries are found: those whose mail was lost have an index.
fn place(query: &LogQuery) -> &'static str {
    if query.lost { "lost" } else { "number" }
}

/// Statement and values that select what is asked for within one segment.
fn selection(columns: &str, query: &LogQuery, span: &Span) -> (String, Vec<Value>) {
    let (from, to) = bounds(query);
    let place = place(query);
    let mut sql = format!("SELECT {columns} FROM log_requests WHERE {place} >= ? AND {place} < ?");
    let mut values: Vec<Value> = vec![span.0.into(), span.1.into()];
    if let Some(address) = query.address {
        sql.push_str(
            " AND number IN (SELECT number FROM log_addresses WHERE segment = ? AND address = ?)",
        );
        values.push(log::segment_of(span.0).into());
        values.push(address.0.to_vec().into());
    }
    if (from, to) != (i64::MIN, i64::MAX) {
        sql.push_str(" AND at >= ? AND at <= ?");
        values.extend([from.into(), to.into()]);
    }
    narrow(&mut sql, &mut values, query);
    (sql, values)
}

/// How many entries there are, exact up to what is promised.
fn total(conn: &Connection, query: &LogQuery, segments: &[Segment]) -> Result<u64> {
    let most = LogPage::COUNTED + 1;
    let mut total = 0;
    for segment in segments {
        total += if segment.whole && query.address.is_none() && !query.lost {
            segment.count
        } else {
            counted(conn, query, segment.number, most - total)?
        };
        if total >= most {
            return Ok(most);
        }
    }
    Ok(total)
}

fn counted(conn: &Connection, query: &LogQuery, segment: i64, most: u64) -> Result<u64> {
    let first = segment * SEGMENT;
    let span = Span(first, first + SEGMENT, "", 0);
    let (inner, mut values) = selection("1", query, &span);
    let sql = format!("SELECT count(*) FROM ({inner} LIMIT ?)");
    values.push(i64::try_from(most).unwrap_or(i64::MAX).into());
    let found = tx::all(conn, &sql, params_from_iter(values), |row| {
        row.get::<_, i64>(0)
    })?;
    let count = found.first().and_then(|count| u64::try_from(*count).ok());
    Ok(count.unwrap_or(0))
}
