//! What happened in each minute and each hour.

use std::collections::BTreeMap;
use std::time::Duration;

use postern_core::model::{Tally, Timestamp};
use rusqlite::{Connection, Params, Result, Row, params};

use super::log::minute_of;
use super::tx::{self, Tx};
use crate::rollup::{HOUR, Rollup, hours_of};

const MINUTE: i64 = 60_000_000;
const A_MINUTE: Duration = Duration::from_mins(1);
const A_TICK: Duration = Duration::from_micros(1);

/// What happened in each span of so many minutes, oldest first.
pub(super) fn read(
    conn: &Connection,
    (from, to): (Timestamp, Timestamp),
    minutes: u32,
) -> Result<Vec<(Timestamp, Tally)>> {
    const COUNTS: &str = "SELECT minute, counts FROM log_minutes WHERE minute >= ?1 AND minute < ?2 \
         UNION ALL SELECT hour * 60, counts FROM log_hours WHERE hour >= ?3 AND hour < ?4 \
         UNION ALL SELECT minute, counts FROM log_minutes WHERE minute >= ?5 AND minute < ?6";
    let step = i64::from(minutes.max(1));
    let span = (minute_of(from), minute_of(to.plus(A_MINUTE).minus(A_TICK)));
    let made = Rollup::of(span, step, counted(conn)?);
    let (before, hours, after) = (made.before, made.hours, made.after);
    let places = params![before.0, before.1, hours.0, hours.1, after.0, after.1];
    let mut spans: BTreeMap<i64, Tally> = BTreeMap::new();
    for (minute, tally) in tx::all(conn, COUNTS, places, numbered)? {
        let span = minute.div_euclid(step) * step;
        spans.entry(span).or_default().add(&tally);
    }
    let at = |(minute, tally)| (Timestamp::from_micros(minute * MINUTE), tally);
    Ok(spans.into_iter().map(at).collect())
}

/// Adds what happened to its minutes and hours.
pub(super) fn add(tx: &Tx<'_>, minutes: &BTreeMap<i64, Tally>) -> Result<()> {
    const MINUTE: &str = "SELECT minute, counts FROM log_minutes WHERE minute = ?1";
    for (minute, tally) in minutes {
        let mut sum = sum(tx, MINUTE, [minute])?;
        sum.add(tally);
        tx.write(
            "INSERT OR REPLACE INTO log_minutes (minute, counts) VALUES (?1, ?2)",
            params![minute, sum.to_bytes()],
        )?;
    }
    for hour in hours_of(minutes) {
        sum_up(tx, hour)?;
    }
    Ok(())
}

/// Makes an hour the sum of its minutes, unless it is before hours were counted.
fn sum_up(tx: &Tx<'_>, hour: i64) -> Result<()> {
    const MINUTES: &str =
        "SELECT minute, counts FROM log_minutes WHERE minute >= ?1 AND minute < ?2";
    if counted(tx.conn())?.is_some_and(|first| hour < first) {
        return Ok(());
    }
    let now = sum(tx, MINUTES, [hour * HOUR, (hour + 1) * HOUR])?;
    tx.write(
        "INSERT OR REPLACE INTO log_hours (hour, counts) VALUES (?1, ?2)",
        params![hour, now.to_bytes()],
    )
    .map(drop)
}

/// Removes those of before `from`.
pub(super) fn expire(tx: &Tx<'_>, from: Timestamp) -> Result<()> {
    let minute = minute_of(from);
    let oldest = "SELECT minute FROM log_minutes WHERE minute < ?1 LIMIT 1";
    if tx.find(oldest, [minute], |_| Ok(()))?.is_none() {
        return Ok(());
    }
    tx.write("DELETE FROM log_minutes WHERE minute < ?1", [minute])?;
    let hour = minute.div_euclid(HOUR);
    tx.write("DELETE FROM log_hours WHERE hour < ?1", [hour])?;
    Ok(())
}

/// The hour from which on hours are counted.
fn counted(conn: &Connection) -> Result<Option<i64>> {
    let first = tx::find(conn, "SELECT min(hour) FROM log_hours", [], |row| {
        row.get(0)
    })?;
    Ok(first.flatten())
}

/// The sum of the counts that a query finds.
fn sum(tx: &Tx<'_>, sql: &'static str, params: impl Params) -> Result<Tally> {
    let mut sum = Tally::default();
    for (_, tally) in tx::all(tx.conn(), sql, params, numbered)? {
        sum.add(&tally);
    }
    Ok(sum)
}

fn numbered(row: &Row<'_>) -> Result<(i64, Tally)> {
    Ok((row.get(0)?, Tally::from_bytes(row.get_ref(1)?.as_blob()?)))
}
