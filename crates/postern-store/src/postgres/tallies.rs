//! What happened in each minute and each hour.

use std::collections::BTreeMap;
use std::time::Duration;

use postern_core::model::{Tally, Timestamp};
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::log::minute_of;
use super::session::{Param, Session, Sql};
use super::value::get;
use crate::rollup::{HOUR, Rollup, hours_of};

const MINUTE: i64 = 60_000_000;
const A_MINUTE: Duration = Duration::from_mins(1);
const A_TICK: Duration = Duration::from_micros(1);

/// What happened in each span of so many minutes, oldest first.
pub(super) async fn read(
    session: &Session,
    (from, to): (Timestamp, Timestamp),
    minutes: u32,
) -> Result<Vec<(Timestamp, Tally)>, Failure> {
    static COUNTS: Sql = Sql {
        text: "SELECT minute, counts FROM log_minutes WHERE minute >= $1 AND minute < $2 \
               UNION ALL SELECT hour * 60, counts FROM log_hours WHERE hour >= $3 AND hour < $4 \
               UNION ALL SELECT minute, counts FROM log_minutes WHERE minute >= $5 AND minute < $6",
        types: &[Type::INT8; 6],
    };
    let step = i64::from(minutes.max(1));
    let span = (minute_of(from), minute_of(to.plus(A_MINUTE).minus(A_TICK)));
    let made = Rollup::of(span, step, counted(session).await?);
    let (before, hours, after) = (made.before, made.hours, made.after);
    let places: [Param<'_>; 6] = [&before.0, &before.1, &hours.0, &hours.1, &after.0, &after.1];
    let mut spans: BTreeMap<i64, Tally> = BTreeMap::new();
    for row in session.query(&COUNTS, &places).await? {
        let span = get::<i64>(&row, 0)?.div_euclid(step) * step;
        let tally = Tally::from_bytes(get(&row, 1)?);
        spans.entry(span).or_default().add(&tally);
    }
    let at = |(minute, tally)| (Timestamp::from_micros(minute * MINUTE), tally);
    Ok(spans.into_iter().map(at).collect())
}

/// Adds what happened to its minutes and hours. The caller holds the cursor.
pub(super) async fn add(session: &Session, minutes: &BTreeMap<i64, Tally>) -> Result<(), Failure> {
    static HELD: Sql = Sql {
        text: "SELECT counts FROM log_minutes WHERE minute = $1",
        types: &[Type::INT8],
    };
    static PUT: Sql = Sql {
        text: "INSERT INTO log_minutes (minute, counts) VALUES ($1, $2) \
               ON CONFLICT (minute) DO UPDATE SET counts = excluded.counts",
        types: &[Type::INT8, Type::BYTEA],
    };
    for (minute, tally) in minutes {
        let mut now = sum(session, &HELD, &[minute]).await?;
        now.add(tally);
        session.execute(&PUT, &[minute, &now.to_bytes()]).await?;
    }
    for hour in hours_of(minutes) {
        sum_up(session, hour).await?;
    }
    Ok(())
}

/// Makes an hour the sum of its minutes, unless it is before hours were counted.
async fn sum_up(session: &Session, hour: i64) -> Result<(), Failure> {
    static MINUTES: Sql = Sql {
        text: "SELECT counts FROM log_minutes WHERE minute >= $1 AND minute < $2",
        types: &[Type::INT8, Type::INT8],
    };
    static PUT: Sql = Sql {
        text: "INSERT INTO log_hours (hour, counts) VALUES ($1, $2) \
               ON CONFLICT (hour) DO UPDATE SET counts = excluded.counts",
        types: &[Type::INT8, Type::BYTEA],
    };
    if counted(session).await?.is_some_and(|first| hour < first) {
        return Ok(());
    }
    let minutes: [Param<'_>; 2] = [&(hour * HOUR), &((hour + 1) * HOUR)];
    let now = sum(session, &MINUTES, &minutes).await?;
    session
        .execute(&PUT, &[&hour, &now.to_bytes()])
        .await
        .map(drop)
}

/// Removes those of before `from`.
pub(super) async fn expire(session: &Session, from: Timestamp) -> Result<(), Failure> {
    static MINUTES: Sql = Sql {
        text: "DELETE FROM log_minutes WHERE minute < $1",
        types: &[Type::INT8],
    };
    static HOURS: Sql = Sql {
        text: "DELETE FROM log_hours WHERE hour < $1",
        types: &[Type::INT8],
    };
    let minute = minute_of(from);
    session.execute(&MINUTES, &[&minute]).await?;
    let hour = minute.div_euclid(HOUR);
    session.execute(&HOURS, &[&hour]).await.map(drop)
}

/// The hour from which on hours are counted.
async fn counted(session: &Session) -> Result<Option<i64>, Failure> {
    static FIRST: Sql = Sql {
        text: "SELECT hour FROM log_hours ORDER BY hour LIMIT 1",
        types: &[],
    };
    let found = session.query(&FIRST, &[]).await?;
    found.first().map(|row| get(row, 0)).transpose()
}

/// The sum of the counts that a query finds.
async fn sum(session: &Session, sql: &Sql, params: &[Param<'_>]) -> Result<Tally, Failure> {
    let mut sum = Tally::default();
    for row in session.query(sql, params).await? {
        sum.add(&Tally::from_bytes(get(&row, 0)?));
    }
    Ok(sum)
}
